"""Change the configuration in the owner's database: one setting, a whole text, or back to an earlier version.

What can go wrong: a slip of the finger loosens a limit; two commands write at once; the editor's text is lost because
one figure in it is wrong. What this promises: everything is checked before anything is written, with every problem in
one message, and then the last good version stays; a text that was refused is kept in a file of its own.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.day.problems import UserError
from infra.owner.profiles import Hand
from shared import settings
from shared.domain.config import StrategyConfig, parse
from shared.domain.versions import Ceilings, Versions, flat, in_force
from shared.errors import ConfigError
from shared.strategies import config as shipped
from shared.usecases import configuration
from shared.usecases.desk import read
from shared.wiring.chosen import ceilings

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a system was started with: the configuration's name and file, and the ceilings of this environment."""

    name: str
    file: StrategyConfig
    most: Ceilings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The configuration: each setting in force, and what is wanted where that waits for the next session."""

    number: int
    base: str
    settings: Mapping[str, str]
    waiting: Mapping[str, str]
    ceilings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One version: what it changed against the one before, each as `setting: old -> new`."""

    number: int
    at: datetime
    note: str
    changes: tuple[str, ...]


def base_of(hand: Hand, environ: Mapping[str, str]) -> Base:
    """Give what stands behind the versions; raises ConfigError where settings or file cannot be used."""
    given = settings.load(settings.LEAST | dict(environ))
    name = hand.config or given.config
    return Base(name=name, file=shipped.load(name), most=ceilings(given))


def show(hand: Hand, base: Base) -> Shown:
    """Give what is in force now, and what waits."""
    held = read(hand.desk.store, Versions, configuration.PATH)
    versions = None if held is None else held.value
    now = in_force(versions, base.file, base.most, hand.desk.clock.now())
    wanted = flat(base.file if versions is None else versions.newest.config)
    ours = flat(now.config)
    return Shown(
        number=now.number, base=base.name, settings=ours,
        waiting={name: value for name, value in wanted.items() if value != ours[name]},
        ceilings={name: value for name, value in flat(base.most).items() if value != "None"},
    )  # fmt: skip


def set_one(hand: Hand, base: Base, name: str, value: str) -> Shown:
    """Write a version that differs in one setting; raises UserError for a name that is none, ConfigError."""
    wanted = configuration.newest(hand.desk.store, base.file)
    if name not in flat(wanted):
        near = [one for one in flat(wanted) if name.rpartition(".")[2] in one]
        hint = f"did you mean {', '.join(near[:5])}?" if near else "`strategy config show` lists them"
        raise UserError(f"{name!r} is no setting of the configuration", remedy=hint)
    table = asdict(wanted)
    *groups, last = name.split(".")
    group = table
    for one in groups:
        group = group[one]
    group[last] = _typed(value)
    return write(hand, base, parse(table), note=f"{name} = {value}")


def of_text(text: str) -> StrategyConfig:
    """Read a whole configuration from TOML; raises ConfigError with every problem."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError((f"this is no TOML: {problem}",)) from None
    return parse(table)


def text_of(config: StrategyConfig) -> str:
    """Write a configuration as TOML, which `of_text` reads back as the same."""
    return "\n".join(_lines(asdict(config), ())) + "\n"


def write(hand: Hand, base: Base, config: StrategyConfig, *, note: str) -> Shown:
    """Write the next version and give what is in force then; what changes nothing is refused with UserError."""
    if config == configuration.newest(hand.desk.store, base.file):
        raise UserError("this is what the configuration says already", remedy="`strategy config show` shows it")
    configuration.change(hand.desk, base.file, base.most, config=config, note=note)
    return show(hand, base)


def roll_back(hand: Hand, base: Base, number: int) -> Shown:
    """Write an earlier version once more, as the newest; 0 is the file. Raises ConfigError where there is none."""
    return write(hand, base, configuration.version(hand.desk.store, number, base.file), note=f"back to {number}")


def lines(hand: Hand, base: Base) -> tuple[Line, ...]:
    """List every version, oldest first, with what it changed."""
    before, found = flat(base.file), list[Line]()
    for one in configuration.history(hand.desk.store):
        after = flat(one.config)
        found.append(Line(number=one.number, at=one.at, note=one.note, changes=differences(before, after)))
        before = after
    return tuple(found)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Name each setting that differs."""
    return tuple(f"{name}: {before[name]} -> {value}" for name, value in after.items() if before.get(name) != value)


def _typed(value: str) -> object:
    if _WHOLE.fullmatch(value):
        return int(value)
    return Decimal(value) if _DECIMAL.fullmatch(value) else value


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {name: value for name, value in table.items() if not isinstance(value, Mapping)}
    found = [*([f"[{'.'.join(path)}]"] if path and plain else [])]
    found += [f"{name} = {value if isinstance(value, int | Decimal) else chr(34) + str(value) + chr(34)}"
              for name, value in plain.items()]  # fmt: skip
    for name, value in table.items():
        if isinstance(value, Mapping):
            found += ["", *_lines(value, (*path, name))] if found else _lines(value, (*path, name))
    return found
