"""What the owner was told and what reached nobody: listed with its words, and said by the status."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.cli.status_words import status_lines
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations import told
from infra.operations.look import overview
from infra.operations.told import Fate
from infra.simulated_day.hours import day_and_time
from shared.codec import encode
from shared.domain.market.sight import Sight
from shared.domain.telling.notices import ForeignOrder, event_of
from shared.domain.telling.pacing import Turn
from shared.domain.telling.sign_in_notices import SignInNeeded
from shared.ports import Put, Store
from shared.usecases.base.desk import put
from shared.usecases.base.outbox import Row, pack
from shared.usecases.market.minutes import Minute
from shared.usecases.telling.deliver import Told, Untold
from tests.operations.desks import answer, strategy

OPEN = datetime(2013, 10, 7, 14, 0, tzinfo=UTC)
SCANNED = Sight(begins=OPEN, symbols=4, usable=4, faults=(), unseen={})


@pytest.fixture
def store(desk: Path) -> Iterator[Store]:
    """Give the documents of a desk that stands still."""
    opened = SqliteStore(desk / "state.db")
    yield opened
    opened.close()


def _told(number: int, *, addresses: int = 1, turn: Turn = Turn.TELL, at: datetime = OPEN) -> Put:
    one = Told(
        kind="foreign_order", title=f"Title {number}", text=f"Text {number}.", turn=turn, addresses=addresses,
        happened_at=at + timedelta(seconds=number), told_at=at + timedelta(seconds=number),
    )  # fmt: skip
    return put(f"notices/told:{number}", one)


def _untold(number: int, *, tries: int, at: datetime = OPEN) -> Put:
    one = Untold(
        kind="foreign_order", title=f"Title {number}", text=f"Text {number}.", tries=tries, happened_at=at,
        tried_at=at + timedelta(minutes=5),
    )  # fmt: skip
    return put(f"untold/lost:{number}", one)


def test_notices_of_a_morning_are_listed(played_desk: Path) -> None:
    """A stopped desk's notices are listed in New York time with their words, and without an address that is said."""
    lines = answer("notices", "--state", str(played_desk))
    assert [line["title"] for line in lines] == ["A sign-in was begun", "Signed in"]
    assert {line["fate"] for line in lines} == {Fate.NO_ADDRESS}
    shown = strategy("notices", "--state", str(played_desk)).stdout
    for part in ("New York", "07:2", "Signed in", "no address", "until 00:00 ET"):
        assert part in shown
    (last,) = answer("notices", "--last", "1", "--state", str(played_desk))
    assert last == lines[-1]
    status = strategy("status", "--state", str(played_desk)).stdout
    assert "NO ADDRESS is set: `strategy notices` shows them" in status


def test_each_fate_is_told() -> None:
    """Told, held back, without address, not delivered and only promised are five answers, the newest at the end."""
    store = MemoryStore()
    foreign = ForeignOrder(symbol="IBM", session=OPEN.date(), at=OPEN + timedelta(hours=1))
    row = Row(owner="order_settlement", topic="notices", key="", body=pack(foreign).decode())
    store.commit([
        _told(1, addresses=2), _told(2, addresses=0, turn=Turn.HOLD), _told(3, addresses=0),
        _untold(4, tries=2, at=OPEN + timedelta(minutes=4)),
        Put(f"outbox/order_settlement:{event_of(foreign)}", encode(row)), Put("notices/damaged", {"kind": 1}),
    ])  # fmt: skip
    unread: list[str] = []
    lines = told.notices(store, unread=unread)
    assert [line.fate for line in lines] == [
        Fate.TOLD, Fate.HELD_BACK, Fate.NO_ADDRESS, Fate.UNTOLD, Fate.PROMISED,
    ]  # fmt: skip
    assert [(line.addresses, line.tries) for line in lines[:4]] == [(2, 0), (0, 0), (0, 0), (0, 2)]
    assert (lines[-1].event, lines[-1].title) == (event_of(foreign), "An order that is not ours: IBM")
    assert unread == ["notices/damaged"]


def test_what_is_told_at_last_is_listed_once() -> None:
    """An event whose promise or failed try is still stored beside its telling is listed as told."""
    store = MemoryStore()
    store.commit([_untold(1, tries=3), put("notices/lost:1", Told(
        kind="foreign_order", title="Title 1", text="Text 1.", turn=Turn.TELL, addresses=1, happened_at=OPEN,
        told_at=OPEN,
    ))])  # fmt: skip
    assert [line.fate for line in told.notices(store, unread=[])] == [Fate.TOLD]


def test_the_link_of_a_sign_in_is_never_listed(desk: Path, store: Store) -> None:
    """A sign-in that is only promised is listed without the signed part of its link."""
    needed = SignInNeeded(signed="2.CANARY", minutes_to_open=9, occasion="x", at=OPEN)
    row = Row(owner="token_refresh", topic="notices", key="", body=pack(needed).decode())
    store.commit([Put("outbox/token_refresh:x", encode(row))])
    shown = strategy("notices", "--state", str(desk)).output
    listed = answer("notices", "--state", str(desk))
    assert "Sign in to the simulator" in shown
    assert "E*TRADE" not in shown
    assert "CANARY" not in shown + repr(listed)


def test_the_status_says_that_notices_reach_nobody(desk: Path, store: Store) -> None:
    """A notice that no address takes is in the status with how many and since when, until one takes it."""
    now = datetime.fromisoformat(answer("status", "--state", str(desk))["at"])
    store.commit([_untold(1, tries=21, at=now - timedelta(hours=1))])
    shown = strategy("status", "--state", str(desk)).stdout
    assert f"1 NOT DELIVERED since {day_and_time(now - timedelta(hours=1))} New York: `strategy notices`" in shown
    listed = strategy("notices", "--state", str(desk)).stdout
    assert "NOT DELIVERED: no address took it (21 tries)" in listed
    assert "21 tries" in listed


def test_delivery_looks_at_the_last_week() -> None:
    """What nobody took longer than a week ago is no alarm any more, and one notice that was told ends NO ADDRESS."""
    store = MemoryStore()
    store.commit([_untold(1, tries=20, at=OPEN - timedelta(days=8)), _told(2, addresses=0), _told(3)])
    found = told.delivery(store)
    assert (found.untold, found.told, found.unaddressed) == (0, 2, False)


@pytest.mark.parametrize(
    ("sight", "at", "said"),
    [
        (SCANNED, OPEN, "usable quotes of 4 of 4 symbols"),
        (
            Sight(begins=OPEN, symbols=4, usable=0, faults=("FUTURE",), unseen={}), OPEN,
            "NO usable quote of 4 symbols (the quote was ahead of our clock)",
        ),
        (SCANNED, OPEN + timedelta(minutes=30), "NO minute was scanned in the last 10 minutes"),
        (SCANNED, OPEN + timedelta(hours=9), "the market is closed"),
    ],
)  # fmt: skip
def test_the_status_says_what_the_scan_saw(sight: Sight, at: datetime, said: str) -> None:
    """The last scanned minute is told with how many symbols it saw, and silence while the market trades is said."""
    store = MemoryStore()
    minute = Minute(holder="x", until=sight.begins + timedelta(minutes=1), sight=sight)
    store.commit([put("minutes/20131007T1400", minute)])
    seen = overview(store, at=at, running=True)
    assert said in str(dict(status_lines(seen))["Scan"])
