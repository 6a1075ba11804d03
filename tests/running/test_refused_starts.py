"""What a start refuses before anything runs."""

import socket
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from infra.running.instant import KeptInstant
from infra.running.plan import Plan, plan
from infra.running.station import Station
from infra.simulated_day.chosen import OwnFile
from infra.simulated_day.problems import UserError
from shared.domain.control.tables import strategies_of
from shared.errors import ConfigError
from shared.settings import OWN_STRATEGIES, Mode
from shared.strategies.config import load
from tests.running.desks import new_york, plan_of
from tests.strategies.own import passing, write


def test_a_taken_port_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The sign-in page is not announced on a port that another program holds, and nothing is left of the start."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigError, match="choose another one"):
        Station(plan_of(tmp_path / "state" / "desk", port=other.getsockname()[1]))
    assert list(tmp_path.iterdir()) == []


def test_an_unchecked_strategy_is_told_whoever_has_the_port(tmp_path: Path) -> None:
    """A strategy that never passed is what a start refuses first; once it has passed, the taken port is."""
    (tmp_path / "own").mkdir()
    folder = write(tmp_path / "own")
    demo = load("demo")
    named = replace(demo, strategies=strategies_of({"mine": {}, "momentum": {}}))
    own = OwnFile(label="named.toml", own=named)
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = plan_of(tmp_path / "desk", port=other.getsockname()[1], own=own, environ={OWN_STRATEGIES: str(folder)})
        with pytest.raises(UserError, match=r"mine of .* never passed"):
            Station(wanted)
        assert not (tmp_path / "desk").exists()
        passing(folder)
        with pytest.raises(ConfigError, match="choose another one"):
            Station(wanted)


def test_a_day_that_is_over_does_not_begin_again(tmp_path: Path) -> None:
    """A desk whose simulated day has ended says so, and which command begins another, instead of starting processes."""
    (tmp_path / "desk").mkdir()
    over, said = plan_of(tmp_path / "desk"), list[str]()
    KeptInstant(over.state).write(new_york(16, 20))
    with pytest.raises(UserError, match=r"is over and runs no more; .*--state OTHER"):
        Station(over, starting=lambda: said.append("functions"))
    assert said == []
    late = plan_of(tmp_path / "late", starts=time(16, 30))
    with pytest.raises(UserError, match=r"ends at .*, before --starts 16:30; let it begin earlier"):
        Station(late)


def test_a_damaged_instant_is_told(tmp_path: Path) -> None:
    """A file that holds no instant is named with a remedy, and is left as it is."""
    (tmp_path / "instant").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match="is damaged"):
        KeptInstant(tmp_path).read()


def test_the_sandbox_is_not_for_emulators() -> None:
    """Emulators, which hold secrets in the open, are refused for a broker that is not simulated."""
    with pytest.raises(UserError, match="secrets in the open"):
        plan(cloud="emulators", broker="sandbox", mode=Mode.PAPER, speed=1.0, state=Path("x"), environ={})


def test_the_sandbox_needs_a_key(tmp_path: Path) -> None:
    """A sandbox desk without a consumer key does not start, and says which variables it wants."""
    key = "A" * 43 + "="
    environ = {"STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000", "STRATEGY_VAULT_KEY": key}
    with pytest.raises(ConfigError, match="ETRADE_CONSUMER_KEY"):
        Station(Plan(state=tmp_path / "desk", environ=environ, broker="sandbox"))
