"""The world of one function that runs in a process of its own, behind the same ports as everywhere."""

import dataclasses
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from time import thread_time
from typing import Any
from urllib.parse import parse_qs

from requests.adapters import BaseAdapter

from infra.one_machine.remote import RemoteBus, RemoteVault
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.timeline import AnyTimeline, HeldTimeline, PacedClock, Timeline
from infra.one_machine.wire import Services
from shared import divided, wiring
from shared.errors import ConfigError
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

ALIVE = "/.alive"
_MILLISECOND = timedelta(milliseconds=1)

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WorldFile:
    """What a process must know of its world; the file is this user's alone, because it holds keys.

    Each function has a file of its own, with its own keys and nobody else's; the owner's commands read another one.
    `cloud` is `local` (then `services` and `state` count) or `emulators` (then `project` and the two addresses, which
    the library reads from the environment); `sign_in` is where the browser of the `operator` begins, and `account_id`
    the account of the settings; `broker` is the address of a simulator, or None for the network; `history` names a file
    of daily bars; `time` is the file of a simulated time that stands at `at` until it begins, none for the wall clock,
    and `speed` how fast it then passes; `looks` is the folder of the scan's recordings; `key` is what this
    reader shows to the services, and `push_key` what deliveries to it show ("" for the owner, whom nobody delivers to).
    """

    cloud: str
    push_key: str
    time: str = ""
    at: str = ""
    services: str = ""
    key: str = ""
    state: str = ""
    project: str = "local"
    secrets: str = ""
    firestore: str = ""
    sign_in: str = ""
    operator: str = ""
    account_id: str = ""
    broker: str | None = None
    history: str | None = None
    speed: float = 1.0
    looks: str = ""

    def __repr__(self) -> str:
        return f"WorldFile({self.cloud})"

    @classmethod
    def read(cls, path: Path) -> "WorldFile":
        """Read a file that `write` left; raises ConfigError for another."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            what = f"{path} does not describe a running desk"
            raise ConfigError((f"{what}: ask again when it has started, or end it and start it again",)) from None

    def write(self, path: Path) -> None:
        """Write the file, for this user's eyes only."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")

    @property
    def timeline(self) -> AnyTimeline:
        """The world's time."""
        if not self.time:
            return Timeline.real()
        return HeldTimeline(Path(self.time), at=datetime.fromisoformat(self.at))

    @property
    def authorize_page(self) -> str | None:
        """Where the owner accepts, None for E*TRADE's own page."""
        return None if self.broker is None else f"{self.broker}/e/t/etws/authorize"

    def admitting(self, app: App, *, public: bool) -> App:
        """Let only the desk's own deliveries in, unless the function is public; tell the desk that this is its own.

        A delivery shows the key in its header, or in the address, which is all that the Pub/Sub emulator can carry.
        """

        def admitted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            shown = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
            shown = shown or parse_qs(environ.get("QUERY_STRING", "")).get("key", [""])[0]
            ours = self.push_key != "" and hmac.compare_digest(shown.encode(), self.push_key.encode())
            if environ["PATH_INFO"] == ALIVE:
                start_response("204 No Content" if ours else "403 Forbidden", [])
                return []
            if not (ours or public):
                start_response("403 Forbidden", [("Content-Type", "text/plain")])
                return [b"Only the system itself may deliver here."]
            return app(environ, start_response)

        return admitted

    def told_in_its_time(self, app: App) -> App:
        """Translate the publish time of a push from the emulator, which knows the wall clock only."""
        if self.cloud != "emulators":
            return app
        timeline = self.timeline

        def translated(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                raw = _in_time(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), timeline)
                environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(raw), str(len(raw))
            return app(environ, start_response)

        return translated


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


def _in_time(raw: bytes, timeline: AnyTimeline) -> bytes:
    """Translate the publish time; a body that has none is left as it is, for the door to refuse."""
    try:
        body = json.loads(raw)
        message = body["message"]
        for name in ("publishTime", "publish_time"):
            # The emulator cuts to milliseconds: a tick of 10:31:00.0002 must not become one of the minute before.
            message[name] = timeline.seen(datetime.fromisoformat(message[name]) + _MILLISECOND).isoformat()
    except (ValueError, TypeError, KeyError):
        return raw
    return json.dumps(body).encode()
