"""What yfinance is let do, and what is read of a chart that Yahoo has divided by its splits."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pytest
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException
from hypothesis import given
from hypothesis import strategies as st
from yfinance.data import YfData
from yfinance.exceptions import YFRateLimitError

from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Split
from shared.errors import SourceDown, SourceRefused, Unreadable
from shared.sources import yahoo_chart
from shared.sources.allowance import Allowance
from shared.sources.yahoo_chart import Chart, as_traded
from shared.sources.yahoo_session import YahooSession
from tests.etrade.world import SteadyClock
from tests.sources.market import NOW, TODAY, made
from tests.sources.standing import Asked
from tests.sources.world import BEFORE, REVERSE, SPLIT, SPLIT_DAY, START, World, opened
from tests.sources.yahoo_standing import YahooStanding, single

LARGE = Split(day=date(2026, 2, 10), ratio=Decimal(20))


def read(world: YahooStanding) -> Chart | None:
    """Read what a stand-in would say."""
    query = {"period1": "0", "period2": str(2**31)}
    asked = Asked(host="query2.finance.yahoo.com", path="/v8/finance/chart/BRK-B", query=query, headers={})
    return yahoo_chart.read(world(asked).body)


@given(cents=st.integers(min_value=1, max_value=9_999_999))
def test_a_price_keeps_its_digits(cents: int) -> None:
    """Any price in cents below 100,000 dollars comes out of its 32-bit float as it was."""
    price = Decimal(cents) / 100
    assert yahoo_chart._single(Decimal(repr(single(price))), "close") == price


@given(
    cents=st.integers(min_value=100, max_value=999_999),
    ratio=st.sampled_from(["2", "3", "7", "20", "1.05", "0.1", "0.04", "1.281"]),
)
def test_a_divided_price_is_given_back(cents: int, ratio: str) -> None:
    """A price up to 10,000 dollars that Yahoo divided and rounded to a 32-bit float is the price that was paid."""
    price = Decimal(cents) / 100
    kept = yahoo_chart._single(Decimal(repr(single(price / Decimal(ratio)))), "close")
    assert yahoo_chart._stepped(kept * Decimal(ratio)) == price
    assert Decimal(ratio) == 1 or yahoo_chart._stepped(kept) != price  # seeded mistake: nothing is multiplied


@pytest.mark.parametrize("fault", ["late split", "split twice"])
@pytest.mark.parametrize("split", [SPLIT, LARGE, REVERSE])
def test_prices_that_do_not_know_a_split_once_are_not_taken(split: Split, fault: str, certificate: Path) -> None:
    """A split that the prices of before do not know of, or know twice, is SourceDown, not a price of another share."""
    with opened("yahoo", certificate, made(splits=[split])) as world:
        world.standing.fault = fault
        problem = world.failure()
        assert isinstance(problem, SourceDown)
        assert split.day.isoformat() in problem.detail
        world.standing.fault = ""
        assert world.series().bars == world.market.over(START, BEFORE)


def _bar(day: date, close: str) -> DailyBar:
    price = Decimal(close)
    return DailyBar(day=day, open=price, high=price, low=price, close=price, volume=300)


def test_a_split_of_today_waits_for_its_first_trade() -> None:
    """Before the first trade of a split's day nobody can see whether the prices know of it: SourceDown."""
    before = Chart(bars=(_bar(date(2026, 2, 9), "30"),), splits=(SPLIT,))
    with pytest.raises(SourceDown):
        as_traded(before, today=SPLIT_DAY)
    traded = replace(before, bars=(*before.bars, _bar(SPLIT_DAY, "31")))
    assert as_traded(traded, today=SPLIT_DAY).bars[0] == replace(_bar(date(2026, 2, 9), "90.00"), volume=100)
    assert as_traded(before, today=date(2026, 2, 9)).bars == before.bars  # it is not in force yet


