"""How a function gets its world in the cloud."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared import wiring
from shared.errors import ConfigError
from shared.gcp.firestore_store import FirestoreStore
from shared.gcp.history import NoHistory
from shared.gcp.pubsub_bus import PubsubBus
from shared.gcp.secret_vault import SecretVault
from shared.topology import TOPOLOGY
from shared.wiring.cloud import cloud

GOOD = {"GOOGLE_CLOUD_PROJECT": "my-desk-1", "STRATEGY_WATCH_LIST": "AIG,BAC", "STRATEGY_CAPITAL_USD": "10000"}
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("function", [function.name for function in TOPOLOGY.functions])
def test_every_function_gets_its_world(function: str) -> None:
    """With good values each function gets the cloud's ports, and nothing is connected yet."""
    platform = cloud(function, GOOD)
    assert isinstance(platform.store, FirestoreStore)
    assert isinstance(platform.bus, PubsubBus)
    assert isinstance(platform.vault, SecretVault)
    assert isinstance(platform.history, NoHistory)
    assert platform.http is None
    assert (platform.store._client, platform.bus._client, platform.vault._client) == (None, None, None)


def test_all_problems_come_in_one_message() -> None:
    """A cold start names the problems of the project, of the database and of all settings together."""
    with pytest.raises(ConfigError) as wrong:
        cloud("market_scan", {"FIRESTORE_DATABASE": "My Database", "ETRADE_SANDBOX": "perhaps"})
    named = [problem.partition("=")[0].partition(" ")[0] for problem in wrong.value.problems]
    assert named == [
        "GOOGLE_CLOUD_PROJECT", "FIRESTORE_DATABASE", "ETRADE_SANDBOX", "STRATEGY_WATCH_LIST", "STRATEGY_CAPITAL_USD",
    ]  # fmt: skip


@pytest.mark.parametrize("project", ["", "A", "my_desk", "-desk-one", "desk-one-", "x" * 31, "projects/my-desk"])
def test_a_project_id_is_checked(project: str) -> None:
    """What cannot be the id of a project is refused, with the variable's name."""
    with pytest.raises(ConfigError, match="GOOGLE_CLOUD_PROJECT"):
        cloud("market_scan", {**GOOD, "GOOGLE_CLOUD_PROJECT": project})


def test_a_database_can_be_named() -> None:
    """The store works in the database that the environment names."""
    store = cloud("market_scan", {**GOOD, "FIRESTORE_DATABASE": "paper-desk"}).store
    assert isinstance(store, FirestoreStore)
    assert store._names.root == "projects/my-desk-1/databases/paper-desk/documents"


def test_the_cloud_is_the_default_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another world was installed, a function runs in the cloud, with the process's own environment."""
    for name in ("GOOGLE_CLOUD_PROJECT", "STRATEGY_WATCH_LIST", "STRATEGY_CAPITAL_USD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="GOOGLE_CLOUD_PROJECT"):
        wiring._cloud("market_scan")
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    assert isinstance(wiring._cloud("market_scan").store, FirestoreStore)


def _loaded(statement: str) -> set[str]:
    script = f"{statement}; import sys; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return set(run.stdout.split())


def test_google_is_loaded_when_it_is_needed() -> None:
    """Importing a function loads no Google library, and building its world does not load the one for publishing."""
    doors = _loaded("import shared.wiring.order_placement")
    assert not {"grpc", "google.cloud.firestore", "google.cloud.pubsub_v1", "shared.gcp"} & doors
    world = _loaded(f"from shared.wiring.cloud import cloud; cloud('order_placement', {GOOD!r})")
    assert "google.cloud.firestore" in world
    assert "google.pubsub_v1" not in world


def test_every_publisher_ships_the_library_for_it() -> None:
    """Exactly the functions that the graph lets publish have Pub/Sub among their requirements."""
    for function in TOPOLOGY.functions:
        pinned = (ROOT / "functions" / function.name / "requirements.txt").read_text(encoding="utf-8")
        assert ("\ngoogle-cloud-pubsub==" in pinned) == bool(function.publishes), function.name
