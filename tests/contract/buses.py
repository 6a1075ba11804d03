"""The buses under one contract: the simulated world's, the same through services, and Pub/Sub's emulator."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self

from infra.one_machine.bus import Deliver, LocalBus
from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.emulators import DEAD_LETTERS, provision
from infra.one_machine.kernel import Kernel
from infra.one_machine.live import LiveKernel
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.remote import RemoteBus, RemoteVault
from infra.one_machine.services import ServiceDesk
from infra.one_machine.timeline import PacedClock, Timeline
from infra.one_machine.vault import FileVault
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.pubsub_bus import PubsubBus
from shared.ports import Bus, Clock
from shared.stored import Domain
from shared.topology import RW, Function, Subscription, Topology
from tests.contract.clouds import new_project
from tests.doors.fakes import Lines
from tests.patience import PATIENCE_S

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
SPEED = 20.0
TRIES = {"signals": 5, "exits": 6}


CALLER = "asks-all"


def _receiver(topic: str) -> Function:
    one = Subscription(topic=topic, ack_deadline_s=30, min_backoff_s=1, max_backoff_s=1, max_attempts=TRIES[topic])
    return Function(name=f"takes-{topic}", purpose=f"receives {topic}", home=Domain.BOOK, subscriptions=(one,))


_SECRETS = dict.fromkeys(("access", "consumer", "request"), "")
GRAPH = Topology(
    functions=(
        *(_receiver(topic) for topic in TRIES),
        Function(
            name=CALLER, purpose="publishes and keeps secrets", home=Domain.BOOK, publishes=frozenset(TRIES),
            secrets=dict.fromkeys(_SECRETS, RW),
        ),
    ),
    topics=dict.fromkeys(TRIES, ""), schedules=(), secrets=_SECRETS, collections={},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One delivery as a function receives it; `attempt` counts the deliveries of its message."""

    function: str
    data: bytes
    attributes: dict[str, str]
    message_id: str
    attempt: int


Answer = Callable[[Push], int]


class BusWorld(Protocol):
    """A bus, its clock, and functions that answer each push with a status."""

    @property
    def bus(self) -> Bus:
        """The bus under contract."""

    @property
    def clock(self) -> Clock:
        """The clock in which it lives."""

    @property
    def pushes(self) -> list[Push]:
        """Every delivery so far."""

    def answer(self, answer: Answer) -> None:
        """Have the functions answer so from now on."""

    def wait(self, done: Callable[[], bool]) -> bool:
        """Let the world live until something is so; False when it never was."""

    def dead_letters(self) -> list[bytes]:
        """Give the data of the messages that were given up."""


class _Receiver:
    """Records pushes and answers them."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self._answer: Answer = lambda _push: 204
        self._lock = threading.Lock()

    def answer(self, answer: Answer) -> None:
        self._answer = answer

    def receive(self, function: str, body: bytes) -> int:
        message: dict[str, Any] = json.loads(body)["message"]
        with self._lock:
            attempt = 1 + sum(1 for one in self.pushes if one.message_id == message["messageId"])
            push = Push(
                function=function, data=base64.b64decode(message.get("data", "")), attempt=attempt,
                attributes=message.get("attributes", {}), message_id=message["messageId"],
            )  # fmt: skip
            self.pushes.append(push)
        return self._answer(push)


class KernelBus(_Receiver):
    """The simulated world's bus in simulated time."""

    def __enter__(self) -> Self:
        self._kernel = Kernel(start=START, seed=1)
        self._queue = SqliteQueue(None)
        self.clock: Clock = KernelClock(self._kernel)
        self._local = LocalBus(
            kernel=self._kernel, topology=GRAPH, queue=self._queue, deliver=self.receive,
            chance=SeededChance(seed=1, name="bus"),
        )  # fmt: skip
        self.bus: Bus = self._local
        return self

    def __exit__(self, *_: object) -> None:
        self._kernel.close()
        self._queue.close()

    def wait(self, done: Callable[[], bool]) -> bool:
        for second in range(1, PATIENCE_S + 1):
            if done():
                return True
            self._kernel.run(START + timedelta(seconds=second))
        return done()

    def dead_letters(self) -> list[bytes]:
        return [one.message.data for one in self._local.dead_letters()]