def test_a_day_with_a_hole_is_no_day(certificate: Path) -> None:
    """A day of which one of the five values is missing is left out, the others stay."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "hole"
        bars = world.series().bars
    whole = world.market.over(START, BEFORE)
    assert bars == (*whole[:3], *whole[4:])


@pytest.mark.parametrize(
    ("name", "value"), [("dataGranularity", "1mo"), ("currency", "CAD"), ("exchangeTimezoneName", "Europe/London")]
)
def test_another_chart_than_was_asked_is_unreadable(name: str, value: str) -> None:
    """Bars of a month, in another money or of another exchange are none of ours, and the field is named."""
    assert isinstance(read(YahooStanding(market=made())), Chart)
    with pytest.raises(Unreadable, match=name):
        read(YahooStanding(market=made(), meta={name: value}))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"<html>", "no JSON"),
        (b"[]", "yahoo is no object"),
        (b"{}", "yahoo.chart is missing"),
        (b'{"chart": {"error": null}}', "chart.result is missing"),
        (b'{"chart": {"error": null, "result": []}}', "chart.result is empty"),
        (b'{"chart": {"error": {"code": "New", "description": "?"}}}', "chart.error is none that is known"),
    ],
)
def test_what_is_no_chart_is_unreadable(body: bytes, named: str) -> None:
    """An answer of another form is Unreadable with what is wrong."""
    with pytest.raises(Unreadable, match=named):
        yahoo_chart.read(body)


def test_columns_of_another_length_are_unreadable() -> None:
    """A column that is shorter than the days cannot be laid beside them."""
    standing = YahooStanding(market=made())
    asked = Asked(
        host="query2.finance.yahoo.com", path="/v8/finance/chart/BRK-B",
        query={"period1": "0", "period2": str(2**31)}, headers={},
    )  # fmt: skip
    whole = json.loads(standing(asked).body)
    whole["chart"]["result"][0]["indicators"]["quote"][0]["high"].pop()
    with pytest.raises(Unreadable, match="high is not as long as the days"):
        yahoo_chart.read(json.dumps(whole).encode())


@pytest.mark.parametrize("symbol", ["../../v7/quote", "BRK-B?events=none", "BRK-B#", "^GSPC", "A B"])
def test_a_symbol_is_never_more_than_a_symbol(symbol: str, certificate: Path) -> None:
    """Whatever stands in a symbol stays the last part of the address, and the question is the same."""
    with opened("yahoo", certificate) as world:
        assert world.daily(symbol) is None
        (asked,) = (one for one in world.standing.asked if one.host.startswith("query2"))
    before, _, last = asked.path.rpartition("/")
    assert (before, unquote(last)) == ("/v8/finance/chart", symbol.replace(".", "-"))
    assert asked.query["events"] == "div,splits"


def test_a_range_without_a_day_is_no_unknown_symbol(certificate: Path) -> None:
    """Where Yahoo says that a range has no data the symbol is known: a series without a bar."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "nothing"
        assert world.series().bars == ()


def test_a_closed_door_is_a_refusal(certificate: Path) -> None:
    """A 401 lets the library try once more with what it has, and is then SourceRefused."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "401"
        assert isinstance(world.failure(), SourceRefused)
        assert world.charts() == 2


def test_an_answer_that_is_too_long_is_not_taken(certificate: Path) -> None:
    """Of nine megabytes no more than eight are taken: Unreadable."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "long"
        problem = world.failure()
    assert isinstance(problem, Unreadable)
    assert "longer than" in problem.detail


def test_the_library_alone_asks_a_refused_question_again(certificate: Path) -> None:
    """Seeded mistake: yfinance on a session of its own asks a refused chart twice."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "429"
        alone: Session[Response] = Session(impersonate="chrome", proxies={"all": world.address})
        alone.verify = world.certificate  # type: ignore[assignment] # a path, as for curl
        with pytest.raises(YFRateLimitError):
            YfData(session=alone).get(f"{yahoo_chart.CHART}BRK-B", params={})
        assert world.charts() == 2
        assert isinstance(world.failure(), SourceRefused)
        assert world.charts() == 3


def _session(world: World) -> YahooSession:
    allowance = Allowance("yahoo", clock=SteadyClock(NOW), per_minute=60, per_day=60)
    session = YahooSession(allowance=allowance, within_s=60, verify=world.certificate, proxy=world.address)
    session.begin()
    return session


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://guce.yahoo.com/consent"),
        ("POST", "https://consent.yahoo.com/v2/collectConsent"),
        ("POST", "https://query2.finance.yahoo.com/v8/finance/chart/IBM"),
        ("GET", "http://query2.finance.yahoo.com/v8/finance/chart/IBM"),
    ],
)
def test_no_terms_are_agreed_to_and_nobody_else_is_asked(method: str, url: str, certificate: Path) -> None:
    """A form is never sent, another host and an open connection are not asked: nothing reaches the network."""
    with opened("yahoo", certificate) as world:
        with pytest.raises(RequestException):
            _session(world).request(method, url)
        assert world.standing.asked == []


def test_a_certificate_that_is_not_believed_ends_it(certificate: Path) -> None:
    """A server with another certificate is not talked to: SourceDown."""
    with opened("yahoo", certificate) as world:
        mistrustful = replace(world, certificate="")
        assert isinstance(mistrustful.failure(), SourceDown)
        assert world.standing.asked == []


def test_today_is_no_bar_even_after_its_split(certificate: Path) -> None:
    """On a split's own day the bars of before are as traded once it is seen, and its half day is none."""
    with opened("yahoo", certificate, made(splits=[Split(day=TODAY, ratio=Decimal(4))])) as world:
        series = world.series(before=TODAY)
        assert series.bars == world.market.over(START, TODAY)
        assert series.splits == (Split(day=TODAY, ratio=Decimal(4)),)
