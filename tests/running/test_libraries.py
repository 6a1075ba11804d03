"""What a machine installs for the sources of history: what its settings ask, and for a simulated market nothing."""

import base64
from pathlib import Path

import pytest

from infra.one_machine.vault import KEY_VARIABLE, FileVault
from infra.running.folder import Folder
from infra.running.libraries import left_out, needed
from infra.running.plan import Broker, Plan
from infra.simulated_day.environment import vault_key
from shared.errors import ConfigError
from shared.topology import ALPACA_KEY

KEY = {KEY_VARIABLE: base64.urlsafe_b64encode(vault_key(1)).decode()}


@pytest.mark.parametrize(
    ("broker", "environ", "keyed", "extras"),
    [
        ("sandbox", {}, False, ("yahoo",)),
        ("sandbox", {}, True, ("alpaca", "yahoo")),
        ("production", {"STRATEGY_HISTORY_SOURCES": "own, Yahoo"}, True, ("yahoo",)),
        ("production", {"STRATEGY_HISTORY_SOURCES": "alpaca"}, True, ("alpaca",)),
        ("production", {"STRATEGY_HISTORY_SOURCES": "own,file"}, True, ()),
        ("simulator", {}, True, ()),
    ],
)
def test_only_what_is_asked_is_installed(
    tmp_path: Path, broker: Broker, environ: dict[str, str], keyed: bool, extras: tuple[str, ...]
) -> None:
    """A source that the setting leaves out, Alpaca without a key, and any of a simulated market, need nothing."""
    wanted = Plan(state=tmp_path, environ={**KEY, **environ}, broker=broker)
    if keyed:
        FileVault(Folder(path=tmp_path).vault, key=vault_key(1)).add(ALPACA_KEY, b"{}")
    assert needed(wanted) == extras


def test_a_source_that_cannot_be_installed_is_named() -> None:
    """What failed is said, and that the others serve; the system starts all the same."""
    said = left_out("yahoo", ConfigError(("no network",)))
    assert said.startswith("no network. ")
    assert "the other sources serve" in said
