"""A finished day as tables on a terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.brokersim.network import WORDS, Network
from infra.day.facts import trades_of
from infra.day.hours import clock
from infra.day.result import DayResult
from infra.day.run import bars_missing
from infra.day.timing import Spread
from infra.owner.look import seconds
from infra.results.words import dollars
from shared.domain.explain import WASH_SALE


def show(console: Console, result: DayResult) -> None:
    """Print what was scanned, signalled, ordered, filled and earned, the calls, and the files."""
    console.print(_table(result))
    if result.summary.fills:
        console.print(_trades(result))
    for sentence in result.summary.violations:
        console.print(f"[bold red]Violation[/] {escape(sentence)}", soft_wrap=True)
    if not result.summary.violations:
        console.print("[green]No violations:[/] the book equals the simulator's ledger to the cent and the share.")
    if result.without_bars:
        console.print(f"[bold]{escape(bars_missing(result.without_bars))}[/]", soft_wrap=True)
    for what, times in result.troubles.items():
        console.print(f"[bold red]Trouble[/] {escape(what)}, {times} times", soft_wrap=True)
    if result.moved_to is not None:
        console.print(f"An interrupted run was in the way; it is now in {result.moved_to}.", soft_wrap=True)
    console.print(f"Report  {result.report}", soft_wrap=True, markup=False)
    console.print(f"Audit   {result.folder / 'audit.jsonl'}", soft_wrap=True, markup=False)


def _table(result: DayResult) -> Table:
    title = f"Market day {result.card.market}, configuration {result.card.config}, seed {result.card.seed}"
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in _rows(result):
        table.add_row(name, escape(text))
    return table


def _rows(result: DayResult) -> Iterable[tuple[str, str]]:
    figures = result.summary
    symbols = len(result.watch_list)
    yield "Network", f"{result.card.network} network: {WORDS[Network(result.card.network)]}"
    yield "Scanned", f"{figures.ticks:,} ticks of {symbols} symbols, {figures.quotes:,} quotes"
    yield "Signalled", f"{figures.signals:,} signals"
    yield "Intended", f"{figures.intents:,} intents (entries, stops and exits)"
    yield "Ordered", f"{figures.orders:,} orders at the broker"
    yield "Filled", f"{figures.fills:,} fills, {figures.open_positions} positions left open"
    yield "Profit and loss", f"{dollars(figures.realized_pnl)} realised"
    yield "default, same day", _default(result)
    calls = sum(figures.broker_calls.values())
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(figures.broker_calls.items()))
    yield "Broker calls", f"{calls:,}: {kinds}"
    yield "Cache", f"{figures.cache['served']:,} of {figures.cache['asked']:,} answers without a broker call"
    for ahead, ages in result.timing.signal_age.items():
        yield f"Signal to order, {ahead} ahead", _spread(ages)
    if result.timing.stop_delay is not None:
        yield "Fill to working stop", _spread(result.timing.stop_delay)
    if result.timing.quote_age is not None:
        yield "Age of quotes decided on", _spread(result.timing.quote_age, "2")
    yield "Seconds looked at", seconds(result.timing.looks)
    yield "Cost", f"{figures.wall_s:,.1f} s, {figures.peak_rss_mb:,.0f} MB"


def _default(result: DayResult) -> str:
    if result.card.config == "default":
        return "this is it"
    if result.default_result is None:
        return "not run yet: strategy day --config default with the same market and seed"
    other = result.default_result
    return f"{dollars(other['realized_pnl'])} realised, {other['signals']} signals, {other['fills']} fills"


def _spread(spread: Spread, places: str = "1") -> str:
    return f"p50 {spread.p50:.{places}f} s, p99 {spread.p99:.{places}f} s ({spread.count:,} measured, simulated time)"


def _trades(result: DayResult) -> Table:
    table = Table(title="Trades", title_justify="left", box=None, pad_edge=False)
    for name in ("Symbol", "Bought", "Sold"):
        table.add_column(name, no_wrap=True)
    table.add_column("Why sold")
    for name in ("Shares", "Paid", "Got", "Result"):
        table.add_column(name, justify="right", no_wrap=True)
    found = trades_of(result.book, result.ledger)
    for trade in found:
        table.add_row(
            trade.symbol + " *" * trade.possible_wash_sale,
            clock(trade.entered_at),
            clock(trade.left_at) if trade.left_at else "still held",
            trade.exit_reason,
            str(trade.shares),
            f"{trade.entry_price:,.2f}",
            f"{trade.exit_price:,.2f}" if trade.exit_price is not None else "",
            dollars(trade.realized),
        )
    if any(trade.possible_wash_sale for trade in found):
        table.caption, table.caption_justify = f"* {WASH_SALE}", "left"
    return table
