"""What the scan looked at, kept line by line, so that the day can be decided again: the same signals and receipts.

What can go wrong: keeping slows the scan, or ends it; the disk is full; the process dies between two lines; another one
already keeps this day; a recording begins in the middle of a session. What this promises: a line is kept where the scan
has decided already; a line that cannot be kept ends the recording and nothing else, and the owner is told once a
session; whatever the lines before do not say is in the line that begins a recording: books, daily bars, configuration.
Where no recording is wanted, nothing is made.

A line is a JSON list that begins with its kind; instants are UTC, prices in USD:

| line | says |
|---|---|
| `looks`, version, day, at | a recording begins, or goes on after a gap |
| `config`, number here, version, configuration | what later looks name; its strategies are those that were asked |
| `series`, number here, series | daily bars that later lines name by that number |
| `days`, memory, symbol, number | which daily bars a memory knows of a symbol, null for none |
| `left`, memory, strategy | it is left out: before `began` from then on, before `look` from its symbol there on |
| `began`, memory, minute, books, ahead | with which books: `own`, those last `saved`, or those that stand here |
| `look`, memory, config, at, rows | one tick; a row is symbol, given, failure, received at, quote |
| `signal`, memory, signal | it was stored; the tick that gave it is its memory's next look |
| `saved`, memory, minute | the books as they are now count after that minute |
| `wrote`, memory, minute, receipts | the minute's receipts as they were stored |
| `dead`, memory, minute, symbols | the token was dead: every symbol's verdict is NO_TOKEN |

In a row `given` is a verdict that the quote alone does not explain, because shares are held or the store failed; the
quote is null where it is the same as the symbol's last in this recording but for the instant at which it was received.
`ahead` are the receipts that others left of the minute and from which it goes on, `saved` for those last written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import msgspec

from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import strategies_of
from shared.domain.market.quotes import Quote
from shared.domain.market.receipts import Mark
from shared.domain.market.series import Series
from shared.domain.orders.signals import Signal
from shared.domain.telling.left_out import LeftOut
from shared.domain.telling.recording import RecordingEnded
from shared.errors import NotKept, StoreError
from shared.frozen import frozen
from shared.ports import Looks, Severity
from shared.strategies.form import Bound
from shared.strategies.watch import Watch
from shared.usecases.base.desk import Desk
from shared.usecases.base.trading import TradingDesk
from shared.usecases.telling.notices import announce

VERSION = 1
FIELDS = (
    "bid", "bid_size", "ask", "ask_size", "last", "day_volume", "previous_close", "at", "status", "source", "adjusted",
    "traded_at", "halted",
)  # fmt: skip
"""The order of a quote's fields in a row, besides its symbol and the instant at which it was received."""
OWN, SAVED = "own", "saved"
UNSEEN = "unseen"
"""What a row has in the place of a quote where the store failed before anybody looked at it."""
_encode = msgspec.json.Encoder().encode
Notes = Mapping[str, Sequence[Mark]]
Strategies = tuple[Bound, ...]
_fields_of = attrgetter(*FIELDS)


@frozen(kw_only=False)
class Row:
    """One symbol at a tick: its quote or the failure of its call; `given` as above, `seen` whether anybody looked."""

    symbol: str
    quote: Quote | None
    failure: str | None
    given: str | None
    seen: bool = True


@frozen
class Known:
    """What a memory knows: its books and daily bars by symbol, and who is left out of the session by name."""

    watches: Mapping[str, Watch]
    days: Mapping[str, Series | None]
    left: Mapping[str, LeftOut]


