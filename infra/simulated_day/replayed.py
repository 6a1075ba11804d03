"""Decides a recorded day again by what the scan looked at, and says where that differs from what it decided.

What can go wrong: the code or a configuration is another one than on the day; a minute that the scan skipped is looked
at in the replay; a scan that died began again from older books, and the replay from newer ones. What this promises: it
goes by the lines of the recording alone (`usecases.scanning.record`), each tick by the memory, the books, the daily
bars and the configuration that decided it then, and compares signals and receipts as they were stored, byte for byte.
What is held is not judged again, for the recording has no book of positions: those verdicts are the recorded ones; its
quotes are taken all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from shared.codec import decode, dumps, encode
from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.control.config import StrategyConfig
from shared.domain.market.daybook import DayBook
from shared.domain.market.quality import sound
from shared.domain.market.quotes import Quote
from shared.domain.market.receipts import Mark, marks
from shared.domain.market.series import Series
from shared.domain.orders.signals import Signal
from shared.domain.telling.left_out import LeftOut
from shared.errors import Malformed
from shared.strategies.decide import SIGNAL
from shared.strategies.panel import Panel
from shared.strategies.watch import Watch
from shared.usecases.scanning.record import FIELDS, OWN, SAVED, UNSEEN, VERSION, Row
from shared.usecases.scanning.scan import named
from shared.usecases.scanning.scanned import SECOND, Scanned, Verdict

MOST_DIFFERENCES = 10


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What came of a replay: how much was decided again, and the first differences in words.

    `looks` are ticks, `verdicts` those of single symbols of which `given` were not judged again; `gaps` counts how
    often the recording began anew in the session.
    """

    day: date | None = None
    looks: int = 0
    verdicts: int = 0
    given: int = 0
    signals: int = 0
    minutes: int = 0
    gaps: int = 0
    differences: list[str] = field(default_factory=list)
    differing: int = 0

    def differs(self, what: str) -> None:
        """Count a difference, and keep the first ones."""
        self.differing += 1
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(what)


@dataclass(slots=True)
class _Memory:
    panel: Panel
    left: list[LeftOut] = field(default_factory=list)
    watches: dict[str, Watch] = field(default_factory=dict)
    days: dict[str, Series | None] = field(default_factory=dict)
    minute: Scanned | None = None
    signals: list[dict[str, Any]] = field(default_factory=list)


