"""Functions that die while the desk trades, and a desk that is stopped and started again."""

import os
import signal
from concurrent.futures import CancelledError
from contextlib import closing
from pathlib import Path

import pytest

from infra.day.book import read_book
from infra.local.sqlite_store import SqliteStore
from infra.up.folder import Folder
from tests.up.desks import lines, lost, members, require_settled, running, wait_for

KILLED = ("market_scan", "order_placement", "order_settlement")

pytestmark = pytest.mark.timeout(300)


def test_killed_functions_are_started_again_and_nothing_is_sent_twice(desk: Path) -> None:
    """Functions that are killed while they trade come back, their messages come again, and no order goes out twice."""
    with running(desk) as station:
        for name in KILLED:
            pid = station.fleet[name].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: all(station.fleet[name].restarts for name in KILLED))
        wait_for(lambda: all(one.answers for one in station.fleet.status()))
        wait_for(lambda: "MSFT" not in station.ledger().positions)
        require_settled(station)
        sales = [order for order in station.ledger().orders if (order.symbol, order.action) == ("MSFT", "SELL")]
        assert len([order for order in sales if order.stop_price is None or order.filled]) == 1
        assert lost(desk) == []
    restarted = [(line["what"], line["code"]) for line in lines(desk, "desk") if line["event"] == "restarted"]
    assert sorted(restarted) == [(name, -signal.SIGKILL) for name in KILLED]


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
