"""The configurations that ship: `default` is strategy.md, others say what differs."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources  # impure: reads only the files that ship beside this module

from shared.domain.control.config import StrategyConfig, parse
from shared.errors import ConfigError
from shared.settings import CONFIGS

STRATEGIES = "strategies"
"""The open table: a file that names a strategy in it names all that are used, over their parameters in `default`."""


def load(name: str) -> StrategyConfig:
    """Read one configuration by its name; raises ConfigError with all problems."""
    if name not in CONFIGS:
        raise ConfigError((f"there is no strategy configuration {name!r}; there are {', '.join(CONFIGS)}",))
    table = _table("default")
    try:
        return parse(table if name == "default" else _over(table, _table(name)))
    except ConfigError as wrong:
        raise ConfigError(tuple(f"configuration {name}: {problem}" for problem in wrong.problems)) from None


def over_default(text: str) -> StrategyConfig:
    """Read TOML that says only what differs from `default`; raises ConfigError with all problems."""
    return parse(_over(_table("default"), table_of(text)))


def table_of(text: str) -> dict[str, object]:
    """Read TOML with fractions as Decimal; raises ConfigError."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError((f"this is no TOML: {problem}",)) from None


def problems_of(name: str) -> tuple[str, ...]:
    """Name what is wrong with one configuration; nothing for a name that the settings refuse."""
    try:
        load(name)
    except ConfigError as wrong:
        return wrong.problems if name in CONFIGS else ()
    return ()


def _table(name: str) -> dict[str, object]:
    try:
        return table_of(resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    except (OSError, ConfigError) as problem:
        raise ConfigError((f"{name}.toml cannot be read: {problem}",)) from None


def _over(base: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """Put changes over a table; who names any strategy names all that are used."""
    merged = dict(base)
    for key, value in changes.items():
        below = base.get(key)
        if not (isinstance(below, Mapping) and isinstance(value, Mapping)):
            merged[key] = value
            continue
        merged[key] = _over(below, value)
        if key == STRATEGIES:
            merged[key] = {name: one for name, one in _over(below, value).items() if name in value}
    return merged
