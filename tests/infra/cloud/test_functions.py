"""The functions are deployed as the topology says, with all that they read and nothing that they must not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.archives import build_all
from infra.components import deployment
from infra.components.deployment import CALLBACK
from infra.components.functions import environment
from infra.components.stage import Stage
from shared import settings
from shared.stored import Domain
from shared.topology import TOPOLOGY, Function
from shared.wiring.cloud import cloud
from shared.wiring.cloud_bus import open_bus
from tests.architecture.files import ROOT
from tests.infra.cloud.capture import Graph, capture, config_of
from tests.packaging.checkouts import copy_checkout

REGISTERED = "etrade-strategy:callbackRegistered"
SIGN_IN = "https://oauth-callback-123456789012.us-east4.run.app"
SECRET_WORDS = ("SECRET", "KEY", "TOKEN", "PASSWORD", "ADDRESSES")
NO_SECRETS = frozenset({"STRATEGY_TOKEN_ENDS_AT"})


def _environment(graph: Graph, function: Function) -> dict[str, str]:
    given: dict[str, str] = graph.one("Function", function.name).inputs["serviceConfig"]["environmentVariables"]
    return given


@pytest.mark.parametrize("function", TOPOLOGY.functions, ids=lambda function: function.name)
def test_a_function_starts_with_what_it_is_given(graphs: Mapping[str, Graph], function: Function) -> None:
    """The cloud's own wiring accepts the environment of every function, which trades on paper and holds no secret."""
    for graph in graphs.values():
        given = _environment(graph, function)
        platform = cloud(function.name, open_bus if function.publishes else None, environ=given)
        assert platform.function == function
        assert given.items() >= function.environ.items()
        assert given["STRATEGY_SIGN_IN_URL"] == f"{SIGN_IN}/start"
        assert settings.load(given).mode is settings.Mode.PAPER
        assert [name for name in given if name not in NO_SECRETS and any(word in name for word in SECRET_WORDS)] == []


def impossible(function: Function) -> list[str]:
    """Name what Cloud Run would refuse of a function's sizes."""
    found = []
    if function.cpu < 1 and function.concurrency > 1:
        found.append("serves several requests at once with less than a whole processor")
    if function.memory_mib > 512 and function.cpu < 0.5:
        found.append("has more memory than its processor may have")
    if not 0.08 <= function.cpu <= 8 or (function.cpu > 1 and function.cpu not in (2, 4, 6, 8)):
        found.append("has a processor that there is not")
    if not (1 <= function.concurrency <= 1000 and 128 <= function.memory_mib <= 32_768):
        found.append("is of a size that there is not")
    if not 1 <= function.timeout_s <= 3600:
        found.append("has a time-out that there is not")
    return found


def test_cloud_run_takes_the_sizes_of_every_function() -> None:
    """No function has a combination of processor, memory and concurrency that Cloud Run refuses."""
    assert {one.name: impossible(one) for one in TOPOLOGY.functions if impossible(one)} == {}


@pytest.mark.parametrize(
    "sizes",
    [
        {"concurrency": 2},
        {"memory_mib": 1024},
        {"cpu": 1.5},
        {"cpu": 0.05},
        {"memory_mib": 64},
        {"timeout_s": 4000},
    ],
)
def test_a_seeded_size_is_refused(sizes: Mapping[str, Any]) -> None:
    """Each combination that Cloud Run refuses is named."""
    assert impossible(Function(name="x", purpose="x", home=Domain.BOOK, **sizes))


def test_the_callback_is_set_once_it_is_registered() -> None:
    """The computed address of the sign-in becomes a setting only when E*TRADE knows it."""
    sign_in = TOPOLOGY.function("oauth_callback")
    for registered, expected in (("false", None), ("true", f"{SIGN_IN}/callback")):
        chosen = deployment.read({**config_of("sandbox"), REGISTERED: registered}, stack="sandbox", topology=TOPOLOGY)
        stage = Stage(deployment=chosen, topology=TOPOLOGY)
        assert environment(stage, sign_in).get(CALLBACK) == expected


def _essence(graph: Graph) -> dict[str, Any]:
    """Give the inputs of a graph, an archive by its name instead of its place on this machine."""
    return {
        urn: {name: value for name, value in one.inputs.items() if name != "source"}
        for urn, one in graph.resources.items()
    }


def test_a_second_build_changes_nothing(graphs: Mapping[str, Graph], tmp_path: Path) -> None:
    """The same checkout gives the same inputs, wherever its archives are written."""
    assert _essence(capture(config_of("sandbox"), "sandbox", tmp_path)) == _essence(graphs["sandbox"])


@pytest.mark.parametrize(
    "file",
    ["shared/usecases/scanning/scan.py", "shared/usecases/sign_in/token.py", "functions/order_placement/main.py"],
)
def test_one_line_changes_the_functions_that_ship_it(graphs: Mapping[str, Graph], tmp_path: Path, file: str) -> None:
    """A changed line gives new archives to exactly the functions that ship it, and changes nothing else."""
    name = "main.py" if file.startswith("functions/") else file
    shipping = {one.function for one in build_all(ROOT) if name in one.files}
    if name == "main.py":
        shipping = {file.split("/")[1]}
    checkout = copy_checkout(tmp_path / "checkout")
    with (checkout / file).open("a", encoding="utf-8") as source:
        source.write("\n# one more line\n")
    before = _essence(graphs["sandbox"])
    after = _essence(capture(config_of("sandbox"), "sandbox", tmp_path, root=checkout))
    changed = {graphs["sandbox"].resources[urn].name for urn in before if before[urn] != after[urn]}
    assert shipping
    assert changed == shipping | {f"archive-{one}" for one in shipping}
    assert before.keys() == after.keys()
