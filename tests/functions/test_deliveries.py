"""What the bus may do to the functions: messages twice, out of order, late, or none at all."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.simulator import Fault
from infra.simulated_day.book import read_book
from infra.simulated_day.environment import STARTING_CASH
from infra.simulated_day.violations import violations
from shared.codec import decode
from shared.domain.control.control import Control, TradingState
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.telling.messages import CloseTick, PrepareTick, RefreshTick, ScanTick, SettleTick
from shared.errors import StoreDown
from shared.ports import Put
from shared.topology import TOPOLOGY
from shared.usecases.base.outbox import pack
from shared.usecases.scanning.scan import TICKS
from tests.functions.made import MINUTE, SYMBOL, Bench, at, late

PUSHED = [function.name for function in TOPOLOGY.functions if function.subscriptions]
_TROUBLE = ("crash", "invariant_broken", "undeclared_access", "dead_letter", "forged_signal")


def _violations(bench: Bench) -> list[str]:
    undeclared = [str(line["what"]) for line in bench.world.denied]
    return violations(
        ledger=bench.machine.ledger(), book=read_book(bench.world.store), undeclared=undeclared,
        starting_cash=STARTING_CASH, hours=bench.machine.hours,
    )  # fmt: skip


@pytest.mark.parametrize("function", PUSHED)
def test_a_get_is_no_push(bench: Bench, function: str) -> None:
    """A GET to a function that is pushed to is answered 405 and leaves nothing behind."""
    answer = bench.world.request(function, "GET", "/", {}, b"")
    assert (answer.status, answer.body) == (405, b"")
    assert bench.documents(*TOPOLOGY.collections) == {}


@pytest.mark.parametrize("function", PUSHED)
@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff\xfe", b'{"message": {"data": "AAAA"}}', b"x" * 70_000])
def test_wrong_content_is_kept_and_acknowledged(bench: Bench, function: str, raw: bytes) -> None:
    """Whatever is posted to a function without being a push becomes one dead letter and is acknowledged."""
    assert [bench.post(function, raw) for _ in range(2)] == [204, 204]
    ((path, letter),) = bench.documents("dead_letters").items()
    assert path.startswith(f"dead_letters/{function}:")
    told = {"notices", "paces"} if function == "notify" else set()  # what it has to tell itself it tells at once
    assert bench.documents(*(set(TOPOLOGY.collections) - {"dead_letters", "outbox"} - told)) == {}
    assert (letter["function"], letter["reason"]) == (function, "Malformed")
    assert sum(bench.calls().values()) == 0


@pytest.mark.parametrize("function", PUSHED)
def test_a_message_for_another_function_is_not_taken(bench: Bench, function: str) -> None:
    """A message that belongs to another function's topic becomes a dead letter, unhandled."""
    other = ScanTick() if function != "market_scan" else SettleTick()
    assert bench.push(function, other) == 204
    (letter,) = bench.documents("dead_letters").values()
    assert "does not take" in letter["detail"]
    assert bench.documents("leases", "minutes", "receipts", "orders") == {}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_whole_day_again_in_another_order_changes_nothing(played: Bench, seed: int) -> None:
    """Every message of the day, delivered again in a mixed order, finds its work done: no order, fill or step more."""
    book, ledger = played.book(), played.machine.ledger()
    again = {one.kind: [d for d in played.deliveries if d.kind == one.kind] for one in played.deliveries}
    batch = [one for kind in again.values() for one in (kind[:3] + kind[-3:])]
    random.Random(seed).shuffle(batch)
    assert {one.kind for one in batch} == set(again)
    assert {_posted(played, one.function, one.raw) for one in batch} == {204}
    assert played.book() == book
    after = played.machine.ledger()
    assert (after.orders, after.fills, after.place_requests) == (ledger.orders, ledger.fills, ledger.place_requests)
    assert played.documents("outbox", "dead_letters") == {}


def _posted(played: Bench, function: str, raw: bytes) -> int:
    """Deliver until there is a place: a function that still works for somebody else refuses with 429."""
    for _ in range(5):
        if (status := played.post(function, raw)) != 429:
            return status
        played.kernel.run(played.kernel.now() + timedelta(seconds=1))
    return 429


def test_every_message_twice_trades_once(tmp_path: Path, market: Path) -> None:
    """With every message delivered a second time within seconds, the day is one entry, one stop and one exit."""
    bench = late(tmp_path / "state", market)
    bench.world.bus._duplicate_rate = 1.0
    bench.world.start_schedules(at("10:06"))
    bench.run("16:05")
    bench.world.bus.publish("close-ticks", pack(CloseTick()), attributes={})
    bench.run("16:07")
    assert len(bench.deliveries) >= 2 * len({one.message_id for one in bench.deliveries}) - 2
    kinds = sorted(decode(Order, data).kind for data in bench.documents("orders").values())
    assert kinds == ["entry", "exit", "protect"]
    assert len(bench.machine.ledger().place_requests) == 3
    assert _violations(bench) == []
    assert bench.lines(*_TROUBLE) == []
    bench.close()


