"""`strategy trades`: every round trip with what it brought, as a table, as JSON or as CSV."""

import csv as comma
import sys
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from itertools import groupby
from pathlib import Path

from infra.cli.exits import say
from infra.cli.hand import show
from infra.cli.laid_out import table
from infra.cli.looked import trips_at
from infra.operations.trips import Trips
from infra.results.facts import Trade
from infra.results.figures import fees_of
from infra.results.words import price, words
from infra.simulated_day.hours import clock, clock_on
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.domain.orders.explain import WASH_SALE, why_left
from shared.domain.telling.wording import count, few

COLUMNS = (
    "symbol", "strategy", "shares", "in_utc", "price_in", "out_utc", "price_out", "profit_before_fees_usd",
    "profit_before_fees_pct", "reason", "held", "last_price", "open_profit_usd", "unpriced", "possible_wash_sale",
    "position",
)  # fmt: skip
MOST_NAMED = 5


def listed(
    profile: str, state: Path | None, *, symbol: str | None, last: int | None, json: bool, csv: bool
) -> None:  # fmt: skip
    """List round trips; raises UserError."""
    if json and csv:
        raise UserError("JSON and CSV were both asked for", remedy="leave one of --json and --csv out")
    whole, there = trips_at(profile, state, opens=not (json or csv))
    found = whole.only(symbol=symbol, last=last)
    if found.unread:
        named = few(found.unread, MOST_NAMED)
        say(f"In no round trip, because it cannot be read: {named}; {there}.")
    for one in found.sessions:
        if not one.agrees:
            said = "no ledger" if one.ledger is None else f"its ledger says {one.ledger:+,.2f} USD"
            say(f"DIFFERENT: the round trips of {one.session} brought {one.realized:+,.2f} USD, {said}.")
    if csv:
        sys.stdout.write(as_csv(found.trades, fees=fees_of(found.trades) is not None))
        return
    show(found, lambda: in_words(found, whole), json=json)


def in_words(found: Trips, whole: Trips) -> None:
    """Print round trips, a table for each day, and their sum beside that of the `whole`."""
    for day, those in groupby(found.trades, key=lambda one: new_york_day(one.entered_at)):
        sys.stdout.write(f"{day}, New York\n")
        table(("Symbol", "In", "Out", "Shares", "Entry", "Exit", "Profit", "%", "Why"), (_row(one) for one in those))
    sys.stdout.write(f"{_sum(found, whole)}\n")
    if any(one.possible_wash_sale for one in found.trades):
        sys.stdout.write(f"* {WASH_SALE}\n")


def _row(one: Trade) -> tuple[object, ...]:
    out = "held" if one.left_at is None else clock_on(new_york_day(one.entered_at), one.left_at)
    why = f"{words(one.strategy)}: {why_left(one.exit_reason)}" if one.exit_reason else words(one.strategy)
    if one.unpriced:
        why += f"; without {one.unpriced:,} shares taken out at a price that is not known"
    if one.held:
        why += f"; {one.held:,} still held"
    return (
        one.symbol + " *" * one.possible_wash_sale, clock(one.entered_at), out, f"{one.shares:,}",
        price(one.entry_price), price(one.exit_price),
        f"{one.net:+,.2f}" if one.exit_price is not None else "",
        "" if one.net_percent is None else f"{one.net_percent:+.2f}", why,
    )  # fmt: skip


def _sum(found: Trips, whole: Trips) -> str:
    """Say what the round trips came to, and where not all are shown what all did."""
    if not whole.trades:
        return "No round trip: nothing was bought yet."
    fees = "before" if fees_of(whole.trades) is None else "after"
    said = f"{_count(found)}: {found.realized:+,.2f} USD realised, {fees} fees"
    if found.unpriced:
        said += f", without {found.unpriced:,} shares taken out at a price that is not known"
    if len(found.trades) == len(whole.trades):
        return said
    return f"{said}; of all {_count(whole)} {whole.realized:+,.2f} USD"


def _count(found: Trips) -> str:
    held = sum(1 for one in found.trades if one.held)
    return f"{count(len(found.trades) - held, 'closed trade')}{f' and {held} open' if held else ''}"


def as_csv(trades: Iterable[Trade], *, fees: bool) -> str:
    """Give round trips as CSV; where `fees` are known the profit stands before and after them.

    What is held has the profit of its shares beside that, where their last price is known.
    """
    out = StringIO()
    rows = comma.writer(out, lineterminator="\n")
    more = ("fees_usd", "profit_after_fees_usd") if fees else ()
    rows.writerow((*COLUMNS, *more))
    for one in trades:
        rows.writerow((*_row_of(one), *((_money(one.fees), _money(one.net)) if fees else ())))
    return out.getvalue()


def _row_of(one: Trade) -> tuple[object, ...]:
    """Give a round trip's values in the order of COLUMNS."""
    return (
        one.symbol, one.strategy, one.shares, one.entered_at.isoformat(), _average(one.entry_price),
        one.left_at.isoformat() if one.left_at else "", _average(one.exit_price), _money(one.realized),
        _money(one.percent), one.exit_reason, one.held, _money(one.last_price), _money(one.open_profit), one.unpriced,
        one.possible_wash_sale, one.position_id,
    )  # fmt: skip


def _average(price: Decimal | None) -> str:
    return "" if price is None else f"{price:.4f}"


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
