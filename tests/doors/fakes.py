"""The ports as a test holds them in its hands: a clock that it moves, a bus and a vault that it breaks."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Request
from werkzeug.test import EnvironBuilder

from infra.one_machine.clock import SeededChance
from infra.one_machine.memory_store import MemoryStore
from shared.errors import DeskError, NotSent
from shared.ports import Document, Scalar, Severity, Where, Write
from shared.usecases.base.desk import Desk

NOW = datetime(2013, 10, 7, 14, 0, tzinfo=UTC)


class HandClock:
    """The Clock port, moved by hand; a sleep moves it too."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now
        self.slept: list[datetime] = []

    def now(self) -> datetime:
        """Give the instant that was set."""
        return self.at

    def sleep_until(self, at: datetime) -> None:
        """Be there at once."""
        self.slept.append(at)
        self.at = max(self.at, at)

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


class Lines:
    """The Journal port as a list."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Scalar]] = []

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Keep one line."""
        self.lines.append({"event": event, "severity": severity.value, **fields})

    @property
    def events(self) -> list[Scalar]:
        """The names of all events so far."""
        return [line["event"] for line in self.lines]


@dataclass(frozen=True, slots=True)
class Published:
    """One message as it reached the bus."""

    topic: str
    data: bytes
    attributes: dict[str, str]
    key: str


class ListBus:
    """The Bus port as a list; while `down` nothing is published."""

    def __init__(self) -> None:
        self.sent: list[Published] = []
        self.down = False

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Keep one message, or refuse."""
        if self.down:
            raise NotSent("the bus does not answer")
        self.sent.append(Published(topic, data, dict(attributes), ordering_key))
        return str(len(self.sent))


class MoodyStore(MemoryStore):
    """A Store that raises `mood` at the next reads, commits or queries that touch a collection in `at`."""

    def __init__(self) -> None:
        super().__init__()
        self.mood: DeskError | None = None
        self.at: frozenset[str] = frozenset()
        self.commits: list[Sequence[Write]] = []

    def _mind(self, *paths: str) -> None:
        if self.mood is not None and any(path.partition("/")[0] in self.at for path in paths):
            raise self.mood

    def get(self, path: str) -> Document | None:
        """Read, in a good mood."""
        self._mind(path)
        return super().get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Commit, in a good mood."""
        self._mind(*(write.path for write in writes))
        self.commits.append(writes)
        return super().commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Query, in a good mood."""
        self._mind(collection)
        return super().query(collection, *where, order_by=order_by, limit=limit)


def notices_of(store: MemoryStore, bus: ListBus) -> list[dict[str, Any]]:
    """List the notices that were published and those whose rows still wait, as they travel, by their instants."""
    published = [one.data for one in bus.sent if one.topic == "notices"]
    waiting = [row.data["body"] for row in store.query("outbox", Where("topic", "==", "notices"))]
    return sorted(map(json.loads, [*published, *waiting]), key=lambda one: str(one["body"]["at"]))


class ListVault:
    """The Vault port in memory; each operation named in `broken` raises what stands there."""

    def __init__(self) -> None:
        self.secrets: dict[str, list[bytes | None]] = {}
        self.broken: dict[str, Exception] = {}
        self.reads = 0

    def _mind(self, operation: str) -> None:
        if operation in self.broken:
            raise self.broken[operation]

    def add(self, secret: str, value: bytes) -> str:
        """Store a version."""
        self._mind("add")
        self.secrets.setdefault(secret, []).append(value)
        return str(len(self.secrets[secret]))

    def read(self, secret: str, version: str) -> bytes:
        """Read a version; raises KeyError."""
        self.reads += 1
        self._mind("read")
        try:
            value = self.secrets[secret][int(version) - 1]
        except IndexError:
            raise KeyError(version) from None
        if value is None:
            raise KeyError(version)
        return value

    def versions(self, secret: str) -> tuple[str, ...]:
        """List what may be read."""
        self._mind("versions")
        return tuple(str(n) for n, value in enumerate(self.secrets.get(secret, []), start=1) if value is not None)

    def destroy(self, secret: str, version: str) -> None:
        """Forget a version."""
        self._mind("destroy")
        self.secrets[secret][int(version) - 1] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """A desk, and the fakes behind its ports."""

    clock: HandClock = field(default_factory=HandClock)
    store: MoodyStore = field(default_factory=MoodyStore)
    bus: ListBus = field(default_factory=ListBus)
    journal: Lines = field(default_factory=Lines)
    vault: ListVault = field(default_factory=ListVault)

    def desk(self, actor: str = "order_placement") -> Desk:
        """Give the desk of one function over these fakes."""
        return Desk(
            actor=actor, clock=self.clock, chance=SeededChance(seed=1, name=actor), store=self.store, bus=self.bus,
            journal=self.journal,
        )  # fmt: skip

    def letters(self) -> list[dict[str, Any]]:
        """Give every dead letter."""
        return [row.data for row in self.store.query("dead_letters")]


def instant(at: datetime) -> str:
    """Write an instant as Pub/Sub does."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def push(data: bytes, /, *, at: datetime = NOW, **message: object) -> bytes:
    """Wrap a message's bytes as Pub/Sub pushes them."""
    content = {
        "data": base64.b64encode(data).decode(), "messageId": "1", "publishTime": instant(at), "attributes": {},
        **message,
    }  # fmt: skip
    return json.dumps({"subscription": "projects/p/subscriptions/s", "deliveryAttempt": 1, "message": content}).encode()


def request(body: bytes, *, method: str = "POST", path: str = "/", **more: Any) -> Request:
    """Make the request that carries a body."""
    builder = EnvironBuilder(method=method, path=path, data=body, content_type="application/json", **more)
    return Request(builder.get_environ())
