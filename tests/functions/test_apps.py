"""The real main.py files, started as the cloud starts them."""

import pytest

from infra.local.hosting import load_app
from infra.local.world import FUNCTIONS
from infra.local.wsgi import exchange
from shared import wiring
from shared.errors import ConfigError
from shared.topology import TOPOLOGY
from shared.wiring import Platform
from tests.functions.made import HEADERS, Bench

NAMES = [function.name for function in TOPOLOGY.functions]


def _nowhere(function: str) -> Platform:
    raise ConfigError((f"{function}: no world",))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_world_nothing_is_served(name: str) -> None:
    """An app starts without settings; its first request fails as a whole, is brought again, and shows nothing."""
    wiring.use(_nowhere)
    app = load_app(FUNCTIONS / name / "main.py")
    for _ in range(2):
        answer = exchange(app, method="POST", target="/", headers=HEADERS, body=b"{}")
        assert answer.status == 500
        assert b"no world" not in answer.body
        assert b"Traceback" not in answer.body


@pytest.mark.parametrize("name", NAMES)
def test_each_app_answers_in_its_world(bench: Bench, name: str) -> None:
    """Each main.py is served by the framework: the pages answer a GET, the others take pushes only."""
    answer = bench.world.request(name, "GET", "/health", {}, b"")
    assert answer.status == (200 if TOPOLOGY.function(name).public else 405)
    assert "X-Google-Status" not in dict(answer.headers)


def test_a_door_is_built_once() -> None:
    """Settings are read at the first request only, and another world builds its own doors."""
    built: list[str] = []

    def build(platform: object) -> str:
        built.append(str(platform))
        return f"door {len(built)}"

    wiring.use(lambda name: name)  # type: ignore[arg-type, return-value]
    assert [wiring.door("x", build) for _ in range(3)] == ["door 1"] * 3
    wiring.use(lambda name: f"{name} again")  # type: ignore[arg-type, return-value]
    assert wiring.door("x", build) == "door 2"
    assert built == ["x", "x again"]
    wiring.use(_nowhere)
    with pytest.raises(ConfigError):
        wiring.door("x", build)
