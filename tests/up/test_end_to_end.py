"""The promise of the whole: built archives in real processes trade from the owner's sign-in to a sold position."""

import os
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.day.book import read_book
from infra.day.environment import STARTING_CASH
from infra.day.ledger import BrokerLedger
from infra.day.violations import book_differs, placed_twice
from infra.up.plan import Cloud, Plan
from infra.up.station import Station
from shared.settings import Mode
from shared.topology import TOPOLOGY
from tests.up.browser import run_until, sign_in_at

# Shares are bought a quarter of an hour after the open of this day and sold within minutes.
SEED = 8
STARTS = time(9, 29)
WITHIN = timedelta(minutes=28)
SETTLED = timedelta(minutes=2)
SPEEDS: dict[Cloud, float] = {"local": 20.0, "emulators": 4.0}


@pytest.mark.parametrize("cloud", [pytest.param("emulators", marks=pytest.mark.first), "local"])
@pytest.mark.timeout(900)
def test_desk_signs_in_scans_buys_protects_and_sells(
    cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desk of real processes, signed in through its pages, buys, protects and sells, and its book is the broker's."""
    if cloud == "emulators":
        request.getfixturevalue("sdk")
    monkeypatch.chdir(tmp_path)
    plan = Plan(
        state=Path("desk"), environ=os.environ, cloud=cloud, mode=Mode.LIVE, seed=SEED, speed=SPEEDS[cloud],
        starts=STARTS,
    )  # fmt: skip
    with Station(plan) as station:
        sign_in_at(station)
        assert run_until(station, lambda: bool(_round_trips(station.ledger())), within=WITHIN), _state(station)
        assert run_until(station, lambda: not _differs(station), within=SETTLED), _differs(station)
        ledger, book = station.ledger(), read_book(station.store)
        symbol = _round_trips(ledger)[0]
        assert placed_twice(ledger) == []
        assert station.store.query("dead_letters") == []
        assert [event for event in book.events if event.chain in {order.intent_id for order in book.orders}]
        assert {"BUY", "SELL"} <= {fill.side for fill in book.fills if fill.symbol == symbol}
        stops = [order for order in ledger.orders if order.symbol == symbol and order.stop_price is not None]
        assert stops, f"no protective stop of {symbol} ever reached the broker"
        assert all(one.answers and one.restarts == 0 for one in station.status().functions)
    logs = {path.stem: path.read_text(encoding="utf-8") for path in station.folder.logs.glob("*.jsonl")}
    assert [name for name, text in logs.items() if '"severity":"CRITICAL"' in text or "undeclared_access" in text] == []
    assert {function.name for function in TOPOLOGY.functions} <= logs.keys()


def _round_trips(ledger: BrokerLedger) -> list[str]:
    """Give the symbols that were bought and then sold to the last share."""
    bought = {fill.symbol for fill in ledger.fills if fill.action == "BUY"}
    return sorted(symbol for symbol in bought if ledger.positions.get(symbol, 0) == 0)


def _differs(station: Station) -> list[str]:
    return book_differs(station.ledger(), read_book(station.store), starting_cash=Decimal(STARTING_CASH))


def _state(station: Station) -> str:
    ledger = station.ledger()
    return f"at {station.timeline.now()}: {len(ledger.orders)} orders, fills {ledger.fills}"
