"""A half-day on which settlement runs as three instances between which its lease moves, and several symbols are busy.

Every push goes to another instance, as Google may send it: one that took over from another has made no call yet, and
knows nothing of the other's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE
from infra.one_machine.hosting import HostedFunction, load_app
from infra.one_machine.world import FUNCTIONS
from infra.one_machine.wsgi import Answer
from infra.simulated_day.machine import Machine, Surroundings
from shared import wiring
from shared.ports import Create, Document, Store, Update, Where, Write
from shared.wiring import Platform
from tests.simulated_day import made
from tests.simulated_day.seeded import PLAIN

SYMBOLS = ("MADA", "MADB", "MADC", "MADD")
SETTLEMENT = "order_settlement"
INSTANCES = 3
_FOR_EVER = "2100-01-01T00:00:00Z"


def market_file(folder: Path) -> Path:
    """Write a market on which each of `SYMBOLS` does what the made one does, and give its path."""
    bars = [(day, symbol, *rest) for day, _, *rest in made.bars() for symbol in SYMBOLS]
    rows = [(stamp, symbol, *rest) for stamp, _, *rest in made.rows() for symbol in SYMBOLS]
    made.write_rows(folder / DAILY_FILE, bars, columns=BAR_COLUMNS)
    made.write_rows(folder / "market.csv", rows)
    return folder / "market.csv"


def three_settlements(lease_went_to: list[int], *, apart: bool = False) -> Surroundings:
    """Give the surroundings of a day with three settlements, which notes which of them wrote the lease, one by one.

    `apart` has each of them keep limits of its own, a call a second, as they once did.
    """

    def ready(machine: Machine) -> None:
        machine.world._hosted[SETTLEMENT] = Instances(machine, lease_went_to, apart=apart)  # type: ignore[assignment]

    return replace(PLAIN, ready=ready)


class Instances:
    """Three instances of settlement, each pushed to in turn as long as it has a place."""

    def __init__(self, machine: Machine, lease_went_to: list[int], *, apart: bool) -> None:
        world = machine.world
        function = replace(world.platform(SETTLEMENT).function, max_instances=1)
        self.instances: list[HostedFunction] = []
        self._turn = count()
        for number in range(INSTANCES):

            def platform(name: str, number: int = number) -> Platform:
                usual = world.platform(name)
                return replace(usual, store=OfOne(usual.store, number, lease_went_to, apart=apart))

            wiring.use(platform)
            self.instances.append(HostedFunction(function, load_app(FUNCTIONS / SETTLEMENT / "main.py")))
        wiring.use(world.platform)

    def call(self, *, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Serve one request at the next instance that has a place."""
        first = next(self._turn)
        answer = Answer(429, [], b"")
        for number in range(INSTANCES):
            instance = self.instances[(first + number) % INSTANCES]
            answer = instance.call(method=method, target=target, headers=headers, body=body)
            if answer.status != 429:
                return answer
        return answer


class OfOne:
    """The store as one instance has it: who writes the lease is noted, and `apart` it keeps its turns to itself."""

    def __init__(self, store: Store, number: int, lease_went_to: list[int], *, apart: bool) -> None:
        self._store = store
        self._number = number
        self._lease_went_to = lease_went_to
        self._apart = apart

    def get(self, path: str) -> Document | None:
        """Read one document."""
        found = self._store.get(self._own(path))
        return None if found is None else replace(found, path=path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none."""
        if any(write.path == "leases/settle" for write in writes):
            self._lease_went_to.append(self._number)
        return self._store.commit([self._moved(write) for write in writes])

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        return self._store.query(collection, *where, order_by=order_by, limit=limit)

    def _moved(self, write: Write) -> Write:
        if not isinstance(write, Create | Update) or self._own(write.path) == write.path:
            return write
        return replace(write, path=self._own(write.path), data={**write.data, "slow_until": _FOR_EVER})

    def _own(self, path: str) -> str:
        return f"{path}-{self._number}" if self._apart and path.startswith("turns/") else path
