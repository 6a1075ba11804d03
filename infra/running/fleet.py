"""All functions' processes of a desk: started together, delivered to within their places, watched, ended together."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.one_machine.bus import PUSH_HEADERS
from infra.one_machine.loopback import LOOPBACK, held_port
from infra.one_machine.processes import FunctionProcess
from infra.running.folder import ROOT, Folder
from infra.running.status import FunctionStatus
from shared.settings import OWN_STRATEGIES
from shared.topology import TOPOLOGY, Function

PUBLIC = "oauth_callback"
FULL = 429
_PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR", "TZ")


@contextmanager
def function_ports(*, public: int) -> Iterator[Mapping[str, int]]:
    """Hold a port for every function, the public one's as asked for unless 0; raises ConfigError when it is taken."""
    wanted = {one.name: public if one.name == PUBLIC else 0 for one in TOPOLOGY.functions}
    with ExitStack() as held:
        yield {name: held.enter_context(held_port(port)) for name, port in wanted.items()}


class Fleet:
    """The processes by function, each started by the module `launcher`, which take deliveries from nobody else.

    Each serves `concurrency` x `max_instances` requests at once, as its instances do.
    """

    def __init__(self, ports: Mapping[str, int], launcher: str) -> None:
        self._ports = ports
        self._launcher = launcher
        self.push_keys = {name: secrets.token_urlsafe(32) for name in self._ports}
        self._busy = dict.fromkeys(self._ports, 0)
        self._ending = False
        self._processes: dict[str, FunctionProcess] = {}

    def __getitem__(self, function: str) -> FunctionProcess:
        return self._processes[function]

    def __iter__(self) -> Iterator[FunctionProcess]:
        return iter(self._processes.values())

    def endpoint(self, function: Function) -> str:
        """Give the address that Pub/Sub's emulator pushes to, with the key that it cannot carry otherwise."""
        return f"http://{self.addresses[function.name]}/?key={self.push_keys[function.name]}"

    @property
    def addresses(self) -> dict[str, str]:
        """Host and port of each function, known before it starts."""
        return {name: f"{LOOPBACK}:{port}" for name, port in self._ports.items()}

    def start(self, folder: Folder, environ: Mapping[str, str]) -> None:
        """Unpack the archives and start every function; raises ConfigError when one cannot serve."""
        own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # Behind the archive's own folder, so that only what is not in the archive comes from the checkout.
        own |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        # What the owner wrote goes into the archive: a folder outside of it is nobody's.
        strategies = environ.get(OWN_STRATEGIES, "")
        environ = {name: value for name, value in environ.items() if name != OWN_STRATEGIES}
        for name, source in folder.unpacked(Path(strategies) if strategies else None).items():
            function = TOPOLOGY.function(name)
            its_own = {**function.environ, "THREADS": str(function.places)}
            self._processes[name] = FunctionProcess(
                function=function, source=source, world=folder.world_of(name), log=folder.log(name),
                port=self._ports[name], environ={**own, **environ, **its_own}, push_key=self.push_keys[name],
                launcher=self._launcher,
            )  # fmt: skip
        for process in self:
            process.start()
        for process in self:
            process.await_ready()

    def deliver(self, function: str, body: bytes, outside: Callable[[Callable[[], int]], int]) -> int:
        """Deliver one push as Cloud Run would let it in, with the blocking part through `outside`."""
        if self._busy[function] >= self[function].function.places:
            return FULL
        self._busy[function] += 1
        try:
            return outside(lambda: self[function].post(body, PUSH_HEADERS))
        finally:
            self._busy[function] -= 1

    def end_hung(self, margin_s: float, *, speed: float) -> dict[str, float]:
        """End what was silent for longer than a request may last and a margin, real seconds; give for how long.

        Faster time allows no less: what a function computes takes its real time at any speed.
        """
        if self._ending:
            return {}
        pace = min(1.0, speed)
        silent = {one.name: one.end_if_hung(one.function.timeout_s / pace + margin_s) for one in self}
        return {name: silent_s for name, silent_s in silent.items() if silent_s is not None}

    def look_after(self) -> dict[str, int]:
        """Start again what has died and give its exit codes; at the end of all nothing is started again."""
        if self._ending:
            return {}
        codes = {process.name: process.look_after() for process in self}
        return {name: code for name, code in codes.items() if code is not None}

    def status(self) -> tuple[FunctionStatus, ...]:
        """Ask every process whether it answers."""
        return tuple(
            FunctionStatus(
                name=one.name, address=one.address, pid=one.pid, answers=one.answers(), restarts=one.restarts
            )
            for one in self
        )

    def end(self) -> None:
        """Ask all of them to end, then see to it."""
        self._ending = True
        for process in self:
            process.ask_to_end()
        for process in self:
            process.end()
