"""How a function gets its world in the cloud, and how a start with wrong settings ends."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import thread_time

import pytest
from requests.adapters import HTTPAdapter

from shared.divided import DividedStore
from shared.errors import ConfigError, InvariantBroken
from shared.etrade.limits import Role
from shared.gcp.firestore_store import FirestoreStore
from shared.gcp.no_bus import NoBus
from shared.gcp.pubsub_bus import PubsubBus
from shared.gcp.secret_vault import SecretVault
from shared.topology import TOPOLOGY
from shared.wiring.cloud import cloud
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import room
from shared.wiring.trading import trading_desk
from tests.patience import PATIENCE_S

NAMES = [function.name for function in TOPOLOGY.functions]
GOOD = {
    "GOOGLE_CLOUD_PROJECT": "my-desk-1", "FIRESTORE_DATABASES": "desk-1", "STRATEGY_WATCH_LIST": "AIG,BAC",
    "STRATEGY_CAPITAL_USD": "10000",
}  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_every_function_gets_its_world(name: str) -> None:
    """With good values each function gets the cloud's ports and its own rights, and nothing is connected yet."""
    function = TOPOLOGY.function(name)
    platform = cloud(name, open_bus if function.publishes else None, GOOD)
    assert platform.function is function
    assert isinstance(platform.store, DividedStore)
    assert isinstance(platform.bus, PubsubBus if function.publishes else NoBus)
    assert isinstance(platform.vault, SecretVault)
    assert platform.history is None
    assert platform.http is None
    assert platform.cpu is thread_time
    stores = list(platform.store._stores.values())
    assert {one._connection._client for one in stores if isinstance(one, FirestoreStore)} == {None}
    assert platform.vault._client is None
    assert getattr(platform.bus, "_client", None) is None


@pytest.mark.parametrize("name", NAMES)
def test_wiring_and_topology_agree_about_the_bus(name: str) -> None:
    """A publisher without a bus, and a bus for who may not publish, is our own bug."""
    with pytest.raises(InvariantBroken, match=name):
        cloud(name, None if TOPOLOGY.function(name).publishes else open_bus, GOOD)


def test_without_a_bus_nothing_is_published() -> None:
    """The bus of a function without topics takes no message, and names the topic."""
    with pytest.raises(InvariantBroken, match="signals"):
        NoBus().publish("signals", b"{}", attributes={})


