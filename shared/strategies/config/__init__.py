"""The configurations that ship: `default` is strategy.md, others say what differs."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources  # impure: reads only the files that ship beside this module

from shared.domain.config import StrategyConfig, parse
from shared.errors import ConfigError

NAMES = ("default", "demo")


def load(name: str) -> StrategyConfig:
    """Read one configuration by its name; raises ConfigError with all problems."""
    if name not in NAMES:
        raise ConfigError((f"there is no strategy configuration {name!r}; there are {', '.join(NAMES)}",))
    table = _table("default")
    return parse(table if name == "default" else _over(table, _table(name)))


def _table(name: str) -> dict[str, object]:
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def _over(base: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for key, value in changes.items():
        below = base.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(below, value)
        else:
            merged[key] = value
    return merged
