"""What a run's journal counts: scan ticks, quotes, answers from a cache, refused accesses, troubles."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.codec import loads
from shared.errors import Malformed

_TROUBLE = frozenset({"ERROR", "CRITICAL"})


@dataclass(slots=True, kw_only=True)
class Counts:
    """Sums over the journal's lines so far; `troubles` counts errors by function and event.

    `took_ms` is of each tick of the scan how long after its first request its last verdict was there.
    """

    ticks: int = 0
    quotes: int = 0
    asked: int = 0
    served: int = 0
    took_ms: list[int] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    crashed: bool = False

    def add(self, line: dict[str, Any]) -> None:
        """Count one line."""
        match line.get("event"):
            case "minute_scanned" | "scan_handed_over":
                self.ticks += _whole(line, "ticks")
                self.quotes += _whole(line, "quotes")
                self.took_ms += [int(one) for one in str(line.get("took_ms", "")).split(",") if one.isdecimal()]
            case "undeclared_access":
                self.undeclared.append(_access(line))
            case "cache":
                self.asked += _whole(line, "asked")
                self.served += _whole(line, "served")
            case event if line.get("severity") in _TROUBLE:
                self.troubles[f"{line.get('function', 'a function')}: {event}"] += 1
                self.crashed = self.crashed or line.get("severity") == "CRITICAL"
            case _:
                pass


class JournalTail:
    """Reads a growing journal file piece by piece; a line that is still being written is read next time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.counts = Counts()

    def read(self) -> Counts:
        """Count what was added since the last call; a file that is not there yet counts nothing."""
        if not self._path.exists():
            return self.counts
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for raw in whole.splitlines():
            try:
                line = loads(raw)
            except Malformed:
                continue  # a killed process can leave half a line, and the next one appends behind it
            if isinstance(line, dict):
                self.counts.add(line)
        return self.counts


def _whole(line: dict[str, Any], name: str) -> int:
    value = line.get(name, 0)
    return value if isinstance(value, int) else 0


def _access(line: dict[str, Any]) -> str:
    return f"{line.get('function', 'a function')} has no right to {line.get('what', 'what it did')}"
