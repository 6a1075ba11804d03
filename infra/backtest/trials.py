"""The register of back-tests: how often the same data were tried, for whoever tries often enough finds something.

What can go wrong: the count is lost with the folder of a run, a run that is stopped is not counted, two runs write at
once, the last line is torn by a crash. What this promises: one file of the user's, to which a line is added and made
durable before the first day is played, under a lock; nothing in it is changed, and a line that
cannot be read is passed over.
"""

import fcntl
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from infra.running.registry import kept_at
from infra.simulated_day.problems import UserError
from shared.codec import dumps, loads
from shared.errors import Malformed

VARIABLE = "STRATEGY_TRIALS"
"""Names another file for the register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One configuration that was tried on a span of some data; `config` is its name and the digest of its settings."""

    at: str
    data: str
    first: str
    last: str
    symbols: str
    config: str

    def overlaps(self, other: "Trial") -> bool:
        """Tell whether both saw some same day of the same data."""
        return self.data == other.data and self.first <= other.last and other.first <= self.last


def trial(*, at: datetime, data: str, first: date, last: date, symbols: tuple[str, ...], config: str) -> Trial:
    """Give the entry of a run."""
    return Trial(
        at=at.isoformat(timespec="seconds"), data=data, first=first.isoformat(), last=last.isoformat(),
        symbols=",".join(symbols), config=config,
    )  # fmt: skip


def place() -> Path:
    """Give the register's file; raises UserError where the user has no home."""
    found = kept_at(VARIABLE, "trials.jsonl")
    if found is None:
        raise UserError("this user has no home folder", remedy=f"set {VARIABLE} to a file")
    return found


def enter(file: Path, new: Trial) -> int:
    """Write down a trial, and give how many there are of these data with it; raises UserError where that fails."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+b") as register:
            fcntl.flock(register, fcntl.LOCK_EX)
            register.seek(0)
            held = register.read()
            torn = b"" if not held or held.endswith(b"\n") else b"\n"
            register.write(torn + dumps(asdict(new)) + b"\n")
            register.flush()
            os.fsync(register.fileno())
    except OSError as problem:
        what = f"the register of back-tests, {file}, cannot be written: {problem.strerror}; nothing was played"
        raise UserError(what, remedy=f"free the place, or set {VARIABLE} to a file of yours") from None
    return 1 + sum(one.overlaps(new) for one in _read(held))


def _read(held: bytes) -> list[Trial]:
    found = []
    for line in held.splitlines():
        try:
            found.append(Trial(**loads(line)))
        except (Malformed, TypeError):
            continue
    return found


def sentence(count: int) -> str:
    """Say how many trials there were of the same data, and what that means."""
    if count == 1:
        return "This is the first trial on these data."
    return f"This is trial {count} on these data: the best of many trials looks good by chance alone."
