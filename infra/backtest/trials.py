"""The register of back-tests: how many configurations saw the same data, for the best of many is good by chance.

What can go wrong: the count is lost with the folder of a run, a copy of the data begins it anew, a repetition or a run
that was refused raises it, two runs write at once, the last line is torn by a crash. What this promises: one file of
the user's, to which a line is added and made durable under a lock before a result is shown; a run without a result
adds none. The same data are the same sessions of the same symbols in the same market, wherever they are kept. Nothing
in the file is changed, and a line that cannot be read is passed over.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from infra.running.registry import kept_at
from infra.simulated_day.problems import UserError
from shared.codec import decode, dumps, encode, loads
from shared.errors import Malformed
from shared.frozen import frozen

VARIABLE = "STRATEGY_TRIALS"
"""Names another file for the register."""


@frozen
class Trial:
    """One configuration that saw some sessions of some symbols; `digest` is that of its content, `config` its name."""

    at: datetime
    market: str
    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    config: str
    digest: str

    def overlaps(self, other: "Trial") -> bool:
        """Tell whether both saw some same session of some same symbol."""
        same = self.market == other.market and not set(self.symbols).isdisjoint(other.symbols)
        return same and not set(self.sessions).isdisjoint(other.sessions)


@frozen
class Standing:
    """How many configurations saw some of the same data, this one among them, and whether this one had `before`."""

    trials: int
    before: bool

    @property
    def sentence(self) -> str:
        """Say it, and what it means."""
        many = f"{self.trials} on these data: the best of many trials looks good by chance alone."
        if self.before:
            again = "This configuration was tried on these data before, and is no new trial."
            return again if self.trials == 1 else f"{again} The trials are {many}"
        return "This is the first trial on these data." if self.trials == 1 else f"This is trial {many}"


def place() -> Path:
    """Give the register's file, which can be written; raises UserError where it cannot, or the user has no home."""
    found = kept_at(VARIABLE, "trials.jsonl")
    if found is None:
        raise UserError("this user has no home folder", remedy=f"set {VARIABLE} to a file")
    with _opened(found, "nothing was played"):
        return found


def enter(file: Path, new: Trial) -> Standing:
    """Write down a trial, and tell how it stands among those of the same data; raises UserError where that fails."""
    with _opened(file, "what was played is not shown") as register:
        fcntl.flock(register, fcntl.LOCK_EX)
        register.seek(0)
        held = register.read()
        torn = b"" if not held or held.endswith(b"\n") else b"\n"
        register.write(torn + dumps(encode(new)) + b"\n")
        register.flush()
        os.fsync(register.fileno())
    seen = {one.digest for one in _read(held) if one.overlaps(new)}
    return Standing(trials=len(seen | {new.digest}), before=new.digest in seen)


@contextmanager
def _opened(file: Path, so: str) -> Iterator[BinaryIO]:
    """Open the register to add to it; raises UserError, which says what became of the run."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+b") as register:
            yield register
    except OSError as problem:
        what = f"the register of back-tests, {file}, cannot be written: {problem.strerror}; {so}"
        raise UserError(what, remedy=f"free the place, or set {VARIABLE} to a file of yours") from None


def _read(held: bytes) -> list[Trial]:
    found = []
    for line in held.splitlines():
        try:
            found.append(decode(Trial, loads(line)))
        except Malformed:
            continue
    return found
