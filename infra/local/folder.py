"""A state folder belongs to one process at a time."""

import fcntl
import os
from pathlib import Path

from shared.errors import ConfigError


class FolderLock:
    """Holds a folder until `release` or the end of the process, however it ends; a held one is a ConfigError.

    The operating system keeps the lock, so that a dead process cannot. The file names its holder.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise ConfigError((f"{folder} cannot be used as a state folder: {problem.strerror}",)) from problem
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            remedy = "stop it, or use another folder"
            raise ConfigError((f"{folder} is in use by process {holder}; {remedy}",)) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next process in; a second time is no error."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
