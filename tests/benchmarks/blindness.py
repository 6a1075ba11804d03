"""How soon the owner hears that answers cannot be read: every read endpoint, every kind of bad answer, four instants.

    python -m tests.benchmarks.blindness [--minutes 12] [--only orders]

Each cell plays the last hour of a made half-day through the whole graph. From its instant on, one endpoint's answers go
wrong for some minutes; all else works. What is measured: from the first bad answer until `notify` told a notice about
it, in simulated minutes; the longest time that held shares had no sell at the broker; and whether a stop that was there
was lost by it. A cell whose bad answers hide nothing (they were never asked for, or what is odd is read around) has
nothing to tell.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from math import ceil
from pathlib import Path
from typing import Literal

from requests.adapters import BaseAdapter
from rich.console import Console
from rich.table import Table

from infra.brokersim.market import open_market
from infra.one_machine.kernel import Kernel
from infra.simulated_day.environment import environ
from infra.simulated_day.hours import hours
from infra.simulated_day.machine import Machine, Surroundings
from infra.simulated_day.protection import gaps
from shared.codec import decode
from shared.usecases.telling.deliver import Told
from tests.benchmarks.bad_answers import ENDPOINTS, KINDS, BadAnswers, Endpoint, Kind
from tests.simulated_day.made import at, market_file
from tests.simulated_day.seeded import SEED, last_hour

Moment = Literal["begin", "fill", "held", "flatten"]
MOMENTS: tuple[Moment, ...] = ("begin", "fill", "held", "flatten")
MINUTES = 12
BEARABLE = timedelta(seconds=100)
"""So long a share may have no sell while an exit takes its stop's place."""
_OF_BLINDNESS = frozenset({
    "answer_unread", "entry_not_judged", "scan_blind", "held_unseen", "exit_unseen", "cancel_unconfirmed",
    "message_retried",
})  # fmt: skip
_LOOK_S = 0.1
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One endpoint that answers badly in one way from one moment on."""

    endpoint: Endpoint
    kind: Kind
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a cell: `told` and `by` are None and empty where nobody was told; `blind` says that there was need.

    `naked` is the longest time without a sell over held shares since the fault, `lost` whether a stop that was there
    was missing for longer than is bearable.
    """

    cell: Cell
    asked: int
    blind: bool
    told: timedelta | None
    by: str
    naked: timedelta
    lost: bool


def main() -> None:
    """Play every cell and print the table and the figure; the exit code is 1 when a bound is broken."""
    words = ArgumentParser(prog="python -m tests.benchmarks.blindness", description=__doc__)
    words.add_argument("--minutes", type=int, default=MINUTES, help="how long the answers are bad")
    words.add_argument("--only", choices=ENDPOINTS, help="one endpoint alone")
    given = words.parse_args()
    endpoints = (given.only,) if given.only else ENDPOINTS
    cells = [Cell(endpoint=one, kind=kind, moment=moment) for one, kind, moment in product(endpoints, KINDS, MOMENTS)]
    outcomes = list(played(cells, minutes=given.minutes))
    out = Console(highlight=False, width=120)
    out.print(_table(outcomes))
    out.print(figure(outcomes))
    if broken := wrongs(outcomes):
        raise SystemExit("\n".join(broken))


def played(cells: Sequence[Cell], *, minutes: int = MINUTES) -> Iterator[Outcome]:
    """Play cells one after the other on one market."""
    with tempfile.TemporaryDirectory(prefix="blindness-") as folder:
        market = market_file(Path(folder))
        for number, cell in enumerate(cells):
            yield _play(cell, market, Path(folder) / str(number), timedelta(minutes=minutes))


def wrongs(outcomes: Sequence[Outcome]) -> list[str]:
    """Name the cells whose owner was not told within five minutes, and those that lost a stop."""
    late = [one for one in outcomes if one.blind and (one.told is None or one.told > timedelta(minutes=5))]
    named = [f"told too late or never: {one.cell}: {one.told}" for one in late]
    return named + [f"a stop was lost: {one.cell}" for one in outcomes if one.lost]


