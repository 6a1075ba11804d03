"""The lines with which a command opens that shows or changes a system: what no table, and no result, tells by itself.

What can go wrong: stops of a system that does not run, or to which nobody is signed in, look as if they worked; prices
look new; another system was killed with shares held, and who looks at this one reads that nothing is held. What this
promises: each command opens with the same lines, in the same words; a command in them is whole and stands alone on its
line; and nothing here fails a command.
"""

import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from infra.cli.whose import prices, resting, signed_out, unattended
from infra.operations import systems
from infra.operations.profiles import Hand
from infra.operations.unshown import Unshown, unshown
from infra.running import status
from infra.simulated_day.hours import day_and_time
from shared.codec import decode
from shared.domain.market.quotes import Quote
from shared.domain.telling.wording import count
from shared.errors import DeskError, MessageError, StoreDown
from shared.ports import Store

MOST = 5


def of(hand: Hand, profile: str) -> list[str]:
    """Say what of the system that is shown does not work now, what else holds shares, and whose prices these are."""
    whose = prices(hand.broker, hand.mode)
    elsewhere = [] if profile == "cloud" else others((Path(hand.name),))
    return [*own(hand, profile), *elsewhere, *([f"Prices: {whose}."] if whose else [])]


def others(shown: Collection[Path]) -> list[str]:
    """Say what else of this user's ended and holds shares, with the commands that show and start it."""
    found = unshown(shown)
    lines = [line for one in found[:MOST] for line in _other(one)]
    return [*lines, "And more of them:", "  strategy status"] if len(found) > MOST else lines


def show(lines: Iterable[str]) -> None:
    """Print them, before what was asked for."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def own(hand: Hand, profile: str) -> list[str]:
    """Say what of the system that is shown does not work now, with the command that mends it."""
    if not hand.running:
        folder = Path(hand.name)
        if (over := systems.day_over(folder)) is not None:
            return [f"NOT RUNNING: {over.sentences}"]
        killed = systems.killed_at(folder) is not None
        first = ": ".join(resting(hand.broker, hand.mode, killed=killed))
        return _with(f"{first}{_newest(hand.desk.store)}. To start it", systems.again(folder))
    with suppress(DeskError):
        now = hand.desk.clock.now()
        if not (status.signed_in(hand.desk.store, now) or status.signed_out(hand.desk.store, now)):
            left = signed_out(hand.broker, hand.mode)
            login = f"strategy login {systems.on(profile, hand.name)}"
            return _with(f"{left}{_newest(hand.desk.store)}. To sign in", login)
    return []


def _other(one: Unshown) -> list[str]:
    ended = "was killed" if one.killed else "was stopped"
    if one.gone:
        where = f"{one.folder} {ended}, and its folder is not there any more"
        return [f"NOT SHOWN HERE: {where}. To see more:", "  strategy status"]
    holds = "its book cannot be read" if one.held is None else f"holds {count(one.held, 'position')}"
    said = f"NOT SHOWN HERE: {one.folder} {ended} and {holds}: {unattended(one.broker, one.mode)}. To see and start it"
    return [f"{said}:", f"  strategy positions {systems.on('local', one.folder)}", *_command(one.again)]


def _with(said: str, command: str | None) -> list[str]:
    """Give a line and its command, or the line without its last sentence where there is none."""
    return [f"{said.rpartition('. ')[0]}."] if command is None else [f"{said}:", *_command(command)]


def _command(command: str | None) -> list[str]:
    return [] if command is None else [f"  {command}"]


def _newest(store: Store) -> str:
    """Say of when the newest price is that can be shown; nothing where there is none."""
    found: list[datetime] = []
    with suppress(StoreDown):
        for row in store.query("quotes"):
            with suppress(MessageError):
                found.append(decode(Quote, row.data).at)
    return f"; the newest price is of {day_and_time(max(found))} New York" if found else ""
