"""What `strategy record` does and says: a recording begun or ended, a recorded day written, a day decided again."""

import os
import sys
from datetime import date
from pathlib import Path

import typer

from infra.cli.exits import BROKEN
from infra.cli.hand import show
from infra.one_machine.looks import days_of
from infra.operations import recording
from infra.simulated_day.hours import clock
from infra.simulated_day.problems import UserError
from infra.simulated_day.replayed import Replayed
from shared.domain.telling.wording import count
from shared.settings import OWN_STRATEGIES


def want(profile: str, state: Path | None, *, wanted: bool, json: bool) -> None:
    """Begin a recording, or end it."""
    _tell(recording.want(recording.folder_of(profile, state), wanted=wanted), json=json)


def stands(profile: str, state: Path | None, *, json: bool) -> None:
    """Say how the recordings stand."""
    _tell(recording.recordings(recording.folder_of(profile, state)), json=json)


def write(profile: str, state: Path | None, out: Path, day: str | None, *, json: bool) -> None:
    """Write a recorded day."""
    folder = recording.folder_of(profile, state)
    done = recording.write(folder, _day(folder, day), out)
    show(done, lambda: sys.stdout.write(_written(done)), json=json)


def check(profile: str, state: Path | None, folder: Path | None, day: str | None, *, json: bool) -> None:
    """Decide a recorded day again; raises typer.Exit where anything differs."""
    where = folder or recording.folder_of(profile, state)
    done = recording.again(where, _day(where, day), strategies=os.environ.get(OWN_STRATEGIES, ""))
    show(done, lambda: sys.stdout.write(_checked(done)), json=json)
    if done.differing:
        raise typer.Exit(BROKEN)


def _tell(found: recording.Recordings, *, json: bool) -> None:
    days = ", ".join(map(str, found.days)) or "none yet"
    how = "on: each second's quotes are kept from the next minute on" if found.wanted else "off"
    show(found, lambda: sys.stdout.write(f"Recording is {how}.\nFolder: {found.folder}\nDays: {days}\n"), json=json)


def _day(folder: Path, said: str | None) -> date:
    if said is not None:
        try:
            return date.fromisoformat(said)
        except ValueError:
            raise UserError(f"{said!r} is no day", remedy="write it like 2026-11-30") from None
    days = days_of(folder)
    if not days:
        raise UserError(f"nothing is recorded in {folder}", remedy="`strategy record start`, then let a session pass")
    return days[-1]


def _written(done: recording.Written) -> str:
    left = f"Left out: {done.left_out:,} quotes that no market file may hold; the looks have them.\n"
    return (
        f"{done.market}: {count(done.symbols, 'symbol')}, {count(done.rows, 'row')}, {count(done.looks, 'look')}, "
        f"{clock(done.first)} to {clock(done.last)} New York.\n" + left * bool(done.left_out)
        + f"Play it:  strategy day --market {done.market}\nCheck it: strategy record check {done.market.parent}\n"
    )  # fmt: skip


def _checked(done: Replayed) -> str:
    things = ((done.looks, "look"), (done.verdicts, "verdict"), (done.signals, "signal"), (done.minutes, "receipt"))
    again = ", ".join(count(*one) for one in things)
    held = f"{done.given:,} verdicts were taken as they are: shares were held, or the store failed.\n"
    gaps = f"The recording was interrupted {count(done.gaps, 'time')} within the day.\n"
    head = f"{done.day}, decided again: {again}.\n" + held * bool(done.given) + gaps * bool(done.gaps)
    if not done.differing:
        return head + "All of it is as on the day.\n"
    return head + f"{done.differing} DIFFER:\n" + "".join(f"  {one}\n" for one in done.differences)
