"""How well the scan keeps its seconds under shares of one CPU: `python -m tests.benchmarks.tick_drift`.

A desk of real processes in front of the simulated broker, in real time, from a minute before the open of a generated
day. Minute by minute the scan's process gets one share after another, then the first again, so that what else the
machine does falls on all alike; the whole machine is always among them, and the day's first minute does not count.
Only the scan is held: broker, bus and store are not, as in the cloud. `--minutes` of each share, in real time;
`--symbols` watches more of the generated market than the ten of a demo day.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from infra.brokersim.generated import SYMBOL_COUNT
from infra.running.plan import Plan, plan
from infra.running.station import Station
from infra.simulated_day.environment import GENERATED_WATCH_LIST
from shared.settings import Mode
from shared.topology import TOPOLOGY
from shared.usecases.market.minutes import MINUTE
from shared.usecases.scanning.scan import TICKS
from tests.benchmarks import wide_market
from tests.benchmarks.drift import Drift, Minute, drift, minute, scanned
from tests.benchmarks.function_share import limited_function
from tests.benchmarks.process_tree import cpu_s
from tests.benchmarks.report import machine, tell
from tests.benchmarks.share import limited
from tests.benchmarks.sizes import TOPOLOGY_SHARES, remark, shares, usd_a_month
from tests.running.browser import sign_in_at

SCAN = TOPOLOGY.function("market_scan")
SEED = 8
STARTS, OPENS = time(9, 29), timedelta(minutes=1)
UNCOUNTED = 3
"""Minutes of a market beside those that are measured: before the open, the first of the day, and one to spare."""
AHEAD = timedelta(seconds=0.5)
"""How long before a minute its share comes into force: the last tick of the minute before is over by then."""
GRACE = timedelta(seconds=5)
"""For the end of the last minute, which may have overrun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The scan at one share; None is the whole machine."""

    share: float | None
    drift: Drift
    minutes: tuple[Minute, ...]
    usd_a_month: float | None
    note: str


def measure(wanted: Plan, those: Sequence[float | None], *, laps: int) -> list[Row]:
    """Run a desk and let the scan work under each share in turn, `laps` times; raises RuntimeError when it dies."""
    turns = [(lap, share) for lap in range(laps) for share in those]
    used: dict[datetime, tuple[float | None, float]] = {}
    with Station(wanted) as station:
        begins = station.timeline.now().replace(second=0, microsecond=0) + OPENS + MINUTE
        sign_in_at(station)
        station.run(begins - AHEAD)
        for _, share in turns:
            with limited_function(station, SCAN.name, share) as pid:
                before = cpu_s(pid)
                station.run(begins + MINUTE - AHEAD)
                used[begins] = (share, cpu_s(pid) - before)
            begins += MINUTE
        station.run(begins + GRACE)
        asked = scanned(_journal(station))
    made = {at: minute(at, asked.get(at, []), cpu_s=used_s) for at, (_, used_s) in used.items()}
    return [_row(share, [one for at, one in made.items() if used[at][0] == share]) for share in those]


def _journal(station: Station) -> Iterator[dict[str, Any]]:
    for line in station.folder.log(SCAN.name).read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _row(share: float | None, minutes: Sequence[Minute]) -> Row:
    return Row(
        share=share, drift=drift(minutes), minutes=tuple(minutes),
        usd_a_month=None if share is None else usd_a_month(SCAN, share),
        note="" if share is None else remark(SCAN, share),
    )  # fmt: skip


def table(rows: Sequence[Row]) -> Table:
    """Lay the figures out; ticks that were left out are red."""
    made = Table(title=f"Ticks of {SCAN.name} behind their second, ms", title_justify="left")
    for title in ("CPU share", "minutes", f"ticks of {TICKS}", "fewest", "late p50", "p99", "most", "quotes p50"):
        made.add_column(title, justify="right", no_wrap=True)
    for title in ("CPU s/min", "calls/min", "USD a month"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("Note", no_wrap=True)
    for row in rows:
        seen = row.drift
        fewest = f"{seen.fewest_ticks}"
        made.add_row(
            "all" if row.share is None else f"{row.share:g}",
            f"{seen.minutes}",
            f"{seen.ticks:.1f}",
            fewest if seen.fewest_ticks == TICKS else f"[red]{fewest}[/red]",
            f"{seen.late_p50_ms:.0f}",
            f"{seen.late_p99_ms:.0f}",
            f"{seen.latest_ms:.0f}",
            f"{seen.quote_p50_ms:.0f}",
            f"{seen.cpu_s:.2f}",
            f"{seen.calls:.0f}",
            "" if row.usd_a_month is None else f"{row.usd_a_month:.2f}",
            row.note,
        )
    return made


def _market(folder: Path, symbols: int, minutes: int) -> str:
    if symbols == GENERATED_WATCH_LIST:
        return wide_market.GENERATED
    return str(wide_market.write(folder, symbols=symbols, seed=SEED, starts=STARTS, minutes=minutes + UNCOUNTED))


def _notes(wanted: Plan, symbols: int) -> Iterator[str]:
    yield machine()
    yield f"Cloud {wanted.cloud}, {symbols} symbols, seed {wanted.seed}, speed 1."
    yield "Late: from the second of a tick to its first request for quotes."
    yield "That is the wake-up and, every other tick, a look at the positions; in a minute's first tick its delivery."
    yield "Quotes: from a request to its answer, in the scan's own process. CPU: of its whole process tree."
    with limited(1.0) as limiter:
        yield f"Share of one CPU: {limiter.way}, 100 ms periods. USD a month: at most, nothing free."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tick_drift", description="Drift of the ticks.")
    parser.add_argument("--share", default=TOPOLOGY_SHARES, help="`topology`, or shares of one CPU with commas")
    parser.add_argument("--minutes", type=int, default=3, help="minutes of each share")
    parser.add_argument("--cloud", choices=("local", "emulators"), default="local", help="what stands in for Google's")
    parser.add_argument("--json", type=Path, help="write every minute to this file")
    parser.add_argument("--symbols", type=int, default=GENERATED_WATCH_LIST, help=f"watched, up to {SYMBOL_COUNT}")
    given = parser.parse_args()
    if not 1 <= given.symbols <= SYMBOL_COUNT:
        parser.error(f"--symbols: 1 to {SYMBOL_COUNT}")
    return given


def main() -> None:
    """Measure, print the table, and write the file."""
    given = _arguments()
    with TemporaryDirectory(prefix="desk-") as folder:
        those = (None, *shares(given.share))
        wanted = plan(
            cloud=given.cloud, broker="simulator", mode=Mode.LIVE, speed=1.0, state=Path(folder) / "desk",
            environ=os.environ, seed=SEED, starts=STARTS,
            market=_market(Path(folder), given.symbols, given.minutes * len(those)),
        )  # fmt: skip
        rows = measure(wanted, those, laps=given.minutes)
    tell(table(rows), list(_notes(wanted, given.symbols)), rows, given.json)


if __name__ == "__main__":
    main()
