"""What `strategy backtest` does: reads what was asked, plays it with a progress bar, prints and writes what came."""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from infra.backtest import stored, trials, wish
from infra.backtest import workers as work
from infra.backtest.data import Data, survey
from infra.backtest.day import Resolution
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.kept_data import in_files
from infra.backtest.run import Outcome, Task
from infra.backtest.run import Progress as Far
from infra.backtest.spool import Spool
from infra.cli import backtest_shown as shown
from infra.cli.exits import CRASHED, INTERRUPTED, say
from infra.cli.hand import reached
from infra.operations.fetching import source_of
from infra.results.plain import plain
from infra.simulated_day.files import write_atomically
from infra.simulated_day.folder import BACK_TEST, FINISHED, Card, Claim, claim
from infra.simulated_day.own import aside, left_out
from infra.simulated_day.problems import UserError
from infra.tools.extras import ready
from shared.codec import dumps
from shared.domain.base.calendar import new_york_day
from shared.domain.telling.wording import count
from shared.frozen import frozen
from shared.settings import OWN_STRATEGIES
from shared.sources.alpaca import Alpaca

FOLDERS = Path("backtests")
GENERATED = "generated"
COMPARED = 5
"""So many sessions of a back-test on bars are played on quotes, too, where there are any; of a generated market one."""
_TOLD_EVERY_S = 10
Between = tuple[date | None, date | None]
"""The days of the span, None where one was not said."""


@frozen
class Wish:
    """What was asked, as it was typed; None where nothing was said."""

    first: str | None
    last: str | None
    symbols: str | None
    strategies: tuple[str, ...]
    configs: tuple[str, ...]
    data: str
    seed: int
    capital: str
    resolution: str
    out: Path | None
    profile: str
    state: Path | None
    json: bool


def run(asked: Wish) -> None:
    """Play what was asked; raises UserError for bad input, and typer.Exit with the code."""
    between = wish.days(asked.first, asked.last)
    folder, out = os.environ.get(OWN_STRATEGIES, ""), sys.stdout
    say(*left_out(folder))
    twice = [one for one, times in Counter(asked.configs).items() if times > 1]
    say(*(f"--config {one[:100]} was said more than once, and is played once." for one in twice))
    with aside(), tempfile.TemporaryDirectory(prefix="strategy-backtest-") as place:
        named = [wish.configured(one, asked.strategies, folder) for one in dict.fromkeys(asked.configs)]
        data = _data(asked, between, Spool(Path(place)))
        tasks = _tasks(asked, data, between, named, folder)
        with claim(asked.out, runs=FOLDERS) as ours:
            register = trials.place()
            _say_first(tasks[0])
            digests = [one.digest(folder) for one in named]
            labels = ", ".join(one.label for one in named)
            card = Card(market=data.name, config=labels, seed=asked.seed, kind=BACK_TEST)
            ours.write_card(card)
            outcomes = shown.standing_beside(_played(tasks, ours.path), len(named))
            outcomes = _entered(register, outcomes, tasks[0], digests)
            done = replace(card, status=FINISHED)
            _leave(asked, outcomes, ours, done, said=data.said, out=out)
            ours.write_card(done)


def _leave(
    asked: Wish, outcomes: Sequence[Outcome], ours: Claim, card: Card, *, said: Sequence[str], out: TextIO
) -> None:  # fmt: skip
    """Write every result, and print it to `out` after what is `said` of the data; several have a folder each."""
    console = Console(file=out)
    for sentence in said if not asked.json else ():
        console.print(escape(sentence))
    for number, one in enumerate(outcomes, start=1):
        alone = len(outcomes) == 1
        place = ours.path if alone else ours.path / f"{number:02d}"
        shown.write(one, place)
        if not alone:
            replace(ours, path=place).write_card(replace(card, config=one.label))
        if not asked.json:
            shown.show(console, one, place, but=said)
    if asked.json:
        found = [plain(one.facts, one.figures) for one in outcomes]
        out.write(f"{dumps(found).decode()}\n")


def _data(asked: Wish, between: Between, spool: Spool) -> Data:
    """Open what is to be played; what a source gives comes into the spool first."""
    if asked.data == GENERATED:
        return GeneratedData(seed=asked.seed)
    if asked.data in {stored.OWN, stored.ALPACA}:
        first, last = between
        if first is None or last is None:
            raise UserError(f"--data {asked.data} needs a span", remedy="say --from and --to")
        with reached(asked.profile, asked.state) as hand:
            if asked.data == stored.OWN:
                return stored.own(hand, spool, first, last)
            ready(asked.data, say=say)
            source = source_of(hand, asked.data)
            if not isinstance(source, Alpaca):
                raise UserError(f"{asked.data} gives no minutes", remedy="take another source")
            return stored.alpaca(source, spool, first, last, wish.symbols_of(asked.symbols), tell=say)
    path = Path(asked.data)
    if not path.exists():
        known = f"a file or a folder, {GENERATED}, {stored.OWN} or {stored.ALPACA}"
        raise UserError(f"there is no data {asked.data[:100]!r}", remedy=f"name {known}")
    return in_files(path, spool=spool, today=new_york_day(datetime.now(UTC)), chosen=asked.symbols is not None)


