"""How often a symbol that trades looks halted: the rule of the frozen book over whole days, looked at each second.

    python -m tests.benchmarks.halts FILE|generated... [--seed N]

Each figure of `lively_for_s` is tried, all others are the default's. No symbol of the recorded days was halted, so each
halt that is found is one too many.
"""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from infra.brokersim.market import Market, open_market
from infra.brokersim.tape import Row
from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.control.config import Quotes
from shared.domain.market.halts import HaltWatch
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.strategies.config import load

TRIED = (10, 20, 30, 60, 120)
SYMBOLS = 12
"""Of a generated day, whose symbols are more, these: its riser, its faller and those that go nowhere."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one symbol's day shows: halts by `lively_for_s`, and the longest stillness and pause between trades."""

    symbol: str
    halts: dict[int, int]
    still_s: int
    untraded_s: int


def found(market: Market, symbol: str, rules: Quotes) -> Found:
    """Look at a symbol at each second of its session."""
    session = session_of(market.day)
    if session is None:
        raise ValueError(f"{market.day} has no session")
    tried = {lively: replace(rules, lively_for_s=lively) for lively in TRIED}
    watches = {lively: HaltWatch(session.opens_at) for lively in TRIED}
    halts = dict.fromkeys(TRIED, 0)
    still = untraded = 0
    moved_at = traded_at = session.opens_at
    before: Row | None = None
    for row, at in _seconds(market, symbol, session):
        if before is None or _figures(row) != _figures(before):
            moved_at = at
        if before is None or row.day_volume != before.day_volume:
            traded_at = at
        before = row
        still, untraded = max(still, (at - moved_at) // _SECOND), max(untraded, (at - traded_at) // _SECOND)
        quote = Quote(
            symbol=symbol, bid=row.bid, bid_size=row.bid_size, ask=row.ask, ask_size=row.ask_size, last=row.last,
            day_volume=row.day_volume, previous_close=None, at=at, received_at=at, status=QuoteStatus.REALTIME,
            source="etrade", traded_at=traded_at,
        )  # fmt: skip
        for lively, watch in watches.items():
            was = watch.since
            watch.observe(quote, at, tried[lively])
            halts[lively] += watch.since is not None and watch.since != was
    return Found(symbol=symbol, halts=halts, still_s=still, untraded_s=untraded)


def _figures(row: Row) -> tuple[object, ...]:
    return row.bid, row.ask, row.last, row.day_volume


def _seconds(market: Market, symbol: str, session: TradingSession) -> Iterator[tuple[Row, datetime]]:
    at = session.opens_at
    while at < session.closes_at:
        row = market.quote(symbol, at)
        if row is not None:
            yield row, at
        at += _SECOND


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of the days."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("days", nargs="+")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    table = Table("day", "symbol", *(f"{lively} s" for lively in TRIED), "still", "untraded", title="halts")
    for spec in chosen.days:
        market = open_market(spec, seed=chosen.seed)
        for symbol in market.symbols[:SYMBOLS]:
            one = found(market, symbol, load("default").quotes)
            counts = [str(one.halts[lively]) for lively in TRIED]
            table.add_row(market.name, symbol, *counts, f"{one.still_s} s", f"{one.untraded_s} s")
    Console().print(table)


if __name__ == "__main__":
    main()
