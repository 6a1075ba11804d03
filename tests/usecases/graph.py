"""The order path as it is deployed: a bench with everything around the use cases that decides how long something takes.

The handlers are those of the functions themselves: the turnstile stands before placement, the scan works through its
minutes with the real clock work of `scan`, settlement has three processes between which its lease moves, each process
waits for its turn at the broker, and the broker counts what comes too fast. A fault may strike any call of any process,
or the process as a whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from infra.brokersim.limiter import Limiter
from infra.brokersim.settings import Limit
from shared.domain.base.calendar import session_at
from shared.domain.base.values import Side
from shared.domain.broker.brokerage import Ticket
from shared.domain.broker.outcomes import CancelAnswer, NeverSent, PlaceAnswer, UnknownOutcome
from shared.domain.broker.turns import Purpose, Turn
from shared.domain.telling.messages import ScanTick
from shared.door import PushDoor, Turnstile
from shared.errors import NotSent
from shared.etrade.exchange import MODULES, Endpoint
from shared.etrade.limits import Limits, Module, Role
from shared.etrade.turns import AccountTurns
from shared.guard import Guard, GuardedBus, GuardedStore
from shared.ports import Broker, Clock, Store
from shared.topology import TOPOLOGY
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk
from shared.usecases.base.listing import OrderLists
from shared.usecases.base.reads import NotedBroker
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.orders.account import judge
from shared.usecases.scanning.scan import scan
from shared.usecases.scanning.scan_memory import ScanMemory
from shared.wiring import order_placement, order_settlement
from tests.usecases.bench import CONFIG, START, SYMBOL, Bench, request
from tests.usecases.exchange import ScriptedBroker
from tests.usecases.gate import Fault, GatedStore, Passes, Process, ProcessClock
from tests.usecases.post import PLACEMENT, SCAN, SETTLEMENT, GatedBus, Owed

T = TypeVar("T")
OTHER = "MSFT"
ROLES = {PLACEMENT: Role.PLACEMENT, SETTLEMENT: Role.SETTLEMENT, SCAN: Role.SCAN}
SHORT = {PLACEMENT: "place", SETTLEMENT: "settle", SCAN: "scan"}
AT_ETRADE = {Module.MARKET: 4, Module.ORDERS: 2, Module.ACCOUNTS: 2}
HOURLY = 14_000


@dataclass(slots=True, kw_only=True)
class Running:
    """One process of a function, and how many requests it works on."""

    process: Process
    door: PushDoor
    busy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a mutant has otherwise: the clock of the turnstile, and the store as settlement sees it."""

    turnstile_clock: Callable[[Clock], Clock] = lambda clock: clock
    settlement_store: Callable[[Store, Clock], Store] = lambda store, _clock: store


