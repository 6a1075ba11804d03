"""Commits whose answer is lost: what is proved, what is sent again, and what stays open."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import grpc
import pytest

from infra.one_machine.emulators import FIRESTORE_VARIABLE, Emulators
from shared.errors import Conflict, InvariantBroken, StoreDown
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.firestore_store import Connection, FirestoreStore
from shared.ports import Check, Create, Data, Delete, Put, Update
from tests.contract.clouds import new_project, open_firestore
from tests.contract.lossy import Fault, Lossy, lossy_before

APPLIED = Fault(arrives=True)
LOST = Fault(arrives=False)
TOO_LATE = Fault(arrives=True, status=grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.fixture
def project() -> str:
    """Give a project that no test had before."""
    return new_project()


@pytest.fixture
def other(emulators: Emulators, project: str) -> Iterator[FirestoreStore]:
    """Give somebody else's store of the same project, with nothing between it and the emulator."""
    with open_firestore(project) as store:
        store.get("warm/up")
        yield store


@pytest.fixture
def lossy(emulators: Emulators) -> Iterator[Lossy]:
    """Give the server that loses what it is told to lose."""
    with lossy_before(emulators.firestore) as lossy:
        yield lossy


@pytest.fixture
def store(
    lossy: Lossy, other: FirestoreStore, project: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FirestoreStore]:
    """Give a store whose calls pass through the lossy server."""
    monkeypatch.setenv(FIRESTORE_VARIABLE, lossy.address)
    with open_firestore(project) as store:
        store.get("warm/up")
        lossy.calls.clear()
        yield store


def _data(store: FirestoreStore, path: str) -> Data | None:
    document = store.get(path)
    return None if document is None else document.data


@pytest.mark.parametrize("fault", [APPLIED, TOO_LATE, Fault(arrives=True, status=grpc.StatusCode.INTERNAL)])
def test_an_applied_commit_is_recognised(
    store: FirestoreStore, other: FirestoreStore, lossy: Lossy, fault: Fault
) -> None:
    """A commit that was applied while its answer was lost is read back, and gives the versions that it made."""
    (held,) = other.commit([Create("control/main", {"state": "ACTIVE"})])
    lossy.plan("Commit", fault)
    given = store.commit([Create("orders/1", {"n": 1}), Check("control/main", held), Put("a/1", {}), Delete("a/2")])
    order, put = other.get("orders/1"), other.get("a/1")
    assert order is not None
    assert put is not None
    assert given == (order.version, held, put.version, "")
    assert lossy.count("Commit") == 1


def test_a_commit_that_never_arrived_is_sent_again(store: FirestoreStore, other: FirestoreStore, lossy: Lossy) -> None:
    """A creation or an update that was lost on its way is sent again and applied once."""
    (version,) = other.commit([Create("ledger/1", {"n": 1})])
    lossy.plan("Commit", LOST, LOST)
    store.commit([Update("ledger/1", {"n": 2}, version), Create("orders/1", {})])
    assert lossy.count("Commit") == 3
    assert _data(other, "ledger/1") == {"n": 2}


def test_a_second_copy_finds_the_first(store: FirestoreStore, other: FirestoreStore, lossy: Lossy) -> None:
    """When reading fails as well, the commit is sent again, refused, and recognised as applied."""
    (version,) = other.commit([Create("ledger/1", {"n": 1})])
    lossy.plan("Commit", APPLIED)
    lossy.plan("BatchGetDocuments", LOST)
    (given,) = store.commit([Update("ledger/1", {"n": 2}, version)])
    held = other.get("ledger/1")
    assert held is not None
    assert (held.data, held.version) == ({"n": 2}, given)
    assert lossy.count("Commit") == 2


def test_a_late_first_copy_does_no_harm(store: FirestoreStore, other: FirestoreStore, lossy: Lossy) -> None:
    """A commit whose update stands at its old version after a refusal was not applied, and is a Conflict."""
    (held,) = other.commit([Create("control/main", {"state": "ACTIVE"})])
    (version,) = other.commit([Create("ledger/1", {"n": 1})])
    halts = Fault(arrives=False, meanwhile=lambda: other.commit([Put("control/main", {"state": "HALTED"})]))
    lossy.plan("Commit", halts)
    with pytest.raises(Conflict):
        store.commit([Check("control/main", held), Update("ledger/1", {"n": 2}, version), Create("orders/1", {})])
    assert (_data(other, "ledger/1"), _data(other, "orders/1")) == ({"n": 1}, None)


def test_what_cannot_be_proved_stays_open(store: FirestoreStore, other: FirestoreStore, lossy: Lossy) -> None:
    """A creation that is refused after a lost answer, with somebody else's document there, is no Conflict."""
    lossy.plan("Commit", Fault(arrives=False, meanwhile=lambda: other.commit([Create("orders/1", {"by": "other"})])))
    with pytest.raises(StoreDown):
        store.commit([Create("orders/1", {"by": "us"})])
    overwritten = Fault(arrives=True, meanwhile=lambda: other.commit([Put("orders/2", {"by": "other"})]))
    lossy.plan("Commit", overwritten)
    with pytest.raises(StoreDown):
        store.commit([Create("orders/2", {"by": "us"})])
    assert (_data(other, "orders/1"), _data(other, "orders/2")) == ({"by": "other"}, {"by": "other"})