@pytest.mark.parametrize(
    "age", [timedelta(seconds=60), timedelta(minutes=10), timedelta(days=3), timedelta(days=700_000)]
)
def test_an_old_scan_tick_is_acknowledged_without_work(bench: Bench, age: timedelta) -> None:
    """A ScanTick that comes after its minute asks the broker nothing and takes no lease."""
    bench.sign_in_at("09:25")
    bench.run("09:40")
    calls = bench.calls()
    assert bench.push("market_scan", ScanTick(), published=bench.kernel.now() - age) == 204
    assert bench.calls() == calls
    assert bench.documents("leases", "minutes", "receipts", "dead_letters") == {}


def test_a_scan_tick_from_the_future_is_not_waited_for(bench: Bench) -> None:
    """A tick that claims a minute still to come is a dead letter; no instance sleeps until then."""
    bench.sign_in_at("09:25")
    bench.run("09:40")
    before = bench.kernel.now()
    for ahead in (timedelta(minutes=10), timedelta(days=1), timedelta(days=2_000_000)):
        assert bench.push("market_scan", ScanTick(), published=before + ahead) == 204
    assert bench.kernel.now() - before < MINUTE
    assert bench.documents("minutes") == {}
    assert len(bench.documents("dead_letters")) == 3


def test_two_scans_of_one_minute_are_one(bench: Bench) -> None:
    """A ScanTick that comes again within its minute finds the lease taken and leaves at once."""
    bench.sign_in_at("09:25")
    bench.run("09:40")
    for second in (0, 5):
        bench.kernel.spawn(lambda: bench.push("market_scan", ScanTick()), at=at(f"09:40:0{second}"), name="bus")
    bench.run("09:41")
    assert len(bench.lines("minute_scanned")) == 1
    assert bench.calls()["quotes"] <= 61


def test_preparing_waits_for_the_sign_in(bench: Bench) -> None:
    """PrepareTick before the sign-in stores history, and the scan waits; signing in brings it again, to ask E*TRADE."""
    assert bench.push("market_history", PrepareTick(reason="schedule")) == 204
    assert len(bench.documents("history")) == 2
    assert bench.push("market_scan", PrepareTick(reason="schedule")) == 204
    assert bench.calls()["quotes"] == 0
    assert [line["reason"] for line in bench.lines("prepare_waits", "prepared")] == ["schedule"]
    bench.sign_in_at("09:25")
    bench.run("09:26")
    sent = bench.of("prepare_tick")
    assert sorted((one.function, one.topic, one.body["reason"], one.status) for one in sent) == [
        ("market_history", "prepare-ticks", "signed-in", 204), ("market_scan", "prepare-ticks", "signed-in", 204),
    ]  # fmt: skip
    assert {one.attributes["row"] for one in sent} == {"outbox/oauth_callback:signed-in:1"}
    (prepared,) = bench.lines("prepared")
    assert (prepared["symbols"], prepared["reason"]) == (2, "signed-in")
    assert bench.calls()["quotes"] == 1


def test_without_a_sign_in_nothing_is_asked_and_nothing_breaks(bench: Bench) -> None:
    """Two minutes of schedules without a token: every message is acknowledged, each symbol's receipt says why."""
    bench.run("09:59")
    bench.world.start_schedules(at("10:01"))
    bench.run("10:02:30")
    assert {one.status for one in bench.deliveries} == {204}
    assert sum(bench.calls().values()) == 0
    receipts = bench.documents("receipts").values()
    assert [sorted(receipt["symbols"]) for receipt in receipts] == [["AIG", "BAC"]] * 3
    assert {lines[-1][1] for receipt in receipts for lines in receipt["symbols"].values()} == {"NO_TOKEN"}
    assert bench.lines(*_TROUBLE) == []


