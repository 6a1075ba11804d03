"""The one-machine cloud: a topology's functions as real apps in this process, one kernel, one folder."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from requests.adapters import BaseAdapter

from infra.one_machine.bus import PUSH_HEADERS, LocalBus
from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.folder import FolderLock
from infra.one_machine.greenlets import Greenlets
from infra.one_machine.hosting import HostedFunction, load_app
from infra.one_machine.journal import FileJournal, Line
from infra.one_machine.kernel import Kernel
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.scheduler import BodyOf, Lateness, LocalScheduler
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.stated import Stated
from infra.one_machine.timed import Latency, TimedBus, TimedStore, TimedVault
from infra.one_machine.vault import FileVault
from infra.one_machine.world_file import SIMULATOR
from infra.one_machine.wsgi import Answer
from shared import divided, wiring
from shared.errors import ConfigError, InvariantBroken
from shared.ports import Bus, HistorySource, Looks, Store, Vault
from shared.topology import Topology
from shared.wiring import Platform

STATE_FILE = "state.db"
VAULT_FILE = "vault.bin"
JOURNAL_FILE = "journal.jsonl"
UNDECLARED = "undeclared_access"
FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"

STORE_S = (0.002, 0.008)
BUS_S = (0.005, 0.02)
VAULT_S = (0.004, 0.015)


class World:
    """Runs the graph; `store`, `bus`, `vault` and `journal` are for the outside and take no simulated time.

    `file` holds the documents of every domain, `looks` a recording of the scan. The scheduler is as late as `lateness`
    says, punctual without one. With `stated` every time is a constant, no call takes any, and the broker's calls are
    not counted.

    Raises ConfigError for a folder in use, made by a newer version or with another key, and whatever a
    function's cold start raises. A folder left by a killed process is taken up: what was not acknowledged is
    delivered again.
    """

    def __init__(
        self, *, kernel: Kernel, topology: Topology, state: Path, environ: Mapping[str, str], http: BaseAdapter | None,
        history: HistorySource | None, vault_key: bytes, seed: int, body_of: BodyOf, functions_dir: Path = FUNCTIONS,
        duplicate_rate: float = 0.0, lateness: Lateness | None = None, stated: Stated | None = None,
        looks: Looks | None = None,
    ) -> None:  # fmt: skip
        self.kernel = kernel
        self._stated = stated
        self._topology = topology
        self._environ = environ
        self._http = http
        self._history = history
        self._looks = looks
        self._seed = seed
        self._platforms: dict[str, Platform] = {}
        self._hosted: dict[str, HostedFunction] = {}
        with ExitStack() as opened:
            opened.callback(FolderLock(state).release)
            self.journal = FileJournal(state / JOURNAL_FILE, kernel, keep=frozenset({UNDECLARED}))
            opened.callback(self.journal.close)
            self.file = SqliteStore(state / STATE_FILE)
            opened.callback(self.file.close)
            self.store = divided.of_owner(divided.one_for_all(self.file), topology)
            queue = SqliteQueue(state / STATE_FILE)
            opened.callback(queue.close)
            self.vault = FileVault(state / VAULT_FILE, key=vault_key)
            self.bus = LocalBus(
                kernel=kernel,
                topology=topology,
                queue=queue,
                deliver=self._deliver,
                chance=SeededChance(seed=seed, name="bus"),
                duplicate_rate=duplicate_rate,
                transit=None if stated is None else stated.transit,
            )
            self._scheduler = LocalScheduler(kernel=kernel, bus=self.bus, body_of=body_of, lateness=lateness)
            self._load(functions_dir, opened)
            self.bus.resume()
            opened.callback(kernel.close)
            self._opened = opened.pop_all()

    @property
    def denied(self) -> list[Line]:
        """List the journal's lines of accesses that the topology does not give."""
        return [line for line in self.journal.kept if line["event"] == UNDECLARED]

    def platform(self, function: str) -> Platform:
        """Give one function its ports, whose calls take simulated time; the same ones each time."""
        if function not in self._platforms:
            self._platforms[function] = self._platform(function)
        return self._platforms[function]

    def request(
        self,
        function: str,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send an HTTP request to a function; from outside, the world runs on until the answer is there."""

        def ask() -> Answer:
            return self._hosted[function].call(method=method, target=target, headers=headers or {}, body=body)

        return self.kernel.call(ask, name=function)

    def start_schedules(self, until: datetime) -> None:
        """Let the topology's schedules publish from now to `until`."""
        self._scheduler.start(self._topology.schedules, until=until)

    def run(self, until: datetime) -> None:
        """Let the world live until an instant; what escapes an invocation is raised."""
        try:
            self.kernel.run(until)
        finally:
            self.journal.flush()

    def close(self) -> None:
        """End what still waits, write what is buffered, let go of the folder; a second time is no error."""
        self._opened.close()

    def _load(self, functions_dir: Path, opened: ExitStack) -> None:
        wiring.use(self.platform)
        opened.callback(wiring.use, _closed)
        for function in self._topology.functions:
            app = load_app(functions_dir / function.name / "main.py")
            self._hosted[function.name] = HostedFunction(function, app)

    def _platform(self, function: str) -> Platform:
        try:
            entry = self._topology.function(function)
        except KeyError:
            raise InvariantBroken(f"the topology has no function {function}") from None
        chance = SeededChance(seed=self._seed, name=f"latency/{function}")
        store: Store = self.file
        bus: Bus = self.bus
        vault: Vault = self.vault
        if self._stated is None:
            store = TimedStore(store, self.kernel, Latency(chance, *STORE_S))
            bus = TimedBus(bus, self.kernel, Latency(chance, *BUS_S))
            vault = TimedVault(vault, self.kernel, Latency(chance, *VAULT_S))
        return Platform(
            function=entry,
            environ=self._environ,
            clock=KernelClock(self.kernel),
            chance=SeededChance(seed=self._seed, name=f"function/{function}"),
            side_by_side=Greenlets(self.kernel),
            store=divided.of_function(divided.one_for_all(store), self._topology, entry),
            bus=bus,
            vault=vault,
            journal=self.journal.of(function),
            history=self._history,
            http=self._http,
            counted=self._stated is None,
            looks=self._looks,
            broker=SIMULATOR,
        )

    def _deliver(self, function: str, body: bytes) -> int:
        return self._hosted[function].call(method="POST", target="/", headers=PUSH_HEADERS, body=body).status


def _closed(function: str) -> Platform:
    raise ConfigError((f"{function}: its world is closed",))
