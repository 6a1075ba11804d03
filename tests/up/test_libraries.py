"""What a machine installs for the sources of history: what its settings ask, and for a simulated market nothing."""

import pytest

from infra.up.libraries import left_out, needed
from shared.errors import ConfigError


@pytest.mark.parametrize(
    ("broker", "environ", "extras"),
    [
        ("sandbox", {}, ("yahoo",)),
        ("production", {"STRATEGY_HISTORY_SOURCES": "own, Yahoo"}, ("yahoo",)),
        ("production", {"STRATEGY_HISTORY_SOURCES": "own,file"}, ()),
        ("simulator", {}, ()),
    ],
)
def test_only_what_is_asked_is_installed(broker: str, environ: dict[str, str], extras: tuple[str, ...]) -> None:
    """A source that the setting leaves out, and any source of a simulated market, needs nothing."""
    assert needed(broker, environ) == extras


def test_a_source_that_cannot_be_installed_is_named() -> None:
    """What failed is said, and that the others serve; the system starts all the same."""
    said = left_out("yahoo", ConfigError(("no network",)))
    assert said.startswith("no network. ")
    assert "the other sources serve" in said
