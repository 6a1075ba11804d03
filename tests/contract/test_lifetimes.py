"""What a database may forget carries its end, and nothing else does."""

from datetime import UTC, datetime, timedelta

from google.cloud import firestore

from infra.one_machine.emulators import Emulators
from shared.gcp.chance import SystemChance
from shared.gcp.encoding import EXPIRES
from shared.gcp.firestore_store import Connection, FirestoreStore
from shared.ports import Create
from tests.contract.clouds import new_project

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class _Standing:
    def now(self) -> datetime:
        return NOW

    def sleep_until(self, at: datetime) -> None:
        return None


def test_only_what_has_a_lifetime_has_an_end(emulators: Emulators) -> None:
    """The end of a document is its last write and its collection's days; the others have none."""
    project = new_project()
    store = FirestoreStore(
        connection=Connection(project), clock=_Standing(), chance=SystemChance(), lifetimes={"leases": 7}
    )
    store.commit([Create("leases/a", {"n": 1}), Create("orders/a", {"n": 1})])
    client = firestore.Client(project=project)
    try:
        leases = client.document("leases/a").get().to_dict()
        orders = client.document("orders/a").get().to_dict()
    finally:
        client.close()  # type: ignore[no-untyped-call]
        store.close()
    assert leases is not None
    assert orders is not None
    assert leases[EXPIRES] == NOW + timedelta(days=7)
    assert EXPIRES not in orders