class Replay:
    """Takes the lines of one day's recording in their order; `result` is what came of those so far.

    `strategies` is the folder of the owner's own ones.
    """

    def __init__(self, strategies: str = "") -> None:
        self.result = Replayed()
        self._strategies = strategies
        self._on: Mapping[str, Callable[..., None]] = {
            "looks": self._on_looks, "config": self._on_config, "series": self._on_series, "days": self._on_days,
            "began": self._on_began, "look": self._on_look, "signal": self._on_signal, "saved": self._on_saved,
            "wrote": self._on_wrote, "left": self._on_left, "dead": self._on_dead,
        }  # fmt: skip
        self._session: TradingSession | None = None
        self._memories: dict[int, _Memory] = {}
        self._forget()
        self._written: dict[datetime, dict[str, list[Mark]]] = {}
        self._first: dict[str, Signal] = {}

    def _forget(self) -> None:
        self._configs: dict[int, StrategyConfig] = {}
        self._series: dict[int, Series] = {}
        self._quotes: dict[str, list[Any]] = {}
        self._saved: dict[str, Any] = {}

    def take(self, line: list[Any]) -> None:
        """Take one line; raises Malformed for what no recording of this version has."""
        kind, *rest = line
        try:
            take = self._on[kind]
        except (LookupError, TypeError):
            raise Malformed(f"a recording has no line {kind!r}") from None
        try:
            take(*rest)
        except (TypeError, ValueError, LookupError) as problem:
            raise Malformed(f"not a line {kind!r} of a recording: {type(problem).__name__}: {problem}") from None

    def _on_looks(self, version: int, day: str, _at: str) -> None:
        if version != VERSION:
            raise Malformed(f"a recording of version {version}; this program reads {VERSION}")
        self.result.gaps += self.result.day is not None
        self.result.day = date.fromisoformat(day)
        session = session_of(self.result.day)
        if session is None:
            raise Malformed(f"{day} is no trading day")
        self._session = session
        self._memories = {}
        self._forget()

    def _on_config(self, name: int, _number: int, plain: object) -> None:
        self._configs[name] = decode(StrategyConfig, plain)

    def _on_series(self, name: int, plain: object) -> None:
        self._series[name] = decode(Series, plain)

    def _on_days(self, number: int, symbol: str, name: int | None) -> None:
        memory = self._memory(number)
        memory.days[symbol] = series = None if name is None else self._series[name]
        if symbol in memory.watches:
            memory.watches[symbol].know(series)

    def _on_left(self, number: int, plain: object) -> None:
        self._memory(number).left.append(decode(LeftOut, plain))

    def _on_began(self, number: int, minute: str, books: object, ahead: object) -> None:
        memory, begins = self._memory(number), datetime.fromisoformat(minute)
        if books != OWN:
            plain = self._saved if books == SAVED else books
            if not isinstance(plain, dict):
                raise Malformed("a minute begins with books")
            memory.watches = {
                symbol: self._watch(symbol, DayBook.from_plain(book, self._of_day), memory)
                for symbol, book in plain.items()
            }
            memory.panel.begin()
        for one in memory.left:
            memory.panel.leave_out(one)
        memory.left.clear()
        memory.minute = Scanned(session=self._of_day, begins=begins)
        if ahead == SAVED:
            memory.minute.notes = {name: list(lines) for name, lines in self._written.get(begins, {}).items()}
        elif isinstance(ahead, dict):
            memory.minute.notes = {symbol: list(marks({"symbols": ahead}, symbol)) for symbol in ahead}

    def _on_look(self, number: int, config: int, at: str, rows: list[list[Any]]) -> None:
        memory, instant = self._memory(number), datetime.fromisoformat(at)
        begins = instant.replace(second=0, microsecond=0)
        minute = memory.minute
        if minute is None or minute.begins != begins:
            minute = memory.minute = Scanned(session=self._of_day, begins=begins)
        judged = {row[0] for row in rows if row[1] is None}
        for one in memory.left:
            (memory.panel.follow if one.about in judged else memory.panel.leave_out)(one)
        memory.left.clear()
        self.result.looks += 1
        for symbol, given, failure, received_at, fields in rows:
            quote = self._quote(symbol, received_at, fields)
            row = Row(symbol=symbol, quote=quote, failure=failure, given=given, seen=fields != UNSEEN)
            verdict = self._judge(memory, row, instant, self._configs[config])
            self.result.verdicts += 1
            self.result.given += given is not None
            second = (instant - begins) // SECOND
            minute.note(symbol, second, verdict, quoted_at=None if quote is None else quote.at)
        for signal in memory.signals:
            self._compare(signal)
        memory.signals.clear()

    def _judge(self, memory: _Memory, row: Row, at: datetime, config: StrategyConfig) -> Verdict:
        """Judge one symbol at a tick as the scan does; a verdict that was given is not found again."""
        if not row.seen:
            return row.given or ""
        if row.symbol not in memory.watches:
            memory.watches[row.symbol] = self._watch(row.symbol, DayBook(self._of_day), memory)
        watch = memory.watches[row.symbol]
        wrong = watch.doubt(row.quote, at, config)
        if row.failure is not None:
            wrong = (row.failure,)
        believed = sound(row.quote, wrong)
        if row.given is not None:
            if believed is not None:
                watch.see(believed, at)
            return row.given
        if believed is None:
            return "+".join(named(watch, wrong))
        decision = memory.panel.decide(watch.see(believed, at), config)
        if not isinstance(decision, Signal):
            return decision.reasons
        self._first.setdefault(decision.signal_id, decision)
        return f"{SIGNAL}{decision.signal_id}"

    def _on_signal(self, number: int, plain: dict[str, Any]) -> None:
        self._memory(number).signals.append(plain)

    def _compare(self, plain: dict[str, Any]) -> None:
        """Compare a stored signal with the one that was decided again, which has no version of the configuration."""
        self.result.signals += 1
        found = self._first.get(plain["signal_id"])
        again = None if found is None else {**encode(found), "config_number": plain["config_number"]}
        if again is None or dumps(again) != dumps(plain):
            self.result.differs(f"signal {plain['signal_id']}: {_text(plain)}, decided again: {_text(again)}")

    def _on_saved(self, number: int, _minute: str) -> None:
        self._saved = {symbol: watch.book.to_plain() for symbol, watch in self._memory(number).watches.items()}

    def _on_wrote(self, number: int, minute: str, rows: dict[str, list[Any]]) -> None:
        begins, memory = datetime.fromisoformat(minute), self._memory(number)
        notes = memory.minute.notes if memory.minute is not None and memory.minute.begins == begins else {}
        self._written[begins] = notes
        self.result.minutes += 1
        again = {symbol: [line.row for line in lines] for symbol, lines in notes.items()}
        for symbol in sorted({*rows, *again}):
            there, here = rows.get(symbol), again.get(symbol)
            if dumps(there) != dumps(here):
                self.result.differs(f"receipts of {symbol} at {minute}: {_text(there)}, decided again: {_text(here)}")

    def _on_dead(self, number: int, minute: str, symbols: list[str]) -> None:
        memory, begins = self._memory(number), datetime.fromisoformat(minute)
        if memory.minute is None or memory.minute.begins != begins:
            memory.minute = Scanned(session=self._of_day, begins=begins)
        for symbol in symbols:
            memory.minute.note(symbol, 0, "NO_TOKEN")

    def _quote(self, symbol: str, received_at: str | None, fields: object) -> Quote | None:
        if received_at is None or fields == UNSEEN:
            return None
        if isinstance(fields, list):
            self._quotes[symbol] = fields
        known = dict(zip(FIELDS, self._quotes[symbol], strict=True))
        return decode(Quote, {"symbol": symbol, "received_at": received_at, **known})

    def _memory(self, number: int) -> _Memory:
        return self._memories.setdefault(number, _Memory(Panel(folder=self._strategies)))

    def _watch(self, symbol: str, book: DayBook, memory: _Memory) -> Watch:
        return Watch(symbol, book, memory.days.get(symbol))

    @property
    def _of_day(self) -> TradingSession:
        if self._session is None:
            raise Malformed("a recording begins with its day")
        return self._session


def replay(lines: Iterable[list[Any]], strategies: str = "") -> Replayed:
    """Decide a day again from its recording, with the owner's strategies of a folder; raises Malformed."""
    again = Replay(strategies)
    for line in lines:
        again.take(line)
    return again.result


def _text(plain: object) -> str:
    return dumps(plain).decode() if plain is not None else "nothing"