def _tasks(
    asked: Wish, data: Data, between: Between, named: Sequence[wish.Configured], folder: str
) -> list[Task]:  # fmt: skip
    """Make the tasks, those that were asked for first."""
    symbols = wish.symbols_of(asked.symbols) or (FIRST_TEN if asked.data == GENERATED else ())
    seen = survey(data, *wish.span(data, *between), symbols)
    resolution = Resolution(asked.resolution)
    if resolution is Resolution.TICK and not data.has_ticks:
        raise UserError(f"{data.name} has no quotes, only bars of a minute", remedy="leave --resolution out")
    capital = wish.capital_of(asked.capital)
    some = 1 if asked.data == GENERATED else COMPARED
    compared = len(seen.sessions) if resolution is Resolution.TICK else some
    return [
        Task(
            label=one.label, name=one.name, config=one.config, folder=folder, data=data, survey=seen,
            resolution=resolution, capital=capital, compared=compared if number < len(named) else 0,
        )
        for number, one in enumerate(wish.with_default(named))
    ]  # fmt: skip


def _entered(register: Path, outcomes: Sequence[Outcome], task: Task, digests: Sequence[str]) -> list[Outcome]:
    """Write down what saw a result as a trial, and have each say how it stands, after what is said of the data."""
    now, seen, of_data = datetime.now(UTC), task.survey, len(task.data.said)
    entered = []
    for one, digest in zip(outcomes, digests, strict=True):
        new = trials.Trial(
            at=now, market=task.data.market, sessions=seen.sessions, symbols=seen.symbols, config=one.label,
            digest=digest,
        )  # fmt: skip
        said = one.facts.said
        said = (*said[:of_data], trials.enter(register, new).sentence, *said[of_data:])
        entered.append(replace(one, facts=replace(one.facts, said=said)))
    return entered


def _say_first(task: Task) -> None:
    """Say before the run what is missing and what is played; what has to be known of the data leads the results."""
    sessions = task.survey.sessions
    for sentence in task.survey.missing:
        say(sentence)
    played, symbols = count(len(sessions), "session"), count(len(task.survey.symbols), "symbol")
    say(f"Playing {played}, {sessions[0]} to {sessions[-1]}, {symbols}: {task.data.name}.")


def _played(tasks: Sequence[Task], folder: Path) -> list[Outcome]:
    """Play every task with a bar each; raises typer.Exit where it is interrupted or the program is wrong."""
    try:
        with _bars(tasks) as tell:
            return work.run_all(tasks, tell)
    except KeyboardInterrupt:
        say("Interrupted: every process of it has ended. Nothing was kept, and it is no trial.")
        raise typer.Exit(INTERRUPTED) from None
    except work.PlayFailed as failed:
        write_atomically(folder / "crash.txt", failed.details.encode())
        say(f"The back-test crashed. What happened is in {folder / 'crash.txt'}; nothing else was kept.")
        raise typer.Exit(CRASHED) from None


@frozen(kw_only=False)
class Pace:
    """How many sessions of a task were over when it was first heard of, and when: its pace is what comes later."""

    done: int
    at: float

    def left(self, far: Far, now: float) -> str:
        """Say how long the rest takes at the pace since then, in seconds; nothing before there is one."""
        if far.done <= self.done:
            return ""
        return f", about {(now - self.at) / (far.done - self.done) * (far.of - far.done):.0f} s left"


@contextmanager
def _bars(tasks: Sequence[Task]) -> Iterator[work.Tell]:
    """Give what tells of progress: bars on a terminal, elsewhere a line now and then with when it will be over."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[far]}"), TimeRemainingColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip
    told_at = time.monotonic()
    paces: dict[int, Pace] = {}

    def tell(number: int, far: Far) -> None:
        nonlocal told_at
        bar.update(rows[number], completed=far.done, far=f"{far.day}  {count(far.trades, 'trade')}")
        now = time.monotonic()
        left = paces.setdefault(number, Pace(far.done, now)).left(far, now)
        if not console.is_terminal and now - told_at >= _TOLD_EVERY_S:
            told_at = now
            say(f"{tasks[number].label}: {far.done} of {count(far.of, 'session')}{left}")

    with bar:
        rows: list[TaskID] = [
            bar.add_task(escape(one.label[:24]), total=len(one.survey.sessions), far="") for one in tasks
        ]
        yield tell