@pytest.fixture
def holding(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give a machine that has just sent its entry order."""
    bench = late(tmp_path / "holding", market)
    bench.world.start_schedules(at("10:06"))
    bench.run("10:01:03")
    assert bench.of("enter_position")
    yield bench
    bench.close()


def test_a_close_waits_for_the_settlement_that_is_at_work(holding: Bench) -> None:
    """CloseTick while another settlement works waits for its turn within one request, and then the day is sealed."""
    holding.run("10:01:06")
    lease = holding.documents("leases")["leases/settle"]
    assert lease["until"] > holding.kernel.now().isoformat()
    holding.run("16:05")
    until = at("16:05:20").isoformat().replace("+00:00", "Z")
    holding.world.store.commit([Put("leases/settle", {**lease, "until": until})])
    assert holding.push("order_settlement", CloseTick()) == 204
    assert holding.kernel.now() >= at("16:05:20")
    ((path, seal),) = holding.documents("seals").items()
    assert path == "seals/2013-10-07"
    assert seal["heads"]


@pytest.mark.parametrize("after_effect", [True, False])
def test_an_unknown_stop_is_resolved_without_a_halt(holding: Bench, after_effect: bool) -> None:
    """A protective stop whose place answer is lost leaves trading as it was, and the position protected."""
    holding.machine.simulator.inject(Fault(endpoint="place", kind="reset", after_effect=after_effect))
    holding.run("10:03:30")
    held = decode(Control, holding.documents("restrictions")["restrictions/main"])
    assert held.state is TradingState.ACTIVE
    stops = [decode(Order, data) for data in holding.documents("orders").values()]
    stops = [order for order in stops if order.kind is Kind.PROTECT]
    assert "UNKNOWN" in {data["after"] for data in holding.documents("audit").values()}
    if after_effect:
        assert [stop.state for stop in stops] == [State.WORKING]
    assert holding.documents("outbox") == {}
    assert holding.lines(*_TROUBLE) == []
    assert {one.status for one in holding.of("settle_tick")} == {204}


def test_a_bus_that_stumbles_costs_a_tick_and_not_the_minute(tmp_path: Path, market: Path) -> None:
    """A signal that cannot be published at once goes out within the same minute, and the scan goes on."""
    bench = late(tmp_path / "state", market)
    bench.world.start_schedules(at("10:02"))
    bench.run("10:00:59.5")
    refuse, queue = [True], bench.world.bus._queue
    add = queue.add

    def stumbling(**more: Any) -> Any:
        if more["topic"] == "signals" and refuse:
            refuse.pop()
            raise StoreDown("the disk refuses")
        return add(**more)

    queue.add = stumbling  # type: ignore[method-assign]
    bench.run("10:02")
    assert not refuse
    (sent,) = bench.of("enter_position")
    assert sent.begun < at("10:01:02")
    scanned = [line["ticks"] for line in bench.lines("minute_scanned") if line["minute"].startswith("2013-10-07T14:01")]
    assert scanned
    assert scanned[0] >= 57
    assert [decode(Order, data).kind for data in bench.documents("orders").values()].count(Kind.ENTRY) == 1
    bench.close()


def test_a_store_that_stumbles_costs_ticks_and_not_the_minute(bench: Bench) -> None:
    """While the positions cannot be read no symbol is judged; the scan goes on at the first tick that can."""
    bench.sign_in_at("09:25")
    bench.run("09:30")
    query, down = bench.world.file.query, ["09:30:10", "09:30:15"]

    def stumbling(collection: str, *where: Any, **more: Any) -> Any:
        if collection == "positions" and at(down[0]) <= bench.kernel.now() < at(down[1]):
            raise StoreDown("the disk refuses")
        return query(collection, *where, **more)

    bench.world.file.query = stumbling  # type: ignore[method-assign]
    assert bench.push("market_scan", ScanTick()) == 204
    scanned = bench.lines("minute_scanned")[0]
    assert 53 <= scanned["ticks"] <= 56
    assert len(bench.lines("scan_stumbled")) == TICKS - scanned["ticks"]


def test_books_that_cannot_be_read_do_not_stop_the_scan(bench: Bench) -> None:
    """A scan that finds damaged books starts them anew and says so; held positions are still looked after."""
    bench.sign_in_at("09:25")
    bench.run("09:31")
    bench.world.platform("market_scan")
    bench.world.store.commit([Put("bars/20131007-0", {"session": "2013-10-07", "books": "AAAA"})])
    bench.world.store.commit([Put("bars/20131007-1", {"session": "2013-10-07"})])
    bench.kernel.spawn(lambda: bench.push("market_scan", ScanTick()), name="bus")
    bench.run("09:32")
    assert len(bench.lines("minute_scanned")) == 1
    assert len(bench.lines("books_unreadable")) == 2
    assert bench.documents("dead_letters") == {}
    assert bench.documents("bars")["bars/20131007-0"]["minute"].startswith("2013-10-07T13:31")


def test_refreshing_twice_renews_once(bench: Bench) -> None:
    """A RefreshTick soon after a renewal, or after the sign-in, asks E*TRADE nothing."""
    bench.sign_in_at("09:25")
    bench.run("09:40")
    assert bench.push("token_refresh", RefreshTick()) == 204
    assert bench.calls()["renew"] == 0
    bench.run("09:55")
    assert [bench.push("token_refresh", RefreshTick()) for _ in range(2)] == [204, 204]
    assert bench.calls()["renew"] == 1
    assert SYMBOL not in str(bench.documents("token"))