def test_a_put_is_never_sent_twice(store: FirestoreStore, other: FirestoreStore, lossy: Lossy) -> None:
    """A commit of puts alone, which could undo another's write, is not repeated when its answer is lost."""
    between = Fault(arrives=True, meanwhile=lambda: other.commit([Put("leases/1", {"by": "other"})]))
    lossy.plan("Commit", between)
    with pytest.raises(StoreDown):
        store.commit([Put("leases/1", {"by": "us"})])
    assert _data(other, "leases/1") == {"by": "other"}
    assert lossy.count("Commit") == 1
    lossy.plan("Commit", APPLIED)
    (version,) = store.commit([Put("leases/1", {"by": "us"})])
    held = other.get("leases/1")
    assert held is not None
    assert (held.data, held.version) == ({"by": "us"}, version)


def test_a_deletion_is_proved_by_absence(store: FirestoreStore, other: FirestoreStore, lossy: Lossy) -> None:
    """A deletion whose answer is lost counts when the document is gone, and stays open when it is there."""
    other.commit([Put("outbox/1", {}), Put("outbox/2", {})])
    lossy.plan("Commit", APPLIED, LOST)
    assert store.commit([Delete("outbox/1")]) == ("",)
    with pytest.raises(StoreDown):
        store.commit([Delete("outbox/2")])
    assert [one.path for one in other.query("outbox")] == ["outbox/2"]


@pytest.mark.parametrize("status", [grpc.StatusCode.ABORTED, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_busy_database_is_asked_again(
    store: FirestoreStore, other: FirestoreStore, lossy: Lossy, status: grpc.StatusCode
) -> None:
    """A commit that surely was not applied is tried four times, also one of puts alone, and never more."""
    busy = Fault(arrives=False, status=status)
    lossy.plan("Commit", busy, busy, busy)
    store.commit([Put("a/1", {"n": 1})])
    assert _data(other, "a/1") == {"n": 1}
    lossy.plan("Commit", busy, busy, busy, busy)
    with pytest.raises(StoreDown):
        store.commit([Put("a/1", {"n": 2})])
    assert _data(other, "a/1") == {"n": 1}
    assert lossy.count("Commit") == 8


def test_an_answer_that_stays_away_is_waited_for_four_times(
    store: FirestoreStore, other: FirestoreStore, lossy: Lossy
) -> None:
    """A commit whose every copy is lost ends as StoreDown after four tries, with nothing applied."""
    lossy.plan("Commit", LOST, LOST, LOST, LOST)
    with pytest.raises(StoreDown):
        store.commit([Create("orders/1", {})])
    assert lossy.count("Commit") == 4
    assert _data(other, "orders/1") is None


@pytest.mark.parametrize("method", ["BatchGetDocuments", "RunQuery"])
def test_a_read_is_tried_three_times(store: FirestoreStore, lossy: Lossy, method: str) -> None:
    """A read that fails is repeated twice, then StoreDown."""
    lossy.plan(method, LOST, LOST)
    assert (store.get("a/1"), store.query("a")) == (None, [])
    lossy.plan(method, LOST, LOST, LOST)
    with pytest.raises(StoreDown):
        _ = (store.get("a/1"), store.query("a"))
    assert lossy.count(method) == 6


@pytest.mark.parametrize("status", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED])
def test_a_refused_login_is_store_down(store: FirestoreStore, lossy: Lossy, status: grpc.StatusCode) -> None:
    """A refusal of rights is StoreDown at once, and its text names the refusal alone."""
    lossy.plan("Commit", Fault(arrives=False, status=status))
    with pytest.raises(StoreDown, match=r"^Firestore: \w+ 40[13]$"):
        store.commit([Create("orders/1", {})])
    assert lossy.count("Commit") == 1


def test_a_missing_database_is_no_conflict(store: FirestoreStore, lossy: Lossy) -> None:
    """A commit that can miss no document, but finds no database, is StoreDown."""
    lossy.plan("Commit", Fault(arrives=False, status=grpc.StatusCode.NOT_FOUND))
    with pytest.raises(StoreDown, match="no such database"):
        store.commit([Create("orders/1", {})])


def test_a_commit_that_firestore_cannot_read_is_our_bug(store: FirestoreStore, lossy: Lossy) -> None:
    """An invalid commit is our own mistake and is sent once."""
    lossy.plan("Commit", Fault(arrives=False, status=grpc.StatusCode.INVALID_ARGUMENT))
    with pytest.raises(InvariantBroken):
        store.commit([Create("orders/1", {})])
    assert lossy.count("Commit") == 1


def test_a_commit_gives_up_in_time(emulators: Emulators, project: str, lossy: Lossy, store: FirestoreStore) -> None:
    """No try is begun more than eight seconds after the first."""

    class Leaping(SystemClock):
        """A clock on which each look takes three seconds."""

        def __init__(self) -> None:
            self.looks = 0

        def now(self) -> datetime:
            self.looks += 1
            return super().now() + timedelta(seconds=3 * self.looks)

    lossy.plan("Commit", LOST, LOST, LOST, LOST)
    slow = FirestoreStore(connection=Connection(project), clock=Leaping(), chance=SystemChance())
    with closing(slow), pytest.raises(StoreDown):
        slow.commit([Create("orders/1", {})])
    assert lossy.count("Commit") == 2
