"""Counts the operations on each trust domain's database over one generated market day, as Firestore would bill them.

A document that is read or written counts once; a query counts its documents, one at least; a check is a read. Run it:
`python -m tests.benchmarks.operations`. Which database has most is why the book's is made first (infra/components/
data.py): Google gives the first one some operations for nothing.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from infra.simulated_day.machine import Machine, Surroundings
from infra.simulated_day.result import Progress
from infra.simulated_day.run import run_day
from shared.ports import Check, Document, Where, Write
from shared.stored import Domain
from shared.topology import TOPOLOGY

SEED = 7


def counted(file: SqliteStore) -> Counter[tuple[Domain, str]]:
    """Count what passes through a file from now on, by domain and kind: reads, writes."""
    found: Counter[tuple[Domain, str]] = Counter()
    get, commit, query = file.get, file.commit, file.query

    def counting_get(path: str) -> Document | None:
        found[TOPOLOGY.domain_of(path), "reads"] += 1
        return get(path)

    def counting_commit(writes: Sequence[Write]) -> tuple[str, ...]:
        for write in writes:
            found[TOPOLOGY.domain_of(write.path), "reads" if isinstance(write, Check) else "writes"] += 1
        return commit(writes)

    def counting_query(
        collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        documents = query(collection, *where, order_by=order_by, limit=limit)
        lies_in = TOPOLOGY.collections[collection].domain or Domain.BOOK
        found[lies_in, "reads"] += max(1, len(documents))
        return documents

    file.get, file.commit, file.query = counting_get, counting_commit, counting_query  # type: ignore[method-assign]
    return found


def main() -> None:
    """Play the day and print a line for each domain."""
    counts: list[Counter[tuple[Domain, str]]] = []

    def ready(machine: Machine) -> None:
        counts.append(counted(machine.world.file))

    def on_progress(progress: Progress) -> None:
        sys.stderr.write(f"\r{progress.done:.0%}")

    with tempfile.TemporaryDirectory() as folder:
        run_day(
            market_spec="generated", config="demo", seed=SEED, speed="max", state=None, on_progress=on_progress,
            runs=Path(folder), environ={}, around=Surroundings(ready=ready),
        )  # fmt: skip
    (found,) = counts
    sys.stdout.write("\n")
    for domain in sorted(Domain, key=lambda one: -(found[one, "reads"] + found[one, "writes"])):
        sys.stdout.write(f"{domain:10}{found[domain, 'reads']:>10,} reads{found[domain, 'writes']:>10,} writes\n")


if __name__ == "__main__":
    main()
