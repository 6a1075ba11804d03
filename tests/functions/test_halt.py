"""The owner's halt against a day that is about to buy: nothing is licensed any more, whatever the broker does."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra.brokersim.faults import Endpoint, Fault
from infra.one_machine.clock import KernelClock, SeededChance
from infra.simulated_day import environment
from infra.simulated_day.owner import post
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import State
from shared.gcp.no_bus import NoBus
from shared.usecases.base.desk import Desk
from shared.usecases.base.links import HALT_LINK_LIFE, halt_key, halt_page
from shared.usecases.control import control
from tests.doors.fakes import Lines
from tests.functions.made import Bench, at, late

WITHIN = timedelta(seconds=5)
CALLS: tuple[Endpoint, ...] = ("accounts", "balance", "portfolio", "quotes", "preview", "place", "orders", "order")


def _morning(folder: Path, market: Path) -> Bench:
    """Give a machine that buys half an hour after the open."""
    made = late(folder, market)
    made.world.start_schedules(at("10:05"))
    return made


@pytest.fixture
def morning(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give such a machine before its morning."""
    made = _morning(tmp_path / "state", market)
    yield made
    made.close()


@pytest.fixture(scope="module")
def first_licence(tmp_path_factory: pytest.TempPathFactory, market: Path) -> datetime:
    """Give the instant at which the entry is licensed when nobody halts."""
    made = _morning(tmp_path_factory.mktemp("usual"), market)
    made.kernel.spawn(lambda: None, at=at("10:00"), name="owner")  # one event more, as where somebody halts
    made.run("10:05")
    licences = _licences(made)
    made.close()
    return licences[0]


def _licences(bench: Bench) -> list[datetime]:
    rows = bench.documents("audit").values()
    return sorted(datetime.fromisoformat(row["at"]) for row in rows if row["after"] == State.PLACING)


def _owner(bench: Bench) -> Desk:
    return Desk(
        actor="owner", clock=KernelClock(bench.kernel), chance=SeededChance(seed=1, name="owner"),
        store=bench.world.store, bus=NoBus(), journal=Lines(),
    )  # fmt: skip


def _halt(bench: Bench) -> None:
    control.command(_owner(bench), TradingState.HALTED, reason="the owner halted")


@pytest.mark.parametrize("before_s", [60.0, 3.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.01])
def test_after_a_halt_nothing_is_placed(morning: Bench, first_licence: datetime, before_s: float) -> None:
    """However shortly before its licence an entry is halted, it is never licensed, and the owner is told."""
    halt_at = first_licence - timedelta(seconds=before_s)
    morning.kernel.spawn(lambda: _halt(morning), at=halt_at, name="owner")
    morning.run("10:05")
    assert [one for one in _licences(morning) if one > halt_at] == []
    assert morning.calls()["place"] == 0
    assert {one.body["reason"] for one in morning.of("trading_halted")} == {"the owner halted"}
    assert len([path for path in morning.documents("notices") if "trading_halted" in path]) == 1


def test_a_halt_works_while_the_broker_is_down(morning: Bench, first_licence: datetime) -> None:
    """With the broker unreachable the halt is written at once, and when the broker is back nothing is placed."""
    down_at = first_licence - timedelta(seconds=2)
    written: list[timedelta] = []

    def cut() -> None:
        for endpoint in CALLS:
            morning.machine.simulator.inject(Fault(endpoint=endpoint, kind="reset", count=40))

    def halt() -> None:
        before = morning.kernel.now()
        _halt(morning)
        written.append(morning.kernel.now() - before)

    morning.kernel.spawn(cut, at=down_at, name="broker")
    morning.kernel.spawn(halt, at=down_at + timedelta(seconds=1), name="owner")
    morning.run("10:05")
    assert written[0] < WITHIN
    assert _licences(morning) == []
    assert control.current(_owner(morning)).value.state is TradingState.HALTED


def test_a_link_halts_although_nobody_is_signed_in(tmp_path: Path, market: Path) -> None:
    """The page of a halt link has trading halted by settlement within seconds, and the owner is told by notice."""
    bench = Bench(tmp_path / "state", market, start="09:20")
    key = halt_key(bench.world.vault, environment.OPERATOR)
    link = key.mint(
        SeededChance(seed=1, name="notify"), now=bench.kernel.now(), lasts=HALT_LINK_LIFE,
        page=halt_page(environment.START_PAGE),
    )  # fmt: skip
    answers = [post(bench.world, "/halt", {"link": link.partition("#")[2]}, "")[0] for _ in range(3)]
    bench.run("09:20:10")
    held = control.current(_owner(bench)).value
    assert (answers, held.state, held.reason, held.by) == (
        [200] * 3, TradingState.HALTED, control.BY_LINK, "order_settlement",
    )  # fmt: skip
    assert [one.body["reason"] for one in bench.of("trading_halted")] == [control.BY_LINK]
    assert bench.world.denied == []
    assert +bench.calls() == {}
    bench.close()
