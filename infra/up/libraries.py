"""Which sources of history one machine asks, beyond its own store, and so whose libraries it needs."""

from collections.abc import Mapping

from shared.errors import ConfigError
from shared.settings import HISTORY_SOURCES

_WIRED = ("yahoo",)
_ORDER = "STRATEGY_HISTORY_SOURCES"


def needed(broker: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name the extras that the sources of a system need; a simulated market has days of its own and needs none."""
    named = environ.get(_ORDER, ",".join(HISTORY_SOURCES)).lower().split(",")
    asked = {name.strip() for name in named}
    return () if broker == "simulator" else tuple(name for name in _WIRED if name in asked)


def left_out(extra: str, wrong: ConfigError) -> str:
    """Say that a source cannot be asked on this machine, and that the others serve."""
    return f"{'; '.join(wrong.problems)}. Until then {extra} is not asked for daily bars, and the other sources serve."
