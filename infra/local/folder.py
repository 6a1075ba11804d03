"""A state folder belongs to one process at a time, or to commands that only look at it and change single documents."""

import fcntl
import os
import time
from pathlib import Path

from shared.errors import ConfigError

PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.05


class FolderHeld(ConfigError):
    """Somebody else has the folder for themselves."""


class FolderLock:
    """Holds a folder until `release` or the end of the process, however it ends.

    A desk and a run hold it for themselves; an owner's command holds it `shared`, with other commands and with no desk.
    Raises FolderHeld at once where somebody has it for themselves, and after `PATIENCE_S` where commands do not let
    go of it; ConfigError where there is no such folder to have.

    The operating system keeps the lock, so that a dead process cannot. The file names who holds it alone.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise ConfigError((f"{folder} cannot be used as a state folder: {problem.strerror}",)) from problem
        try:
            if shared:
                self._share(folder)
            else:
                self._take(folder)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next process in; a second time is no error."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _share(self, folder: Path) -> None:
        if not self._locked(fcntl.LOCK_SH):
            holder = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            raise FolderHeld((f"{folder} is in use by process {holder}; stop it, or use another folder",))

    def _take(self, folder: Path) -> None:
        until = time.monotonic() + PATIENCE_S
        while not self._locked(fcntl.LOCK_EX):
            self._share(folder)  # only commands share: this tells them from a desk
            fcntl.flock(self._file, fcntl.LOCK_UN)
            if time.monotonic() > until:
                what = f"a command such as `strategy secrets set` is at work on {folder}, and nothing was changed"
                raise FolderHeld((f"{what}; let it end, then start again",))
            time.sleep(_LOOK_EVERY_S)
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def _locked(self, how: int) -> bool:
        try:
            fcntl.flock(self._file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
