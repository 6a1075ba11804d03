"""The systems of this user that run on this machine, for commands that are given in any folder.

What can go wrong: a system is killed and nobody hears of it; the number of its process comes again; its folder is moved
while it runs; two start at once; an entry is damaged, or the place of the entries cannot be used. What this promises:
each `strategy up` has one file here from before it trades until it ends, and holds it locked as it holds its folder
(`one_machine.folder`). The operating system lets go of the lock with the process, so that only what runs is taken for
running. An entry that nobody holds is of a system that was killed, or that was stopped while it held shares: it stays,
for the owner to be told, until that folder is started again or the owner lets it be. An entry that is held and cannot
be read is told with its process. A folder that was moved is found by the lock file that its process has open, where the
system shows that (Linux); else it is told as moved.
"""

import fcntl
import os
import pwd
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from infra.one_machine.folder import LOCK
from infra.running.plan import Plan
from shared.codec import dumps, loads
from shared.errors import ConfigError, DeskError, Malformed
from shared.frozen import frozen
from shared.ports import Store, Where

VARIABLE = "STRATEGY_RUNNING"
"""Names another folder for the entries; all commands that are to find each other need the same one."""


@frozen
class Entry:
    """One system that runs, or that ended: `state` is where its folder is now, None where that is not known.

    `began_in` is where the folder was at the start, empty where the entry cannot be read, and so are the others.
    `stopped` says that it ended in order, with shares held; what ended without it was killed.
    """

    file: Path
    held: bool
    pid: int
    state: Path | None
    began_in: str = ""
    cloud: str = ""
    broker: str = ""
    mode: str = ""
    since: str = ""
    stopped: bool = False


def place() -> Path:
    """Give the folder of the entries; raises ConfigError where the user has no home."""
    found = kept_at(VARIABLE, "running")
    if found is None:
        raise ConfigError((f"this user has no home folder: set {VARIABLE} to a folder of theirs",))
    return found


def kept_at(variable: str, name: str) -> Path | None:
    """Give where this user keeps something of this name, or where a variable says; None where there is no home."""
    if given := os.environ.get(variable):
        return Path(given)
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():
        try:
            base = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return base / "etrade-strategy" / name


def user() -> str:
    """Name the user whose systems are found here."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def register(plan: Plan, state: Path) -> Callable[[], None]:
    """Write down that a system runs in `state`, whose lock this process holds, and give what takes that back.

    Raises ConfigError where that cannot be written: a system that no `strategy halt` finds must not trade.
    """
    folder, name = place(), _name()
    try:
        file = _write(folder / name, plan, state)
    except OSError as problem:
        what = f"{folder} cannot be used to write down what runs, so `strategy halt` would not find this system"
        raise ConfigError((f"{what}: {problem.strerror}; set {VARIABLE} to another folder of yours",)) from None

    def take_back() -> None:
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)
        os.close(file)

    return take_back


def running() -> list[Entry]:
    """List what runs, what began first at the beginning; raises ConfigError."""
    return [one for one in _entries() if one.held]


def note_held(plan: Plan, state: Path, store: Store) -> None:
    """Write down that the system in `state`, which is about to end, holds shares; nothing where no one can tell.

    Its own entry, which this process still holds, stands beside it until then. What emulators held ends with them.
    """
    with suppress(OSError, ConfigError, DeskError):
        held = store.query("positions", Where("is_open", "==", True), limit=1) if plan.cloud == "local" else []
        if held and not any(one.state == state for one in ended()):
            os.close(_write(place() / _name(), plan, state, stopped=True))


def forget_ended(state: Path) -> None:
    """Tell of what ended in `state` no more: it runs again; nothing where the entries cannot be read."""
    with suppress(ConfigError):
        for one in ended():
            if one.state == state:
                forget(one)


def _name() -> str:
    return f"{os.getpid()}-{secrets.token_hex(8)}.json"


def _write(path: Path, plan: Plan, state: Path, **more: bool) -> int:
    """Write an entry and give its file, which is held; raises OSError."""
    lock = (state / LOCK).stat()
    entry = {
        "state": str(state), "lock": [lock.st_dev, lock.st_ino], "cloud": plan.cloud, "broker": plan.broker,
        "mode": plan.mode.value, "since": datetime.now(UTC).isoformat(), **more,
    }  # fmt: skip
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    beside = path.with_name(f".{path.name}")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before it is seen: nobody takes it for a dead one
    os.write(file, dumps(entry) + b"\n")
    beside.rename(path)
    return file


def killed() -> list[Entry]:
    """List what ended without taking back its entry, as `ended` does; raises ConfigError."""
    return [one for one in ended() if not one.stopped]


def ended() -> list[Entry]:
    """List what was killed, or stopped with shares held, what began first at the beginning; raises ConfigError.

    A simulated one whose folder is gone is left out, and removed: of that nothing is to be done.
    """
    gone = [one for one in _entries() if not one.held]
    for one in gone:
        if one.state is None and one.broker in {"", "simulator"}:
            forget(one)
    return [one for one in gone if one.file.exists()]


def forget(one: Entry) -> None:
    """Remove the entry of a system that ended, where that can be done."""
    with suppress(OSError):
        one.file.unlink(missing_ok=True)


def _entries() -> list[Entry]:
    folder = place()
    try:
        paths = [path for path in folder.iterdir() if path.suffix == ".json"] if folder.exists() else []
        found = [one for path in paths if (one := _look(path)) is not None]
    except OSError as problem:
        raise ConfigError((f"what runs cannot be looked up in {folder}: {problem.strerror}",)) from None
    return sorted(found, key=lambda one: (one.since, one.pid))


def _look(path: Path) -> Entry | None:
    """Read an entry and whether its process holds it; one that went meanwhile is gone."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path, held=True)
    else:
        return _read(path, held=False) if path.exists() else None
    finally:
        os.close(file)


def _read(path: Path, *, held: bool) -> Entry:
    number = path.name.partition("-")[0]
    pid = int(number) if number.isdecimal() else 0
    try:
        plain = loads(path.read_bytes())
        device, inode = plain["lock"]
        rest = {name: str(plain[name]) for name in ("cloud", "broker", "mode", "since")}
        began_in, stopped = str(plain["state"]), plain.get("stopped") is True
    except (OSError, Malformed, ValueError, TypeError, KeyError):
        return Entry(file=path, held=held, pid=pid, state=None)
    state = _now_at(Path(began_in), pid, (device, inode))
    return Entry(file=path, held=held, pid=pid, state=state, began_in=began_in, stopped=stopped, **rest)


def _now_at(began_in: Path, pid: int, lock: tuple[object, object]) -> Path | None:
    """Give where a system's folder is: where it was, unless its lock file is another one now."""
    if _identity(began_in / LOCK) == lock:
        return began_in
    with suppress(OSError):
        for opened in Path(f"/proc/{pid}/fd").iterdir():
            if _identity(opened) == lock and _identity(path := opened.readlink()) == lock:
                return path.parent
    return None


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
