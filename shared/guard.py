"""Rights: a function touches what the topology gives it and nothing else, in both worlds.

Google enforces publishing and secrets too, and on one machine the desk's services do, by the key of each function
(infra/one_machine/services.py). Neither knows rights per collection (google-cloud.md 9.5); in the function these
wrappers enforce all three the same way everywhere. A refusal is our bug: it is journalled and raised as
PermissionDenied.
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from shared.errors import PermissionDenied
from shared.ports import Bus, Check, Create, Document, Journal, Severity, Store, Vault, Where, Write
from shared.topology import Function, Right
from shared.trace import ATTRIBUTE, traceparent

_NOTHING = Right(0)


class Guard:
    """Says whether one function has one right."""

    def __init__(self, function: Function, journal: Journal) -> None:
        self._function = function
        self._journal = journal

    def collection(self, path: str, right: Right) -> None:
        """Pass when the function holds `right` on the collection of `path`; raises PermissionDenied."""
        name = path.partition("/")[0]
        if right not in self._function.collections.get(name, _NOTHING):
            self._refuse(f"{right.name} on collection {name}")

    def secret(self, name: str, right: Right) -> None:
        """Pass when the function holds `right` on a secret; raises PermissionDenied."""
        if right not in self._function.secrets.get(name, _NOTHING):
            self._refuse(f"{right.name} on secret {name}")

    def topic(self, name: str) -> None:
        """Pass when the function may publish to a topic; raises PermissionDenied."""
        if name not in self._function.publishes:
            self._refuse(f"publish to topic {name}")

    def _refuse(self, what: str) -> NoReturn:
        self._journal.line("undeclared_access", Severity.CRITICAL, function=self._function.name, what=what)
        raise PermissionDenied(f"{self._function.name} has no right to {what}; add it to shared/topology.py")


class GuardedStore:
    """A Store that enforces the topology's rights per collection."""

    def __init__(self, store: Store, guard: Guard) -> None:
        self._store = store
        self._guard = guard

    def get(self, path: str) -> Document | None:
        """Read one document that may be read."""
        self._guard.collection(path, Right.READ)
        return self._store.get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply writes when every one of them is allowed."""
        for write in writes:
            match write:
                case Check():
                    need = Right.READ
                case Create():
                    need = Right.CREATE
                case _:
                    need = Right.WRITE
            self._guard.collection(write.path, need)
        return self._store.commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Query a collection that may be read."""
        self._guard.collection(collection, Right.READ)
        return self._store.query(collection, *where, order_by=order_by, limit=limit)


class GuardedBus:
    """A Bus on which a function publishes only to its own topics, each message with the trace of the present work."""

    def __init__(self, bus: Bus, guard: Guard) -> None:
        self._bus = bus
        self._guard = guard

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish to a topic that may be published to."""
        self._guard.topic(topic)
        carried = {**attributes, ATTRIBUTE: parent} if (parent := traceparent()) else attributes
        return self._bus.publish(topic, data, attributes=carried, ordering_key=ordering_key)


class GuardedVault:
    """A Vault that enforces the topology's rights per secret."""

    def __init__(self, vault: Vault, guard: Guard) -> None:
        self._vault = vault
        self._guard = guard

    def add(self, secret: str, value: bytes) -> str:
        """Add a version where that is allowed."""
        self._guard.secret(secret, Right.CREATE)
        return self._vault.add(secret, value)

    def read(self, secret: str, version: str) -> bytes:
        """Read a version where that is allowed."""
        self._guard.secret(secret, Right.READ)
        return self._vault.read(secret, version)

    def versions(self, secret: str) -> tuple[str, ...]:
        """List versions where reading is allowed."""
        self._guard.secret(secret, Right.READ)
        return self._vault.versions(secret)

    def destroy(self, secret: str, version: str) -> None:
        """Destroy a version where that is allowed."""
        self._guard.secret(secret, Right.WRITE)
        self._vault.destroy(secret, version)
