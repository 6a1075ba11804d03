"""The configuration in force is read once a minute, and without it nothing is bought, while what is held is sold."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.control.config import StrategyConfig
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.versions import Ceilings, Versions
from shared.domain.risk.last_check import Owner, of_document
from shared.domain.telling.barred import EntriesBarred
from shared.domain.telling.messages import EnterPosition
from shared.door import Turnstile
from shared.errors import ConfigError, Conflict, StoreDown
from shared.ports import Document, Envelope, Put
from shared.topology import TOPOLOGY
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import configuration, control
from shared.usecases.control.configuration import PATH, Configured
from shared.wiring.order_placement import handlers
from tests.domain.made import order
from tests.usecases.bench import CONFIG, START, Bench
from tests.usecases.gate import Fault
from tests.usecases.post import PLACEMENT, SETTLEMENT
from tests.usecases.proofs import safety
from tests.usecases.test_sightless import told

MOST = Ceilings()
MINUTE = timedelta(minutes=1)


def _with(**limits: object) -> StrategyConfig:
    return replace(CONFIG, limits=replace(CONFIG.limits, **limits))  # type: ignore[arg-type]


def _bench() -> Bench:
    """Let every function choose its configuration as its wiring does."""
    bench = Bench()
    for name, desk in bench.desks.items():
        bench.desks[name] = replace(desk, choose=Configured(file=CONFIG, ceilings=MOST, since=START))
    bench.remake_doors()
    return bench


def _change(bench: Bench, config: StrategyConfig) -> Versions:
    owner = replace(bench.desks[SETTLEMENT], store=bench.store)
    return configuration.change(owner, configuration.stored(owner.store), CONFIG, MOST, config=config, note="a test")


def test_a_limit_that_was_lowered_counts_for_the_entry_of_the_next_minute() -> None:
    """Where 99 shares were bought, no more than 50 are once the owner says so; the order says under which version."""
    bench = _bench()
    bench.at(20, lambda: _change(bench, _with(order_shares_max=50)))
    bench.at(61, lambda: bench.send(bench.signal()))
    bench.run(90)
    found = [(order.kind, order.quantity, order.config_number) for order in bench.orders()]
    assert found == [(Kind.ENTRY, 50, 1), (Kind.PROTECT, 50, 1)]
    assert safety(bench) == []


def test_without_a_configuration_that_can_be_read_nothing_is_bought() -> None:
    """A process that has never read which configuration is in force denies entries and tells it, once."""
    bench = _bench()
    bench.store.commit([Put(PATH, {"of": "another version"})])
    bench.send(bench.signal())
    bench.at(5, lambda: bench.send(bench.signal(slot=2)))
    bench.run(20)
    assert {order.codes for order in bench.orders()} == {("CONFIGURATION_UNREAD",)}
    assert bench.exchange.posted == []
    (notice,) = told(bench, EntriesBarred)
    assert notice.code == "CONFIGURATION_UNREAD"


def test_what_is_held_is_protected_while_the_configuration_cannot_be_read() -> None:
    """A configuration that is damaged while shares are held takes no stop away."""
    bench = _bench()
    bench.send(bench.signal())
    bench.at(10, lambda: bench.store.commit([Put(PATH, {"of": "another version"})]))
    bench.run(100)
    assert [order.state for order in bench.orders() if order.kind is Kind.PROTECT] == [State.WORKING]
    assert bench.journal.named("configuration_unread")
    assert safety(bench) == []


def test_an_entry_that_waits_for_its_turn_is_judged_by_the_limits_of_then() -> None:
    """A signal that came before a minute and is worked after it buys by what is in force when its turn comes."""
    bench = _bench()
    base = bench.desks[PLACEMENT]
    turnstile = Turnstile(base.clock, places=16)
    take = handlers(base, turnstile)[EnterPosition]
    bench.at(20, lambda: _change(bench, _with(order_shares_max=50)))

    def busy() -> None:
        with turnstile.turn(is_exit=True):
            base.clock.sleep_until(START + timedelta(seconds=63))

    bench.at(57, busy)
    bench.at(58, lambda: take(_envelope(), EnterPosition(signal=bench.signal())))
    bench.run(90)
    assert [(order.quantity, order.state) for order in bench.orders() if order.kind is Kind.ENTRY] == [
        (50, State.FILLED),
    ]  # fmt: skip
    assert control.current(base).value.state is TradingState.ACTIVE


def test_an_order_of_another_version_is_void_and_accuses_nobody() -> None:
    """What was approved under larger limits and is sent under smaller ones ends unsent, and halts nothing."""
    made = order(config_number=1, created_at=START)
    limit = made.limit_price or Decimal(0)
    made = replace(made, quantity=99, reserved=99 * limit, position_id=made.intent_id)
    owner = Owner(config=_with(order_shares_max=50), capital=Decimal(100_000), since=START, number=2)
    assert of_document(made, owner).void[:1] == ("LIMITS_CHANGED",)
    assert of_document(made, replace(owner, number=1)).refused


def test_an_approved_entry_is_not_sent_by_who_knows_no_configuration() -> None:
    """A cold process that cannot read which limits are in force voids what another one has approved."""
    bench = _bench()
    preview = _preview_of(bench)
    cold = _bench()
    cold.gate.faults.update({preview: Fault(how="before")})
    cold.send(cold.signal())
    cold.at(1, lambda: cold.store.commit([Put(PATH, {"of": "another version"})]))
    cold.at(1, lambda: _restart(cold))
    cold.run(60)
    assert cold.exchange.posted == []
    assert {one.state for one in cold.orders()} <= {State.VOIDED, State.DENIED}


def _envelope() -> Envelope:
    return Envelope(message_id="1", published_at=START, subscription="signals", attempt=1)


def _preview_of(bench: Bench) -> int:
    bench.send(bench.signal())
    bench.run(20)
    return bench.gate.names.index("preview") + 1


def _restart(bench: Bench) -> None:
    """Give every function a process that has read nothing yet."""
    for name, desk in bench.desks.items():
        bench.desks[name] = replace(desk, choose=Configured(file=CONFIG, ceilings=MOST, since=bench.kernel.now()))
    bench.remake_doors()


def test_a_warm_process_buys_nothing_by_a_configuration_that_it_cannot_read() -> None:
    """A document that another version wrote is known to be another one: what was read before is no licence to buy."""
    bench = Bench()
    desk, _ = _process(bench)
    assert desk.of_this_minute.config_known
    bench.store.commit([Put(PATH, {"of": "another version"})])
    bench.run(61)
    assert not desk.of_this_minute.config_known


def test_a_long_outage_ends_what_a_process_knows() -> None:
    """For five minutes without an answer the last limits count, and then nothing more is bought by them."""
    bench = Bench()
    desk, store = _process(bench)
    assert desk.of_this_minute.config_known
    store.down = True
    bench.run(240)
    assert desk.of_this_minute.config_known
    bench.run(120)
    assert not desk.of_this_minute.config_known


class Flaky:
    """A store that does not answer when it is told not to."""

    def __init__(self, bench: Bench) -> None:
        self.down = False
        self.asked = 0
        self._store = bench.store

    def get(self, path: str) -> Document | None:
        """Read one document; raises StoreDown while it is down."""
        self.asked += 1
        if self.down:
            raise StoreDown("away")
        return self._store.get(path)


def _process(bench: Bench) -> tuple[TradingDesk, Flaky]:
    store = Flaky(bench)
    chosen = Configured(file=CONFIG, ceilings=MOST, since=START)
    return replace(bench.desks[PLACEMENT], store=store, choose=chosen), store  # type: ignore[arg-type]


def test_a_process_goes_on_with_the_last_that_it_read() -> None:
    """An outage leaves the version that was read; the next minute in which the store answers has the newest."""
    bench = Bench()
    desk, store = _process(bench)
    _change(bench, _with(positions_max=3))
    assert desk.of_this_minute.config.limits.positions_max == 3
    store.down = True
    bench.run(61)
    _change(bench, _with(positions_max=2))
    assert (desk.of_this_minute.config.limits.positions_max, desk.of_this_minute.config_known) == (3, True)
    store.down = False
    bench.run(60)
    assert desk.of_this_minute.config.limits.positions_max == 2


def test_the_store_is_asked_once_a_minute() -> None:
    """However many messages a minute has, its configuration costs one read."""
    bench = Bench()
    desk, store = _process(bench)
    for _ in range(50):
        assert desk.of_this_minute.config_known
    assert store.asked == 1


def test_what_was_judged_under_other_limits_is_told_apart() -> None:
    """From the moment that a process uses another configuration, what was made before counts as made under others."""
    bench = Bench()
    desk, _ = _process(bench)
    assert desk.of_this_minute.limits_since == START
    bench.run(30)
    _change(bench, _with(order_usd_max=Decimal(1000)))
    bench.run(40)
    assert desk.of_this_minute.limits_since == bench.kernel.now()


def test_two_commands_cannot_write_one_version() -> None:
    """Of two changes that saw the same version one is refused, and says so."""
    bench = Bench()

    class Late:
        def get(self, path: str) -> Document | None:
            found = bench.store.get(path)
            if path == PATH:
                _change(bench, _with(positions_max=7))
            return found

        def commit(self, writes: object) -> object:
            return bench.store.commit(writes)  # type: ignore[arg-type]

    owner = replace(bench.desks[SETTLEMENT], store=Late())  # type: ignore[arg-type]
    over = configuration.stored(owner.store)
    with pytest.raises(Conflict, match="another command"):
        configuration.change(owner, over, CONFIG, MOST, config=_with(positions_max=8), note="late")
    assert [one.config.limits.positions_max for one in configuration.history(bench.store)] == [7]


def test_an_earlier_version_is_found_by_its_number() -> None:
    """Every version is kept under its number, 0 is the file, and one that never was is named."""
    bench = Bench()
    _change(bench, _with(positions_max=3))
    _change(bench, _with(positions_max=2))
    found = [configuration.version(bench.store, number, CONFIG).limits.positions_max for number in range(3)]
    assert found == [CONFIG.limits.positions_max, 3, 2]
    with pytest.raises(ConfigError, match="no version 9"):
        configuration.version(bench.store, 9, CONFIG)


def test_no_function_may_write_it() -> None:
    """The configuration lies in the owner's domain, and nobody but the owner's commands has the right to write it."""
    assert TOPOLOGY.collections["configs"].domain == "owner"
    rights = {function.collections.get("configs") for function in TOPOLOGY.functions}
    assert rights == {None, TOPOLOGY.function("market_scan").collections["control"]}
