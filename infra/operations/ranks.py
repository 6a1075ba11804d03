"""The rank of the watch list, as the scan reckons it, for its owner.

What can go wrong: the rank that is shown is of another day, or by other weights than the scan's. What this promises:
session and instant are said, and the score is reckoned by the code and the configuration that the scan uses.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from infra.operations.configuring import Base
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.market.ranking import Part, ranked
from shared.domain.orders.versions import in_force
from shared.frozen import frozen
from shared.usecases.market.ranking import last_measured


@frozen
class Row:
    """A symbol's place, its score from 0 to 100, each part of it, what is `unknown`, and whether it is looked at."""

    place: int
    symbol: str
    score: Decimal
    scanned: bool
    parts: tuple[Part, ...]
    unknown: tuple[str, ...]


@frozen
class Ranks:
    """The rank made for `session` at an instant, by the weights in percent of a version of the configuration."""

    session: date
    at: datetime
    configuration: int
    weights: Mapping[str, Decimal]
    scanned_max: int
    rows: tuple[Row, ...]


def ranks(hand: Hand, base: Base) -> Ranks:
    """Give the last rank that was made; raises UserError where there is none, Malformed."""
    measured = last_measured(hand.desk.store)
    if measured is None:
        remedy = "it is made with the daily bars, at 07:00 and after a sign-in before 09:29 New York"
        raise UserError("the watch list was not ranked yet, and its own order counts", remedy=remedy)
    versions = None if base.held is None else base.held.value
    now = in_force(versions, base.file, base.most, hand.desk.clock.now())
    universe = now.config.universe
    rows = tuple(
        Row(
            place=one.place, symbol=one.symbol, score=one.score, scanned=one.place <= universe.scanned_max,
            parts=one.parts, unknown=one.unknown,
        )
        for one in ranked(measured.symbols, universe.weights)
    )  # fmt: skip
    return Ranks(
        session=measured.session, at=measured.at, configuration=now.number, weights=universe.weights,
        scanned_max=universe.scanned_max, rows=rows,
    )  # fmt: skip
