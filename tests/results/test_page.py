"""The page and the JSON of any run: small, complete, and with the axis that its span needs."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from infra.results.charts import MOST_PRICES, charts
from infra.results.facts import Beside, Count, Facts, Mark, Point, Skipped
from infra.results.figures import DEFINITIONS, figures
from infra.results.page import render
from infra.results.plain import beside, plain
from shared.codec import dumps, loads
from shared.domain.base.calendar import session_of
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


def test_the_definition_of_each_figure_is_on_the_page() -> None:
    """Every title and sentence of the table of definitions stands on the page, and in the JSON."""
    run = facts([trade("5")])
    text, data = page(run), plain(run, figures(run))
    for title, sentence in DEFINITIONS.values():
        assert f"<dt>{title}</dt>" in text
        assert data["definitions"][title] == sentence


@pytest.mark.parametrize(
    ("last", "form", "points"),
    [(date(2013, 10, 7), "%H:%M", 2), (date(2013, 10, 9), "%H:%M\n%-d %b", 6), (date(2013, 12, 31), "%-d %b", 60)],
)
def test_the_axis_is_that_of_the_span(last: date, form: str, points: int) -> None:
    """A day has hours, some days have hours and dates without their nights, and a longer span one point a session."""
    run = _of_days(date(2013, 10, 7), last)
    by_name = {name: figure for name, _, figure in charts(run)}
    assert list(by_name) == ["equity", "drawdown", "price0"]
    for figure in by_name.values():
        assert len(figure["data"][0]["y"]) == points
        assert figure["layout"]["xaxis"]["tickformat"] == form
        assert ("rangebreaks" in figure["layout"]["xaxis"]) == (points == 6)


def test_the_first_lines_come_first() -> None:
    """What must be said stands before every figure, in the order given."""
    text = page(facts(said=("The universe is today's list.", "12 of 60 sessions have no data.")))
    places = [text.index(part) for part in ("The universe is today&#39;s list.", "12 of 60 sessions", "Buy and hold")]
    assert places == sorted(places)


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
