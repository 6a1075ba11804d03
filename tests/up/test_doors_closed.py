"""Who may speak to a desk's processes, and what a start refuses before anything runs."""

import http.client
import json
import socket
from pathlib import Path

import pytest

from infra.day.problems import UserError
from infra.up.instant import KeptInstant
from infra.up.plan import Plan, plan
from infra.up.station import Station
from shared.domain.messages import CloseTick
from shared.errors import ConfigError
from shared.settings import Mode
from shared.topology import TOPOLOGY
from shared.usecases.outbox import pack
from tests.patience import PATIENCE_S
from tests.up.desks import new_york, plan_of, running


def _post(address: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        body = json.dumps({"message": {"data": pack(CloseTick()).decode()}})
        connection.request("POST", path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_only_the_desk_delivers_to_its_functions(desk: Path) -> None:
    """A push without the run's key, or with a wrong one, is refused before the function sees it."""
    with running(desk) as station:
        pushed = [one for one in TOPOLOGY.functions if not one.public]
        for function in pushed:
            address = station.fleet.addresses[function.name]
            assert _post(address, "/", {"Content-Type": "text/plain", "Origin": "https://elsewhere.example"}) == 403
            assert _post(address, "/?key=guess", {"Authorization": "Bearer guess"}) == 403
        assert station.store.query("dead_letters") == []
        assert station.store.query("seals") == []
        status = station.status()
        assert (status.trading, status.signed_in) == ("ACTIVE", True)
    assert desk.stat().st_mode & 0o077 == 0


def test_a_taken_port_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The sign-in page is not announced on a port that another program holds, and the folder stays free."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigError, match="choose another one"):
        Station(plan_of(tmp_path / "desk", port=other.getsockname()[1]))
    assert not (tmp_path / "desk" / "desk.json").exists()


def test_a_day_that_is_over_does_not_begin_again(tmp_path: Path) -> None:
    """A desk whose simulated day has ended says so instead of starting processes for nothing."""
    (tmp_path / "desk").mkdir()
    over = plan_of(tmp_path / "desk")
    KeptInstant(over.state).write(new_york(16, 20))
    with pytest.raises(UserError, match="the simulated day is over"):
        Station(over)


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
