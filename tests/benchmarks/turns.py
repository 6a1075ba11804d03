"""What a turn at the account's limits costs over Firestore's emulator, alone and when several instances want it.

    python -m tests.benchmarks.turns [--instances 4] [--calls 12]

First free turns are taken one after another, each in a document of its own, so that nothing but the store is waited
for. Then every instance, a thread with a connection of its own, takes turn after turn at one module in real time.
"""

import os
import statistics
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from infra.one_machine.emulators import find, running
from infra.one_machine.variables import kept
from shared.domain.broker.turns import INTERVAL, Purpose
from shared.errors import Conflict
from shared.etrade.turns import AccountTurns
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.ports import Document, Store, Where, Write
from tests.benchmarks.order_path import percentile
from tests.contract.clouds import new_project, open_firestore
from tests.etrade.world import KeptLines

_MILLISECOND = timedelta(milliseconds=1)
FREE = 60


@dataclass(slots=True)
class Counted:
    """A store that counts its calls and conflicts."""

    inner: Store
    seen: Counter[str] = field(default_factory=Counter)

    def get(self, path: str) -> Document | None:
        """Read one document."""
        self.seen["reads"] += 1
        return self.inner.get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none."""
        self.seen["commits"] += 1
        try:
            return self.inner.commit(writes)
        except Conflict:
            self.seen["conflicts"] += 1
            raise

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        return self.inner.query(collection, *where, order_by=order_by, limit=limit)


def main() -> None:
    """Measure and print."""
    words = ArgumentParser(prog="python -m tests.benchmarks.turns")
    words.add_argument("--instances", type=int, default=4)
    words.add_argument("--calls", type=int, default=12)
    given = words.parse_args()
    out = Console(highlight=False)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="turns-")))
        both = opened.enter_context(running(find(os.environ), folder))
        opened.enter_context(kept(tuple(both.environ)))
        os.environ.update(both.environ)
        free, alone = free_turns(opened)
        out.print(
            f"a free turn, ms: p50 {percentile(free, 50):.0f}, p99 {percentile(free, 99):.0f} of {len(free)}; {alone}"
        )
        left, seen, wall_s = contended(opened, given.instances, given.calls)
        closest = min(third - first for first, third in zip(left, left[2:], strict=False))
        rate = (len(left) - 1) / (left[-1] - left[0]).total_seconds()
        out.print(f"{given.instances} instances, {len(left)} turns in {wall_s:.1f} s, {rate:.2f} a second: {seen}")
        out.print(f"the closest three calls: {closest / _MILLISECOND:.0f} ms (at least {INTERVAL / _MILLISECOND:.0f})")


def free_turns(opened: ExitStack) -> tuple[list[float], str]:
    """Take turns that nobody else wants and give what each took in milliseconds, and what they cost the store."""
    store = Counted(opened.enter_context(open_firestore(new_project())))
    turns, clock = _instance(store), SystemClock()
    took = []
    for number in range(FREE + 10):
        began = clock.now()
        turns.take(f"free-{number}", Purpose.ENTER)
        took.append((clock.now() - began) / _MILLISECOND)
    return took[10:], f"mean {statistics.mean(took[10:]):.0f}"


def contended(opened: ExitStack, instances: int, calls: int) -> tuple[list[datetime], str, float]:
    """Let several instances take turns at once; gives when their calls left, what it cost, and how long it took."""
    project, clock = new_project(), SystemClock()
    stores = [Counted(opened.enter_context(open_firestore(project))) for _ in range(instances)]
    purposes = [*Purpose]

    def work(number: int) -> list[datetime]:
        turns, left = _instance(stores[number]), []
        for _ in range(calls):
            turn = turns.take("orders", purposes[number % len(purposes)])
            if turn is not None:
                turns.sent("orders", turn)
                left.append(clock.now())
        return left

    began = clock.now()
    with ThreadPoolExecutor(instances) as pool:
        left = sorted(at for found in pool.map(work, range(instances)) for at in found)
    seen: Counter[str] = sum((store.seen for store in stores), Counter())
    each = ", ".join(f"{name} {count / len(left):.1f}" for name, count in sorted(seen.items()))
    return left, f"for each turn {each}", (clock.now() - began).total_seconds()


def _instance(store: Store) -> AccountTurns:
    return AccountTurns(store=store, clock=SystemClock(), chance=SystemChance(), journal=KeptLines())


if __name__ == "__main__":
    main()
