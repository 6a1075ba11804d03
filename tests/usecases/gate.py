"""The gate of a bench: every port call passes it, is counted, takes a little time, and may be broken.

What can go wrong at a call: the invocation dies before or after its effect, or hangs; the store is down (with the
commit applied or not); another writer comes first; the whole process dies or stands still, with all that it works on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Protocol, TypeVar

from greenlet import getcurrent, greenlet

from infra.one_machine.clock import KernelClock
from infra.one_machine.kernel import Kernel
from shared.errors import StoreDown
from shared.ports import Document, Store, Where, Write

T = TypeVar("T")


class Died(BaseException):
    """The instance is gone; nothing of it can catch this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens at one port call: before, after, freeze, slow, down_before, down_after, conflict, or a deed.

    `freeze` holds the invocation; `stall` and `kill` stop or end its whole process.
    """

    how: str
    seconds: float = 0
    deed: Callable[[], object] | None = None


class Process:
    """One process of a function: what it works on stands still or dies together; its calls bear its name."""

    def __init__(self, gate: "Gate", kernel: Kernel, name: str) -> None:
        self.dead = False
        self.stands_until = datetime.min.replace(tzinfo=UTC)
        self._gate = gate
        self._kernel = kernel
        self._name = name

    def live(self) -> None:
        """Pass when the process runs; waits while it stands still, raises Died when it is gone."""
        while self._kernel.inside and not self.dead and self._kernel.now() < self.stands_until:
            self._kernel.sleep_until(self.stands_until)
        if self.dead:
            raise Died

    def pass_(self, name: str, effect: Callable[[], T], writes: Sequence[Write] = ()) -> T:
        """Make one call of this process."""
        return self._gate.pass_(f"{self._name}: {name}", effect, writes, process=self)


class ProcessClock(KernelClock):
    """The clock of one process: nobody reads it while the process stands still."""

    def __init__(self, kernel: Kernel, process: Process) -> None:
        super().__init__(kernel)
        self._process = process

    def now(self) -> datetime:
        """Give the simulated instant."""
        self._process.live()
        return super().now()

    def sleep_until(self, at: datetime) -> None:
        """Yield until the simulated instant `at`, and as long as the process stands still."""
        super().sleep_until(at)
        self._process.live()


class Gate:
    """Every port call of every instance: a number, a name, a latency, and perhaps a fault."""

    def __init__(self, kernel: Kernel, seed: int, latency_s: tuple[float, float]) -> None:
        self.names: list[str] = []
        self.faults: dict[int, Fault] = {}
        self.tamper: Callable[[Sequence[Write]], None] = lambda _writes: None
        self.seen: Callable[[str], None] = lambda _name: None
        self.holding = 0
        self._kernel = kernel
        self._chance = Random(f"gate/{seed}")
        self._latency_s = latency_s
        self._dead: set[greenlet] = set()

    def pass_(
        self, name: str, effect: Callable[[], T], writes: Sequence[Write] = (), *, process: Process | None = None
    ) -> T:
        """Make one call, unless its fault says otherwise."""
        if not self._kernel.inside:
            return effect()
        if process is not None:
            process.live()
        if getcurrent() in self._dead:
            raise Died
        self.names.append(name)
        self.seen(name)
        fault = self.faults.get(len(self.names))
        self._kernel.sleep(self._chance.uniform(*self._latency_s))
        if process is not None:
            process.live()
        return effect() if fault is None else self._broken(fault, effect, writes, process)

    def _broken(self, fault: Fault, effect: Callable[[], T], writes: Sequence[Write], process: Process | None) -> T:
        if fault.how == "before" or (fault.how == "kill" and process is None):
            self._die()
        if fault.how == "kill" and process is not None:
            process.dead = True
            process.live()
        if fault.how in {"freeze", "stall"}:
            self._hold(fault, process)
        if fault.how == "down_before":
            raise StoreDown("not applied")
        if fault.how == "conflict":
            self.tamper(writes)
        if fault.deed is not None:
            fault.deed()
        answer = effect()
        if fault.how == "after":
            self._die()
        if fault.how == "slow":
            self._hold(fault, None)
        if fault.how == "down_after":
            raise StoreDown("applied, but nobody heard")
        return answer

    def _hold(self, fault: Fault, process: Process | None) -> None:
        self.holding += 1
        if fault.how == "stall" and process is not None:
            process.stands_until = self._kernel.now() + timedelta(seconds=fault.seconds)
            process.live()
        else:
            self._kernel.sleep(fault.seconds)
        self.holding -= 1

    def _die(self) -> None:
        self._dead.add(getcurrent())
        raise Died


class Passes(Protocol):
    """How a port call passes: through the gate, or through the process that makes it."""

    def __call__(self, name: str, effect: Callable[[], T], writes: Sequence[Write] = ()) -> T:
        """Make one call."""
        ...


class GatedStore:
    """A Store whose calls pass the gate."""

    def __init__(self, store: Store, pass_: Passes) -> None:
        self._store = store
        self._pass = pass_

    def get(self, path: str) -> Document | None:
        """Read one document."""
        return self._pass(f"get {path.partition('/')[0]}", lambda: self._store.get(path))

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none."""
        names = "+".join(f"{type(write).__name__}:{write.path.partition('/')[0]}" for write in writes)
        return self._pass(f"commit {names}", lambda: self._store.commit(writes), writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        ask = partial(self._store.query, collection, *where, order_by=order_by, limit=limit)
        return self._pass(f"query {collection}", ask)