class Record:
    """The recording of one process, for all of its memories; `one` is held while lines are made and kept.

    `run` is the number of the run of lines that goes on, 0 while none does; `config` that of the last configuration.
    """

    def __init__(self, looks: Looks, one: AbstractContextManager[object] | None = None) -> None:
        self.one = one or nullcontext()
        self.run = 0
        self._looks = looks
        self._forget()

    def _forget(self) -> None:
        self._saved: datetime | None = None
        self._wrote: datetime | None = None
        self._config: tuple[int, StrategyConfig] | None = None
        self.config = 0
        self._series: dict[str, tuple[int, Series]] = {}
        self._number = 0
        self._quotes: dict[str, tuple[Any, ...]] = {}

    def open(self, day: date, at: datetime) -> int:
        """Give the number of the run of lines that goes on now, 0 where none is wanted; raises NotKept."""
        before, self.run = self.run, 0
        run = self._looks.open(day)
        if run and run != before:
            self._forget()
            self._looks.keep(_encode(["looks", VERSION, day, at]))
        self.run = run
        return run

    def keep(self, lines: Sequence[bytes], *, turn: bool = False) -> None:
        """Keep some lines, the last ones of a minute with `turn`; raises NotKept."""
        run, self.run = self.run, 0
        for line in lines:
            self._looks.keep(line)
        if turn:
            self._looks.turn()
        self.run = run

    def begins_with(self, minute_before: datetime) -> bool:
        """Tell whether this recording has the books as they were saved after a minute."""
        return self._saved == minute_before

    def has_receipts(self, minute: datetime) -> bool:
        """Tell whether this recording has the receipts of a minute as they were stored last."""
        return self._wrote == minute

    def saved(self, minute: datetime) -> None:
        """Remember after which minute books were saved."""
        self._saved = minute

    def wrote(self, minute: datetime) -> None:
        """Remember of which minute receipts were stored last."""
        self._wrote = minute

    def is_by(self, desk: TradingDesk) -> bool:
        """Tell whether what decides now is what the last lines said."""
        known = self._config
        return known is not None and known[1] is desk.config and known[0] == desk.config_number

    def config_of(self, desk: TradingDesk, strategies: Strategies) -> list[bytes]:
        """Give the line that says what decides from now on, with every parameter of those who are asked."""
        self._config, self.config = (desk.config_number, desk.config), self.config + 1
        asked = strategies_of({one.name: asdict(one.parameters) for one in strategies})
        return [_encode(["config", self.config, desk.config_number, replace(desk.config, strategies=asked)])]

    def series_of(self, symbol: str, series: Series | None) -> tuple[int | None, list[bytes]]:
        """Give the number of a symbol's daily bars, and the line that says them, where they are new."""
        if series is None:
            return None, []
        known = self._series.get(symbol)
        if known is not None and known[1] == series:
            return known[0], []
        self._number += 1
        self._series[symbol] = (self._number, series)
        return self._number, [_encode(["series", self._number, series])]

    def row_of(self, row: Row) -> list[Any]:
        """Give a row's plain form; the quote's fields only where they changed."""
        if not row.seen:
            return [row.symbol, row.given, row.failure, None, UNSEEN]
        quote = row.quote
        if quote is None:
            return [row.symbol, row.given, row.failure, None, None]
        fields = _fields_of(quote)
        same = self._quotes.get(row.symbol) == fields
        self._quotes[row.symbol] = fields
        return [row.symbol, row.given, row.failure, quote.received_at, None if same else fields]


class Unkept:
    """The looks of a system that nobody records: nothing is wanted."""

    def open(self, _day: date) -> int:
        """Give 0."""
        return 0

    def keep(self, _line: bytes) -> None:
        """Do nothing."""

    def turn(self) -> None:
        """Do nothing."""


