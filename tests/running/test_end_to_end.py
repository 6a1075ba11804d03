"""The promise of the whole: built archives in real processes trade from the owner's sign-in to a sold position.

Nothing is bought before fifteen minutes have been seen. Those of this day are scanned in no time by the same functions
on one machine, and each desk here begins with their bars, as a scan does that starts cold, and finds its archives
unpacked; those of `test_burst.py` and `test_flood.py` build and unpack them, as a first start does.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest

from infra.running.plan import Cloud, Plan
from infra.running.station import Station
from infra.simulated_day.book import read_book
from infra.simulated_day.environment import STARTING_CASH
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.paper import paper_ledger
from infra.simulated_day.violations import book_differs, placed_twice
from shared.domain.broker.tokens import TokenState
from shared.ports import Put
from shared.settings import Mode
from shared.topology import TOPOLOGY
from tests.doors.webhook import Webhook, webhook
from tests.running.browser import lose_token, run_until, sign_in_at, token_state
from tests.running.desks import SEED, first_bars, new_york, wait_for, with_archives

# Shares are bought a quarter of an hour after the open of this day and sold within minutes; on a busy machine, where
# looks are missed, later.
STARTS = time(9, 43, 30)
SEEN = new_york(9, 44)
WITHIN = timedelta(minutes=28)
TOLD = timedelta(minutes=9)
SETTLED = timedelta(minutes=8)
ORDER_CALLS = ("preview", "place", "cancel", "orders", "order", "portfolio")
# Two such desks run beside each other, on two cores: a tick has to come within its second all the same.
SPEEDS: dict[Cloud, float] = {"local": 10.0, "emulators": 4.0}


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Put]:
    """Give what the scan keeps of the first quarter of an hour."""
    return first_bars(tmp_path_factory.mktemp("morning") / "desk", SEEN)


@pytest.fixture
def place(tmp_path: Path, unpacked: Path) -> Path:
    """Give where a new desk's folder lies, which has its archives and nothing else."""
    return with_archives(tmp_path / "desk", unpacked).parent


