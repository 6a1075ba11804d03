"""The page and the JSON of any run: small, complete, and with the axis that its span needs."""

import re
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from infra.results.charts import MOST_PRICES, charts, drawn
from infra.results.facts import Beside, Count, Facts, Mark, Point, Skipped
from infra.results.figures import DEFINITIONS, figures
from infra.results.page import render
from infra.results.plain import beside, plain
from shared.codec import dumps, loads
from shared.domain.base.calendar import NEW_YORK, new_york_day, session_of
from shared.domain.orders.explain import why_left
from tests.results.made import START, at, curve, facts, trade

MOST_BYTES = 1_500_000
_LIBRARY = re.compile(r"<script>/\*.*?</script>", re.DOTALL)


def page(run: Facts) -> str:
    """Give the page of a run without the chart library."""
    return _LIBRARY.sub("", render(run, figures(run)))


def _of_days(first: date, last: date) -> Facts:
    """Give a run over some days, two points a session, one trade."""
    day, points = first, list[Point]()
    while day <= last:
        session = session_of(day)
        if session is not None:
            points += [
                Point(at=one, equity=START, invested=Decimal(0)) for one in (session.opens_at, session.closes_at)
            ]
        day += timedelta(days=1)
    marks = tuple(Mark(at=point.at, price=Decimal(100)) for point in points)
    run = facts([trade("5")], points, begins=points[0].at, ends=points[-1].at)
    return Facts(**{name: getattr(run, name) for name in Facts.__dataclass_fields__} | {"prices": {"IBM": marks}})


def test_a_day_of_the_longest_watch_list_is_small() -> None:
    """With 118 symbols, four trades and ten skipped signals of each, the page has 1.5 MB at the most."""
    names = [f"SYM{number:03}" for number in range(118)]
    skipped = [
        Skipped(symbol=name, at=at(11, minute), code="SIZE_ZERO", sentence="too little cash was free " * 6)
        for name in names
        for minute in range(10)
    ]
    trades = [trade("12.34", symbol=name, hour=hour) for name in names for hour in (10, 11, 12, 13)]
    prices = {name: ["123.45"] * 391 for name in names}
    run = facts(trades, curve([100_000] * 391), skipped, prices)
    text = page(run)
    assert len(text.encode()) < MOST_BYTES
    assert text.count('class="plot"') == MOST_PRICES + 1
    assert f"the {MOST_PRICES} symbols with the largest profits and losses" in text


def test_prices_have_the_places_that_the_profit_needs() -> None:
    """An average that is no whole cent stands with four places in the table of trades, one that is with two."""
    run = facts([trade("-15.85", price="27.92", shares=357)], curve([100_000] * 3))
    text = page(run)
    assert 'data-name="Exit price" class="num">27.8756<' in text
    assert 'data-name="Entry price" class="num">27.92<' in text


def test_the_definition_of_each_figure_is_on_the_page() -> None:
    """Every title and sentence of the table of definitions stands on the page, and in the JSON."""
    run = facts([trade("5")])
    text, data = page(run), plain(run, figures(run))
    for title, sentence in DEFINITIONS.values():
        assert f"<dt>{title}</dt>" in text
        assert data["definitions"][title] == sentence


@pytest.mark.parametrize(
    ("last", "form", "points"),
    [(date(2013, 10, 7), "%H:%M", 2), (date(2013, 10, 9), "%H:%M\n%-d %b", 6), (date(2013, 12, 31), "%-d %b", 120)],
)
def test_the_axis_is_that_of_the_span(last: date, form: str, points: int) -> None:
    """A day has hours, some days have hours and dates without their nights, and a longer span days."""
    run = _of_days(date(2013, 10, 7), last)
    by_name = {name: figure for name, _, figure in charts(run)}
    assert list(by_name) == ["equity", "drawdown", "price0"]
    for figure in by_name.values():
        assert len(figure["data"][0]["y"]) == points
        assert figure["layout"]["xaxis"]["tickformat"] == form
        assert ("rangebreaks" in figure["layout"]["xaxis"]) == (points == 6)


def _days_of_minutes(count: int) -> Facts:
    """Give a run over sessions of a point a minute, whose equity moves within each and is flat at its end."""
    days = (date(2013, 10, 7) + timedelta(days=number) for number in range(2 * count))
    sessions = [session for day in days if (session := session_of(day)) is not None][:count]
    draw = Random(7)
    points = [
        Point(at=session.opens_at + timedelta(minutes=minute), invested=Decimal(0),
              equity=START + (draw.randint(-900, 900) if minute < 389 else 0))
        for session in sessions for minute in range(391)
    ]  # fmt: skip
    return facts([trade("5")], points, begins=points[0].at, ends=points[-1].at)


