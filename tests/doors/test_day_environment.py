"""A one-machine day and the settings of the user's own environment: honoured where they can be, refused all at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.day import environment
from infra.day.problems import UserError
from shared.settings import load
from tests.functions.made import write_market

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without any setting of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith(("ETRADE_", "STRATEGY_"))]:
        monkeypatch.delenv(name)


def test_a_day_s_settings_are_whole() -> None:
    """What a day gives to the functions is accepted by them as it stands, and names nothing secret."""
    found = environment.environ(config="demo", watch_list=("AIG", "BAC"))
    assert load(found).watch_list == ("AIG", "BAC")
    assert not any("SECRET" in name or "KEY" in name for name in found)


def test_the_user_s_rates_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's caps on Market calls count in a one-machine day when the user has set them."""
    monkeypatch.setenv("ETRADE_RATE_LIMIT", "100")
    monkeypatch.setenv("ETRADE_BURST_LIMIT", "2")
    environment.require_config("demo")
    found = load(environment.environ(config="demo", watch_list=("AIG",)))
    assert (found.rate_limit, found.burst_limit) == (100, 2)


def test_what_belongs_to_another_world_is_checked_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's account, keys, capital and watch list are for the real broker: they change nothing in a day."""
    plain = environment.environ(config="demo", watch_list=("AIG",))
    for name, value in (
        ("ETRADE_ACCOUNT_ID", "12345678"), ("ETRADE_SANDBOX", "true"), ("STRATEGY_WATCH_LIST", "MSFT"),
        ("ETRADE_CONSUMER_KEY", "k"), ("ETRADE_CONSUMER_SECRET", "s"), ("STRATEGY_CAPITAL_USD", "500"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    environment.require_config("demo")
    assert environment.environ(config="demo", watch_list=("AIG",)) == plain


def test_wrong_settings_are_refused_all_at_once(tmp_path: Path) -> None:
    """`strategy day` with wrong settings ends with exit code 2, names each of them, and writes nothing."""
    market = write_market(tmp_path / "market", minutes=1)
    wrong = {"ETRADE_RATE_LIMIT": "0", "ETRADE_BURST_LIMIT": "x", "ETRADE_SANDBOX": "perhaps"}
    half = {"ETRADE_CONSUMER_SECRET": "CANARY5d1e"}
    done = subprocess.run(  # noqa: S603 - our own interpreter, fixed words
        [sys.executable, "-m", "infra.cli.main", "day", "--market", str(market), "--state", str(tmp_path / "state")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), **wrong, **half}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert all(name in done.stderr for name in (*wrong, *half))
    assert "CANARY5d1e" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "state").exists()


def test_an_unknown_configuration_is_refused() -> None:
    """A configuration that does not exist is the user's mistake, with what may be chosen."""
    with pytest.raises(UserError) as refused:
        environment.require_config("brave")
    assert "demo or default" in refused.value.remedy