class MemoryRecord:
    """The part of a recording that is about one memory of the scan; `number` tells it from the others.

    Each call does nothing while no recording runs. What cannot be kept ends the recording, never the scan.
    """

    def __init__(self, record: Record, number: int) -> None:
        self._record = record
        self._number = number
        self._run = 0
        self._day = date.min
        self._days: dict[str, Series | None] = {}
        self._left: set[str] = set()

    def began(
        self, desk: TradingDesk, day: date, minute: datetime, *, before: datetime, warm: bool, ahead: Notes,
        known: Known,
    ) -> None:  # fmt: skip
        """Keep that a minute begins, with all that the lines before do not say."""
        with self._kept(desk, opens=True):
            self._day = day
            run = self._record.open(day, desk.clock.now())
            goes_on, self._run = run == self._run and warm, run
            if not run:
                return
            books: object = OWN
            if not goes_on:
                self._days, self._left = {}, set()
                books = SAVED
                if warm or not self._record.begins_with(before):
                    books = {symbol: watch.book.to_plain() for symbol, watch in known.watches.items()}
            noted: object = SAVED if self._record.has_receipts(minute) else _rows(ahead)
            learned = self._learned(known.watches, known)
            self._record.keep([*learned, _encode(["began", self._number, minute, books, noted if ahead else {}])])

    def asks(self, desk: TradingDesk, strategies: Callable[[], Strategies]) -> None:
        """Keep by what a tick is about to be judged, where that is new."""
        with self._kept(desk):
            if self._run and not self._record.is_by(desk):
                self._record.keep(self._record.config_of(desk, strategies()))

    def looked(self, desk: TradingDesk, at: datetime, rows: Sequence[Row], *, known: Known) -> None:
        """Keep one tick, in the order in which its symbols were looked at."""
        with self._kept(desk):
            if self._run:
                learned = self._learned([row.symbol for row in rows if row.seen], known)
                plain = [self._record.row_of(row) for row in rows]
                self._record.keep([*learned, _encode(["look", self._number, self._record.config, at, plain])])

    def signalled(self, desk: TradingDesk, signal: Signal) -> None:
        """Keep that a signal was stored."""
        with self._kept(desk):
            if self._run:
                self._record.keep([_encode(["signal", self._number, signal])])

    def saved(self, desk: TradingDesk, minute: datetime) -> None:
        """Keep that the books were saved after a minute."""
        with self._kept(desk):
            if self._run:
                self._record.keep([_encode(["saved", self._number, minute])])
                self._record.saved(minute)

    def died(self, desk: TradingDesk, minute: datetime, symbols: Iterable[str]) -> None:
        """Keep that a minute ended for want of a token."""
        with self._kept(desk):
            if self._run:
                self._record.keep([_encode(["dead", self._number, minute, tuple(symbols)])])

    def wrote(self, desk: TradingDesk, minute: datetime, notes: Notes) -> None:
        """Keep a minute's receipts as they were stored."""
        with self._kept(desk):
            if self._run:
                self._record.keep([_encode(["wrote", self._number, minute, _rows(notes)])], turn=True)
                self._record.wrote(minute)

    def _learned(self, symbols: Iterable[str], known: Known) -> list[bytes]:
        """Give the lines that say which daily bars this memory knows and whom it leaves out, where that is new."""
        lines = []
        for symbol in symbols:
            series = known.days.get(symbol)
            if symbol in self._days and self._days[symbol] is series:
                continue
            number, new = self._record.series_of(symbol, series)
            lines += [*new, _encode(["days", self._number, symbol, number])]
            self._days[symbol] = series
        new_left = [one for name, one in known.left.items() if name not in self._left]
        self._left.update(one.name for one in new_left)
        return [*lines, *(_encode(["left", self._number, one]) for one in new_left)]

    @contextmanager
    def _kept(self, desk: Desk, *, opens: bool = False) -> Iterator[None]:
        """Hold the recording; where it cannot go on, end it and tell the owner."""
        if self._run != self._record.run:
            self._run = 0
        if not (opens or self._run):
            yield
            return
        try:
            with self._record.one:
                yield
        except NotKept as problem:
            self._run = 0
            self._tell(desk, problem)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the scan goes on
            self._run = self._record.run = 0
            self._tell(desk, NotKept(f"a line could not be made or kept: {problem!r}"))

    def _tell(self, desk: Desk, problem: NotKept) -> None:
        desk.journal.line("recording_ended", Severity.WARNING, detail=problem.detail)
        if problem.quiet:
            return
        notice = RecordingEnded(why=problem.detail, session=self._day, at=desk.clock.now())
        try:
            desk.store.commit([announce(desk, notice)])
        except StoreError as failed:
            desk.journal.line("recording_end_not_told", Severity.WARNING, kind=type(failed).__name__)


def _rows(notes: Notes) -> dict[str, list[list[object]]]:
    return {symbol: [line.row for line in lines] for symbol, lines in sorted(notes.items())}