def test_all_problems_come_in_one_message() -> None:
    """A cold start names the problems of the project, of the database and of all settings together."""
    with pytest.raises(ConfigError) as wrong:
        cloud("notify", None, {"FIRESTORE_DATABASES": "My Database", "ETRADE_SANDBOX": "perhaps"})
    named = [problem.partition("=")[0].partition(" ")[0] for problem in wrong.value.problems]
    assert named == [
        "GOOGLE_CLOUD_PROJECT", "FIRESTORE_DATABASES", "ETRADE_SANDBOX", "STRATEGY_WATCH_LIST", "STRATEGY_CAPITAL_USD",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_live_orders_at_production_do_not_start(name: str) -> None:
    """No function starts with live orders at production, and each starts with production's quotes on paper."""
    bus, production = open_bus if TOPOLOGY.function(name).publishes else None, {**GOOD, "ETRADE_SANDBOX": "false"}
    assert cloud(name, bus, production).function.name == name
    with pytest.raises(ConfigError) as refused:
        cloud(name, bus, {**production, "STRATEGY_MODE": "live", "ETRADE_RATE_LIMIT": "0"})
    wrong, unwanted = refused.value.problems
    assert wrong.startswith("ETRADE_RATE_LIMIT")
    assert unwanted.endswith("live orders at production are not enabled yet")
    assert cloud(name, bus, {**production, "STRATEGY_MODE": "live"}, http=HTTPAdapter()).http is not None


@pytest.mark.parametrize("name", ["market_scan", "order_placement", "order_settlement"])
def test_a_world_on_the_network_gives_no_live_orders_to_production(name: str) -> None:
    """Whoever builds the world, a function that trades opens no door to live orders at production on the network."""
    platform = cloud(name, open_bus if TOPOLOGY.function(name).publishes else None, GOOD)
    live = {**GOOD, "ETRADE_SANDBOX": "false", "STRATEGY_MODE": "live"}
    here = room(replace(platform, environ=live))
    for http in (HTTPAdapter(), None):
        refused = nullcontext() if http else pytest.raises(ConfigError, match="not enabled yet")
        with refused:
            trading_desk(replace(platform, environ=live, http=http), here, Role.SCAN)


@pytest.mark.parametrize("project", ["", "A", "my_desk", "-desk-one", "desk-one-", "x" * 31, "projects/my-desk"])
def test_a_project_id_is_checked(project: str) -> None:
    """What cannot be the id of a project is refused, with the variable's name."""
    with pytest.raises(ConfigError, match="GOOGLE_CLOUD_PROJECT"):
        cloud("notify", None, {**GOOD, "GOOGLE_CLOUD_PROJECT": project})


@pytest.mark.parametrize("name", NAMES)
def test_a_function_reaches_the_databases_of_its_domains(name: str) -> None:
    """A function has a store of each domain that the topology gives it, in the stack that its environment names."""
    function = TOPOLOGY.function(name)
    bus = open_bus if function.publishes else None
    store = cloud(name, bus, {**GOOD, "FIRESTORE_DATABASES": "paper-desk"}).store
    assert isinstance(store, DividedStore)
    named = {
        domain: one._names.database for domain, one in store._stores.items() if isinstance(one, FirestoreStore)
    }  # fmt: skip
    assert named == {one: f"projects/my-desk-1/databases/paper-desk-{one}" for one in TOPOLOGY.access(function)}
    assert function.home in named


@cache
def _started(name: str) -> tuple[str, frozenset[str]]:
    """Open a function's door in a process of its own, and give the door's type and all that is loaded by then."""
    script = f"import sys; from shared.wiring import {name}; print(type({name}.door()).__name__, *sys.modules)"
    run = subprocess.run(  # noqa: S603 - fixed words
        [sys.executable, "-c", script], cwd=ROOT, env={**GOOD, "PATH": os.defpath}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    door, *modules = run.stdout.split()
    return door, frozenset(modules)


@pytest.mark.parametrize("name", NAMES)
def test_the_cloud_is_the_default_world(name: str) -> None:
    """Unless another world was installed, each door opens in the cloud, with the process's own environment."""
    door, _ = _started(name)
    assert door in {"PushDoor", "SignInPages"}


def _loaded(statement: str) -> set[str]:
    script = f"{statement}; import sys; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return set(run.stdout.split())


def test_google_is_loaded_when_it_is_needed() -> None:
    """Importing a function loads no Google library, and building its world only the one of the store."""
    doors = _loaded("import shared.wiring.order_placement")
    assert not {"grpc", "google.cloud.firestore", "google.cloud.pubsub_v1", "shared.gcp"} & doors
    world = _loaded(
        f"from shared.wiring import cloud, cloud_bus; cloud.cloud('order_placement', cloud_bus.open_bus, {GOOD!r})"
    )
    assert "google.cloud.firestore" in world
    assert not {"google.pubsub_v1", "google.cloud.secretmanager_v1"} & world


@pytest.mark.parametrize("name", NAMES)
def test_a_start_loads_nothing_that_only_some_messages_need(name: str) -> None:
    """A function that has started has not loaded what only a publish, a secret or a call to the broker needs."""
    _, started = _started(name)
    assert "google.cloud.firestore" in started
    assert not {"google.pubsub_v1", "google.cloud.secretmanager_v1", "requests_oauthlib", "oauthlib"} & started
    assert ("talib" in started) == (name == "market_scan")


def test_numpy_starts_no_threads() -> None:
    """With what the topology tells a function, loading the indicators leaves the process with its one thread."""
    hidden = "import sys; sys.modules['pandas'] = None"  # the lock of the function lacks it
    script = f"{hidden}; import os, shared.strategies.rolling; print(len(os.listdir('/proc/self/task')))"
    environ = {"PATH": os.defpath, **TOPOLOGY.function("market_scan").environ}
    run = subprocess.run(  # noqa: S603 - fixed words
        [sys.executable, "-c", script], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "1"


def test_every_publisher_ships_the_library_for_it() -> None:
    """Exactly the functions that the graph lets publish have Pub/Sub among their requirements."""
    for function in TOPOLOGY.functions:
        pinned = (ROOT / "functions" / function.name / "requirements.txt").read_text(encoding="utf-8")
        assert ("\ngoogle-cloud-pubsub==" in pinned) == bool(function.publishes), function.name


@pytest.mark.parametrize("name", NAMES)
def test_a_start_with_wrong_settings_ends_with_one_line(name: str) -> None:
    """Started by the framework with wrong values, a function ends with exit code 1 and one line that lists them all."""
    call = [str(Path(sys.executable).with_name("functions-framework")), "--target", "main", "--port", "0"]
    call += ["--source", str(ROOT / "functions" / name / "main.py")]
    environ = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "STRATEGY_CAPITAL_USD": "plenty"}
    run = subprocess.run(call, env=environ, capture_output=True, text=True, check=False, timeout=PATIENCE_S)  # noqa: S603 - fixed words
    assert (run.returncode, run.stderr) == (2, "")
    (line,) = run.stdout.splitlines()
    told = json.loads(line)
    assert (told["severity"], told["event"], told["function"]) == ("CRITICAL", "cannot_start", name)
    assert [one.split("=")[0].split()[0] for one in told["problems"].split("; ")] == [
        "GOOGLE_CLOUD_PROJECT", "FIRESTORE_DATABASES", "STRATEGY_WATCH_LIST", "STRATEGY_CAPITAL_USD",
    ]  # fmt: skip
