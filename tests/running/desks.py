"""Desks for tests: a folder that has traded for a while, real processes on it, the owner, and how to look at both.

The folder is made by the one-machine day in a second or two, with the same functions, so that a test with real
processes begins where something is at stake: shares are held, a sell order protects them.
"""

import compileall
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from infra.brokersim.market import open_market
from infra.brokersim.network import TRAVEL_S, Network
from infra.brokersim.simulator import ConnectionDropped
from infra.one_machine.clock import SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.timed import Latency
from infra.one_machine.transport import WsgiAdapter
from infra.running.broker import KeptSimulator
from infra.running.folder import Folder
from infra.running.instant import KeptInstant
from infra.running.plan import Plan, plan
from infra.running.station import Station
from infra.simulated_day import environment
from infra.simulated_day.book import Documents, read_book
from infra.simulated_day.hours import NEW_YORK, hours
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.machine import Machine, Surroundings, simulator_settings
from infra.simulated_day.violations import book_differs, placed_twice
from shared.domain.base.audit import breaks
from shared.ports import Put
from shared.settings import Mode
from tests.patience import PATIENCE_S

SEED = 8
SPEED = 20.0
DAY = date(2013, 3, 4)
ARCHIVES = "archives"


def new_york(hour: int, minute: int, second: int = 0) -> datetime:
    """Give an instant of the simulated day by New York's clock."""
    return datetime(DAY.year, DAY.month, DAY.day, hour, minute, second, tzinfo=NEW_YORK).astimezone(UTC)


HOLDING = new_york(9, 46, 20)
"""By now the desk of this seed has bought, and holds what it bought."""


def plan_of(folder: Path, **changes: Any) -> Plan:
    """Give the plan under which `trade_until` fills a folder."""
    given: dict[str, Any] = {
        "broker": "simulator", "mode": Mode.LIVE, "cloud": "local", "speed": SPEED, "environ": {},
    } | changes  # fmt: skip
    simulated: dict[str, Any] = {"seed": SEED, "network": Network.FAST} if given["broker"] == "simulator" else {}
    return plan(state=folder, **simulated | given)


def trade_until(folder: Path, until: datetime = HOLDING) -> None:
    """Let the desk of this seed trade from 09:25 on, in no time, and leave its folder as a stopped desk would."""
    _trade(folder, until)
    Folder(path=folder).remember(plan_of(folder))
    KeptInstant(folder).write(until)


def unpack(folder: Path) -> None:
    """Unpack and compile the archives in a folder as a desk's starts do, for desks that need not begin with that."""
    Folder(path=folder).unpacked()
    assert compileall.compile_dir(folder / ARCHIVES, quiet=1)


def with_archives(folder: Path, unpacked: Path) -> Path:
    """Let the desk of a folder find its archives as `unpack` left them elsewhere, and give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARCHIVES).symlink_to(unpacked / ARCHIVES)
    return folder


def first_bars(folder: Path, until: datetime) -> list[Put]:
    """Give the bars that the scan of this seed keeps of a day's first minutes, and that one which starts cold reads."""
    _trade(folder, until)
    with closing(SqliteStore(Folder(path=folder).store)) as store:
        return [Put(row.path, row.data) for row in store.query("bars")]


def _trade(folder: Path, until: datetime) -> None:
    market = open_market("generated", seed=SEED)
    when = hours(market.day)
    kernel = Kernel(start=new_york(9, 25), seed=SEED)
    folder.mkdir(parents=True, exist_ok=True)
    simulator = KeptSimulator(
        path=Folder(path=folder).calls, market=market, now=kernel.now, settings=simulator_settings(SEED, when),
        seed=SEED,
    )  # fmt: skip
    latency = Latency(SeededChance(seed=SEED, name="network"), *TRAVEL_S)
    wire = WsgiAdapter(simulator, kernel=kernel, latency=latency, dropped=ConnectionDropped)
    machine = Machine(
        market=market, market_spec="generated", hours=when, kernel=kernel, seed=SEED, folder=folder,
        environ=environment.environ({}, config="demo", market_spec="generated", symbols=market.symbols),
        around=Surroundings(http=lambda _: wire, network=Network.FAST),
    )  # fmt: skip
    with closing(simulator), closing(machine):
        kernel.spawn(machine.sign_in, name="owner")
        machine.world.start_schedules(until)
        machine.world.run(until)


@contextmanager
def running(folder: Path, **changes: Any) -> Iterator[Station]:
    """Run a desk; what broke it meanwhile is raised at the end."""
    with Station(plan_of(folder, **changes)) as station:
        yield station
        station.run(station.timeline.now())


def wait_for(what: Callable[[], Any], *, within_s: float = PATIENCE_S) -> Any:
    """Give what is so, once it is; fails when it never is."""
    end = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < end, "this never came to be"
        time.sleep(0.1)
    return found


def wait_until(station: Station, at: datetime) -> None:
    """Let the desk's time pass."""
    left_s = station.timeline.real_s(at - station.timeline.now())
    wait_for(lambda: station.timeline.now() >= at, within_s=PATIENCE_S + max(0.0, left_s))


def wrong(ledger: BrokerLedger, store: Documents) -> list[str]:
    """Name what must never be true of a desk at rest."""
    book = read_book(store)
    differs = book_differs(ledger, book, starting_cash=environment.STARTING_CASH)
    return [*differs, *placed_twice(ledger), *breaks(list(book.events), dict(book.seals))]


def require_settled(station: Station) -> None:
    """Wait until book and ledger agree, which they do not while an order is under way; fails when they never do."""
    end = time.monotonic() + PATIENCE_S
    while (found := wrong(station.ledger(), station.store)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not found, found


def lost(folder: Path) -> list[str]:
    """Name the subscriptions of what was given up, but for hints and ticks, which the next tick makes good.

    At a desk's speed the attempts of those are over within seconds.
    """
    with closing(SqliteQueue(Folder(path=folder).store)) as queue:
        given_up = [letter.subscription for letter in queue.dead_letters()]
    return [name for name in given_up if not name.endswith(("-ticks", ".orders-placed"))]


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """Read a log of a desk, as far as its lines are whole; what is not JSON is not from the journal."""
    found = []
    for line in (folder / "logs" / f"{name}.jsonl").read_text(errors="replace").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return [line for line in found if isinstance(line, dict)]


def members(group: int) -> list[int]:
    """List the processes of a group that are not yet dead."""
    words = ["/bin/ps", "-A", "-o", "pgid=,pid=,stat="]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
    rows = (line.split() for line in listed.splitlines())
    return [int(pid) for pgid, pid, stat in rows if int(pgid) == group and not stat.startswith("Z")]
