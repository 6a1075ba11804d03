"""Versions of the configuration: what the owner wants, and what of it is in force while a session runs.

What can go wrong: a change in the middle of a day loosens a limit over risk that was taken under the old one; a version
goes beyond what the owner once set as the most; two commands write at once; a change is half old and half new, and the
two halves contradict each other. What this promises: from the next minute on a session works with the tighter of what
it has and what is wanted, setting by setting; what loosens, or is neither, waits for the next session. No version
exceeds the ceilings of the environment. What a session would have to work with is checked as any configuration, so a
change that contradicts it is refused before it is written.

Of the strategies only their files say what is tighter, and most functions never read those. So a strategy that is no
longer named votes no more from the next minute on, which can only buy less; one that is added, and every parameter that
is changed, waits for the next session. Where that leaves fewer strategies than votes are asked for, nothing is bought
until the close.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_type_hints

from shared.domain.base.calendar import session_at
from shared.domain.control.config import Exits, Span, StrategyConfig, Tighter, contradictions
from shared.domain.orders.positions import Position
from shared.errors import ConfigError
from shared.frozen import frozen

Group = TypeVar("Group")
FILE = 0
"""The number of what the configuration file says, where no version was ever stored."""


@frozen
class Version:
    """A configuration as the owner wanted it from `at` on; numbers count up from 1, `note` says what was changed."""

    number: int
    config: StrategyConfig
    note: str
    at: datetime
    schema_version: int = 1


@frozen
class Versions:
    """The newest version; and, where it came while `session` ran, what that session works with."""

    newest: Version
    session: date | None = None
    meanwhile: StrategyConfig | None = None
    schema_version: int = 1


@frozen
class Ceilings:
    """The most that any version may allow of `Limits`, from the environment; None where nobody said one."""

    order_usd_max: Decimal | None = None
    order_shares_max: int | None = None
    positions_max: int | None = None
    daily_loss_pct: Decimal | None = None


@frozen
class InForce:
    """The configuration that decides now, and the number of the newest version in it."""

    number: int
    config: StrategyConfig


def until_close(versions: Versions, now: datetime) -> StrategyConfig | None:
    """Give what counts until the session is over, because the newest version loosens something; None without that."""
    session = session_at(now)
    runs = session is not None and session.day == versions.session and now < session.closes_at
    return versions.meanwhile if runs else None


def in_force(versions: Versions | None, file: StrategyConfig, ceilings: Ceilings, now: datetime) -> InForce:
    """Give what decides at an instant; `file` is what the system was started with, and counts without a version."""
    if versions is None:
        return InForce(number=FILE, config=capped(file, ceilings))
    config = until_close(versions, now) or versions.newest.config
    return InForce(number=versions.newest.number, config=capped(config, ceilings))


def following(
    versions: Versions | None, file: StrategyConfig, ceilings: Ceilings, *, config: StrategyConfig, note: str,
    now: datetime,
) -> Versions:  # fmt: skip
    """Give the versions after a change; raises ConfigError with all that is wrong, then nothing is to be written."""
    standing = in_force(versions, file, ceilings, now)
    problems = [*contradictions(config), *beyond(config, ceilings)]
    session, meanwhile = session_at(now), None
    if session is not None and session.opens_at <= now < session.closes_at:
        meanwhile = tighter(standing.config, config)
        problems += [
            f"until the close, beside what does not change now: {one}" for one in contradictions(meanwhile, buys=False)
        ]
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))
    newest = Version(number=standing.number + 1, config=config, note=note, at=now)
    day = None if meanwhile is None or session is None else session.day
    return Versions(newest=newest, session=day, meanwhile=meanwhile)


def held_by(position: Position, config: StrategyConfig) -> StrategyConfig:
    """Give the configuration that a position is judged by: its own rules of leaving, and today's where tighter."""
    if position.exits is None or position.exits == config.exits:
        return config
    return replace(config, exits=_tighter_exits(position.exits, config.exits))


@lru_cache(maxsize=256)
def _tighter_exits(ours: Exits, todays: Exits) -> Exits:
    return tighter(ours, todays)


def tighter(standing: Group, wanted: Group) -> Group:
    """Give, setting by setting, the tighter of two groups of settings; what is neither stays as it stands."""
    changes: dict[str, Any] = {}
    for name, hint in get_type_hints(type(standing), include_extras=True).items():
        ours, theirs = getattr(standing, name), getattr(wanted, name)
        if is_dataclass(ours):
            changes[name] = tighter(ours, theirs)
        elif isinstance(ours, Mapping):
            changes[name] = {one: given for one, given in ours.items() if one in theirs}
        elif isinstance(ours, Enum):
            order = list(type(ours))
            changes[name] = min(ours, theirs, key=order.index)
        else:
            span: Span = get_args(hint)[1]
            changes[name] = _tighter_of(span.tighter, ours, theirs)
    return replace(standing, **changes)  # type: ignore[type-var]


def _tighter_of(way: Tighter, ours: Any, theirs: Any) -> Any:
    match way:
        case Tighter.DOWN:
            return min(ours, theirs)
        case Tighter.UP:
            return max(ours, theirs)
        case Tighter.EITHER:
            return ours


def capped(config: StrategyConfig, ceilings: Ceilings) -> StrategyConfig:
    """Give a configuration with no limit above its ceiling."""
    limits = config.limits
    least = {name: min(getattr(limits, name), most) for name, most in _said(ceilings)}
    return replace(config, limits=replace(limits, **least)) if least else config


def beyond(config: StrategyConfig, ceilings: Ceilings) -> tuple[str, ...]:
    """Name every limit that is above its ceiling."""
    return tuple(
        f"limits.{name} may be {most} at the most, which the environment says, and not {value}"
        for name, most in _said(ceilings)
        if (value := getattr(config.limits, name)) > most
    )


def _said(ceilings: Ceilings) -> Iterator[tuple[str, Any]]:
    for field in fields(ceilings):
        if (most := getattr(ceilings, field.name)) is not None:
            yield field.name, most


def flat(config: object, path: str = "") -> Mapping[str, str]:
    """Give every setting by its path, such as limits.positions_max, as people write it.

    The names of an open table, such as strategies, are a setting of their own.
    """
    found: dict[str, str] = {}
    for field in fields(config):  # type: ignore[arg-type]
        value, name = getattr(config, field.name), f"{path}{field.name}"
        if is_dataclass(value):
            found |= flat(value, f"{name}.")
        elif isinstance(value, Mapping):
            found[name] = ", ".join(value)
            found |= {f"{name}.{of}.{one}": written(what) for of, given in value.items() for one, what in given.items()}
        else:
            found[name] = written(value)
    return found


def written(value: object) -> str:
    """Write a value as TOML and people do."""
    return str(value).lower() if isinstance(value, bool) else str(value)
