"""A recording of the scan's looks on this machine's disk: `looks/DAY.looks.gz` and the minute that runs beside it.

What can go wrong: the process dies between two lines or while a minute is compressed; the machine loses its power; the
disk is full; two processes keep one day. What this promises: each line goes to the disk's cache at once, as plain text
in `DAY.part`; at a minute's end that becomes one gzip member of `DAY.looks.gz`, which is written before the part is
emptied, and a part whose number the compressed file has is not read again; a member that was cut off is cut away, for
its part is still there. A line that cannot be written whole is taken back, and the recording ends. One process keeps a
day, the others are refused with its number. Whether a recording is wanted is a file, `wanted`, which is looked for once
a minute.
"""

import fcntl
import gzip
import os
import threading
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from shared.codec import loads
from shared.errors import Malformed, NotKept

WANTED = "wanted"
SUFFIX = ".looks.gz"
_GZIP = 31  # zlib's window bits for "a gzip stream, header and checksum included"
FIRST = b"0\n"
"""How a file begins that has all lines in one member."""
_FAST = 1
_CHUNK = 1 << 16


def path_of(folder: Path, day: date) -> Path:
    """Give where the looks of a day lie."""
    return folder / f"{day}{SUFFIX}"


def _part_of(folder: Path, day: date) -> Path:
    return folder / f"{day}.part"


class KeptLooks:
    """Keeps the lines of a recording in `folder`; several threads of one process may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one = threading.Lock()
        self._day: date | None = None
        self._part: int | None = None
        self._held: int | None = None
        self._number = 0
        self._run = 0

    def open(self, day: date) -> int:
        """See `shared.ports.Looks`."""
        with self._one:
            try:
                if not (self._folder / WANTED).exists():
                    self._let_go()
                    return 0
                if day != self._day:
                    self._let_go()
                    self._take(day)
            except OSError as problem:
                self._let_go()
                raise _refused(self._folder, problem) from None
            return self._run

    def keep(self, line: bytes) -> None:
        """See `shared.ports.Looks`."""
        with self._one:
            if self._part is not None:
                self._write(line + b"\n")

    def turn(self) -> None:
        """See `shared.ports.Looks`."""
        with self._one:
            if self._part is not None and self._day is not None:
                try:
                    self._compress(self._day)
                except OSError as problem:
                    self._let_go()
                    raise _refused(self._folder, problem) from None

    def _write(self, line: bytes) -> None:
        part = self._part
        if part is None:
            return
        length = os.fstat(part).st_size
        try:
            done = os.write(part, line)
            if done < len(line):
                raise OSError(28, "No space left on device")
        except OSError as problem:
            os.ftruncate(part, length)
            self._let_go()
            raise _refused(self._folder, problem) from None

    def _take(self, day: date) -> None:
        """Hold a day, and put away the part that a dead process left of it."""
        self._held = _hold(self._folder / f"{day}.lock")
        self._day, self._run = day, self._run + 1
        path, members, whole = path_of(self._folder, day), 0, 0
        for _, whole in _members(path):  # noqa: B007 - where the last one ends
            members += 1
        if path.exists() and path.stat().st_size > whole:
            os.truncate(path, whole)
        self._number = members
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._part = os.open(_part_of(self._folder, day), flags, 0o600)
        kept = os.pread(self._part, os.fstat(self._part).st_size, 0)
        number, lines = _numbered(kept)
        os.ftruncate(self._part, 0)
        if lines and number >= members:
            self._write(_head(members) + lines[: lines.rfind(b"\n") + 1])
            self._compress(day)
        else:
            self._write(_head(self._number))

    def _compress(self, day: date) -> None:
        part = self._part
        if part is None:
            return
        plain = os.pread(part, os.fstat(part).st_size, 0)
        path = path_of(self._folder, day)
        with path.open("ab") as file:
            before = file.tell()
            try:
                file.write(gzip.compress(plain, _FAST, mtime=0))
                file.flush()
            except OSError:
                os.truncate(path, before)
                raise
        self._number += 1
        os.ftruncate(part, 0)
        os.write(part, _head(self._number))

    def _let_go(self) -> None:
        for file in (self._part, self._held):
            if file is not None:
                os.close(file)
        self._part = self._held = self._day = None


def lines_of(folder: Path, day: date) -> Iterator[list[object]]:
    """Read the lines of a day's recording, oldest first, also while it goes on; raises Malformed for what is none.

    A last line that was cut off is left out.
    """
    members = 0
    for plain, _ in _members(path_of(folder, day)):
        members += 1
        yield from _read(_numbered(plain)[1])
    part = _part_of(folder, day)
    number, lines = _numbered(part.read_bytes() if part.exists() else b"")
    if number >= members:
        yield from _read(lines)


def days_of(folder: Path) -> list[date]:
    """Give the days of which there is a recording, oldest first."""
    names = {path.name.partition(".")[0] for path in folder.glob(f"*{SUFFIX}")}
    names |= {path.stem for path in folder.glob("*.part")}
    return sorted(date.fromisoformat(name) for name in names)


def _read(lines: bytes) -> Iterator[list[object]]:
    for line in lines.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        found = loads(line)
        if not isinstance(found, list):
            raise Malformed("a line of a recording is a list")
        yield found


def _head(number: int) -> bytes:
    return b"%d\n" % number


def _numbered(plain: bytes) -> tuple[int, bytes]:
    """Split what a part holds into its number and its lines; -1 for an empty one."""
    head, _, lines = plain.partition(b"\n")
    return (int(head), lines) if head.isdigit() else (-1, b"")


def _members(path: Path) -> Iterator[tuple[bytes, int]]:
    """Give the whole gzip members of a file, each with where it ends, without one that is cut off."""
    if not path.exists():
        return
    with path.open("rb") as file:
        inflate, plain, ends = zlib.decompressobj(_GZIP), bytearray(), 0
        while chunk := file.read(_CHUNK):
            while chunk:
                try:
                    plain += inflate.decompress(chunk)
                except zlib.error:
                    return
                ends += len(chunk) - len(inflate.unused_data)
                chunk = inflate.unused_data
                if inflate.eof:
                    yield bytes(plain), ends
                    inflate, plain = zlib.decompressobj(_GZIP), bytearray()


def _hold(lock: Path) -> int:
    """Hold a lock file until the process ends; raises NotKept with the number of whoever has it."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
        os.close(file)
        raise NotKept(f"process {holder} keeps the recording of this day", quiet=True) from None
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
    except OSError:
        os.close(file)  # else this process would keep itself from the day
        raise
    return file


def _refused(folder: Path, problem: OSError) -> NotKept:
    return NotKept(f"{folder} takes no more: {problem.strerror}")
