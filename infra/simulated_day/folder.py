"""The folder of one run: claimed before anything else is written, recognised after a crash, never shared.

What can go wrong: two runs start at once, a run was killed in the middle, a folder holds a finished result or
files that are not ours. A lock that the operating system drops with the process tells a live run from a dead
one; `run.json` tells a finished run from an interrupted one. A finished result is never overwritten, foreign
files are never touched, what an interrupted run left is moved aside and kept.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from infra.simulated_day.files import write_atomically
from infra.simulated_day.problems import UserError
from shared.codec import dumps, loads
from shared.errors import Malformed
from shared.frozen import frozen

RUNS = Path("runs")
_CARD = "run.json"
_LOCK = "run.lock"
FINISHED = "finished"
DAY, BACK_TEST = "day", "back-test"


@frozen
class Card:
    """What a run is of; `status` is "running" until the last file is written, `kind` DAY or BACK_TEST."""

    market: str
    config: str
    seed: int
    network: str = "slow"
    status: str = "running"
    kind: str = DAY


@frozen
class Claim:
    """A folder that is ours while the lock is held; `moved_to` is where an interrupted run's files went."""

    path: Path
    moved_to: Path | None

    def write_card(self, card: Card) -> None:
        """Say what runs here, or that it has finished."""
        write_atomically(self.path / _CARD, dumps(asdict(card)) + b"\n")


@contextmanager
def claim(state: Path | None, *, runs: Path = RUNS) -> Iterator[Claim]:
    """Claim `state`, or the next free folder of `runs`; raises UserError when it must not be used."""
    path = state if state is not None else _next(runs)
    moved_to = _make_room(path) if state is not None else None
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / _LOCK).open("w")
    except OSError as problem:
        raise UserError(f"{path} cannot be used: {problem.strerror}", remedy="choose another folder") from None
    with lock:
        if not _locked(lock):
            raise _in_use(path)
        yield Claim(path=path, moved_to=moved_to)


def newest(runs: Path = RUNS) -> Path:
    """Give the newest run's folder; raises UserError when there is none."""
    numbered = _numbered(runs)
    if not numbered:
        raise UserError(
            f"there is no run in {runs}",
            remedy="start one with `strategy demo`, or name a folder with --state",
        )
    return numbered[-1]


def card_of(path: Path) -> Card | None:
    """Read what a folder's run was of, or None when it holds none."""
    try:
        plain: dict[str, Any] = loads((path / _CARD).read_bytes())
        return Card(**plain)
    except (OSError, Malformed, TypeError):
        return None


def finished_twin(card: Card, *, near: Path, file: str) -> Path | None:
    """Find `file` of the newest finished run like `card` among the folders beside `near`."""
    wanted = replace(card, status=FINISHED)
    twins = [path for path in _numbered(near.resolve().parent) if card_of(path) == wanted and (path / file).is_file()]
    return twins[-1] / file if twins else None


def _numbered(runs: Path) -> list[Path]:
    if not runs.is_dir():
        return []
    return sorted((path for path in runs.iterdir() if path.name.isdecimal() and path.is_dir()), key=_number)


def _number(path: Path) -> int:
    return int(path.name)


def _next(runs: Path) -> Path:
    """Create the next numbered folder; two runs that start at once get two folders."""
    number = max([0, *(_number(path) for path in _numbered(runs))])
    while True:
        number += 1
        path = runs / f"{number:04d}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as problem:
            remedy = "run from a folder that is yours, or name one with --state"
            raise UserError(f"{path} cannot be made: {problem.strerror}", remedy=remedy) from None
        return path


def _make_room(path: Path) -> Path | None:
    """Move an interrupted run's folder aside; raises UserError for a folder that must not be touched."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return None
    if not path.is_dir():
        raise UserError(f"{path} is a file", remedy="name a folder")
    if not (path / _LOCK).exists():
        raise UserError(f"{path} holds files that no run left there", remedy="name an empty or a new folder")
    with (path / _LOCK).open() as lock:
        if not _locked(lock):
            raise _in_use(path)
    card = card_of(path)
    if card is not None and card.status == FINISHED:
        raise UserError(f"{path} holds the result of a finished run", remedy="name a new folder, or move this one away")
    number = 1
    while (aside := path.with_name(f"{path.name}.interrupted-{number}")).exists():
        number += 1
    path.rename(aside)
    return aside


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _in_use(path: Path) -> UserError:
    return UserError(f"{path} is in use by a run", remedy="wait until it ends, or name another folder")
