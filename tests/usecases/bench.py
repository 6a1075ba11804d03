"""A bench for the order path: its three functions behind their real doors, on a kernel, with a scripted broker.

Each port call of each function passes one gate, which counts it and may break it: the instance dies before or after
the effect, freezes, finds the store down (with the commit applied or not), or another writer comes first. Messages are
delivered at least once; what dies is delivered again. Every instance is its own: nothing is shared but the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from flask import Request
from werkzeug.test import EnvironBuilder

from infra.one_machine.bus import push_body
from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.queue import QueuedMessage
from shared.codec import decode
from shared.domain.base.calendar import session_at
from shared.domain.base.values import Side
from shared.domain.control.config import StrategyConfig
from shared.domain.market.quality import Sound
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Position
from shared.domain.orders.signals import Signal, Vote
from shared.domain.telling.messages import CloseTick, EnterPosition, ExitPosition, OrderPlaced, SettleTick
from shared.door import Handler, PushDoor
from shared.errors import Conflict, DeskError
from shared.guard import Guard, GuardedBus, GuardedStore
from shared.ports import Check as CheckWrite
from shared.ports import Put, Store, Update, Write
from shared.strategies.config import load
from shared.topology import TOPOLOGY
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, create
from shared.usecases.base.listing import OrderLists
from shared.usecases.base.reads import NotedBroker
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.orders.account import judge
from shared.usecases.orders.losses import open_positions
from shared.usecases.orders.watches import watched
from shared.usecases.placing.enter import enter
from shared.usecases.placing.leave import leave
from shared.usecases.scanning.hold import look_after
from shared.usecases.scanning.scan_memory import ScanMemory
from shared.usecases.settling.close import close
from shared.usecases.settling.settle import settle
from tests.usecases.exchange import Exchange, ScriptedBroker
from tests.usecases.gate import Died, Fault, Gate, GatedStore
from tests.usecases.post import PLACEMENT, SCAN, SETTLEMENT, GatedBus, ListBus, ListJournal, Owed

START = datetime(2013, 10, 7, 19, 20, tzinfo=UTC)
"""Forty minutes before the close, so that what waits for the session's end ends soon."""
CLOSES = datetime(2013, 10, 7, 20, 0, tzinfo=UTC)
ENDS = CLOSES + timedelta(minutes=12)
SYMBOL = "IBM"
CONFIG = load("default")
WATCHED = ("IBM", "MSFT", "ORCL")


@dataclass(slots=True, kw_only=True)
class Variant:
    """What a mutant replaces: use cases, the store and the broker as an instance sees them."""

    enter: Callable[..., None] = enter
    leave: Callable[..., None] = leave
    settle: Callable[..., object] = settle
    store: Callable[[Store], Store] = field(default=lambda store: store)
    clock_skew: Mapping[str, timedelta] = field(default_factory=dict)


class SkewedClock(KernelClock):
    """A clock that is ahead of the others."""

    def __init__(self, kernel: Kernel, ahead: timedelta) -> None:
        super().__init__(kernel)
        self._ahead = ahead

    def now(self) -> datetime:
        """Give this instance's idea of now."""
        return super().now() + self._ahead

    def sleep_until(self, at: datetime) -> None:
        """Wait until this clock shows `at`."""
        super().sleep_until(at - self._ahead)


