"""What every use case works with: the ports and typed documents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from shared.codec import decode, encode
from shared.errors import Conflict, Malformed
from shared.ports import Bus, Chance, Clock, Create, Document, Journal, Put, Severity, Store, Update, Where

T = TypeVar("T")
TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One function's ports; `actor` is its name in audit events.

    `pace` is how many seconds of `clock` pass while a person lives through one: what waits for a person lasts that much
    longer on a clock that runs faster than theirs.
    """

    actor: str
    clock: Clock
    chance: Chance
    store: Store
    bus: Bus
    journal: Journal
    pace: float = 1.0


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


def read_sound(desk: Desk, kind: type[T], path: str) -> Held[T] | None:
    """Read one typed document that can be made anew; one that cannot be read is reported, and counts as none."""
    value, version = read_over(desk, kind, path)
    return None if value is None or version is None else Held(path=path, value=value, version=version)


def read_over(desk: Desk, kind: type[T], path: str) -> tuple[T | None, str | None]:
    """Read one typed document to write over it: its value, as `read_sound` gives it, and the version that is there."""
    document = desk.store.get(path)
    if document is None:
        return None, None
    try:
        return decode(kind, document.data), document.version
    except Malformed as problem:
        desk.journal.line("unreadable_document", Severity.CRITICAL, path=path, detail=problem.detail)
        return None, document.version


def held_rows(
    desk: Desk, kind: type[T], rows: Sequence[Document], *, on_bad: Callable[[], object] = lambda: None
) -> list[Held[T]]:
    """Type the documents of a query; one that cannot be read is reported and left out, so that it hides no other."""
    held = []
    for row in rows:
        try:
            held.append(Held(path=row.path, value=decode(kind, row.data), version=row.version))
        except Malformed as problem:
            desk.journal.line("unreadable_document", Severity.CRITICAL, path=row.path, detail=problem.detail)
            on_bad()
    return held


def create(path: str, value: object) -> Create:
    """Give the write that creates a typed document."""
    return Create(path, encode(value))


def put(path: str, value: object) -> Put:
    """Give the write that stores a typed document whatever was there."""
    return Put(path, encode(value))


def replaced(path: str, held: Held[T] | None, value: T) -> Create | Update:
    """Give the write that replaces what was read there, or nothing; its commit is a Conflict when that changed."""
    return create(path, value) if held is None else held.update(value)


def not_before(name: str, at: datetime) -> Where:
    """Ask for the documents whose instant `name` is `at` or later; within the second of `at` text decides, not time."""
    return Where(name, ">=", at.isoformat().replace("+00:00", "Z"))


def persist(attempt: Callable[[], T]) -> T:
    """Run a read-decide-commit step again when somebody else wrote first, `TRIES` times at most."""
    for _ in range(TRIES - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
