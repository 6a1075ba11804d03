"""The report of a day: one HTML file that needs nothing from anywhere, on a desk or on a phone."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from infra.day.charts import Figure, Prices, equity_chart, price_chart
from infra.day.environment import STARTING_CASH
from infra.day.facts import decisions_of, trades_of
from infra.day.hours import NEW_YORK, clock
from infra.day.result import DayResult
from infra.results.facts import Trade
from infra.results.receipts import Decision, why_not
from infra.results.words import KINDS, dollars, span, tone, words
from shared.codec import dumps
from shared.domain.orders import State

MOST_UNTAKEN = 200
"""Signals that bought nothing and are listed one by one; beyond that only their reasons are counted."""

_TEMPLATES = Path(__file__).parent / "templates"
_OUTCOMES = {
    State.DENIED: "denied by our own rules",
    State.REJECTED: "rejected by the broker",
    State.EXPIRED: "expired unfilled",
    State.CANCELLED: "cancelled unfilled",
    State.VOIDED: "given up before it was sent",
    State.NOT_PLACED: "never reached the broker",
}


def render(result: DayResult, prices: Prices) -> str:
    """Write the report; `prices` is the market that the day ran on."""
    day_trades = trades_of(result.book, result.ledger)
    found = decisions_of(result.book)
    charts = _charts(result, prices, day_trades)
    taken = [decision for decision in found if decision.shares]
    untaken = [decision for decision in found if not decision.shares]
    page = _environment().get_template("report.html")
    return page.render(
        result=result,
        figures=result.summary,
        day=result.hours.opens.astimezone(NEW_YORK),
        trades=day_trades,
        charts=[(name, title) for name, title, _ in charts],
        chart_data=Markup(_script_json({name: figure for name, _, figure in charts})),  # noqa: S704 - escaped
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the installed package's own script
        taken=taken,
        untaken=untaken[:MOST_UNTAKEN],
        untaken_count=len(untaken),
        why_not=why_not((one.symbols for one in result.book.receipts), result.watch_list),
        calls=sum(result.summary.broker_calls.values()),
    )


def outcome(decision: Decision) -> str:
    """Say in a few words what became of a signal."""
    entry = decision.entry
    if entry is None:
        return "not taken up"
    if entry.filled:
        price = f" at {entry.average_price:,.2f}" if entry.average_price is not None else ""
        limit = f"; {entry.sized}" if entry.sized else ""
        return f"bought {entry.filled} of {entry.quantity}{price}{limit}"
    why = entry.note or ", ".join(words(code) for code in entry.codes)
    return _OUTCOMES.get(entry.state, words(entry.state)) + (f": {why}" if why else "")


def _charts(result: DayResult, prices: Prices, day_trades: Sequence[Trade]) -> list[tuple[str, str, Figure]]:
    hours, ledger = result.hours, result.ledger
    equity = equity_chart(prices=prices, ledger=ledger, start=STARTING_CASH, hours=hours)
    charts = [("equity", "Equity", equity)]
    for number, symbol in enumerate(dict.fromkeys(trade.symbol for trade in day_trades)):
        figure = price_chart(symbol, prices=prices, ledger=ledger, trades=day_trades, hours=hours)
        charts.append((f"price{number}", symbol, figure))
    return charts


def _script_json(data: object) -> str:
    """Write JSON that can stand inside a script element."""
    return dumps(data).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "dollars": dollars,
        "clock": _clock,
        "tone": tone,
        "outcome": outcome,
        "words": words,
        "span": span,
        "kind": KINDS.get,
    }
    return made


def _clock(at: datetime | None) -> str:
    return clock(at) if at is not None else ""
