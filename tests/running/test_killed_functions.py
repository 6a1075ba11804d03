"""Functions that die or hang while the desk trades, and a desk that is stopped and started again."""

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from infra.one_machine.processes import MARGIN_S, FunctionProcess
from infra.one_machine.sqlite_store import SqliteStore
from infra.running.fleet import Fleet
from infra.running.folder import Folder
from infra.running.outside import REAL
from infra.running.station import Station
from infra.simulated_day.book import read_book
from shared.topology import TOPOLOGY
from tests.running.desks import lines, lost, members, require_settled, running, wait_for

KILLED = ("market_scan", "order_placement", "order_settlement")


@pytest.fixture(scope="module")
def station(traded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """Give a desk that trades, for several tests."""
    with running(Path(shutil.copytree(traded, tmp_path_factory.mktemp("killed") / "desk", symlinks=True))) as ours:
        yield ours


def _said(station: Station, before: int = 0) -> list[dict[str, Any]]:
    """Read what the desk's log says since then of functions that hang or start again."""
    found = [line for line in lines(station.folder.path, "desk") if line["event"] in {"hung", "restarted"}]
    return found[before:]


def test_killed_functions_are_started_again_and_nothing_is_sent_twice(station: Station) -> None:
    """Functions that are killed while they trade come back, their messages come again, and no order goes out twice."""
    before = len(_said(station))
    restarts = {name: station.fleet[name].restarts for name in KILLED}
    for name in KILLED:
        pid = station.fleet[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all(station.fleet[name].restarts > restarts[name] for name in KILLED))
    wait_for(lambda: all(one.answers for one in station.fleet.status()))
    wait_for(lambda: "MSFT" not in station.ledger().positions)
    require_settled(station)
    sales = [order for order in station.ledger().orders if (order.symbol, order.action) == ("MSFT", "SELL")]
    assert len([order for order in sales if order.stop_price is None or order.filled]) == 1
    assert lost(station.folder.path) == []
    restarted = [(line["what"], line["code"]) for line in _said(station, before)]
    assert sorted(restarted) == [(name, -signal.SIGKILL) for name in KILLED]


def test_a_function_that_hangs_is_ended_and_started_again(station: Station) -> None:
    """A function whose group is stopped and silent for too long is ended and started again, and the log says why."""
    before = len(_said(station))
    hung = station.fleet["order_settlement"]
    restarts = {one.name: one.restarts for one in station.fleet}
    assert hung.pid is not None
    os.killpg(hung.pid, signal.SIGSTOP)
    wait_for(lambda: not hung.answers())
    assert hung.restarts == restarts[hung.name]
    hung._silent_s += hung.function.timeout_s + MARGIN_S  # as long as it may be busy: the rest passes really
    wait_for(lambda: hung.restarts > restarts[hung.name])
    wait_for(lambda: all(one.answers for one in station.fleet.status()))
    assert {one.name: one.restarts for one in station.fleet if one is not hung} == {
        name: times for name, times in restarts.items() if name != hung.name
    }
    said = _said(station, before)
    assert [(line["event"], line["what"]) for line in said] == [(one, hung.name) for one in ("hung", "restarted")]
    assert "longer than a request may last" in said[0]["detail"]


@pytest.mark.parametrize(("speed", "allowed_s"), [(60.0, 210.0), (1.0, 210.0), (0.5, 390.0)])
def test_silence_is_judged_by_what_a_request_may_last(speed: float, allowed_s: float) -> None:
    """A function is allowed its time-out and a margin in real seconds, more where time runs slower, never less."""
    fleet = Fleet({"market_scan": 0}, REAL.launcher)
    asked: list[float] = []

    class Asked(FunctionProcess):
        def end_if_hung(self, longest_s: float) -> float | None:
            asked.append(longest_s)
            return None

    fleet._processes["market_scan"] = Asked(
        function=TOPOLOGY.function("market_scan"), source=Path(), world=Path(), log=Path(), port=0, environ={},
        push_key="",
    )  # fmt: skip
    assert fleet.end_hung(MARGIN_S, speed=speed) == {}
    assert asked == [allowed_s]


def test_a_desk_goes_on_where_it_was_stopped(desk: Path) -> None:
    """A desk at rest trades no more; the shares and open orders that it has then, its next start has too, and sells."""
    with running(desk) as station:
        require_settled(station)
        groups = [process.pid for process in station.fleet]
        station.rest()
        assert not any(members(group) for group in groups if group is not None)
        with pytest.raises(CancelledError):
            station.kernel.post(lambda: None, name="late")
        first, book = station.ledger(), read_book(station.store)
    assert None not in groups
    with closing(SqliteStore(Folder(path=desk).store)) as store:
        assert read_book(store) == book
    with running(desk) as station:
        require_settled(station)
        second, at = station.ledger(), station.timeline.now()
        assert second.place_requests[: len(first.place_requests)] == first.place_requests
        assert second.fills[: len(first.fills)] == first.fills
        again = read_book(station.store)
        assert {order.intent_id for order in book.orders} <= {order.intent_id for order in again.orders}
        assert set(book.fills) <= set(again.fills)
        wait_for(lambda: "MSFT" not in station.ledger().positions)
        wait_for(lambda: max(one.minute for one in read_book(station.store).receipts) > at.isoformat()[:16])
        require_settled(station)
