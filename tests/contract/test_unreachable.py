"""What happens when the place where things are kept cannot be reached at all."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from infra.one_machine.emulators import FIRESTORE_VARIABLE, PUBSUB_VARIABLE
from infra.one_machine.secret_manager import SecretManagerFake, connect
from infra.one_machine.sqlite_store import SqliteStore
from shared.errors import StoreDown
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.firestore_store import Connection, FirestoreStore
from shared.gcp.pubsub_bus import PubsubBus
from shared.gcp.secret_vault import SecretVault
from shared.ports import Create, Put, Store
from tests.contract.clouds import open_secret_vault
from tests.contract.lossy import Fault, Lossy, lossy_before

NOBODY = "127.0.0.1:1"


@pytest.fixture(params=["sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give a store that is out of reach."""
    if request.param == "sqlite":
        closed = SqliteStore(tmp_path / "state.db")
        closed.close()
        return closed
    monkeypatch.setenv(FIRESTORE_VARIABLE, NOBODY)
    return FirestoreStore(connection=Connection("nobody-there"), clock=SystemClock(), chance=SystemChance())


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.get("a/1"),
        lambda store: store.query("a"),
        lambda store: store.commit([Put("a/1", {})]),
        lambda store: store.commit([Create("a/1", {})]),
    ],
    ids=["get", "query", "put", "create"],
)
def test_an_unreachable_store_is_store_down(store: Store, use: Callable[[Store], object]) -> None:
    """Reading, searching and writing raise StoreDown when there is nothing to talk to."""
    with pytest.raises(StoreDown):
        use(store)


def test_an_unreachable_bus_is_store_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing raises StoreDown when there is nothing to talk to, so the outbox row stays."""
    monkeypatch.setenv(PUBSUB_VARIABLE, NOBODY)
    bus = PubsubBus(project="nobody-there", clock=SystemClock(), chance=SystemChance())
    with pytest.raises(StoreDown):
        bus.publish("signals", b"x", attributes={})
    bus.close()


def test_an_unreachable_vault_is_store_down() -> None:
    """Every use of the vault raises StoreDown when there is nothing to talk to."""
    vault = SecretVault(
        project="nobody-there", clock=SystemClock(), chance=SystemChance(), connect=lambda: connect(NOBODY)
    )
    uses: list[Callable[[], object]] = [
        lambda: vault.add("access", b"x"),
        lambda: vault.read("access", "1"),
        lambda: vault.versions("access"),
        lambda: vault.destroy("access", "1"),
    ]
    for use in uses:
        with pytest.raises(StoreDown):
            use()
    vault.close()


def _behind(lossy: Lossy) -> Callable[[], SecretManagerServiceClient]:
    return lambda: connect(lossy.address)


def test_a_version_whose_answer_is_lost_is_stored_once() -> None:
    """Adding a secret after a lost answer finds the version that was stored, and after a lost call stores one."""
    with SecretManagerFake() as server, lossy_before(server.address) as lossy:
        server.create("my-project", "access")
        vault = SecretVault(project="my-project", clock=SystemClock(), chance=SystemChance(), connect=_behind(lossy))
        assert vault.add("access", b"same") == "1"
        lossy.plan("AddSecretVersion", Fault(arrives=True))
        assert vault.add("access", b"same") == "2"
        lossy.plan("AddSecretVersion", Fault(arrives=False), Fault(arrives=True))
        assert vault.add("access", b"other") == "3"
        assert vault.versions("access") == ("1", "2", "3")
        refused = Fault(arrives=False, status=grpc.StatusCode.PERMISSION_DENIED)
        lossy.plan("AddSecretVersion", refused)
        with pytest.raises(StoreDown):
            vault.add("access", b"none")
        lossy.plan("AddSecretVersion", *3 * [Fault(arrives=False)])
        with pytest.raises(StoreDown):
            vault.add("access", b"none")
        assert vault.versions("access") == ("1", "2", "3")
        vault.close()


def test_who_may_only_add_never_looks() -> None:
    """Where versions may be added and not seen none is listed or read, and a lost answer may leave one twice."""
    with SecretManagerFake() as server, lossy_before(server.address) as lossy:
        server.create("my-project", "access")
        vault = SecretVault(
            project="my-project", clock=SystemClock(), chance=SystemChance(), connect=_behind(lossy),
            adds_only={"access"},
        )  # fmt: skip
        assert vault.add("access", b"first") == "1"
        lossy.plan("AddSecretVersion", Fault(arrives=True))
        assert vault.add("access", b"second") == "3"
        assert set(lossy.calls) == {"AddSecretVersion"}
        assert [vault.read("access", number) for number in ("2", "3")] == [b"second", b"second"]
        vault.close()


def test_bytes_that_change_on_their_way_are_not_believed() -> None:
    """A secret that does not fit its checksum is read once more, and twice in a row is StoreDown."""
    changed = Fault(arrives=True, alter=lambda answer: answer.replace(b"honest", b"forged"))
    with SecretManagerFake() as server, lossy_before(server.address) as lossy:
        server.create("my-project", "access")
        vault = SecretVault(project="my-project", clock=SystemClock(), chance=SystemChance(), connect=_behind(lossy))
        vault.add("access", b"honest")
        lossy.plan("AccessSecretVersion", changed)
        assert vault.read("access", "1") == b"honest"
        lossy.plan("AccessSecretVersion", changed, changed)
        with pytest.raises(StoreDown, match="checksum"):
            vault.read("access", "1")
        vault.close()


def test_a_lost_destruction_is_repeated() -> None:
    """Destroying survives lost answers at either step, and a disabled version is destroyed as well."""
    with SecretManagerFake() as server, lossy_before(server.address) as lossy:
        server.create("my-project", "access")
        vault = SecretVault(project="my-project", clock=SystemClock(), chance=SystemChance(), connect=_behind(lossy))
        vault.add("access", b"x")
        lossy.plan("DisableSecretVersion", Fault(arrives=True))
        lossy.plan("DestroySecretVersion", Fault(arrives=True))
        vault.destroy("access", "1")
        assert vault.versions("access") == ()
        vault.close()


def test_only_enabled_versions_count() -> None:
    """A disabled version is neither listed nor read, and pages of any length are read to their end."""
    with SecretManagerFake() as server, open_secret_vault(server) as vault, server.connect() as client:
        for number in range(1, 4):
            vault.add("access", b"%d" % number)
        parent = vault._name("access")
        client.disable_secret_version(name=f"{parent}/versions/3")
        assert vault.versions("access") == ("1", "2")
        with pytest.raises(KeyError):
            vault.read("access", "3")
        client.enable_secret_version(name=f"{parent}/versions/3")
        assert vault.read("access", "3") == b"3"
        pages = client.list_secret_versions(request={"parent": parent, "page_size": 2})
        assert [one.name.rpartition("/")[2] for one in pages] == ["3", "2", "1"]
