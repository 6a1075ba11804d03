"""Change the configuration in the owner's database: one setting, a whole text, or back to an earlier version.

What can go wrong: a slip of the finger loosens a limit; two commands write at once; the editor's text is lost because
one figure in it is wrong. What this promises: everything is checked before anything is written, with every problem in
one message, and then the last good version stays; a text that was refused is kept in a file of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared import settings
from shared.domain.control.config import StrategyConfig, parse
from shared.domain.orders.versions import Ceilings, Versions, flat, in_force, tighter, written
from shared.frozen import frozen
from shared.strategies import config as shipped
from shared.strategies import registry
from shared.usecases.base.desk import Held
from shared.usecases.control import configuration
from shared.wiring.chosen import ceilings

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NOTHING = "none"
_NEAR = 5
"""So many settings are named where one was mistyped."""
_DECIMAL = re.compile(r"[+-]?[0-9]+\.[0-9]+")


@frozen
class Base:
    """What a command begins with: the configuration's name and file, this environment's ceilings, and what is stored.

    A change is written over `held` and nothing else. `wrong` says why what is stored cannot be read, "" where it can.
    `folder` has the owner's own strategies.
    """

    name: str
    file: StrategyConfig
    most: Ceilings
    held: Held[Versions] | None
    wrong: str = ""
    folder: str = ""

    @property
    def wanted(self) -> StrategyConfig:
        """The newest version, whether or not it is in force yet."""
        return self.file if self.held is None else self.held.value.newest.config


@frozen
class Shown:
    """The configuration: each setting in force, and what is wanted where that waits for the next session.

    `defaults` is what the file `base` says of each setting that differs from it now.
    """

    number: int
    base: str
    settings: Mapping[str, str]
    waiting: Mapping[str, str]
    defaults: Mapping[str, str]
    ceilings: Mapping[str, str]


@frozen
class Changed:
    """What a command changed, each setting as `setting: old -> new`, and what is in force after it.

    `loosened` names the settings that may take more risk than before.
    """

    shown: Shown
    changes: tuple[str, ...]
    loosened: frozenset[str]


@frozen
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
    file = shipped.load(name)
    held, wrong = configuration.found(hand.desk, file)
    return Base(name=name, file=file, most=ceilings(given), held=held, wrong=wrong, folder=given.strategies)


def show(hand: Hand, base: Base) -> Shown:
    """Give what is in force now, and what waits."""
    versions = None if base.held is None else base.held.value
    now = in_force(versions, base.file, base.most, hand.desk.clock.now())
    wanted, ours, ships = whole(base, base.wanted), whole(base, now.config), whole(base, base.file)
    return Shown(
        number=now.number, base=base.name, settings=ours,
        waiting={name: value for name, value in wanted.items() if value != ours.get(name)},
        defaults={name: ships.get(name, _NOTHING) for name, value in ours.items() if value != ships.get(name)},
        ceilings={name: value for name, value in flat(base.most).items() if value != "None"},
    )  # fmt: skip


def changes(hand: Hand, base: Base, config: StrategyConfig) -> tuple[str, ...]:
    """Name each setting in which a configuration differs from what is in force now, as `setting: old -> new`."""
    now = in_force(None if base.held is None else base.held.value, base.file, base.most, hand.desk.clock.now())
    return differences(whole(base, now.config), whole(base, config))


def whole(base: Base, config: StrategyConfig) -> Mapping[str, str]:
    """Give every setting by its path, those that a strategy's own file says, too."""
    return flat(registry.completed(config, base.folder))


def set_one(hand: Hand, base: Base, name: str, value: str) -> Changed:
    """Write a version that differs in one setting; raises UserError for a name that is none, ConfigError.

    `strategies` is set to the names of all that are used; one that stays keeps its parameters.
    """
    known = whole(base, base.wanted)
    if name not in known:
        alike = get_close_matches(name, known, n=_NEAR, cutoff=0.8)
        near = list(dict.fromkeys((*alike, *(one for one in known if name.rpartition(".")[2] in one))))[:_NEAR]
        meant = f"{'one of ' if len(near) > 1 else ''}{', '.join(near)}"
        hint = f"you may mean {meant}" if near else "`strategy config show` lists them"
        raise UserError(f"{name!r} is no setting of the configuration", remedy=hint)
    table = asdict(base.wanted)
    if name == shipped.STRATEGIES:
        used = [one.strip() for one in value.split(",") if one.strip()]
        table[name] = {one: base.wanted.strategies.get(one, {}) for one in used}
    else:
        *groups, last = name.split(".")
        group = table
        for one in groups:
            group[one] = dict(group[one])
            group = group[one]
        group[last] = _typed(value)
    return write(hand, base, parse(table), note=f"{name} = {value}")


def of_text(text: str) -> StrategyConfig:
    """Read a whole configuration from TOML; raises ConfigError with every problem."""
    return parse(shipped.table_of(text))


def text_of(config: StrategyConfig) -> str:
    """Write a configuration as TOML, which `of_text` reads back as the same."""
    return "\n".join(_lines(asdict(config), ())) + "\n"


def write(hand: Hand, base: Base, config: StrategyConfig, *, note: str) -> Changed:
    """Write the next version and give what is in force then; what changes nothing is refused with UserError.

    Raises ConfigError, Conflict; then nothing was changed.
    """
    if whole(base, config) == whole(base, base.wanted) and not base.wrong:
        raise UserError("this is what the configuration says already", remedy="`strategy config show` shows it")
    registry.bound(config, base.folder)
    configuration.change(hand.desk, base.held, base.file, base.most, config=config, note=note)
    after = replace(base, held=configuration.stored(hand.desk.store))
    changes = differences(whole(base, base.wanted), whole(base, after.wanted))
    wanted = whole(base, after.wanted)
    safe = whole(base, tighter(base.wanted, after.wanted))
    loosened = frozenset(name for name in wanted if wanted[name] != safe.get(name))
    return Changed(shown=show(hand, after), changes=changes, loosened=loosened)


def roll_back(hand: Hand, base: Base, number: int) -> Changed:
    """Write an earlier version once more, as the newest; 0 is the file. Raises ConfigError where there is none."""
    return write(hand, base, configuration.version(hand.desk.store, number, base.file), note=f"back to {number}")


def lines(hand: Hand, base: Base) -> tuple[Line, ...]:
    """List every version, oldest first, with what it changed."""
    before, found = whole(base, base.file), list[Line]()
    for one in configuration.history(hand.desk.store):
        after = whole(base, one.config)
        found.append(Line(number=one.number, at=one.at, note=one.note, changes=differences(before, after)))
        before = after
    return tuple(found)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Name each setting that differs, also one that only one of both has."""
    names = (*after, *(name for name in before if name not in after))
    rows = ((name, before.get(name, _NOTHING), after.get(name, _NOTHING)) for name in names)
    return tuple(f"{name}: {old} -> {new}" for name, old, new in rows if old != new)


def _typed(value: str) -> object:
    if value in ("true", "false"):
        return value == "true"
    if _WHOLE.fullmatch(value):
        return int(value)
    return Decimal(value) if _DECIMAL.fullmatch(value) else value


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = [f"{name} = {_toml(value)}" for name, value in table.items() if not isinstance(value, Mapping)]
    found = [f"[{'.'.join(path)}]", *plain] if path and (plain or not table) else plain
    for name, value in table.items():
        if isinstance(value, Mapping):
            below = _lines(value, (*path, name))
            found += ["", *below] if found else below
    return found


def _toml(value: object) -> str:
    return written(value) if isinstance(value, int | Decimal) else f'"{value}"'
