"""A stage for the real scan: a clock, a store in memory and a broker that says what a script has it say at each tick.

IBM is watched and would be bought: it rises and swings as entries want it. MSFT is held behind its stop. What the scan
decides is read from what it writes: signals, watches and receipts.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from infra.one_machine.clock import SeededChance
from infra.one_machine.memory_store import MemoryStore
from shared.codec import decode
from shared.domain.control.config import StrategyConfig
from shared.domain.market.quotes import Quote, Quotes
from shared.domain.market.receipts import at_second, marks
from shared.domain.orders.signals import Signal
from shared.domain.orders.watches import ExitDecision, PositionWatch
from shared.errors import BrokerError
from shared.ports import Write
from shared.strategies.config import load
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.base.listing import OrderLists
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.market.minutes import Minute
from shared.usecases.market.warmth import Warmth
from shared.usecases.scanning.scan import scan
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.domain.days import series
from tests.domain.made import OPENS, at, position, quote
from tests.usecases.morning import Clock
from tests.usecases.post import SCAN, ListJournal, SilentBus

WATCHED, HELD = "IBM", "MSFT"
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
BEGUN = 20
"""So many minutes of sound quotes lie before what a test plays."""
Said = Quote | BrokerError | None
Script = Callable[[str, datetime], Said]


class Recorded(MemoryStore):
    """A store that keeps what the scan wrote, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[Write] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> "Recorded":
        made = Recorded()
        made._collections = copy.deepcopy(self._collections, memo)
        made._version = self._version
        return made

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply the writes and keep them."""
        done = super().commit(writes)
        self.writes += writes
        return done


@dataclass(slots=True)
class Scripted:
    """A broker that says what the script says and nothing else."""

    script: Script
    clock: Clock

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote by the script."""
        said = {symbol: self.script(symbol, self.clock.now()) for symbol in (*symbols, *others)}
        failed = {symbol: one for symbol, one in said.items() if isinstance(one, BrokerError)}
        return Quotes({symbol: one for symbol, one in said.items() if isinstance(one, Quote)}, failed=failed)


def sound(symbol: str, now: datetime) -> Quote:
    """Give a quote of this moment that rises and swings: three cents up, two down, minute by minute."""
    minute = (now - OPENS) // MINUTE
    cents = 10_120 + minute // 2 + (3 if minute % 2 else 0)
    made = quote(f"{cents / 100:.2f}", when=now, volume=5_000_000 + (now - OPENS) // SECOND, previous_close="100.00")
    return replace(made, symbol=symbol)


@dataclass(slots=True)
class Stage:
    """One scan with its world, minute after minute."""

    store: Recorded
    memory: ScanMemory
    minute: int = 0
    config: StrategyConfig = field(default_factory=lambda: load("demo"))
    clock: Clock = field(default_factory=lambda: Clock(OPENS))
    journal: ListJournal = field(default_factory=ListJournal)

    def play(self, script: Script, *, minutes: int = 1, late_s: int = 0) -> None:
        """Let so many minutes be scanned, one after the other, with what the script says; each tick comes so late."""
        for _ in range(minutes):
            begins = at(self.minute)
            self.clock.at = begins + late_s * SECOND
            self._held_from(begins, until=begins)
            self._held_from(at(self.minute + 1), until=at(self.minute + 2))
            scan(self.desk(script), self.memory, begins)
            self.minute += 1

    def _held_from(self, begins: datetime, *, until: datetime) -> None:
        """Let somebody hold a minute until then, so that who scans the one before ends with it."""
        path = f"minutes/{begins:%Y%m%dT%H%M}"
        self.store.commit([put(path, Minute(holder="the next", until=until))])

    def desk(self, script: Script) -> TradingDesk:
        """Give the scan's desk."""
        ports: dict[str, Any] = {
            "clock": self.clock, "store": self.store, "journal": self.journal, "bus": SilentBus(),
            "chance": SeededChance(seed=self.minute, name="stage"), "broker": Scripted(script, self.clock),
        }  # fmt: skip
        lists = OrderLists(broker=ports["broker"], clock=self.clock, journal=self.journal)
        mandate = Mandate(account_id="key", capital_usd=Decimal(100_000), watch_list=(WATCHED,))
        return TradingDesk(actor=SCAN, **ports, lists=lists, config=self.config, mandate=mandate)

    def restart(self) -> None:
        """Let another instance go on, which knows what is stored and nothing else."""
        self.memory = ScanMemory()

    def signals(self) -> list[Signal]:
        """Give what was to be bought since the test began."""
        return [decode(Signal, one.data) for one in self._written("signals/")]

    def watches(self) -> list[PositionWatch]:
        """Give what was wanted of the held symbol, in its order."""
        return [decode(PositionWatch, one.data) for one in self._written(f"watches/{HELD}")]

    def exits(self) -> list[ExitDecision]:
        """Give each decision to sell, once."""
        found = {watch.exit.exit_id: watch.exit for watch in self.watches() if watch.exit is not None}
        return list(found.values())

    def told(self) -> list[Any]:
        """Give the notices."""
        rows = [one.data for one in self._written("outbox/")]
        return [outbox.unpack(row["body"].encode()) for row in rows if row["topic"] == outbox.NOTICES]

    def verdict(self, symbol: str, tick: datetime) -> str:
        """Give what the receipt says of a symbol at a tick."""
        document = self.store.get(f"receipts/{tick:%Y%m%dT%H%M}")
        assert document is not None
        mark = at_second(marks(document.data, symbol), tick.second)
        return "" if mark is None else mark.code

    def _written(self, path: str) -> Iterator[Any]:
        return (one for one in self.store.writes if one.path.startswith(path) and getattr(one, "data", None))


@cache
def _begun() -> Stage:
    store = Recorded()
    holding = position(
        symbol=HELD, average_cost=Decimal("100.90"), stop_wanted=Decimal("99.90"), opened_at=at(10), stop_set_at=at(10)
    )
    days = [Warmth(session=OPENS.date(), series=series(60, symbol=name)) for name in (WATCHED, HELD)]
    store.commit([*(put(f"history/{one.series.symbol}", one) for one in days), put(f"positions/{HELD}", holding)])
    stage = Stage(store=store, memory=ScanMemory())
    stage.play(sound, minutes=BEGUN)
    return stage


def stage() -> Stage:
    """Give a scan that has seen sound quotes from the open on for twenty minutes."""
    begun = _begun()
    return Stage(store=copy.deepcopy(begun.store), memory=ScanMemory(), minute=begun.minute)
