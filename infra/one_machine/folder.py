"""A state folder belongs to one process at a time, or to commands that only look at it and change single documents."""

import fcntl
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from shared.errors import ConfigError

LOCK = "lock"
PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.05


class FolderLock:
    """Holds a folder for one process until `release` or the process's end, however it ends.

    Raises ConfigError at once where another process has it so, after `PATIENCE_S` where commands that `share` it do not
    let go of it, and where there is no such folder to have. The operating system keeps the lock, so that a dead process
    cannot. The file names its holder.
    """

    def __init__(self, folder: Path) -> None:
        self._file = _opened(folder)
        try:
            self._take(folder)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next process in; a second time is no error."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _take(self, folder: Path) -> None:
        until = time.monotonic() + PATIENCE_S
        while not _locked(self._file, fcntl.LOCK_EX):
            if not _locked(self._file, fcntl.LOCK_SH):  # only commands share: this tells them from a desk
                holder = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
                what = f"a system runs in {folder} already (process {holder})"
                raise ConfigError((f"{what}: `strategy status` shows it, and Ctrl-C where it was started ends it",))
            fcntl.flock(self._file, fcntl.LOCK_UN)
            if time.monotonic() > until:
                what = f"a command such as `strategy secrets set` is at work on {folder}, and nothing was changed"
                raise ConfigError((f"{what}; let it end, then start again",))
            time.sleep(_LOOK_EVERY_S)
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())


def share(folder: Path) -> Callable[[], None] | None:
    """Hold a folder with other commands and give what lets go of it; None where a process has it for itself."""
    file = _opened(folder)
    if _locked(file, fcntl.LOCK_SH):
        return partial(os.close, file)
    os.close(file)
    return None


def _opened(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise ConfigError((f"{folder} cannot be used as a state folder: {problem.strerror}",)) from problem


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