def figure(outcomes: Sequence[Outcome]) -> str:
    """Say the figure of the issue in one line."""
    blind = [one for one in outcomes if one.blind]
    waits = sorted(one.told for one in blind if one.told is not None)
    if not waits:
        return f"{len(outcomes)} cells, none blind and told"
    p50, p99 = (_minutes(waits[ceil(share * len(waits)) - 1]) for share in (0.5, 0.99))
    never = len(blind) - len(waits)
    return (
        f"{len(outcomes)} cells, {len(blind)} blind: told after p50 {p50}, p99 {p99}, max {_minutes(waits[-1])} "
        f"minutes, never {never}; stops lost {sum(one.lost for one in outcomes)}"
    )


def _play(cell: Cell, market: Path, folder: Path, lasts: timedelta) -> Outcome:
    folder.mkdir()
    made = open_market(str(market), seed=SEED)
    when = last_hour(hours(made.day))
    kernel = Kernel(start=when.starts, seed=SEED)
    bad: list[BadAnswers] = []

    def around_http(usual: BaseAdapter) -> BadAnswers:
        bad.append(BadAnswers(usual, kernel, endpoint=cell.endpoint, kind=cell.kind, lasts=lasts))
        return bad[0]

    machine = Machine(
        market=made, market_spec=str(market), kernel=kernel, seed=SEED, hours=when, folder=folder,
        environ=environ({}, config="demo", market_spec=str(market), symbols=made.symbols),
        around=Surroundings(http=around_http),
    )  # fmt: skip
    noted: list[datetime] = []
    with closing(machine):
        kernel.spawn(lambda: _begin(machine, bad[0], cell.moment), name="fault")
        kernel.spawn(lambda: _notes(machine, noted), name="eye")
        machine.play(lambda _: None, step=timedelta(minutes=1))
        return _outcome(cell, machine, bad[0], noted)


def _begin(machine: Machine, bad: BadAnswers, moment: Moment) -> None:
    """Let the answers go bad at their moment."""
    fixed: Mapping[Moment, datetime] = {"held": at(12, 40), "flatten": at(12, 49, 50)}
    while moment == "fill" and not machine.ledger().fills:
        machine.kernel.sleep(_LOOK_S)
    if moment in fixed:
        machine.kernel.sleep((fixed[moment] - machine.kernel.now()).total_seconds())
    bad.begin()


def _notes(machine: Machine, noted: list[datetime]) -> None:
    """Keep the first instant at which a function noted that it cannot read an answer."""
    while not noted and machine.kernel.now() < machine.hours.ends:
        if machine.world.store.query("reads"):
            noted.append(machine.kernel.now())
        machine.kernel.sleep(1.0)


def _outcome(cell: Cell, machine: Machine, bad: BadAnswers, noted: Sequence[datetime]) -> Outcome:
    rows = [decode(Told, row.data) for row in machine.world.store.query("notices")]
    first = min(bad.served, default=None)
    about = [one for one in rows if one.kind in _OF_BLINDNESS and first is not None and one.told_at >= first]
    heard = min(about, key=lambda one: one.told_at, default=None)
    ledger, closes = machine.ledger(), machine.hours.closes
    bought = {fill.at for fill in ledger.fills if fill.action == "BUY"}
    bare = [gap for gap in gaps(ledger, opens=machine.hours.opens, closes=closes) if first and gap.ends >= first]
    return Outcome(
        cell=cell, asked=len(bad.served),
        blind=bool(noted) or (cell.endpoint == "quotes" and cell.kind != "odd" and bool(bad.served)),
        told=None if heard is None or first is None else heard.told_at - first, by="" if heard is None else heard.kind,
        naked=max((gap.lasts for gap in bare), default=timedelta(0)),
        lost=any(gap.begins not in bought and gap.lasts > BEARABLE for gap in bare),
    )  # fmt: skip


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table("endpoint", "answer", "from", "asked", "told after min", "by", "naked s", "stop lost")
    for one in outcomes:
        told = "nothing to tell" if not one.blind else "NEVER" if one.told is None else _minutes(one.told)
        table.add_row(
            one.cell.endpoint, one.cell.kind, one.cell.moment, str(one.asked), told, one.by,
            f"{one.naked / _SECOND:.0f}", "LOST" if one.lost else "",
        )  # fmt: skip
    return table


def _minutes(wait: timedelta) -> str:
    return f"{wait / timedelta(minutes=1):.1f}"


if __name__ == "__main__":
    main()
