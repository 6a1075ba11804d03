"""One market day twice: through the graph in the stated timing model, and by the fast path; and what differs first.

What can go wrong: both have lost their signals, and nothing equals nothing. What this promises: a recorded day has at
least the signals, orders and fills that are known of it (`KNOWN`), every other day one signal and one order.

`python -m tests.backtest.equal MARKET [--config demo] [--seed 1] [--usual]` prints both results and the first
difference or what is missing, and ends with 1 where there is either; with `--usual` the graph has the usual network and
scheduler, and what real delays change is shown and no mistake.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infra.backtest.day import Day
from infra.backtest.engine import play
from infra.backtest.played import Carried, Fills, Played
from infra.backtest.quoted import tick_day
from infra.backtest.tick_fills import TickFills
from infra.backtest.timing import TIMES, Timing
from infra.brokersim.market import daily_bars, open_market
from infra.one_machine.history import MarketHistory
from infra.one_machine.stated import STATED, Stated
from infra.simulated_day.account import mode_of
from infra.simulated_day.environment import STARTING_CASH, watch_list
from infra.simulated_day.machine import Surroundings
from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from shared.domain.base.calendar import session_of
from shared.domain.control.config import StrategyConfig
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Ledger
from shared.domain.orders.signals import Signal
from shared.strategies.config import load
from shared.strategies.registry import bound

Row = tuple[object, ...]


class Known(NamedTuple):
    """How many a day is known to have."""

    signals: int
    orders: int
    traded: int


KNOWN: Mapping[tuple[str, str], Known] = {
    ("2013-10-07", "demo"): Known(12, 26, 14),
    ("2013-10-07", "default"): Known(17, 33, 16),
    ("2013-10-08", "demo"): Known(3, 7, 4),
    ("2013-10-08", "default"): Known(13, 27, 14),
    ("2013-10-09", "demo"): Known(53, 73, 18),
    ("2013-10-09", "default"): Known(40, 58, 18),
}
"""Of each recorded day and configuration, as the fast path gives it; no recorded day has none.

A change of the strategies or the limits that means to change a day changes its row.
"""
ANY = Known(1, 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a day was, as rows that say everything that has to be equal, each kind in the order of its instants."""

    signals: tuple[Row, ...]
    orders: tuple[Row, ...]
    booked: tuple[Row, ...]
    traded: tuple[Row, ...]
    ledger: Row
    cash: Decimal


def graph(market: str, folder: Path, *, config: str, seed: int = 1, stated: Stated | None = STATED) -> DayResult:
    """Run a day through the graph, every time a constant and the broker's calls not counted, or as usual."""
    return run_day(
        market_spec=market, config=config, seed=seed, speed="max", state=None, on_progress=lambda _: None, runs=folder,
        around=Surroundings(stated=stated),
    )  # fmt: skip


def fast(
    market: str, *, config: StrategyConfig | str, seed: int = 1, timing: Timing = TIMES, fills: Fills | None = None
) -> Played:
    """Play the same day by the fast path; one that is given whole trades the demonstration's account."""
    chosen = load(config) if isinstance(config, str) else config
    first = Carried.first(STARTING_CASH, mode=mode_of(config if isinstance(config, str) else "demo"))
    return play(day_of(market, seed), first, chosen, bound(chosen), fills or TickFills(), timing=timing)


def day_of(market: str, seed: int) -> Day:
    """Give a market file, or `generated`, as a back-test's day."""
    opened = open_market(market, seed=seed)
    session = session_of(opened.day)
    assert session is not None
    source = MarketHistory.of(daily_bars(market, seed=seed))
    symbols = watch_list(market, opened.symbols)
    found = {
        one: source.daily(one, start=session.day.replace(year=session.day.year - 2), before=session.day)
        for one in symbols
    }
    history = {one: series for one, series in found.items() if series is not None}
    return tick_day(opened, session, symbols, history, source=opened.name)


def of_graph(result: DayResult) -> Whole:
    """Give what the store and the simulator's ledger say of a day."""
    book, ledger = result.book, result.ledger
    traded = ((fill.at, fill.symbol, fill.action, fill.quantity, fill.price, fill.order_id) for fill in ledger.fills)
    return Whole(
        signals=_sorted(map(_signal, book.signals)), orders=_sorted(map(_order, book.orders)),
        booked=_sorted(map(_fill, book.fills)), traded=_sorted(traded), cash=ledger.cash,
        ledger=_ledger(book.ledgers[0] if book.ledgers else None),
    )  # fmt: skip