class Bench:
    """The order path and its world; `faults` break the numbered port calls."""

    def __init__(
        self, *, seed: int = 0, faults: Mapping[int, Fault] | None = None, variant: Variant | None = None,
        latency_s: tuple[float, float] = (0.01, 0.03), config: StrategyConfig = CONFIG, start: datetime = START,
    ) -> None:  # fmt: skip
        self.kernel = Kernel(start=start, seed=seed)
        self.gate = Gate(self.kernel, seed, latency_s)
        self.gate.faults.update(faults or {})
        self.gate.tamper = self._touch
        self.store, self.exchange = MemoryStore(), Exchange(self.kernel)
        self.exchange.set_price(SYMBOL, "99.99", "100.01")
        self.journal, self.bus = ListJournal(), ListBus(self.kernel, self.push)
        self.config, self.variant = config, variant or Variant()
        self.looking = True
        self._chance = SeededChance(seed=seed, name="bench")
        self._scanned = ScanMemory()
        self._blind_until = start
        self.desks = {name: self._desk(name) for name in (PLACEMENT, SETTLEMENT, SCAN)}
        self.remake_doors()

    def remake_doors(self) -> None:
        """Let the doors work on the desks as they are now."""
        self._doors = {name: self._door(name) for name in (PLACEMENT, SETTLEMENT)}

    def _desk(self, actor: str) -> TradingDesk:
        guard = Guard(TOPOLOGY.function(actor), self.journal)
        store = self.variant.store(GuardedStore(GatedStore(self.store, self.gate.pass_), guard))
        clock = SkewedClock(self.kernel, self.variant.clock_skew.get(actor, timedelta(0)))
        bus = GatedBus(self.bus, self.gate.pass_)
        ports: dict[str, Any] = {"clock": clock, "chance": self._chance, "store": store, "bus": GuardedBus(bus, guard)}
        desk = Desk(actor=actor, journal=self.journal, **ports)
        broker = NotedBroker(ScriptedBroker(self.exchange, self.gate.pass_), desk, judge=judge(desk, "owner", "key"))
        return TradingDesk(
            actor=actor, journal=self.journal, **ports, broker=broker,
            lists=OrderLists(broker=broker, clock=clock, journal=self.journal),
            config=self.config, mandate=Mandate(account_id="key", capital_usd=Decimal(100_000), watch_list=WATCHED),
        )  # fmt: skip

    def _door(self, actor: str) -> PushDoor:
        base, use = self.desks[actor], self.variant
        placement: dict[Any, Handler] = {
            EnterPosition: lambda _envelope, message: use.enter(base.of_this_minute, message, ahead=0),
            ExitPosition: lambda _envelope, message: use.leave(base.of_this_minute, message),
        }
        settlement: dict[Any, Handler] = {
            OrderPlaced: lambda _envelope, _message: use.settle(base.of_this_minute),
            SettleTick: lambda _envelope, _message: use.settle(base.of_this_minute, list_first=True),
            CloseTick: lambda _envelope, _message: close(base.of_this_minute),
        }
        return PushDoor(desk=base, halts=True, tells=True, handlers=placement if actor == PLACEMENT else settlement)

    def push(self, function: str, owed: Owed, attempt: int) -> int:
        """Deliver one message to its function's door and give the status."""
        return self._doors[function](request(owed, attempt))[1]

    def signal(self, slot: int = 1, symbol: str = SYMBOL, **changes: Any) -> Signal:
        """Store a signal as the scan would, without sending it."""
        made = Signal(
            signal_id=f"S{slot:019d}", strategy="momentum", symbol=symbol, side=Side.BUY, session=START.date(),
            slot=slot, decided_at=self.kernel.now(), decision_price=Decimal(100), stop_distance=Decimal(1),
            confidence=Decimal("0.9"), quality=Decimal(1),
            votes=(Vote(strategy="momentum", confidence=Decimal("0.9"), reasons=("up",)),),
        )  # fmt: skip
        made = replace(made, **changes)
        self.store.commit([create(f"signals/{made.signal_id}", made)])
        return made

    def send(self, signal: Signal, times: int = 1) -> None:
        """Publish a signal's message."""
        for _ in range(times):
            self.bus.take("signals", outbox.pack(EnterPosition(signal=signal)))

    def at(self, seconds: float, deed: Callable[[], object]) -> None:
        """Let something happen so many seconds after the start."""
        self.kernel.spawn(deed, at=START + timedelta(seconds=seconds), name="script")

    def run(self, seconds: float) -> None:
        """Let time pass, with a look at what is held each two seconds and the schedules each minute."""
        until = self.kernel.now() + timedelta(seconds=seconds)
        while self.kernel.now() < until:
            now = self.kernel.now()
            if now.second == 0 and now.microsecond == 0:
                self.minute(now)
            if self.looking:
                self.kernel.spawn(self._look, name=SCAN)
            self.kernel.run(min(until, now + timedelta(seconds=2)))

    def minute(self, now: datetime) -> None:
        """Send what the schedules send at a minute's begin."""
        self.tick()
        if now == CLOSES + timedelta(minutes=5):
            self.bus.take("close-ticks", outbox.pack(CloseTick()))

    def tick(self) -> None:
        """Let settlement look."""
        self.bus.take("settle-ticks", outbox.pack(SettleTick()))

    def run_until_quiet(self) -> None:
        """Let time pass until nothing is in motion, at most to the end of the day."""
        self.run(60)
        while not self.quiet and self.kernel.now() < ENDS:
            self.run(60)

    @property
    def quiet(self) -> bool:
        """Tell whether every order has ended, nothing is held and no message is owed."""
        if self.owing or any(order.live for order in self.orders()) or self.store.query("outbox"):
            return False
        return not any(position.is_open for position in self.positions())

    @property
    def owing(self) -> bool:
        """Tell whether a message is owed whose work may still change something."""
        return bool(self.bus.owed)

    def orders(self) -> list[Order]:
        """Give every intent, oldest first."""
        found = [decode(Order, row.data) for row in self.store.query("orders")]
        return sorted(found, key=lambda order: (order.created_at, order.intent_id))

    def positions(self) -> list[Position]:
        """Give every position."""
        return [decode(Position, row.data) for row in self.store.query("positions")]

    def fills(self) -> list[Fill]:
        """Give every fill, oldest first."""
        return sorted((decode(Fill, row.data) for row in self.store.query("fills")), key=lambda fill: fill.at)

    def _look(self) -> None:
        desk, now = self.desks[SCAN], self.kernel.now()
        session = session_at(now)
        if now < self._blind_until or session is None:
            return
        try:
            if now.second == 0:
                outbox.drain(desk)
            for held in open_positions(desk):
                symbol = held.value.symbol
                quote = cast(Sound, self.exchange.quote(symbol))
                before = self._scanned.held.get(symbol) or watched(desk, held.value)
                _, after = look_after(desk, held, before, quote, rsi=None, session=session, at=now)
                self._scanned.hold(symbol, after)
        except Died:
            self._scanned = ScanMemory()
            self._blind_until = now.replace(second=0) + timedelta(minutes=1)
        except DeskError:
            return

    def _touch(self, writes: Sequence[Write]) -> None:
        """Write before somebody else does: the same data under a new version."""
        for write in writes:
            document = self.store.get(write.path)
            if isinstance(write, Update | CheckWrite) and document is not None:
                self.store.commit([Put(write.path, document.data)])
                return
        raise Conflict("another writer came first")


def request(owed: Owed, attempt: int) -> Request:
    """Write the push request of one delivery."""
    message = QueuedMessage(
        message_id=owed.number, topic=owed.topic, data=owed.body, attributes={}, ordering_key="",
        published_at=owed.published_at,
    )  # fmt: skip
    return Request(EnvironBuilder(data=push_body(owed.topic, message, attempt), method="POST").get_environ())
