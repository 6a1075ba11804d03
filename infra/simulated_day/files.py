"""Files that are either there in full or not at all."""

import os
import tempfile
from pathlib import Path

from infra.simulated_day.problems import UserError


def write_atomically(path: Path, content: bytes, *, durable: bool = True, mode: int = 0o644) -> None:
    """Replace a file in one step; a reader sees the old or the new one, `durable` also after a power cut.

    Raises UserError.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise _unwritable(path, problem) from None


def require_writable(path: Path) -> None:
    """Find out early that `path` can be written later; leaves nothing behind; raises UserError."""
    if path.is_dir():
        raise UserError(f"{path} is a folder", remedy="name a file")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    os.close(handle)
    Path(name).unlink()


def _unwritable(path: Path, problem: OSError) -> UserError:
    why = (problem.strerror or type(problem).__name__).lower()
    return UserError(f"{path} cannot be written: {why}", remedy="name a file in a folder that exists and is yours")