def of_fast(played: Played) -> Whole:
    """Give what the fast path says of it."""
    traded = (
        (fill.at, fill.ticket.symbol, fill.ticket.action.value, fill.quantity, fill.price, fill.order_id)
        for fill in played.traded
    )
    ledgers = played.carried.ledgers
    return Whole(
        signals=_sorted(map(_signal, played.signals)), orders=_sorted(map(_order, played.orders)),
        booked=_sorted(map(_fill, played.fills)), traded=_sorted(traded), cash=played.carried.cash,
        ledger=_ledger(ledgers[-1] if ledgers else None),
    )  # fmt: skip


def first_difference(one: Whole, other: Whole) -> str:
    """Say where graph and fast path part, in lines that a person can read; "" where they do not."""
    for kind in ("signals", "orders", "booked", "traded"):
        pairs = zip_longest(getattr(one, kind), getattr(other, kind))
        for number, (ours, theirs) in enumerate(pairs, start=1):
            if ours != theirs:
                return f"{kind}, number {number}:\n  graph: {_words(ours)}\n  fast:  {_words(theirs)}"
    ours, theirs = (*one.ledger, one.cash), (*other.ledger, other.cash)
    if ours != theirs:
        return f"the day's sums:\n  graph: {_words(ours)}\n  fast:  {_words(theirs)}"
    return ""


def missing(whole: Whole, market: str, config: str) -> str:
    """Say what a day has fewer of than it is known to have; "" where it lacks nothing."""
    least = KNOWN.get((Path(market).name.partition(".")[0], config), ANY)
    found = Known(*(len(getattr(whole, kind)) for kind in Known._fields))
    lacking = [
        f"{there} {kind}, and {known} at least are known of it"
        for kind, there, known in zip(Known._fields, found, least, strict=True)
        if there < known
    ]
    return "; ".join(lacking)


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: tuple(map(str, row))))


def _signal(one: Signal) -> Row:
    return (one.decided_at, one.symbol, replace(one, config_number=0))


def _order(one: Order) -> Row:
    return (
        one.created_at, one.symbol, one.kind.value, one.intent_id, one.side.value, one.quantity, one.price_type.value,
        one.term.value, one.limit_price, one.stop_price, one.state.value, one.reason, one.codes, one.note, one.sized,
        one.placed_at, one.updated_at, one.filled, one.average_price, one.broker_order_id, one.possible_wash_sale,
        one.replaces, one.decided_at,
    )  # fmt: skip


def _fill(one: Fill) -> Row:
    return (
        one.at, one.symbol, str(one.side), one.quantity, one.price, one.cumulative, one.realized, one.reason,
        one.broker_order_id, one.position_id,
    )  # fmt: skip


def _ledger(one: Ledger | None) -> Row:
    if one is None:
        return ()
    return (one.entries, one.realized, one.reserved, one.losses_in_a_row, one.cooldown_until, one.last_fill_at)


def _words(row: Row | None) -> str:
    return "nothing" if row is None else ", ".join(_word(part) for part in row)


def _word(part: object) -> str:
    return f"{part:%H:%M:%S.%f}"[:-3] if isinstance(part, datetime) else str(part)


def differing(one: Whole, other: Whole) -> Iterator[str]:
    """Name what of two days is not the same, for a test that wants to see a difference."""
    for kind in ("signals", "orders", "booked", "traded", "ledger", "cash"):
        if getattr(one, kind) != getattr(other, kind):
            yield kind


def main() -> None:
    """Run a day on both and print results and the first difference."""
    parser = argparse.ArgumentParser(description="One day through the graph and by the fast path.")
    parser.add_argument("market", help="a recorded day's file, or `generated`")
    parser.add_argument("--config", default="demo")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--usual", action="store_true", help="the graph with the usual network and scheduler")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        stated = None if asked.usual else STATED
        result = graph(asked.market, Path(folder), config=asked.config, seed=asked.seed, stated=stated)
    one = of_graph(result)
    other = of_fast(fast(asked.market, config=asked.config, seed=asked.seed))
    lines = [
        f"{name}: {len(whole.signals)} signals, {len(whole.orders)} orders, {len(whole.traded)} fills, "
        f"{whole.cash - STARTING_CASH:,.2f} USD"
        for name, whole in (("graph", one), ("fast", other))
    ]
    wrong = first_difference(one, other) or missing(one, asked.market, asked.config)
    sys.stdout.write("\n".join([*lines, wrong or "no difference"]) + "\n")
    sys.exit(1 if wrong and not asked.usual else 0)


if __name__ == "__main__":
    main()
