"""The report's charts as plotly figures in plain data: prices with entries, exits and stops, equity.

Times on the axes are New York wall-clock times. Prices are floats here: nothing of this reaches an order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from infra.day.hours import NEW_YORK, Hours
from infra.day.ledger import BrokerLedger, LedgerOrder
from infra.results.facts import Trade

Figure = dict[str, Any]

STEP = timedelta(seconds=10)
INK, LINE, GAIN, LOSS, STOP = "#5b6475", "#3b5bdb", "#0b7a4b", "#c2410c", "#b3261e"
_ENDS = frozenset({"cancelled", "expired", "rejected"})


class Shown(Protocol):
    """What a market showed at one instant: the last trade in USD."""

    @property
    def last(self) -> Decimal:
        """The last trade in USD."""
        ...


class Prices(Protocol):
    """The part of a market that a chart needs."""

    def quote(self, symbol: str, at: datetime) -> Shown | None:
        """Give what `symbol` showed at an instant, or None before its first row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A protective stop while it lived: its level in USD from one instant to another."""

    begins: datetime
    ends: datetime
    level: Decimal


def price_chart(symbol: str, *, prices: Prices, ledger: BrokerLedger, trades: Sequence[Trade], hours: Hours) -> Figure:
    """Draw one symbol's session with its fills, its stops and the time it was held."""
    line = {
        **_line("last trade", [_number(prices.quote(symbol, at)) for at in _instants(hours)], hours),
        "line": {"color": LINE, "width": 1.4},
        "hovertemplate": "%{y:,.2f}<extra></extra>",
    }
    own = [trade for trade in trades if trade.symbol == symbol]
    marks = [
        _marks(symbol, ledger, action="BUY", name="entry", color=GAIN, shape="triangle-up"),
        _marks(symbol, ledger, action="SELL", name="exit", color=LOSS, shape="triangle-down"),
    ]
    bands = [_band(trade, hours) for trade in own]
    return {"data": [line, _stop_line(symbol, ledger, hours), *marks], "layout": {"shapes": bands}}


def equity_chart(*, prices: Prices, ledger: BrokerLedger, start: Decimal, hours: Hours) -> Figure:
    """Draw what the account gained or lost through the session, open positions at the last trade."""
    cash, held, gains = start, dict[str, int](), []
    fills = sorted(ledger.fills, key=lambda fill: fill.at)
    place = 0
    for at in _instants(hours):
        while place < len(fills) and fills[place].at <= at:
            fill = fills[place]
            signed = fill.quantity if fill.action == "BUY" else -fill.quantity
            held[fill.symbol] = held.get(fill.symbol, 0) + signed
            cash -= signed * fill.price
            place += 1
        gains.append(round(float(cash + _worth(held, prices, at) - start), 2))
    line = {
        **_line("equity", gains, hours),
        "fill": "tozeroy",
        "fillcolor": "rgba(59,91,219,.10)",
        "line": {"color": LINE, "width": 1.6},
        "hovertemplate": "%{y:+,.2f} USD<extra></extra>",
    }
    return {"data": [line], "layout": {"showlegend": False}}


def _line(name: str, values: Sequence[float | None], hours: Hours) -> dict[str, object]:
    """Give a line of one value a step from the open on."""
    return {
        "type": "scatter", "mode": "lines", "name": name, "x0": _local(hours.opens),
        "dx": STEP.total_seconds() * 1000, "y": values,
    }  # fmt: skip


def stop_spans(symbol: str, ledger: BrokerLedger, closes: datetime) -> list[Span]:
    """Give each protective stop of a symbol with the time that it worked at the broker."""
    found = [span for order in ledger.orders if order.symbol == symbol if (span := _span(order, closes)) is not None]
    return sorted(found, key=lambda span: span.begins)


def _span(order: LedgerOrder, closes: datetime) -> Span | None:
    works = next((event.at for event in order.history if event.event == "working"), None)
    if order.action != "SELL" or order.stop_price is None or works is None:
        return None
    over = [event.at for event in order.history if event.event in _ENDS]
    if order.filled == order.quantity:
        over += [event.at for event in order.history if event.event == "fill"][-1:]
    return Span(begins=works, ends=over[0] if over else closes, level=order.stop_price)


def _stop_line(symbol: str, ledger: BrokerLedger, hours: Hours) -> Figure:
    times: list[str | None] = []
    levels: list[float | None] = []
    for span in stop_spans(symbol, ledger, hours.closes):
        times += [_local(span.begins), _local(span.ends), None]
        levels += [float(span.level), float(span.level), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "protective stop",
        "x": times,
        "y": levels,
        "connectgaps": False,
        "line": {"color": STOP, "width": 1.6, "dash": "dot"},
        "hovertemplate": "stop %{y:,.2f}<extra></extra>",
    }


def _marks(symbol: str, ledger: BrokerLedger, *, action: str, name: str, color: str, shape: str) -> Figure:
    fills = [fill for fill in ledger.fills if fill.symbol == symbol and fill.action == action]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [_local(fill.at) for fill in fills],
        "y": [float(fill.price) for fill in fills],
        "text": [f"{fill.action.lower()} {fill.quantity} at {fill.price:,.2f}" for fill in fills],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": shape, "size": 13, "color": color, "line": {"color": "#fff", "width": 1.5}},
    }


def _band(trade: Trade, hours: Hours) -> Figure:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": _local(trade.entered_at),
        "x1": _local(trade.left_at or hours.closes),
        "y0": 0,
        "y1": 1,
        "fillcolor": "rgba(11,122,75,.08)" if trade.realized >= 0 else "rgba(194,65,12,.08)",
        "line": {"width": 0},
        "layer": "below",
    }


def _instants(hours: Hours) -> Iterator[datetime]:
    at = hours.opens
    while at <= hours.closes:
        yield at
        at += STEP


def _worth(held: Mapping[str, int], prices: Prices, at: datetime) -> Decimal:
    worth = Decimal(0)
    for symbol, shares in held.items():
        shown = prices.quote(symbol, at) if shares else None
        worth += shares * shown.last if shown is not None else 0
    return worth


def _number(shown: Shown | None) -> float | None:
    return None if shown is None else float(shown.last)


def _local(at: datetime) -> str:
    return at.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