@contextmanager
def served_vault(folder: Path) -> Iterator[RemoteVault]:
    """Give a vault as a function's process sees it: through the services."""
    kernel = LiveKernel(timeline=Timeline.real(), seed=1)
    with closing(SqliteQueue(None)) as queue, closing(kernel), _desk(kernel, queue, folder, lambda *_: 204) as desk:
        yield RemoteVault(desk.services(CALLER))


@contextmanager
def _desk(kernel: LiveKernel, queue: SqliteQueue, folder: Path, deliver: Deliver) -> Iterator[ServiceDesk]:
    chance = SeededChance(seed=1, name="bus")
    bus = LocalBus(kernel=kernel, topology=GRAPH, queue=queue, deliver=deliver, chance=chance)
    vault = FileVault(folder / "vault.bin", key=bytes(32))
    with ServiceDesk(kernel=kernel, bus=bus, vault=vault, topology=GRAPH, journal=Lines()) as desk:
        yield desk


def _waited(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < end:
        time.sleep(0.01)
    return done()


class ServedBus(_Receiver):
    """The one-machine cloud's bus as a function's process sees it: through the services, on a kernel that lives.

    Its time runs at `SPEED`, so that waits stay short.
    """

    def __enter__(self) -> Self:
        self._closing = ExitStack()
        timeline = Timeline.starting(START, SPEED)
        self._kernel = LiveKernel(timeline=timeline, seed=1)
        self._queue = self._closing.enter_context(closing(SqliteQueue(None)))
        folder = Path(self._closing.enter_context(TemporaryDirectory()))
        life = threading.Thread(target=self._live)
        life.start()
        self._closing.callback(life.join)
        self._closing.callback(self._kernel.stop)
        desk = self._closing.enter_context(_desk(self._kernel, self._queue, folder, self._deliver))
        self.clock: Clock = PacedClock(timeline)
        self.bus: Bus = RemoteBus(desk.services(CALLER))
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def wait(self, done: Callable[[], bool]) -> bool:
        return _waited(done)

    def dead_letters(self) -> list[bytes]:
        return [one.message.data for one in self._queue.dead_letters()]

    def _deliver(self, function: str, body: bytes) -> int:
        return self._kernel.outside(lambda: self.receive(function, body))

    def _live(self) -> None:
        self._kernel.run(datetime(9000, 1, 1, tzinfo=UTC))
        self._kernel.close()


class EmulatedBus(_Receiver):
    """Pub/Sub's emulator, which pushes to a server on loopback."""

    def __enter__(self) -> Self:
        self._closing = ExitStack()
        self._project = new_project()
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self._closing.callback(server.server_close)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._closing.callback(server.shutdown)
        self._given_up: list[bytes] = []
        address = f"http://127.0.0.1:{server.server_address[1]}"
        provision(GRAPH, project=self._project, endpoint=lambda function: f"{address}/{function.name}")
        self._push_dead_letters_to(f"{address}/{DEAD_LETTERS}")
        self.clock: Clock = SystemClock()
        bus = PubsubBus(project=self._project, clock=self.clock, chance=SystemChance())
        self._closing.callback(bus.close)
        self.bus: Bus = bus
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def wait(self, done: Callable[[], bool]) -> bool:
        return _waited(done)

    def dead_letters(self) -> list[bytes]:
        return self._given_up

    def receive(self, function: str, body: bytes) -> int:
        if function != DEAD_LETTERS:
            return super().receive(function, body)
        self._given_up.append(base64.b64decode(json.loads(body)["message"]["data"]))
        return 204

    def _push_dead_letters_to(self, endpoint: str) -> None:
        from google.cloud.pubsub_v1 import SubscriberClient

        with SubscriberClient() as subscriber:
            subscriber.create_subscription(
                request={
                    "name": subscriber.subscription_path(self._project, "given-up"),
                    "topic": f"projects/{self._project}/topics/{DEAD_LETTERS}",
                    "push_config": {"push_endpoint": endpoint},
                }
            )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receive = self.receive

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receive(self.path.removeprefix("/"), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
