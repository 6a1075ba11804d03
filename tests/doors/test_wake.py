"""A token that sleeps is woken by token_refresh alone: who trades asks by message, and waits for three seconds."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from infra.one_machine.clock import KernelClock
from infra.one_machine.timed import Latency, TimedStore
from shared.domain.telling.messages import RenewAsked
from shared.door import Turnstile
from shared.errors import Asleep, DeskError, NotSent, PermissionDenied
from shared.guard import Guard, GuardedBus, GuardedStore
from shared.topology import TOPOLOGY
from shared.usecases.base.desk import Desk
from shared.usecases.base.outbox import unpack
from shared.usecases.sign_in import renew, token
from shared.usecases.sign_in.wake import ASK_EVERY, TOPIC, WAITS, Waking
from tests.doors.fakes import ListBus
from tests.doors.sign_in_world import SignInWorld, back

TRADING = ("market_scan", "order_placement", "order_settlement")
ASLEEP = timedelta(hours=3)
MOMENT = timedelta(milliseconds=100)
"""What the store takes for the last look."""

Keep = Callable[[Desk, "AskedWorld", datetime], object]


def keeper(desk: Desk, world: "AskedWorld", asked_at: datetime) -> None:
    """Do what token_refresh does with an ask."""
    renew.renew_when_asked(desk, world.signed.etrade, asked_at=asked_at)


class AskedBus(ListBus):
    """A bus that brings each ask to token_refresh a moment later, unless nobody is there."""

    def __init__(self, world: "AskedWorld") -> None:
        super().__init__()
        self._world = world

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Take a message, which takes its time."""
        self._world.signed.kernel.sleep(0.02)
        number = super().publish(topic, data, attributes=attributes, ordering_key=ordering_key)
        message = unpack(data)
        assert isinstance(message, RenewAsked)
        self._world.ask(message.asked_at, after=timedelta(milliseconds=20))
        return number


class AskedWorld:
    """A signed-in world whose token has slept for a while, its keeper, and the functions that trade.

    `keep` is what is done with an ask, None where token_refresh is dead; `waking` is how a function has it woken.
    """

    def __init__(self, *, keep: Keep | None = keeper, waking: type[Waking] = Waking) -> None:
        self.signed = SignInWorld()
        cookie, request_token, verifier = self.signed.begin()
        self.signed.get(back(request_token, verifier), cookie)
        self.kernel = self.signed.kernel
        self.kernel.run(self.kernel.now() + ASLEEP)
        self.bus = AskedBus(self)
        self.troubles: list[DeskError] = []
        self._keep, self._refresh = keep, self.desk("token_refresh")
        self.wakings = {name: waking(self.desk(name), one=nullcontext()) for name in TRADING}

    def desk(self, name: str) -> Desk:
        """Give a function's desk, with the rights that it has."""
        guard = Guard(TOPOLOGY.function(name), self.signed.journal)
        latency = Latency(self.signed.chance, 0.005, 0.02)
        store = GuardedStore(TimedStore(self.signed.store, self.kernel, latency), guard)
        return Desk(
            actor=name, clock=KernelClock(self.kernel), chance=self.signed.chance, store=store,
            bus=GuardedBus(self.bus, guard), journal=self.signed.journal,
        )  # fmt: skip

    def ask(self, asked_at: datetime, *, after: timedelta = timedelta(0)) -> None:
        """Bring token_refresh one ask, whoever wrote it."""

        def handle() -> None:
            try:
                if self._keep is not None:
                    self._keep(self._refresh, self, asked_at)
            except DeskError as problem:
                self.troubles.append(problem)

        self.kernel.spawn(handle, at=self.kernel.now() + after, name="token_refresh")

    def read(self, callers: int) -> list[tuple[bool | type[DeskError], timedelta]]:
        """Have as many readings refused at once, in all functions: what became of each, and after how long."""
        found: list[tuple[bool | type[DeskError], timedelta]] = []
        begun = self.kernel.now()

        def refused(waking: Waking) -> None:
            answer: bool | type[DeskError]
            try:
                answer = waking(begun)
            except DeskError as problem:
                answer = type(problem)
            found.append((answer, self.kernel.now() - begun))

        for number in range(callers):
            waking = self.wakings[TRADING[number % len(TRADING)]]
            self.kernel.spawn(lambda waking=waking: refused(waking), name="reading")  # type: ignore[misc]
        self.kernel.run(begun + timedelta(minutes=1))
        return found

    @property
    def renewals(self) -> int:
        """How often E*TRADE was asked to renew."""
        return self.signed.etrade.calls["renew"]

    @property
    def asks(self) -> int:
        """How many asks went out."""
        return sum(one.topic == TOPIC for one in self.bus.sent)


