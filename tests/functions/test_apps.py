"""The real main.py files, started as the cloud starts them."""

import pytest

from infra.one_machine.hosting import load_app
from infra.one_machine.world import FUNCTIONS
from shared import wiring
from shared.errors import ConfigError
from shared.topology import TOPOLOGY
from shared.wiring import Platform
from tests.functions.made import Bench

NAMES = [function.name for function in TOPOLOGY.functions]


def _nowhere(function: str) -> Platform:
    raise ConfigError((f"{function}: no world",))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_world_no_app_starts(name: str) -> None:
    """A cold start without a world fails with the reason, before anything could be served."""
    wiring.use(_nowhere)
    with pytest.raises(ConfigError, match=f"{name}: no world"):
        load_app(FUNCTIONS / name / "main.py")


@pytest.mark.parametrize("name", NAMES)
def test_each_app_answers_in_its_world(bench: Bench, name: str) -> None:
    """Each main.py is served by the framework: the pages answer a GET, the others take pushes only."""
    answer = bench.world.request(name, "GET", "/health", {}, b"")
    assert answer.status == (200 if TOPOLOGY.function(name).public else 405)
    assert "X-Google-Status" not in dict(answer.headers)


def test_each_start_builds_its_own_door() -> None:
    """A function that starts again, or in another world, gets a door of that world."""

    def build(platform: object) -> str:
        return f"door of {platform}"

    wiring.use(lambda name: name)  # type: ignore[arg-type, return-value]
    assert wiring.door("x", build) == "door of x"
    wiring.use(lambda name: f"{name} again")  # type: ignore[arg-type, return-value]
    assert wiring.door("x", build) == "door of x again"
