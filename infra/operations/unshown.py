"""What else of this user's holds shares and does not run: for the commands, which each show one system.

What can go wrong: a system is killed, or stopped, with shares held, and who looks at another one hears of nothing. What
this promises: each that is not shown and whose book holds shares is named, or whose book cannot be read; nothing here
fails a command. What emulators held ended with them.
"""

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from infra.one_machine.database import is_written
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations import systems
from infra.running.folder import Folder
from infra.running.registry import Entry
from shared.errors import DeskError
from shared.frozen import frozen
from shared.ports import Where


@frozen
class Unshown:
    """A system that ended: `held` counts its open positions, None where its book cannot be read.

    `folder` is where it is, or was where it is `gone`; `again` is the command that starts it, None where there is none.
    """

    folder: str
    gone: bool
    killed: bool
    held: int | None
    broker: str
    mode: str
    again: str | None


def unshown(shown: Collection[Path]) -> list[Unshown]:
    """List what ended and holds shares, what began first at the beginning, without the folders that are `shown`."""
    known = {one.resolve() for one in shown}
    wanted = [one for one in systems.ended() if one.cloud == "local" and one.state not in known]
    return [one for one in map(_look, wanted) if one.held != 0]


def _look(entry: Entry) -> Unshown:
    state = entry.state
    return Unshown(
        folder=entry.began_in if state is None else str(state), gone=state is None, killed=not entry.stopped,
        held=None if state is None else _held(state), broker=entry.broker, mode=entry.mode,
        again=None if state is None else systems.again(state),
    )  # fmt: skip


def _held(state: Path) -> int | None:
    book = Folder(path=state).store
    try:
        if not is_written(book):
            return None
        with closing(SqliteStore(book)) as store:
            return len(store.query("positions", Where("is_open", "==", True)))
    except (DeskError, OSError):
        return None