def _hidden(run: Facts, times: set[str]) -> set[str]:
    """Name what the run's figures say of its curve and a line of these instants does not have."""
    fall, by_day = figures(run).drawdown, defaultdict[date, list[Point]](list)
    assert fall is not None
    for point in run.equity:
        by_day[new_york_day(point.at)].append(point)
    named = {"its beginning": fall.since, "its lowest point": fall.until}
    for day, own in by_day.items():
        named[f"highest of {day}"] = max(own, key=lambda one: one.equity).at
        named[f"lowest of {day}"] = min(own, key=lambda one: one.equity).at
    return {name for name, at in named.items() if f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}" not in times}


@pytest.mark.parametrize("sessions", [10, 252])
def test_a_line_has_what_the_figures_name(sessions: int) -> None:
    """A span too long for every minute is drawn with its extremes and where its largest drawdown began and was lowest;
    the line of the drawdown goes as deep as the figure; the caption says so, and the page of a year is small.
    """
    run = _days_of_minutes(sessions)
    by_name = {name: figure for name, _, figure in charts(run)}
    for name in ("equity", "drawdown"):
        assert _hidden(run, set(by_name[name]["data"][0]["x"])) == set()
    fall = figures(run).drawdown
    assert fall is not None
    assert round(min(by_name["drawdown"]["data"][0]["y"]), 2) == float(fall.pct)
    ends = {f"{one.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}" for one in run.equity[390::391]}
    assert len(_hidden(run, ends)) == 2 * sessions + 2  # one point a session hides all of it
    text = page(run)
    assert f"{run.equity_made}; {drawn(run)}</small>" in text
    assert "the highest, the lowest" in drawn(run)
    assert len(text.encode()) < MOST_BYTES


def test_a_short_span_is_drawn_whole() -> None:
    """Up to five sessions each point is on the line, and the caption says so."""
    run = _days_of_minutes(5)
    assert len(charts(run)[0][2]["data"][0]["y"]) == len(run.equity)
    assert drawn(run) == "each point is drawn"


def test_the_first_lines_come_first() -> None:
    """What must be said stands before every figure, in the order given."""
    text = page(facts(said=("The universe is today's list.", "12 of 60 sessions have no data.")))
    places = [text.index(part) for part in ("The universe is today&#39;s list.", "12 of 60 sessions", "Buy and hold")]
    assert places == sorted(places)


def test_a_drawdown_is_coloured_as_a_loss() -> None:
    """The largest drawdown has the colour of losses on the page, and none where nothing was lost."""
    fell, rose = page(facts(equity=curve([100_000, 99_000]))), page(facts(equity=curve([100_000, 100_001])))
    assert '<span>Largest drawdown</span><b class="loss">-1.00 %</b>' in fell
    assert '<span>Largest drawdown</span><b class="even">0.00 %</b>' in rose


def test_the_reasons_of_exits_are_defined() -> None:
    """The page tells a trailing exit from a fill of the stop order, in the words of its tables, at any venue."""
    text = page(facts([trade("5", reason="trail"), trade("-5", reason="protective stop")]))
    for reason in ("trail", "protective stop"):
        assert f"<strong>{why_left(reason)}</strong>" in text
        assert why_left(reason).lower() in DEFINITIONS["reasons"][1].lower()
    assert "the dotted line is the protective stop</small>" in text


def test_no_sharpe_ratio_says_from_when_on() -> None:
    """Of a few trades there is none, and the page says how many it needs."""
    text = page(facts([trade("5")]))
    assert "from 100 trades and 60 sessions on" in text


def test_the_json_is_whole_and_can_be_read_back() -> None:
    """Figures, curve, trades with their net profit and counts survive as JSON, and stand beside another run again."""
    run = facts(
        [trade("7", fees="2")], curve([100_000, 99_000, 100_005]), machine=(Count(name="Ticks", text="3"),),
        violations=(), beside=(Beside(name="default", note="not run yet"),),
    )  # fmt: skip
    data = loads(dumps(plain(run, figures(run))))
    assert data["trades"][0]["net"] == "5"
    assert data["equity"][1][1] == "99000"
    assert (data["machine"], data["violations"]) == ({"Ticks": "3"}, [])
    again = beside("demo", data, note="another run")
    assert (again.profit, again.return_pct, again.trades) == (Decimal(5), Decimal("0.00"), 1)
    assert again.drawdown_pct == Decimal("-1.00")
    empty = beside("demo", loads(dumps(plain(facts(), figures(facts())))), note="nothing")
    assert (empty.profit, empty.drawdown_pct) == (None, None)
