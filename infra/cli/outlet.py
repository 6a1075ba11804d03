"""Where a command's words go: a pipe that closes or a disk that is full takes nothing back of what a command does.

What can go wrong: the reader of a pipe has read enough, the disk behind a redirection is full, the terminal is gone.
What this promises: no write of words fails in the middle of a deed; what could not be written is known at its end.
"""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Outlet(io.FileIO):
    """A file descriptor on which every write succeeds.

    `lost` is the first failure, None while all was written and while only a closed pipe took nothing: who reads no
    more misses nothing. `acted` is set once a command did more than look.
    """

    lost: OSError | None = None
    acted: bool = False
    unread: bool = False

    def write(self, content: "ReadableBuffer", /) -> int:
        """Write, or drop what cannot be written; gives how many bytes are done with."""
        try:
            written = cast("int | None", super().write(content))
            if written is None:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        except OSError as problem:
            if problem.errno != errno.EPIPE:
                self.lost = self.lost or problem
            self.unread = True
            return memoryview(content).nbytes
        return written


def outlet_of(stream: io.TextIOWrapper | None) -> tuple[Outlet, io.TextIOWrapper]:
    """Give an outlet to where a stream leads and a stream to it; what was closed from the start leads nowhere."""
    number = os.open(os.devnull, os.O_WRONLY) if stream is None else stream.fileno()
    encoding, errors = ("utf-8", "backslashreplace") if stream is None else (stream.encoding, stream.errors)
    outlet = Outlet(number, "w", closefd=False)
    return outlet, io.TextIOWrapper(
        io.BufferedWriter(outlet), encoding=encoding, errors=errors, line_buffering=True
    )  # fmt: skip


def acted() -> None:
    """Note that the command did what it was asked to do, for the sentence about what could not be shown."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, Outlet):
        raw.acted = True


def unread() -> bool:
    """Tell whether what is written to stdout reaches nobody any more: who goes on showing may end."""
    return bool(getattr(getattr(getattr(sys.stdout, "buffer", None), "raw", None), "unread", False))