class Forgetful(Waking):
    """Asks for each reading, and waits anew each time."""

    def _ask(self, asked_at: datetime) -> datetime:
        self._last = self._desk.clock.now() - ASK_EVERY
        return super()._ask(asked_at)


def obedient(_desk: Desk, world: AskedWorld, _asked_at: datetime) -> None:
    """Renew for every ask."""
    world.signed.etrade.renew()


def hasty(desk: Desk, world: AskedWorld, asked_at: datetime) -> None:
    """Renew for every ask that the record does not answer: without a pace."""
    renew.renew(desk, world.signed.etrade, asked_at=asked_at)


def fifty(**variant: object) -> list[str]:
    """Fifty readings at once in three functions: one renewal, an ask for each function, everybody goes on."""
    world = AskedWorld(**variant)  # type: ignore[arg-type]
    found = world.read(50)
    wrong = [] if world.renewals == 1 else [f"{world.renewals} renewals"]
    wrong += [] if world.asks == len(TRADING) else [f"{world.asks} asks"]
    return wrong + [f"{answer} after {took}" for answer, took in found if answer is not True or took >= WAITS]


def dead_keeper(**variant: object) -> list[str]:
    """Without token_refresh each reading fails within three seconds, and so do sixteen exits in the turnstile."""
    world = AskedWorld(keep=None, **variant)  # type: ignore[arg-type]
    wrong = [
        f"{answer} after {took}" for answer, took in world.read(50) if answer is not Asleep or took > WAITS + MOMENT
    ]
    stile = Turnstile(KernelClock(world.kernel), places=16)
    begun, ended = world.kernel.now(), list[timedelta]()

    def intent() -> None:
        with stile.turn(is_exit=True), pytest.raises(Asleep):
            world.wakings["order_placement"](begun)
        ended.append(world.kernel.now() - begun)

    for _ in range(16):
        world.kernel.spawn(intent, name="order_placement")
    world.kernel.run(begun + timedelta(minutes=2))
    # Each waits up to 50 ms for its turn, and looks at the record once.
    longest = max(ended, default=WAITS)
    return wrong + ([] if len(ended) == 16 and longest < WAITS + 16 * MOMENT else [f"{len(ended)}, after {longest}"])


def dead_token(**variant: object) -> list[str]:
    """A token that is dead in the record is asked for by nobody, and an ask for it wakes nothing."""
    world = AskedWorld(**variant)  # type: ignore[arg-type]
    held = token.current(world.signed.store)
    assert held is not None
    world.signed.store.commit([held.update(replace(held.value, dies_at=world.kernel.now()))])
    found = world.read(10)
    wrong = [f"{answer} after {took}" for answer, took in found if answer is not False or took > MOMENT]
    wrong += [f"{world.asks} asks"] if world.asks else []
    world.ask(world.kernel.now())
    world.kernel.run(world.kernel.now() + timedelta(minutes=1))
    return wrong + ([f"{world.renewals} renewals"] if world.renewals else [])


def flood(*, trouble: DeskError | None = None, ahead: timedelta = timedelta(0), **variant: object) -> list[str]:
    """A thousand asks in ten minutes, each newer than the last renewal, cost a renewal in 50 s at most."""
    world = AskedWorld(**variant)  # type: ignore[arg-type]
    if trouble is not None:
        world.signed.etrade.trouble["renew"] = trouble
    for number in range(1000):
        after = number * timedelta(milliseconds=600)
        world.kernel.spawn(
            lambda: world.ask(world.kernel.now() + ahead), at=world.kernel.now() + after, name="taken over"
        )
    world.kernel.run(world.kernel.now() + timedelta(minutes=11))
    return [] if 10 <= world.renewals <= 13 else [f"{world.renewals} renewals"]