@pytest.mark.parametrize(
    "cloud",
    [pytest.param("emulators", marks=pytest.mark.waits(120)), pytest.param("local", marks=pytest.mark.waits(50))],
)
@pytest.mark.timeout(900)
def test_desk_signs_in_scans_buys_protects_and_sells(
    cloud: Cloud,
    place: Path,
    bars: Sequence[Put],
    available: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A desk of real processes, signed in through its pages, buys, protects and sells, and its book is the broker's."""
    available(cloud)
    monkeypatch.chdir(place)
    with _begun(_plan(Path(), cloud=cloud, mode=Mode.LIVE), bars) as station:
        _trade_round(station, station.ledger)
        ledger = station.ledger()
        assert placed_twice(ledger) == []
        _stops_were_live(ledger)
        wait_for(lambda: all(one.answers for one in station.status().functions))
        assert all(one.restarts == 0 for one in station.status().functions)
    _logs_are_clean(station)


@pytest.mark.waits(60)
@pytest.mark.timeout(900)
def test_desk_that_loses_its_token_tells_the_owner_and_goes_on(place: Path, bars: Sequence[Put]) -> None:
    """When E*TRADE forgets the token the owner is told, signs in with the notice's link, and trading goes on."""
    with webhook() as hook:
        environ = {**os.environ, "STRATEGY_NOTIFY_ADDRESSES": hook.address()}
        with _begun(_plan(place, mode=Mode.LIVE, environ=environ), bars) as station:
            assert run_until(station, lambda: station.ledger().calls.get("quotes", 0) > 0, within=SETTLED)
            lose_token(station)
            assert run_until(station, lambda: _links(hook) != [], within=TOLD), _state(station)
            assert token_state(station) is TokenState.DEAD
            (link,) = _links(hook)
            sign_in_at(station, link)
            assert token_state(station) is TokenState.FRESH
            assert run_until(station, lambda: _protected(station.ledger()) != set(), within=WITHIN), _state(station)
            assert run_until(station, lambda: not _differs(station, station.ledger()), within=SETTLED)
            assert [post["title"] for post in hook.posts].count("Signed in") == 2
        _logs_are_clean(station)
    assert hook.address() not in "".join(path.read_text() for path in station.folder.logs.glob("*.jsonl"))


@pytest.mark.waits(50)
@pytest.mark.timeout(900)
def test_desk_on_paper_trades_and_no_order_leaves_it(place: Path, bars: Sequence[Put]) -> None:
    """On paper the same desk buys, protects and sells in our own store, and the simulator hears of no order."""
    with _begun(_plan(place, mode=Mode.PAPER), bars) as station:

        def account() -> BrokerLedger:
            return paper_ledger(station.store, station.ledger(), opened_with=Decimal(STARTING_CASH))

        _trade_round(station, account)
        _stops_were_live(account())
        simulated = station.ledger()
        assert simulated.calls.get("quotes", 0) > 0
        assert [name for name in ORDER_CALLS if simulated.calls.get(name, 0)] == []
        assert (simulated.orders, simulated.fills, simulated.positions) == ((), (), {})
    _logs_are_clean(station)


@contextmanager
def _begun(plan: Plan, bars: Sequence[Put]) -> Iterator[Station]:
    """Run a desk that knows the first quarter of an hour, and sign the owner in."""
    with Station(plan) as station:
        station.store.commit(bars)
        sign_in_at(station)
        yield station


def _plan(
    folder: Path, *, mode: Mode, cloud: Cloud = "local", environ: Mapping[str, str] = MappingProxyType(os.environ)
) -> Plan:
    return Plan(
        state=folder / "desk", environ=environ, cloud=cloud, mode=mode, seed=SEED, speed=SPEEDS[cloud], starts=STARTS
    )


def _trade_round(station: Station, account: Callable[[], BrokerLedger]) -> None:
    """Run until shares were bought and sold, and the book agrees with the account."""
    assert run_until(station, lambda: bool(_round_trips(account())), within=WITHIN), _state(station)
    assert run_until(station, lambda: not _differs(station, account()), within=SETTLED), _differs(station, account())
    book, symbol = read_book(station.store), _round_trips(account())[0]
    assert station.store.query("dead_letters") == []
    assert [event for event in book.events if event.chain in {order.intent_id for order in book.orders}]
    assert {"BUY", "SELL"} <= {fill.side for fill in book.fills if fill.symbol == symbol}


def _stops_were_live(ledger: BrokerLedger) -> None:
    symbol = _round_trips(ledger)[0]
    assert symbol in _protected(ledger), f"no protective stop of {symbol} ever reached the account"


def _protected(ledger: BrokerLedger) -> set[str]:
    """Give the symbols that were bought, and for which a stop came to the broker."""
    bought = {fill.symbol for fill in ledger.fills if fill.action == "BUY"}
    return bought & {order.symbol for order in ledger.orders if order.stop_price is not None}


def _logs_are_clean(station: Station) -> None:
    logs = {path.stem: path.read_text(encoding="utf-8") for path in station.folder.logs.glob("*.jsonl")}
    assert [name for name, text in logs.items() if '"severity":"CRITICAL"' in text or "undeclared_access" in text] == []
    assert {function.name for function in TOPOLOGY.functions} <= logs.keys()


def _links(hook: Webhook) -> list[str]:
    """Give the links of the notices that ask for a sign-in."""
    asked = [post["message"] for post in hook.posts if post["title"].startswith("Sign in")]
    lines = [line for message in asked for line in message.splitlines() if line.startswith("http://")]
    return [line for line in lines if "/halt#" not in line]


def _round_trips(ledger: BrokerLedger) -> list[str]:
    """Give the symbols that were bought and then sold to the last share."""
    bought = {fill.symbol for fill in ledger.fills if fill.action == "BUY"}
    return sorted(symbol for symbol in bought if ledger.positions.get(symbol, 0) == 0)


def _differs(station: Station, ledger: BrokerLedger) -> list[str]:
    return book_differs(ledger, read_book(station.store), starting_cash=Decimal(STARTING_CASH))


def _state(station: Station) -> str:
    ledger = station.ledger()
    return f"at {station.timeline.now()}: {len(ledger.orders)} orders, fills {ledger.fills}"
