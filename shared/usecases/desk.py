"""What every use case works with: the ports and typed documents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.codec import decode, encode
from shared.errors import Conflict
from shared.ports import Bus, Chance, Clock, Create, Journal, Put, Store, Update

T = TypeVar("T")
TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One function's ports; `actor` is its name in audit events."""

    actor: str
    clock: Clock
    chance: Chance
    store: Store
    bus: Bus
    journal: Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Generic[T]):
    """A document as it was read: its value, and the version that an update has to find."""

    path: str
    value: T
    version: str = field(repr=False)

    def update(self, value: T) -> Update:
        """Give the write that replaces this document if nobody else did."""
        return Update(self.path, encode(value), self.version)


def read(store: Store, kind: type[T], path: str) -> Held[T] | None:
    """Read one typed document, or None."""
    document = store.get(path)
    if document is None:
        return None
    return Held(path=path, value=decode(kind, document.data), version=document.version)


def create(path: str, value: object) -> Create:
    """Give the write that creates a typed document."""
    return Create(path, encode(value))


def put(path: str, value: object) -> Put:
    """Give the write that stores a typed document whatever was there."""
    return Put(path, encode(value))


def persist(attempt: Callable[[], T]) -> T:
    """Run a read-decide-commit step again when somebody else wrote first, `TRIES` times at most."""
    for _ in range(TRIES - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
