"""A morning for `market_history`: a desk over a store in memory, a clock that a test moves, and scripted sources."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from infra.one_machine.clock import SeededChance
from infra.one_machine.memory_store import MemoryStore
from shared import divided
from shared.codec import decode
from shared.domain.market.daybook import DayBook
from shared.domain.market.series import Series
from shared.domain.telling.barred import HistoryMissing, SourceKeyBad
from shared.guard import Guard, GuardedStore
from shared.ports import HistorySource, Where
from shared.topology import TOPOLOGY
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, put, read
from shared.usecases.market.books import put_books
from shared.usecases.market.gather import Plan, gather
from shared.usecases.market.mornings import Morning, morning_path
from shared.usecases.market.sources import imported, own_days
from shared.usecases.market.warmth import Warmth
from tests.domain.days import TODAY
from tests.domain.made import OPENS
from tests.usecases.post import ListJournal

N = TypeVar("N", HistoryMissing, SourceKeyBad)
HISTORY = "market_history"
AT_SEVEN = OPENS - timedelta(hours=2, minutes=30)


class Clock:
    """A clock that stands still until a test moves it, or somebody waits for it."""

    def __init__(self, at: datetime = AT_SEVEN) -> None:
        self.at = at

    def now(self) -> datetime:
        """Give the instant."""
        return self.at

    def sleep_until(self, at: datetime) -> None:
        """Let the time pass."""
        self.at = max(self.at, at)


class Scripted:
    """A source outside: `answer` makes what it gives or raises; `asked` are the symbols that it was asked for."""

    def __init__(self, name: str, answer: Callable[[str, date], Series | None]) -> None:
        self.name, self.answer, self.asked = name, answer, list[str]()

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Answer as the script says."""
        self.asked.append(symbol)
        return self.answer(symbol, before)


class NoBus:
    """A bus that must not be needed."""

    def publish(self, topic: str, data: bytes, **_: object) -> str:
        """Refuse."""
        raise AssertionError(f"published on {topic}")


class MorningBench:
    """One function's mornings over one store; `outside` are the sources that are asked after our own."""

    def __init__(self, *outside: Scripted, watched: Sequence[str] = ("IBM",)) -> None:
        self.clock, self.journal, self.file = Clock(), ListJournal(), MemoryStore()
        function = TOPOLOGY.function(HISTORY)
        rights = Guard(function, self.journal)
        own = divided.of_function(divided.one_for_all(self.file), TOPOLOGY, function)
        self.desk = Desk(
            actor=HISTORY, clock=self.clock, chance=SeededChance(seed=1, name="x"), store=GuardedStore(own, rights),
            bus=NoBus(), journal=self.journal,
        )  # fmt: skip
        here: tuple[HistorySource, ...] = (own_days(self.desk.store), imported(self.desk.store))
        self.plan = Plan(
            watch_list=tuple(watched), sources=(*here, *outside), minutes_kept=timedelta(days=30), doubt_pct=5
        )

    def gather(self, *asked: str) -> None:
        """Do what the function does with a message."""
        gather(self.desk, self.plan, asked=asked)

    def next_morning(self, day: date) -> None:
        """Let the time pass until seven on a day."""
        self.clock.at = AT_SEVEN + (day - TODAY)

    def scanned(self, *books: DayBook, symbol: str = "IBM") -> None:
        """Leave what the scan leaves of sessions."""
        for book in books:
            put_books(replace(self.desk, store=self.file), book.session, self.clock.at, {symbol: book.to_plain()})

    def said(self, session: date, **closes: str) -> None:
        """Leave what the broker said before a session."""
        told = Morning(session=session, closes={symbol: Decimal(close) for symbol, close in closes.items()})
        self.file.commit([put(morning_path(session), told)])

    def history(self, symbol: str = "IBM") -> Series | None:
        """Give what the scan will find."""
        held = read(self.file, Warmth, f"history/{symbol}")
        return None if held is None else held.value.series

    def told(self, kind: type[N] = HistoryMissing) -> list[N]:  # type: ignore[assignment]
        """Give the notices of a kind that are promised."""
        rows = self.file.query("outbox", Where("topic", "==", outbox.NOTICES))
        found = [outbox.unpack(decode(outbox.Row, row.data).body.encode()) for row in rows]
        return [notice for notice in found if isinstance(notice, kind)]
