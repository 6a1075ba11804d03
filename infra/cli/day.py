"""`strategy demo` and `strategy day`: run a day with a progress bar, or lines, and show its result."""

import os
from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from infra.brokersim.network import Network
from infra.cli.exits import BROKEN, CRASHED, INTERRUPTED, say
from infra.cli.result import show
from infra.simulated_day import result as days
from infra.simulated_day.files import require_writable, write_atomically
from infra.simulated_day.hours import clock
from infra.simulated_day.machine import Surroundings
from infra.simulated_day.own import aside, left_out
from infra.simulated_day.run import CRASH_FILE, run_day
from shared.codec import dumps
from shared.domain.telling.wording import count
from shared.settings import OWN_STRATEGIES


def run(
    *, market: str, config: str, seed: int, speed: str, network: Network, state: Path | None, json_out: Path | None
) -> None:  # fmt: skip
    """Run a day, show it, write its figures; raises UserError for bad input and typer.Exit with the code."""
    if json_out is not None:
        require_writable(json_out)
    console = Console()
    try:
        with _bar(Console(stderr=True)) as bar:
            lines = Lines(say) if bar.disable else None
            task = bar.add_task("New York", total=1.0, clock="06:55:00", counts="")
            say(*left_out(os.environ.get(OWN_STRATEGIES, "")))
            with aside():
                result = run_day(
                    market_spec=market,
                    config=config,
                    seed=seed,
                    speed=speed,
                    state=state,
                    on_progress=lambda progress: lines.tell(progress) if lines else _move(bar, task, progress),
                    environ=os.environ,
                    around=Surroundings(network=network),
                    on_warning=say,
                )
    except days.DayStopped as stopped:
        raise typer.Exit(_explain(stopped)) from None
    if json_out is not None:
        write_atomically(json_out, dumps(result.summary.plain()) + b"\n")
    show(console, result)
    if result.summary.violations or result.crashed:
        raise typer.Exit(BROKEN)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("[bold]{task.fields[clock]}[/] New York"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _move(bar: Progress, task: TaskID, progress: days.Progress) -> None:
    bar.update(task, completed=progress.done, clock=clock(progress.at), counts=_counts(progress))


def _counts(progress: days.Progress) -> str:
    things = ((progress.orders, "order"), (progress.fills, "fill"))
    counted = [f"{progress.ticks:,} s watched", *(count(*one) for one in things)]
    return "  ".join([*counted, f"{progress.realized:+,.2f} USD realised"])


class Lines:
    """How far a day is, in lines, where no bar can be drawn: its first step, and the first of each quarter of an hour
    of the market's time.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write, self._quarter = write, ("", -1)

    def tell(self, progress: days.Progress) -> None:
        """Write a line where a new quarter of an hour of New York begins."""
        at = clock(progress.at)
        quarter = (at[:2], progress.at.minute // 15)
        if quarter != self._quarter:
            self._quarter = quarter
            self._write(f"{at} New York  {_counts(progress)}")


def _explain(stopped: days.DayStopped) -> int:
    """Say what a run that did not finish leaves behind, and which command goes on from there."""
    what = "Interrupted" if stopped.interrupted else "The run crashed"
    say(f"{what} at {clock(stopped.at)} New York, simulated time.")
    if not stopped.interrupted:
        say(f"What happened is in {stopped.folder / CRASH_FILE}.")
    say(
        f"Kept in {stopped.folder}: everything that was committed until then.",
        f"Read its audit trail with: strategy audit export --state {stopped.folder}",
    )
    return INTERRUPTED if stopped.interrupted else CRASHED
