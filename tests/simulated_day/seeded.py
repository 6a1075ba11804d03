"""Faults for a made day, one for each kind of violation: what lies around the functions, never the functions."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.brokersim.settings import Limit, SimulatorSettings
from infra.brokersim.simulator import Fault
from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.greenlets import Greenlets
from infra.simulated_day.environment import CONSUMER_KEY, consumer_secret
from infra.simulated_day.hours import Hours
from infra.simulated_day.machine import Machine, Surroundings
from shared.codec import encode, loads
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Ticket
from shared.domain.broker.outcomes import Accepted, Previewed
from shared.domain.broker.tokens import AccessToken
from shared.domain.broker.turns import Purpose
from shared.domain.control.control import Control, TradingState
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import Limits, Role
from shared.etrade.session import Credentials
from shared.etrade.turns import AccountTurns
from shared.ports import Put
from shared.topology import ACCESS_TOKEN, TOPOLOGY
from shared.usecases.control.control import WORD
from tests.between import Between
from tests.simulated_day.made import SYMBOL, at

SEED = 1
FEWER_LOOKS = {"ETRADE_RATE_LIMIT": "20"}
"""A market that moves once a minute is looked at every few seconds: it spares half the work of a day."""
BEGUN_LATE = {"order_settlement: scan_silent"}
"""Where a run begins long after the open, settlement's first look may come before the scan's first minute is taken."""
HELD = at(12, 40)
"""By now the day's one position is held and protected; its exit comes ten minutes later."""
AFTER_THE_SEAL = at(16, 6)
_LOOK_EVERY_S = 0.1

Act = Callable[[Machine], None]


def last_hour(usual: Hours) -> Hours:
    """Begin the day at noon: the last hour of a half-day has everything, and is over in seconds."""
    return replace(usual, starts=at(12, 10, 10), signs_in=at(12, 10, 20), ends=at(16, 7))


PLAIN = Surroundings(hours=last_hour)


def throttle() -> Surroundings:
    """The broker admits half the order calls that its documentation promises."""

    def stricter(usual: SimulatorSettings) -> SimulatorSettings:
        return replace(usual, orders_limit=Limit(per_second=1, per_hour=7_000))

    return replace(PLAIN, simulator=stricter)


def lost_right() -> Surroundings:
    """A function touches a collection that the topology does not give it."""
    functions = tuple(
        replace(one, collections={name: right for name, right in one.collections.items() if name != "receipts"})
        for one in TOPOLOGY.functions
    )
    return replace(PLAIN, topology=replace(TOPOLOGY, functions=functions))


def second_place() -> Surroundings:
    """Something between us and the broker delivers a place request twice."""
    return replace(PLAIN, http=PlacesTwice)


def refused_stop() -> Surroundings:
    """The broker answers no preview for a while, from the moment at which it has the entry."""

    def refuse(machine: Machine) -> None:
        machine.simulator.inject(Fault(endpoint="preview", kind="server-error-500-100", count=20))

    return _when(lambda machine: bool(machine.ledger().orders), refuse)


def lost_schedule() -> Surroundings:
    """The scan is not called any more while a position is held, so that nobody decides to leave it."""
    schedules = tuple(
        replace(one, cron="0-44 12 * * 1-5") if one.topic == "scan-ticks" else one for one in TOPOLOGY.schedules
    )
    return replace(PLAIN, topology=replace(TOPOLOGY, schedules=schedules))


def halted_exit() -> Surroundings:
    """Trading is halted, exits included, before the exit of a position that is held."""

    def halt(machine: Machine) -> None:
        control = Control(
            state=TradingState.HALTED, exits_too=True, epoch=9, reason="seeded", by="test", at=machine.kernel.now()
        )
        machine.world.store.commit([Put(WORD, encode(control))])

    return _at(HELD, halt)