def answered(**variant: object) -> list[str]:
    """An ask that was on its way while the token was renewed does nothing."""
    world = AskedWorld(**variant)  # type: ignore[arg-type]
    before = world.kernel.now()
    world.read(1)
    world.ask(before - timedelta(seconds=1))
    world.ask(before)
    world.kernel.run(world.kernel.now() + timedelta(minutes=1))
    return [] if world.renewals == 1 else [f"{world.renewals} renewals"]


PROBES: Sequence[Callable[..., list[str]]] = (fifty, dead_keeper, dead_token, flood, answered)


@pytest.mark.parametrize("probe", PROBES)
def test_the_control_holds(probe: Callable[..., list[str]]) -> None:
    """What a probe looks for is not there."""
    assert probe() == []


@pytest.mark.parametrize(
    ("probe", "variant"),
    [
        (fifty, {"waking": Forgetful}),
        (fifty, {"keep": obedient}),
        (dead_keeper, {"waking": Forgetful}),
        (dead_token, {"keep": obedient}),
        (flood, {"keep": hasty}),
        (answered, {"keep": obedient}),
    ],
)
def test_a_seeded_mistake_is_found(probe: Callable[..., list[str]], variant: dict[str, object]) -> None:
    """A function that asks each time, and a keeper that believes every ask, are found by the probe for it."""
    assert probe(**variant) != []


@pytest.mark.parametrize(
    "variant", [{"trouble": NotSent("no route")}, {"ahead": timedelta(days=365)}], ids=["E*TRADE fails", "future"]
)
def test_a_flood_costs_no_more_in_bad_times(variant: dict[str, object]) -> None:
    """Asks from the future, and asks while each renewal fails, are acted on as seldom as others."""
    assert flood(**variant) == []  # type: ignore[arg-type]


def test_a_token_that_is_lost_is_known_at_once() -> None:
    """When E*TRADE no longer knows the token, those who wait fail as soon as the record shows its death."""
    world = AskedWorld()
    world.signed.etrade.living.clear()
    found = world.read(6)
    assert all(answer is False and took < WAITS for answer, took in found)
    assert (world.renewals, world.troubles) == (1, [])


def test_a_renewal_that_fails_is_tried_again_within_a_minute() -> None:
    """After a renewal that failed the readings fail in time, and who is still refused a minute later is served."""
    world = AskedWorld()
    world.signed.etrade.trouble["renew"] = NotSent("no route")
    assert {answer for answer, _ in world.read(3)} == {Asleep}
    assert [type(one) for one in world.troubles] == [NotSent]
    del world.signed.etrade.trouble["renew"]
    assert {answer for answer, _ in world.read(3)} == {True}
    assert world.renewals == 2


def test_a_bus_that_refuses_counts_as_an_ask() -> None:
    """Where the ask cannot be published the reading fails at once, and the next ones do not try again for a while."""
    world = AskedWorld()
    world.bus.down = True
    found = [answer for answer, _ in world.read(3)]
    assert found == [NotSent] * 3
    waking, begun = world.wakings["market_scan"], world.kernel.now()
    for expected in (NotSent, Asleep, Asleep):
        with pytest.raises(expected):
            world.kernel.call(lambda: waking(begun), name="reading")
        world.bus.down = False
    assert world.asks == 0


def test_a_token_that_was_renewed_meanwhile_is_asked_for_by_nobody() -> None:
    """A reading that was refused before somebody renewed goes on at once."""
    world = AskedWorld()
    before = world.kernel.now()
    world.read(1)
    asks, begun = world.asks, world.kernel.now()
    assert world.kernel.call(lambda: world.wakings["order_placement"](before), name="reading")
    assert (world.asks, world.kernel.now() - begun < MOMENT) == (asks, True)


@pytest.mark.parametrize("name", TRADING)
def test_who_trades_cannot_write_the_record(name: str) -> None:
    """A function that trades has no right to wake the token itself."""
    world = AskedWorld()
    with pytest.raises(PermissionDenied):
        world.kernel.call(lambda: hasty(world.desk(name), world, world.kernel.now()), name=name)
    assert world.renewals == 0
