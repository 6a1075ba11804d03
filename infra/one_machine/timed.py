"""Ports whose calls take simulated time: each call is two yield points, its effect at one instant between.

Half of the time passes before the effect and half after it, so a crash may fall on either side of it: the
call that was never made, and the call whose answer nobody heard.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from infra.one_machine.kernel import Kernel
from shared.ports import Bus, Chance, Document, Store, Vault, Where, Write

T = TypeVar("T")


class Latency:
    """How long one call takes, seeded, in seconds."""

    def __init__(self, chance: Chance, low_s: float, high_s: float) -> None:
        self._chance = chance
        self._low_s = low_s
        self._high_s = high_s

    def draw(self) -> float:
        """Draw the seconds of the next call."""
        return self._chance.uniform(self._low_s, self._high_s)


def timed(kernel: Kernel, latency: Latency, call: Callable[[], T]) -> T:
    """Make a call in the middle of its latency; an error takes as long as an answer."""
    half_s = latency.draw() / 2
    kernel.sleep(half_s)
    try:
        return call()
    finally:
        kernel.sleep(half_s)


class TimedStore:
    """A Store whose calls yield."""

    def __init__(self, store: Store, kernel: Kernel, latency: Latency) -> None:
        self._store = store
        self._kernel = kernel
        self._latency = latency

    def get(self, path: str) -> Document | None:
        """Read one document, or None."""
        return timed(self._kernel, self._latency, lambda: self._store.get(path))

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions."""
        return timed(self._kernel, self._latency, lambda: self._store.commit(writes))

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""

        def ask() -> list[Document]:
            return self._store.query(collection, *where, order_by=order_by, limit=limit)

        return timed(self._kernel, self._latency, ask)


class TimedBus:
    """A Bus whose calls yield."""

    def __init__(self, bus: Bus, kernel: Kernel, latency: Latency) -> None:
        self._bus = bus
        self._kernel = kernel
        self._latency = latency

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish one message and give its id."""

        def send() -> str:
            return self._bus.publish(topic, data, attributes=attributes, ordering_key=ordering_key)

        return timed(self._kernel, self._latency, send)


class TimedVault:
    """A Vault whose calls yield."""

    def __init__(self, vault: Vault, kernel: Kernel, latency: Latency) -> None:
        self._vault = vault
        self._kernel = kernel
        self._latency = latency

    def add(self, secret: str, value: bytes) -> str:
        """Store a new version and give its number."""
        return timed(self._kernel, self._latency, lambda: self._vault.add(secret, value))

    def read(self, secret: str, version: str) -> bytes:
        """Read one version."""
        return timed(self._kernel, self._latency, lambda: self._vault.read(secret, version))

    def versions(self, secret: str) -> tuple[str, ...]:
        """List the usable versions, oldest first."""
        return timed(self._kernel, self._latency, lambda: self._vault.versions(secret))

    def destroy(self, secret: str, version: str) -> None:
        """Make one version unreadable for ever."""
        timed(self._kernel, self._latency, lambda: self._vault.destroy(secret, version))
