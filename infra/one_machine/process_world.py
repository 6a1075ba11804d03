"""The world of one function that runs in a process of its own, behind the same ports as everywhere."""

import dataclasses
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import thread_time
from typing import Any

from requests.adapters import BaseAdapter

from infra.one_machine.remote import RemoteBus, RemoteVault
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.timeline import PacedClock
from infra.one_machine.wire import Services
from infra.one_machine.world_file import SIMULATOR, WorldFile
from shared import divided, wiring
from shared.domain.telling.wording import ETRADE
from shared.gcp.chance import SystemChance
from shared.gcp.journal import CloudJournal
from shared.gcp.threads import Threads
from shared.ports import (
    Bus,
    Chance,
    Clock,
    Document,
    HistorySource,
    Journal,
    Looks,
    Scalar,
    Severity,
    Store,
    Where,
    Write,
)
from shared.topology import CONSUMER, TOPOLOGY, Right
from shared.wiring import Platform


def install(world: WorldFile, function: str, outside: Callable[[Platform], Platform]) -> None:
    """Make `world` the one that the function finds when it starts, with the outside that `outside` gives it."""
    build = _on_emulators if world.cloud == "emulators" else _on_one_machine
    platform = outside(build(world, function))
    wiring.use(lambda _: platform)


def _on_one_machine(world: WorldFile, function: str) -> Platform:
    clock = PacedClock(world.timeline)
    services = Services(address=world.services, key=world.key)
    one, file = TOPOLOGY.function(function), LateStore(lambda: SqliteStore(Path(world.state), durable=True))
    return Platform(
        function=one, environ=os.environ, clock=clock, chance=SystemChance(), side_by_side=Threads(clock),
        store=divided.of_function(divided.one_for_all(file), TOPOLOGY, one),
        bus=RemoteBus(services), vault=RemoteVault(services), journal=_journal(world, function, clock),
        looks=_looks(world, function), **_broker_side(world, function),
    )  # fmt: skip


def _on_emulators(world: WorldFile, function: str) -> Platform:
    from infra.one_machine.secret_manager import connect
    from shared.gcp.secret_vault import SecretVault
    from shared.wiring.cloud import cloud

    bus, simulated = _open_bus if TOPOLOGY.function(function).publishes else None, world.broker is not None
    platform = cloud(function, bus, http=_http(world, function), simulated=simulated)
    clock = PacedClock(world.timeline)
    vault = SecretVault(
        project=world.project, clock=platform.clock, chance=platform.chance, connect=lambda: connect(world.secrets),
        adds_only=platform.function.adds_only,
    )  # fmt: skip
    journal = _journal(world, function, clock)
    return dataclasses.replace(
        platform, clock=clock, side_by_side=Threads(clock), vault=vault, journal=journal,
        looks=_looks(world, function), **_broker_side(world, function),
    )  # fmt: skip


def _open_bus(project: str, clock: Clock, chance: Chance) -> Bus:
    from shared.wiring.cloud_bus import open_bus  # late: only the archives of who publishes hold it

    return open_bus(project, clock, chance)


def _broker_side(world: WorldFile, function: str) -> dict[str, Any]:
    return {
        "history": _history(world, function), "http": _http(world, function), "authorize_page": world.authorize_page,
        "pace": world.speed, "cpu": thread_time if world.broker is None else None,
        "broker": ETRADE if world.broker is None else SIMULATOR,
    }  # fmt: skip


def _http(world: WorldFile, function: str) -> BaseAdapter | None:
    if world.broker is None or CONSUMER not in TOPOLOGY.function(function).secrets:
        return None
    from infra.one_machine.to_simulator import (
        ToSimulator,  # late: only the archives of who calls E*TRADE hold what it needs
    )

    return ToSimulator(world.broker)


def _looks(world: WorldFile, function: str) -> Looks | None:
    if not world.looks or Right.WRITE not in TOPOLOGY.function(function).collections.get("receipts", Right(0)):
        return None
    from infra.one_machine.looks import KeptLooks  # late: only the function that scans records

    return KeptLooks(Path(world.looks))


def _history(world: WorldFile, function: str) -> HistorySource | None:
    if world.history is None or Right.WRITE not in TOPOLOGY.function(function).collections.get("history", Right(0)):
        return None
    from infra.one_machine.history import MarketHistory  # late: only the archives of who reads bars hold what it needs

    return MarketHistory.read(Path(world.history))


def _journal(world: WorldFile, function: str, clock: Clock) -> Journal:
    return StampedJournal(CloudJournal(function, project=world.project), clock)


class StampedJournal:
    """Adds the world's instant to each line, which the wall clock of a log cannot tell."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Write one line."""
        self._journal.line(event, severity, at=self._clock.now().isoformat(), **fields)


class LateStore:
    """A Store that is opened at its first use: the server forks, and no connection to a file may cross that."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._lock = threading.Lock()
        self._store: Store | None = None

    def get(self, path: str) -> Document | None:
        """Read one document, or None."""
        return self._opened().get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions."""
        return self._opened().commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        return self._opened().query(collection, *where, order_by=order_by, limit=limit)

    def _opened(self) -> Store:
        with self._lock:
            if self._store is None:
                self._store = self._open()
            return self._store
