"""The configuration in force: read by whoever trades, once a minute, and changed by the owner's command alone.

What can go wrong: the document cannot be read, and a cold process falls back to a file that allows more than the owner
does; a process goes on with what it read an hour ago; the documents of a change are written by halves. What this
promises: a process asks once in each minute of the clock; while the store does not answer it goes on with the last that
it read, and buys by it for `KNOWN_FOR`. One that has read none, or finds one that it cannot read, buys nothing, and
protects and sells by the last that it read, else by the file that it was started with. A change is one commit: the
version by its number, which no second command can write, and what is in force. What cannot be read, such as a version
of an earlier release that lacks a group of settings, can be written over by the owner's command like any other: with
each setting of it that is known, and the file's for the rest.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.codec import Json, decode, encode
from shared.domain.control.config import StrategyConfig
from shared.domain.orders.versions import FILE, Ceilings, InForce, Version, Versions, following, in_force
from shared.errors import ConfigError, Conflict, Malformed, StoreDown
from shared.ports import Data, Severity, Store
from shared.usecases.base.desk import Desk, Held, create, read, replaced
from shared.usecases.base.trading import TradingDesk

PATH = "configs/current"
UNREAD = "could not be read"
KNOWN_FOR = timedelta(minutes=5)
"""So long a process buys by what it read last, while the store does not answer."""


@dataclass(slots=True, kw_only=True)
class Configured:
    """What one process, which began at `since`, knows of the configuration; called with a desk it gives this minute's.

    `file` is what it was started with.
    """

    file: StrategyConfig
    ceilings: Ceilings
    since: datetime
    _minute: datetime | None = None
    _read_at: datetime | None = None
    _versions: Versions | None = field(default=None, repr=False)
    _used: InForce | None = field(default=None, repr=False)

    def __call__(self, desk: TradingDesk) -> TradingDesk:
        """Give the desk with the configuration in force; what cannot be read is journalled."""
        now = desk.clock.now()
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._ask(desk)
            self._minute = minute
        chosen = in_force(self._versions, self.file, self.ceilings, now)
        if chosen != self._used:
            # What was judged before may have been judged by other limits.
            self.since = self.since if self._used is None else now
            self._used = chosen
        known = self._read_at is not None and now - self._read_at <= KNOWN_FOR
        return replace(
            desk, config=chosen.config, config_number=chosen.number, config_known=known, limits_since=self.since
        )  # fmt: skip

    def _ask(self, desk: TradingDesk) -> None:
        try:
            held = read(desk.store, Versions, PATH)
        except (StoreDown, Malformed) as problem:
            kind = type(problem).__name__
            desk.journal.line("configuration_unread", Severity.WARNING, kind=kind, detail=problem.detail)
            if isinstance(problem, Malformed):
                self._read_at = None
            return
        self._versions, self._read_at = None if held is None else held.value, desk.clock.now()


def stored(store: Store) -> Held[Versions] | None:
    """Read what is wanted and what is in force, None where no version was ever written; raises Malformed, StoreDown."""
    return read(store, Versions, PATH)


def found(desk: Desk, file: StrategyConfig) -> tuple[Held[Versions] | None, str]:
    """Give what a command may write over, and why it cannot be read, "" where it can; raises StoreDown.

    Of what cannot, each setting that is known still counts, and `file` for the others; nobody trades by that.
    """
    try:
        return stored(desk.store), ""
    except Malformed as problem:
        wrong = problem.detail
    document = desk.store.get(PATH)
    if document is None:
        return None, ""
    names = (row.path.partition("/")[2] for row in desk.store.query("configs"))
    number = max((int(name) for name in names if name.isdecimal()), default=FILE)
    last = Version(number=number, config=_as_far_as_known(document.data, file), note=UNREAD, at=desk.clock.now())
    return Held(path=PATH, value=Versions(newest=last), version=document.version), wrong


def _as_far_as_known(data: Data, file: StrategyConfig) -> StrategyConfig:
    newest = data.get("newest")
    own = newest.get("config") if isinstance(newest, Mapping) else None
    try:
        return decode(StrategyConfig, _over(encode(file), own))
    except Malformed:
        return file


def _over(known: Mapping[str, Any], own: object) -> Json:
    """Give the settings that are known, each as its owner's own document has it, if it has; strategies as they are."""
    said = own if isinstance(own, Mapping) else {}
    return {
        name: _over(value, said.get(name)) if _is_group(name, value) else said.get(name, value)
        for name, value in known.items()
    }


def _is_group(name: str, value: object) -> bool:
    return isinstance(value, Mapping) and name != "strategies"


def change(
    desk: Desk, over: Held[Versions] | None, file: StrategyConfig, ceilings: Ceilings, *, config: StrategyConfig,
    note: str,
) -> Versions:  # fmt: skip
    """Write the next version over the one that the change was made of, and give what is in force after it.

    Raises ConfigError with all problems, Conflict where another command wrote since `over` was read, StoreDown; then
    nothing was changed.
    """
    before = None if over is None else over.value
    after = following(before, file, ceilings, config=config, note=note, now=desk.clock.now())
    kept = create(_path(after.newest.number), after.newest)
    try:
        desk.store.commit([kept, replaced(PATH, over, after)])
    except Conflict:
        raise Conflict(
            "another command changed the configuration at the same moment: look at it, and repeat the command"
        ) from None
    desk.journal.line("configuration", Severity.WARNING, number=after.newest.number, note=note)
    return after


def version(store: Store, number: int, file: StrategyConfig) -> StrategyConfig:
    """Give a version by its number, the file for 0; raises ConfigError where there is none, Malformed, StoreDown."""
    if number == FILE:
        return file
    held = read(store, Version, _path(number))
    if held is None:
        raise ConfigError((f"there is no version {number} of the configuration: `strategy config history` lists them",))
    return held.value.config


def history(store: Store) -> tuple[Version, ...]:
    """List every version that can be read, oldest first; raises Malformed where the newest cannot, StoreDown."""
    held = stored(store)
    versions = list[Version]()
    for number in range(1, 1 + (FILE if held is None else held.value.newest.number)):
        with suppress(Malformed):
            one = read(store, Version, _path(number))
            versions += [] if one is None else [one.value]
    return tuple(versions)


def _path(number: int) -> str:
    return f"configs/{number:06d}"
