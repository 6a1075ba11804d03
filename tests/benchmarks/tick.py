"""What a tick of the scan costs of CPU by the number of symbols: `python -m tests.benchmarks.tick`.

The real scan on a generated day, hours after the open, with every strategy and every indicator, in one thread: from the
broker's answer to the moment at which the tick waits for the next second, all that it does in between included (the
store lies in memory). Reading an answer is not in it. Every symbol is asked for at every second, also where more are
watched than the broker would answer for. A market has 118 symbols: a longer list has some of them twice, under another
name. The tick that completes the minute is the first of the next one; the
minute's last tick also writes books and receipts.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from rich.table import Table

from infra.brokersim.market import DailyBar, Row, daily_bars, open_market
from infra.one_machine.clock import KernelClock
from shared.domain.market.daybook import DayBook
from shared.domain.market.quality import sound
from shared.domain.market.quotes import Quotes
from shared.usecases.market.books import put_books
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.benchmarks.report import machine, tell
from tests.usecases.shifts import Shifts

COUNTS = (10, 50, 118, 200)
BEGINS = 300
"""The minute of the session from which on it is measured: most of a day's bars are there."""
MEDIAN_MS, MINUTE_MS = 40, 150
SEED = 8
LOOK = timedelta(seconds=20)
GENERATED = "generated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds of CPU of one tick: in the median, and of those that complete a minute and write one down."""

    symbols: int
    ticks: int
    median_ms: float
    minute_ms: float
    written_ms: float


class Repeated:
    """A generated market with as many symbols as one likes: from the 119th on the first come again."""

    name = "repeated"

    def __init__(self, symbols: int, seed: int) -> None:
        self._market = open_market(GENERATED, seed=seed)
        bars = daily_bars(GENERATED, seed=seed)
        have = self._market.symbols
        self._as = {
            have[n] if n < len(have) else f"{have[n % len(have)]}X": have[n % len(have)] for n in range(symbols)
        }
        self.bars: dict[str, Sequence[DailyBar]] = {name: bars[of] for name, of in self._as.items()}

    @property
    def day(self) -> date:
        """See `Market`."""
        return self._market.day

    @property
    def symbols(self) -> tuple[str, ...]:
        """See `Market`."""
        return tuple(self._as)

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """See `Market`."""
        return self._market.quote(self._as[symbol], at)

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """See `Market`."""
        return self._market.rows(self._as[symbol], after, upto)

    def previous_close(self, symbol: str) -> Decimal:
        """See `Market`."""
        return self._market.previous_close(self._as[symbol])


class Meter:
    """The CPU of each tick: it runs from an answer of the broker to the wait for the next second."""

    def __init__(self) -> None:
        self.ticks: list[tuple[datetime, float]] = []
        self._begun: tuple[datetime, int] | None = None

    def begin(self, at: datetime) -> None:
        """Begin a tick."""
        self._begun = at, time.process_time_ns()

    def end(self) -> None:
        """End the tick that runs, if one does."""
        if self._begun is not None:
            at, begun = self._begun
            self.ticks.append((at, (time.process_time_ns() - begun) / 1e6))
            self._begun = None


@dataclass(frozen=True, slots=True)
class Answering:
    """The market's broker; each of its answers begins a tick."""

    meter: Meter
    shifts: Shifts

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote all of the symbols."""
        found = self.shifts.broker.quotes(symbols, others=others, next_at=next_at)
        self.meter.begin(self.shifts.kernel.now())
        return found


class Waiting(KernelClock):
    """The kernel's clock; whoever waits has ended its tick."""

    def __init__(self, shifts: Shifts, meter: Meter) -> None:
        super().__init__(shifts.kernel)
        self._meter = meter

    def sleep_until(self, at: datetime) -> None:
        """End the tick and yield."""
        self._meter.end()
        super().sleep_until(at)


def measure(symbols: int, *, minutes: int = 2, begins: int = BEGINS, config: str = "default", seed: int = SEED) -> Cost:
    """Scan some minutes and give what their ticks cost; the first minute, which reads the books, is not counted."""
    market, meter = Repeated(symbols, seed), Meter()
    shifts = Shifts(symbols=symbols, config=config, seed=seed, market=market, bars=market.bars)
    shifts.desk = replace(
        shifts.desk,
        clock=Waiting(shifts, meter),
        broker=Answering(meter, shifts),  # type: ignore[arg-type]
    )
    _write_books(shifts, market, begins)
    memory = ScanMemory()
    for minute in range(begins, begins + minutes + 1):
        shifts.tick(minute, memory)
    shifts.run(begins + minutes + 1)
    counted = [(at, cost) for at, cost in meter.ticks if at >= shifts.begins(begins + 1)]
    costs = [cost for _, cost in counted]
    turns, lasts = ([cost for at, cost in counted if at.second == second] for second in (0, 59))
    return Cost(
        symbols=symbols, ticks=len(costs), median_ms=statistics.median(costs),
        minute_ms=statistics.median(turns), written_ms=statistics.median(lasts),
    )  # fmt: skip


def _write_books(shifts: Shifts, market: Repeated, begins: int) -> None:
    """Leave the books of a scan that saw each symbol three times a minute until then."""
    books = {}
    for symbol in market.symbols:
        book, now = DayBook(shifts.session), shifts.session.opens_at
        while now < shifts.begins(begins):
            quote = sound(shifts.broker.quote(symbol, now), ())
            if quote is not None:
                book.observe(quote, now)
            now += LOOK
        books[symbol] = book.to_plain()
    put_books(shifts.desk, shifts.session, shifts.begins(begins - 1), books)


def table(costs: Sequence[Cost]) -> Table:
    """Show the costs, and how they grow beside the first."""
    made = Table(title="CPU of a tick of the scan, in ms")
    each = "a symbol, in us"
    for name in ("symbols", "ticks", "median", each, "completes the minute", each, "writes the minute down", each):
        made.add_column(name, justify="right")
    for one in costs:
        figures = (one.median_ms, one.minute_ms, one.written_ms)
        cells = [text for ms in figures for text in (f"{ms:.1f}", f"{ms / one.symbols * 1000:.0f}")]
        made.add_row(str(one.symbols), str(one.ticks), *cells)
    return made


def main() -> None:
    """Measure by the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--symbols", type=int, nargs="+", default=list(COUNTS), metavar="N")
    parser.add_argument("--minutes", type=int, default=3, metavar="N", help="minutes that are counted")
    parser.add_argument("--config", default="default", help="the configuration: default or demo")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all that was measured")
    words = parser.parse_args()
    costs = [measure(symbols, minutes=words.minutes, config=words.config) for symbols in words.symbols]
    notes = [f"asked of 200: {MEDIAN_MS} ms in the median, {MINUTE_MS} ms for the tick that completes the minute"]
    tell(table(costs), [*notes, machine()], costs, words.json)


if __name__ == "__main__":
    main()