class Graph(Bench):
    """The three functions of the order path with their processes, schedules, places and limits."""

    def __init__(
        self, *, seed: int = 0, faults: Mapping[int, Fault] | None = None, changed: Changed | None = None,
        start: datetime = START,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, faults=faults, start=start)
        self.looking = False
        self.exchange.set_price(OTHER, "49.99", "50.01")
        self.throttled: list[str] = []
        self._changed = changed or Changed()
        self._limiters = {module: Limiter(Limit(per_second=n, per_hour=HOURLY)) for module, n in AT_ETRADE.items()}
        self._choice = Random(f"graph/{seed}")
        self._running: dict[str, list[Running]] = {PLACEMENT: [], SETTLEMENT: [], SCAN: []}
        for function in self._running:
            self._fill_up(function)

    @property
    def quiet(self) -> bool:
        """Tell whether everything has ended, at the broker too, and no fault still lasts."""
        exchange = self.exchange
        rests = any(exchange.live(symbol, side) for symbol in (SYMBOL, OTHER) for side in Side)
        return not (self.gate.holding or rests or +exchange.shares) and super().quiet

    @property
    def owing(self) -> bool:
        """Tell whether a message is owed; a scan goes on until its next tick comes, and nothing new is bought here."""
        return any(owed.topic != "scan-ticks" for owed in self.bus.owed)

    def push(self, function: str, owed: Owed, attempt: int) -> int:
        """Deliver one message to a process that has a place; 429 when none has."""
        self._fill_up(function)
        places = TOPOLOGY.function(function).concurrency
        free = [one for one in self._running[function] if one.busy < places]
        if not free:
            return 429
        chosen = self._choice.choice(free)
        chosen.busy += 1
        try:
            return chosen.door(request(owed, attempt))[1]
        finally:
            chosen.busy -= 1

    def minute(self, now: datetime) -> None:
        """Send what the schedules send at a minute's begin, the scan's tick included."""
        super().minute(now)
        session = session_at(now)
        if session is not None and now < session.closes_at:
            self.bus.take("scan-ticks", outbox.pack(ScanTick()))

    def admit(self, module: Module, name: str) -> None:
        """Count one call at the broker; what E*TRADE would refuse as too fast is remembered."""
        if not self._limiters[module].admit(self.kernel.now()):
            self.throttled.append(name)

    def _fill_up(self, function: str) -> None:
        """Start a process for each one that died."""
        alive = [one for one in self._running[function] if not one.process.dead]
        missing = TOPOLOGY.function(function).max_instances - len(alive)
        self._running[function] = alive + [self._start(function) for _ in range(missing)]

    def _start(self, function: str) -> Running:
        process = Process(self.gate, self.kernel, SHORT[function])
        desk, clock = self._desk_of(function, process)
        places = TOPOLOGY.function(function).concurrency
        if function == SCAN:
            memory = ScanMemory()
            door = PushDoor(desk=desk, handlers={ScanTick: lambda got, _tick: scan(desk, memory, got.published_at)})
        elif function == PLACEMENT:
            stile = Turnstile(self._changed.turnstile_clock(clock), places=places)
            handlers = order_placement.handlers(desk, stile)
            door = PushDoor(desk=desk, halts=True, tells=True, handlers=handlers)
        else:
            door = PushDoor(desk=desk, halts=True, tells=True, handlers=order_settlement.handlers(desk))
        return Running(process=process, door=door)

    def _desk_of(self, function: str, process: Process) -> tuple[TradingDesk, ProcessClock]:
        guard = Guard(TOPOLOGY.function(function), self.journal)
        clock = ProcessClock(self.kernel, process)
        store: Store = GuardedStore(GatedStore(self.store, process.pass_), guard)
        if function == SETTLEMENT:
            store = self._changed.settlement_store(store, clock)
        ports: dict[str, Any] = {"clock": clock, "chance": self._chance, "store": store, "journal": self.journal}
        ports["bus"] = GuardedBus(GatedBus(self.bus, process.pass_), guard)
        turns = AccountTurns(clock=clock, chance=self._chance, store=store, journal=self.journal)
        limits = Limits(clock=clock, role=ROLES[function], turns=None if function == SCAN else turns)
        usual = Purpose.ENTER if function == PLACEMENT else Purpose.SETTLE
        broker: Broker = LimitedBroker(self, process.pass_, limits, clock, usual)
        urgent: Broker = LimitedBroker(self, process.pass_, limits, clock, Purpose.PROTECT)
        if function != SCAN:
            noting = Desk(actor=function, **ports)
            broker = noted = NotedBroker(broker, noting, judge=judge(noting, "owner", "key"))
            urgent = noted.through(urgent)
        watched = () if function == SCAN else (SYMBOL, OTHER)  # what is held is scanned all the same
        desk = TradingDesk(
            actor=function, **ports, broker=broker, urgent=urgent,
            lists=OrderLists(broker=broker, clock=clock, journal=self.journal), config=CONFIG,
            mandate=Mandate(account_id="key", capital_usd=Decimal(100_000), watch_list=watched),
        )  # fmt: skip
        return desk, clock


class LimitedBroker(ScriptedBroker):
    """The scripted broker behind one process's limits, as the client is."""

    def __init__(self, graph: Graph, pass_: Passes, limits: Limits, clock: ProcessClock, purpose: Purpose) -> None:
        super().__init__(graph.exchange, self._in_turn)
        self._purpose = purpose
        self._graph = graph
        self._arrive = pass_
        self._limits = limits
        self._clock = clock

    def place(self, account_key: str, ticket: Ticket, preview_ids: object, *, deadline: datetime) -> PlaceAnswer:
        """Send an order, unless its turn is beyond the deadline or nobody knows whose it is."""
        try:
            turn = self._turn("place", deadline - self._clock.now())
        except NotSent as problem:
            return NeverSent(why=problem.detail)
        return self._sent("place", turn, lambda: self._graph.exchange.place(ticket, deadline))

    def cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        """Ask to cancel, once it is its turn."""
        try:
            return super().cancel(account_key, order_id)
        except NotSent as problem:
            return UnknownOutcome(why=problem.detail)

    def _in_turn(self, name: str, effect: Callable[[], T]) -> T:
        return self._sent(name, self._turn(name), effect)

    def _turn(self, name: str, within: timedelta | None = None) -> Turn:
        turn = self._limits.take(MODULES[Endpoint(name)], self._purpose, within=within)
        if turn is None:
            raise NotSent("its turn is too far away")
        return turn

    def _sent(self, name: str, turn: Turn, effect: Callable[[], T]) -> T:
        module = MODULES[Endpoint(name)]
        self._limits.sent(module, turn)

        def arrive() -> T:
            self._graph.admit(module, name)
            return effect()

        return self._arrive(name, arrive)
