"""The result of a back-test on a terminal and in its folder: what must be said, what it came to, what is beside it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.backtest.run import Outcome
from infra.cli.traded import as_csv
from infra.results.facts import Beside
from infra.results.headline import headline
from infra.results.page import render
from infra.results.plain import beside, plain
from infra.results.words import percent
from infra.simulated_day.files import write_atomically
from shared.codec import dumps
from shared.domain.telling.wording import count

PAGE, FIGURES, TRADES = "report.html", "report.json", "trades.csv"


def standing_beside(outcomes: Sequence[Outcome], asked: int) -> list[Outcome]:
    """Give those that were asked for, each with what the others came to beside it."""
    return [
        replace(one, facts=replace(one.facts, beside=(*_others(one, outcomes), *one.facts.beside)))
        for one in outcomes[:asked]
    ]


def write(outcome: Outcome, folder: Path) -> None:
    """Write a result's page, its figures and its trades."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / PAGE, render(outcome.facts, outcome.figures).encode())
    write_atomically(folder / FIGURES, dumps(plain(outcome.facts, outcome.figures)) + b"\n")
    write_atomically(folder / TRADES, as_csv(outcome.facts.trades, fees=True).encode())


def show(console: Console, outcome: Outcome, folder: Path, *, but: Sequence[str] = ()) -> None:
    """Print a result: what must be said `but` what was, what it came to, what stands beside it, where the rest is."""
    facts = outcome.facts
    for sentence in facts.said:
        if sentence not in but:
            console.print(escape(sentence))
    table = Table(
        title=escape(f"{facts.title}, configuration {outcome.label}"), title_justify="left", show_header=False,
        box=None, pad_edge=False,
    )  # fmt: skip
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for line in headline(facts, outcome.figures):
        table.add_row(line.name, escape(f"{line.text}  {line.note}".rstrip()))
    for other in facts.beside:
        table.add_row(escape(other.name.capitalize()), escape(_said(other)))
    table.add_row(
        "Played", escape(f"{count(outcome.figures.sessions, 'session')} of {facts.resolution}, {facts.source}")
    )
    console.print(table)
    console.print(f"Report  {folder / PAGE}", soft_wrap=True, markup=False)
    console.print(f"Trades  {folder / TRADES}", soft_wrap=True, markup=False)


def _others(one: Outcome, outcomes: Sequence[Outcome]) -> list[Beside]:
    return [
        beside(f"configuration {other.label}", plain(other.facts, other.figures), note="over the same span")
        for other in outcomes
        if other is not one
    ]


def _said(other: Beside) -> str:
    gained = [] if other.return_pct is None else [percent(other.return_pct)]
    trades = [] if other.trades is None else [count(other.trades, "trade")]
    fall = [] if other.drawdown_pct is None else [f"largest drawdown {percent(other.drawdown_pct)}"]
    return ", ".join([*gained, *trades, *fall, other.note])
