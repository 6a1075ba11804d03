"""A finished day as tables on a terminal: results first, the counts of the machine last."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.results.ends import why_skipped
from infra.results.facts import Beside
from infra.results.headline import headline
from infra.results.words import clock, dollars, percent
from infra.simulated_day.result import DayResult
from shared.domain.orders.explain import WASH_SALE, why_left
from shared.domain.telling.wording import count


def show(console: Console, result: DayResult) -> None:
    """Print what the day came to, its trades, what was skipped and why, then the counts, and the files."""
    facts = result.facts
    for sentence in result.known_before:
        console.print(f"[bold]{escape(sentence)}[/]", soft_wrap=True)
    title = f"Market day {result.card.market}, configuration {result.card.config}, seed {result.card.seed}"
    lines = ((line.name, f"{line.text}  {line.note}".rstrip()) for line in headline(facts, result.figures))
    console.print(_table(title, [*lines, ("Account", result.account), *_beside(facts.beside)]))
    if facts.trades:
        console.print(_trades(result))
    if result.figures.skipped:
        console.print(_skipped(result))
    for sentence in result.summary.violations:
        console.print(f"[bold red]Check failed:[/] {escape(sentence)}", soft_wrap=True)
    for what, times in result.troubles.items():
        console.print(f"[bold red]Trouble[/] {escape(what)}, {count(times, 'time')}", soft_wrap=True)
    console.print(_table("Technical figures", ((one.name, one.text) for one in facts.machine)))
    if not result.summary.violations:
        console.print("[green]All checks passed:[/] the books equal the simulated broker's to the cent and the share.")
    if result.moved_to is not None:
        console.print(f"An interrupted run was in the way; it is now in {result.moved_to}.", soft_wrap=True)
    console.print(f"Report  {result.report}", soft_wrap=True, markup=False)
    console.print(f"Audit   {result.folder / 'audit.jsonl'}", soft_wrap=True, markup=False)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(name, escape(text))
    return table


def _beside(others: Iterable[Beside]) -> Iterable[tuple[str, str]]:
    for other in others:
        gained = "" if other.return_pct is None else f"{percent(other.return_pct)}  "
        trades = "" if other.trades is None else f", {count(other.trades, 'trade')}"
        yield f"Configuration {other.name}", f"{gained}{other.note}{trades}"


def _trades(result: DayResult) -> Table:
    table = Table(title="Trades", title_justify="left", box=None, pad_edge=False)
    for name in ("Symbol", "In", "Out"):
        table.add_column(name, no_wrap=True)
    table.add_column("Exit reason")
    for name in ("Shares", "Entry", "Exit", "Profit"):
        table.add_column(name, justify="right", no_wrap=True)
    found = result.facts.trades
    for trade in found:
        table.add_row(
            trade.symbol + " *" * trade.possible_wash_sale,
            clock(trade.entered_at),
            clock(trade.left_at) if trade.left_at else "still held",
            why_left(trade.exit_reason),
            f"{trade.shares:,}",
            f"{trade.entry_price:,.2f}",
            f"{trade.exit_price:,.2f}" if trade.exit_price is not None else "",
            dollars(trade.net),
        )
    if any(trade.possible_wash_sale for trade in found):
        table.caption, table.caption_justify = f"* {WASH_SALE}", "left"
    return table


def _skipped(result: DayResult) -> Table:
    found = result.figures
    title = f"Skipped signals: {found.skipped} of {count(found.signals, 'signal')} bought nothing"
    return _table(title, ((why_skipped(one.code), f"{one.count:,}") for one in found.skipped_by))
