"""What a back-test costs: `python -m tests.benchmarks.backtest`.

CPU is that of one process in one thread, drawing the generated market included; memory is the highest that it had over
the whole span. `--year` adds the 252 sessions, with the time that each month of them took: what grows with the span
would show.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from rich.table import Table

from infra.backtest.data import sessions_between, survey
from infra.backtest.day import Resolution
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.run import Progress, Task, run
from infra.brokersim.generated import GENERATED_DAY
from shared.strategies.config import load
from tests.benchmarks.report import machine, tell

DAY_S, TICK_S, YEAR_S = 0.5, 10.0, 130.0
MONTH, YEAR = 21, 252
_MEGABYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a span cost: CPU in seconds, the highest memory in megabytes, and CPU at the end of each month."""

    sessions: int
    cpu_s: float
    memory_mb: float
    months_s: tuple[float, ...]
    trades: int


def measured(sessions: int, config: str, resolution: Resolution) -> Cost:
    """Play so many generated sessions of ten symbols in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_play, (sessions, config, resolution))


def _play(sessions: int, config: str, resolution: Resolution) -> Cost:
    data, last = GeneratedData(seed=1), _last(sessions)
    task = Task(
        label=config, name=config, config=load(config), folder="", data=data, resolution=resolution,
        capital=Decimal(100_000), survey=survey(data, GENERATED_DAY, last, FIRST_TEN),
    )  # fmt: skip
    months: list[float] = []
    began = time.process_time()
    outcome = run(task, _noted(months, began))
    return Cost(
        sessions=sessions, cpu_s=time.process_time() - began, months_s=tuple(months), trades=outcome.figures.trades,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE,
    )  # fmt: skip


def _noted(months: list[float], began: float) -> Callable[[Progress], object]:
    def tell_month(progress: Progress) -> None:
        if not progress.done % MONTH:
            months.append(time.process_time() - began)

    return tell_month


def _last(sessions: int) -> date:
    return sessions_between(GENERATED_DAY, GENERATED_DAY + timedelta(days=2 * sessions + 10))[sessions - 1].day


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", default="default")
    options.add_argument("--year", action="store_true", help="also 252 sessions of bars")
    options.add_argument("--tick", action="store_true", help="also a day of one-second quotes")
    options.add_argument("--json", type=Path, default=None, metavar="OUT")
    asked = options.parse_args()
    table = Table(
        "What", "CPU", "Asked", "Highest memory", "Trades", title=f"Ten symbols, configuration {asked.config}"
    )
    week, month = (measured(count, asked.config, Resolution.MINUTE) for count in (5, MONTH))
    found = [week, month]
    day_s = (month.cpu_s - week.cpu_s) / (month.sessions - week.sessions)
    table.add_row("a day of bars, of the second to fourth week", f"{day_s:.2f} s", f"{DAY_S} s", "", "")
    table.add_row("a month of bars", f"{month.cpu_s:.1f} s", "", f"{month.memory_mb:.0f} MB", str(month.trades))
    notes = [machine()]
    if asked.tick:
        found.append(tick := measured(1, asked.config, Resolution.TICK))
        table.add_row("a day of quotes", f"{tick.cpu_s:.1f} s", f"{TICK_S} s", f"{tick.memory_mb:.0f} MB", "")
    if asked.year:
        found.append(year := measured(YEAR, asked.config, Resolution.MINUTE))
        table.add_row(
            "a year of bars", f"{year.cpu_s:.0f} s", f"{YEAR_S:.0f} s", f"{year.memory_mb:.0f} MB", str(year.trades)
        )
        parts = [after - before for before, after in zip((0.0, *year.months_s), year.months_s, strict=False)]
        notes.append("CPU of each month of the year: " + ", ".join(f"{part:.1f}" for part in parts) + " s")
    tell(table, notes, found, asked.json)


if __name__ == "__main__":
    main()
