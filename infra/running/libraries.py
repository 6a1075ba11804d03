"""Which sources of history one machine asks, beyond its own store, and so whose libraries it needs."""

from collections.abc import Callable

from infra.running.folder import Folder
from infra.running.plan import Plan
from infra.tools.extras import ready
from shared.errors import ConfigError
from shared.settings import HISTORY_SOURCES
from shared.topology import ALPACA_KEY

_WIRED = ("alpaca", "yahoo")
_ORDER = "STRATEGY_HISTORY_SOURCES"


def needed(wanted: Plan) -> tuple[str, ...]:
    """Name the extras that the sources of a system need: none for a simulated market, which has days of its own.

    Alpaca is asked only with a key, so without one in the vault nothing is installed for it. Raises ConfigError for a
    vault that cannot be opened.
    """
    if wanted.broker == "simulator":
        return ()
    named = wanted.environ.get(_ORDER, ",".join(HISTORY_SOURCES)).lower().split(",")
    asked = {name.strip() for name in named}
    return tuple(name for name in _WIRED if name in asked and (name != "alpaca" or _keyed(wanted)))


def install(extra: str, *, say: Callable[[str], None]) -> None:
    """Install what a source needs, the first time, with a line about it; where that fails say that it is not asked."""
    try:
        ready(extra, say=say)
    except ConfigError as wrong:
        say(left_out(extra, wrong))


def left_out(extra: str, wrong: ConfigError) -> str:
    """Say that a source cannot be asked on this machine, and that the others serve."""
    return f"{'; '.join(wrong.problems)}. Until then {extra} is not asked for daily bars, and the other sources serve."


def _keyed(wanted: Plan) -> bool:
    from infra.one_machine.vault import FileVault, vault_key

    folder = Folder(path=wanted.state)
    if not folder.vault.exists():
        return False
    key = vault_key(wanted.environ, locked=folder.locked())
    return bool(FileVault(folder.vault, key=key).versions(ALPACA_KEY))