def trade_by_hand() -> Surroundings:
    """The owner buys and sells in the account by hand, which the book never hears of."""

    def trade(machine: Machine) -> None:
        broker = owners_broker(machine)
        for number, side in enumerate((Side.BUY, Side.SELL)):
            ticket = Ticket(
                client_order_id=f"BYHAND{number}",
                symbol=SYMBOL,
                side=side,
                quantity=10,
                price_type=PriceType.MARKET,
                term=Term.GOOD_FOR_DAY,
            )
            preview = broker.preview(machine.settings.account_id, ticket)
            assert isinstance(preview, Previewed)
            deadline = machine.kernel.now() + timedelta(seconds=10)
            answer = broker.place(machine.settings.account_id, ticket, preview.preview_ids, deadline=deadline)
            assert isinstance(answer, Accepted)

    return _at(HELD, trade)


def edited_event() -> Surroundings:
    """An event of the audit trail is edited in the store after the trail was sealed."""

    def edit(machine: Machine) -> None:
        event = machine.world.store.query("audit")[0]
        machine.world.store.commit([Put(event.path, {**event.data, "cause": "another"})])

    return _at(AFTER_THE_SEAL, edit)


def edited_fill() -> Surroundings:
    """A fill of the book is edited in the store before the books are compared."""

    def edit(machine: Machine) -> None:
        fill = machine.world.store.query("fills")[0]
        machine.world.store.commit([Put(fill.path, {**fill.data, "price": "101.00"})])

    return _at(AFTER_THE_SEAL, edit)


FAULTS: Mapping[str, Callable[[], Surroundings]] = MappingProxyType(
    {
        "throttle": throttle,
        "lost_right": lost_right,
        "second_place": second_place,
        "refused_stop": refused_stop,
        "lost_schedule": lost_schedule,
        "halted_exit": halted_exit,
        "trade_by_hand": trade_by_hand,
        "edited_event": edited_event,
        "edited_fill": edited_fill,
    }
)


class PlacesTwice(Between):
    """Sends the first place request that is accepted a second time, and gives its first answer."""

    def __init__(self, inner: BaseAdapter) -> None:
        super().__init__(inner)
        self._done = False

    def carry(self, request: PreparedRequest) -> Response:
        """Carry one request."""
        answer = super().carry(request)
        if not self._done and (request.url or "").endswith("/orders/place.json") and answer.status_code == 200:
            self._done = True
            super().carry(request)
        return answer


def _at(instant: datetime, act: Act) -> Surroundings:
    def ready(machine: Machine) -> None:
        machine.kernel.spawn(lambda: act(machine), at=instant, name="fault")

    return replace(PLAIN, ready=ready)


def _when(condition: Callable[[Machine], bool], act: Act) -> Surroundings:
    def watch(machine: Machine) -> None:
        while not condition(machine):
            machine.kernel.sleep(_LOOK_EVERY_S)
        act(machine)

    return _at(at(12, 15), watch)


def owners_broker(machine: Machine) -> EtradeBroker:
    """Give what signs with the owner's own access token."""
    vault, clock = machine.world.vault, KernelClock(machine.kernel)
    token = loads(vault.read(ACCESS_TOKEN, vault.versions(ACCESS_TOKEN)[-1]))
    credentials = Credentials(
        consumer_key=CONSUMER_KEY,
        consumer_secret=consumer_secret(SEED),
        token=AccessToken(token=token["token"], secret=token["secret"]),
    )
    chance, journal = SeededChance(seed=SEED, name="by hand"), machine.world.journal.of("owner")
    turns = AccountTurns(store=machine.world.store, clock=clock, chance=chance, journal=journal)
    return EtradeBroker(
        credentials=lambda: credentials,
        sandbox=False,
        clock=clock,
        chance=chance,
        journal=journal,
        limits=Limits(clock=clock, role=Role.PLACEMENT, turns=turns),
        side_by_side=Greenlets(machine.kernel),
        caller="owner",
        purpose=Purpose.SETTLE,
        http=machine.http,
    )
