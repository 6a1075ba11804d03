"""The charts of a report as plotly figures in plain data: return beside buy-and-hold, drawdown, prices with trades.

Times on the axes are New York wall-clock times. Colours are names of the page's style, so that a chart follows dark and
light. A span of more than `MOST_SESSIONS` is drawn with some points of each session, which `drawn` names: the extremes
of equity, prices and drawdown are on their lines in any span. Prices are floats here: nothing of this reaches an order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from infra.results.facts import Facts, Mark, Point, StopLine, Trade
from infra.results.figures import drawdown
from infra.results.splits import stop_on, trade_on
from infra.results.words import dollars
from shared.domain.base.calendar import NEW_YORK, new_york_day
from shared.domain.orders.explain import why_left

Figure = dict[str, Any]
T = TypeVar("T", Mark, Point)

MOST_SESSIONS = 5
MOST_PRICES = 40
"""Symbols whose prices are drawn, those with the largest profits and losses."""
_NIGHTS = [{"bounds": [16, 9.5], "pattern": "hour"}, {"bounds": ["sat", "mon"]}]


def charts(facts: Facts) -> list[tuple[str, str, Figure]]:
    """Give each chart with a name and a title: equity and drawdown, then a chart of each symbol that was traded."""
    found = []
    if facts.equity:
        found = [("equity", "Return", _returns(facts)), ("drawdown", "Drawdown", _drawdowns(facts))]
    profits = defaultdict[str, Decimal](Decimal)
    for trade in facts.trades:
        profits[trade.symbol] += trade.net
    shown = sorted(sorted(profits), key=lambda symbol: -abs(profits[symbol]))[:MOST_PRICES]
    for number, symbol in enumerate(sorted(shown)):
        found.append((f"price{number}", symbol, _price(facts, symbol)))
    return found


def drawn(facts: Facts) -> str:
    """Say which points of the equity curve its lines are drawn with."""
    if _sessions(facts) <= MOST_SESSIONS:
        return "each point is drawn"
    return (
        "drawn are the first, the last, the highest, the lowest and the deepest fallen point of each session, and "
        "those between which the largest drawdown fell"
    )


def _returns(facts: Facts) -> Figure:
    points = _points(facts)
    start = float(facts.starting_equity)
    own = [round((float(point.equity) / start - 1) * 100, 4) for point in points]
    lines = [_line("this run", points, own, color="--accent", hover="%{y:+.2f} %")]
    if (held := _held(facts.prices, points)) is not None:
        lines.append(_line("buy and hold", points, held, color="--soft", hover="%{y:+.2f} %", dash="dot"))
    return _with_axis(facts, {"data": lines, "layout": {}}, unit="%")


def _drawdowns(facts: Facts) -> Figure:
    whole, points = _falls(facts), _points(facts)
    falls = [round(float(whole[point.at]) * 100, 4) for point in points]
    line = _line("drawdown", points, falls, color="--loss", hover="%{y:.2f} %")
    line |= {"fill": "tozeroy", "fillcolor": "--wash"}
    return _with_axis(facts, {"data": [line], "layout": {"showlegend": False}}, unit="%")


def _falls(facts: Facts) -> dict[datetime, Decimal]:
    """Give at each point what part of the highest equity until then is lost, never above 0."""
    top, found = facts.starting_equity, dict[datetime, Decimal]()
    for point in facts.equity:
        top = max(top, point.equity)
        found[point.at] = point.equity / top - 1
    return found


def _price(facts: Facts, symbol: str) -> Figure:
    marks = _thinned(facts, facts.prices.get(symbol, ()))
    splits, ends = facts.splits.get(symbol, ()), facts.ends
    own = [trade_on(trade, splits, ends) for trade in facts.trades if trade.symbol == symbol]
    line = {
        "type": "scatter", "mode": "lines", "name": "price", **_times([mark.at for mark in marks]),
        "y": [float(mark.price) for mark in marks], "line": {"color": "--accent", "width": 1.4},
        "hovertemplate": "%{y:,.2f}<extra></extra>",
    }  # fmt: skip
    stops = [stop_on(stop, splits, ends) for stop in facts.stops if stop.symbol == symbol]
    bands = [_band(trade, ends) for trade in own]
    data = [line, _stop_line(stops), _entries(own), _exits(own)]
    return _with_axis(facts, {"data": data, "layout": {"shapes": bands}}, unit="$")


def _line(
    name: str, points: Sequence[Point], values: Sequence[float | None], *, color: str, hover: str, dash: str = "solid"
) -> Figure:  # fmt: skip
    return {
        "type": "scatter", "mode": "lines", "name": name, **_times([point.at for point in points]), "y": values,
        "line": {"color": color, "width": 1.6, "dash": dash}, "hovertemplate": f"{name} {hover}<extra></extra>",
    }  # fmt: skip


def _stop_line(stops: Sequence[StopLine]) -> Figure:
    times: list[str | None] = []
    levels: list[float | None] = []
    for stop in sorted(stops, key=lambda stop: stop.begins):
        times += [_local(stop.begins), _local(stop.ends), None]
        levels += [float(stop.level), float(stop.level), None]
    return {
        "type": "scatter", "mode": "lines", "name": "protective stop", "x": times, "y": levels, "connectgaps": False,
        "line": {"color": "--stop", "width": 1.6, "dash": "dot"}, "hovertemplate": "stop %{y:,.2f}<extra></extra>",
    }  # fmt: skip


def _entries(trades: Sequence[Trade]) -> Figure:
    bought = [(trade.entered_at, trade.entry_price, f"bought {trade.shares:,}") for trade in trades]
    return _markers("entry", bought, color="--gain", shape="triangle-up")


def _exits(trades: Sequence[Trade]) -> Figure:
    sold = [
        (trade.left_at, trade.exit_price, f"{why_left(trade.exit_reason)}, {dollars(trade.net)}")
        for trade in trades
        if trade.left_at is not None and trade.exit_price is not None
    ]
    return _markers("exit", sold, color="--loss", shape="triangle-down")


def _markers(name: str, found: Sequence[tuple[datetime, Any, str]], *, color: str, shape: str) -> Figure:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": [_local(at) for at, _, _ in found],
        "y": [round(float(price), 4) for _, price, _ in found],
        "text": [f"{price:,.2f}: {text}" for _, price, text in found], "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": shape, "size": 13, "color": color, "line": {"color": "--card", "width": 1.5}},
    }  # fmt: skip


def _band(trade: Trade, ends: datetime) -> Figure:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "x0": _local(trade.entered_at),
        "x1": _local(trade.left_at or ends), "line": {"width": 0}, "layer": "below", "fillcolor": "--held",
    }  # fmt: skip


def _held(prices: Mapping[str, Sequence[Mark]], points: Sequence[Point]) -> list[float | None] | None:
    """Give what equal parts of every symbol gained by each point, in percent; None before the first price."""
    sound = [marks for marks in prices.values() if marks and marks[0].price > 0]
    if not sound:
        return None
    places, values = [0] * len(sound), list[float | None]()
    for point in points:
        gains = []
        for number, marks in enumerate(sound):
            while places[number] < len(marks) and marks[places[number]].at <= point.at:
                places[number] += 1
            last = marks[places[number] - 1] if places[number] else marks[0]
            gains.append(float(last.price / marks[0].price - 1))
        values.append(round(sum(gains) / len(gains) * 100, 4))
    return values


def _sessions(facts: Facts) -> int:
    return len({new_york_day(point.at) for point in facts.equity})


def _points(facts: Facts) -> Sequence[Point]:
    if _sessions(facts) <= MOST_SESSIONS:
        return facts.equity
    falls, largest = _falls(facts), drawdown(facts.equity, facts.starting_equity)
    named = {largest.since, largest.until} if largest else set[datetime]()
    kept = named | _extremes(facts.equity, lambda point: point.equity)
    kept |= _extremes(facts.equity, lambda point: falls[point.at])
    return [point for point in facts.equity if point.at in kept]


def _thinned(facts: Facts, marks: Sequence[Mark]) -> Sequence[Mark]:
    if _sessions(facts) <= MOST_SESSIONS:
        return marks
    kept = _extremes(marks, lambda mark: mark.price)
    return [mark for mark in marks if mark.at in kept]


def _extremes(points: Iterable[T], value: Callable[[T], Decimal]) -> set[datetime]:
    """Give when each New York day has its first, last, highest and lowest point."""
    days = defaultdict[object, list[T]](list)
    for point in points:
        days[new_york_day(point.at)].append(point)
    return {one.at for day in days.values() for one in (day[0], day[-1], max(day, key=value), min(day, key=value))}


def _with_axis(facts: Facts, figure: Figure, *, unit: str) -> Figure:
    """Say what the axes show: the hours of one session, sessions without their nights, or days."""
    count = _sessions(facts)
    axis: dict[str, object] = {"tickformat": "%H:%M" if count <= 1 else "%-d %b"}
    if 1 < count <= MOST_SESSIONS:
        axis |= {"tickformat": "%H:%M\n%-d %b", "rangebreaks": _NIGHTS}
    figure["layout"] |= {
        "xaxis": axis,
        "yaxis": {"tickformat": "$,.2f"} if unit == "$" else {"ticksuffix": " %", "tickformat": ".2f"},
    }
    return figure


def _times(instants: Sequence[datetime]) -> Figure:
    """Give the axis of instants, short where they have even steps."""
    steps = {after - before for before, after in pairwise(instants)}
    if len(steps) == 1:
        return {"x0": _local(instants[0]), "dx": steps.pop().total_seconds() * 1000}
    return {"x": [_local(at) for at in instants]}


def _local(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"
