"""A small cache within one instance: values by name, each for a time of its own, and how questions were answered.

What can go wrong: it grows with everything that was ever asked; an old value is taken for a new one. What this
promises: at most so many values, of which those that came first are forgotten first, and none beyond its time. It
belongs to one thread.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(slots=True)
class Served:
    """How many answers of one kind were `asked` for, and how many each level gave; `none` had no value at all.

    `instance` is this cache, `store` what was stored before, `source` whoever was asked for a new one.
    """

    asked: int = 0
    instance: int = 0
    store: int = 0
    source: int = 0
    none: int = 0


class Kept(Generic[V]):
    """At most `most` values by name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[str, tuple[V, datetime]] = {}

    def get(self, name: str, now: datetime) -> V | None:
        """Give what was put there, None when its time is over or it was never put."""
        value, until = self._rows.get(name, (None, now))
        return value if now < until else None

    def put(self, name: str, value: V, until: datetime) -> None:
        """Keep a value until an instant."""
        self._rows.pop(name, None)
        self._rows[name] = value, until
        while len(self._rows) > self._most:
            del self._rows[next(iter(self._rows))]
