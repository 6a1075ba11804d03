"""What alpaca-py is let do: within the free plan, by our pages, to Alpaca alone; minutes beside days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from requests import PreparedRequest

from shared.domain.base.calendar import session_of
from shared.errors import InvariantBroken, SourceKeyRefused, SourceRefused, Unreadable
from shared.sources.allowance import Allowance
from shared.sources.alpaca import Alpaca, AlpacaKey
from shared.sources.alpaca_wire import MOST_PAGES, AlpacaWire
from shared.sources.reading import for_alpaca, for_yahoo
from tests.etrade.world import SteadyClock
from tests.sources.market import NOW
from tests.sources.world import BEFORE, KEY, START, opened


def test_the_question_ends_before_what_the_plan_serves(certificate: Path) -> None:
    """A question to now, minutes after midnight, leaves out the last quarter of an hour, which a free plan refuses."""
    with opened("alpaca", certificate) as world:
        world.clock.at = NOW
        assert world.series(before=date(2026, 3, 11)).bars
        ends = [datetime.fromisoformat(one.query["end"]) for one in world.standing.asked if "bars" in one.path]
        assert all(end.replace(tzinfo=UTC) <= NOW - timedelta(minutes=15) for end in ends)
        minutes = world.fresh().minutes("BRK.B", day=NOW.date())  # type: ignore[union-attr]
        assert minutes == ()


def test_raw_bars_of_the_tape_are_asked(certificate: Path) -> None:
    """Unadjusted bars of all exchanges are asked for, in every page."""
    with opened("alpaca", certificate) as world:
        world.series()
        asked = [one.query for one in world.standing.asked if one.path == "/v2/stocks/bars"]
    assert len(asked) == 2
    assert {(one["adjustment"], one["feed"], one["timeframe"]) for one in asked} == {("raw", "sip", "1Day")}


def test_years_are_asked_one_by_one(certificate: Path) -> None:
    """Splits and dividends of three years are asked for a year at a time, without a gap, and none is there twice."""
    with opened("alpaca", certificate) as world:
        series = world.series(start=date(2023, 3, 1))
        asked = [one.query for one in world.standing.asked if one.path == "/v1/corporate-actions"]
    assert (series.splits, series.dividends) == (world.market.splits, world.market.dividends)
    windows = [(date.fromisoformat(one["start"]), date.fromisoformat(one["end"])) for one in asked]
    assert windows[0][0] == date(2023, 3, 1)
    assert windows[-1][1] > BEFORE + timedelta(days=90)
    assert all(end + timedelta(days=1) == start for (_, end), (start, _) in pairwise(windows))


def test_minutes_are_those_of_the_session(certificate: Path) -> None:
    """1-minute bars carry their end, from the opening to the close; what was traded before or after is left out."""
    with opened("alpaca", certificate) as world:
        bars = Alpaca(KEY, clock=world.clock, address=world.address, verify=world.certificate).minutes(
            "BRK.B", day=date(2026, 3, 9)
        )
    session = session_of(date(2026, 3, 9))
    assert session is not None
    assert [(bar.end - session.opens_at) // timedelta(minutes=1) for bar in bars] == [1, 2, 5, 390]
    assert bars[-1].end == session.closes_at


def test_a_day_of_rest_has_no_minutes(certificate: Path) -> None:
    """On a Sunday nothing is asked."""
    with opened("alpaca", certificate) as world:
        assert world.fresh().minutes("BRK.B", day=date(2026, 3, 8)) == ()  # type: ignore[union-attr]
        assert world.standing.asked == []


def test_pages_without_end_are_refused(certificate: Path) -> None:
    """An answer whose next page is always another is Unreadable after so many."""
    with opened("alpaca", certificate) as world:
        world.standing.fault = "no end"
        problem = world.failure()
        assert isinstance(problem, Unreadable)
        assert world.charts() == MOST_PAGES


def test_the_library_alone_asks_a_refused_question_again(certificate: Path) -> None:
    """Seeded mistake: alpaca-py on a network of its own asks four times where a source of ours asks once."""
    with opened("alpaca", certificate) as world:
        world.standing.fault = "429"
        alone = StockHistoricalDataClient(KEY.key_id, KEY.secret, raw_data=True, url_override=world.address)
        alone._session.verify, alone._session.trust_env, alone._retry_wait = world.certificate, False, 0
        wanted = StockBarsRequest(symbol_or_symbols="BRK.B", timeframe=TimeFrame.Day, start=NOW, end=NOW)
        with pytest.raises(APIError):
            alone.get_stock_bars(wanted)
        assert world.charts() == 4
        assert isinstance(world.failure(), SourceRefused)
        assert world.charts() == 5


def test_a_key_that_is_not_taken_is_a_refusal(certificate: Path) -> None:
    """Another key, or a plan without these bars, is SourceKeyRefused without a time."""
    with opened("alpaca", certificate) as world:
        key = AlpacaKey(key_id="another", secret="another")
        source = Alpaca(key, clock=world.clock, address=world.address, verify=world.certificate)
        with pytest.raises(SourceKeyRefused, match="403") as refused:
            source.daily("BRK.B", start=START, before=BEFORE)
    assert refused.value.wait_s is None


def test_a_spelling_that_alpaca_refuses_is_unknown(certificate: Path) -> None:
    """A symbol that Alpaca calls invalid is one that it does not know."""
    with opened("alpaca", certificate) as world:
        assert world.daily("BRK-B") is None


def test_only_alpaca_is_asked() -> None:
    """A call to any other address, also one that begins alike, is not made."""
    allowance = Allowance("alpaca", clock=SteadyClock(NOW), per_minute=1, per_day=1)
    wire = AlpacaWire("https://data.alpaca.markets", allowance=allowance, within_s=1, verify=True)
    for address in ("https://data.alpaca.markets.invalid/v2/stocks/bars", "https://localhost/"):
        request = PreparedRequest()
        request.prepare(method="GET", url=address)
        with pytest.raises(InvariantBroken):
            wire.send(request)


def test_the_next_question_has_its_own_time(certificate: Path) -> None:
    """After a slow answer was given up the source is asked anew, and answers."""
    with opened("alpaca", certificate) as world:
        quick = replace(world, standing=world.standing, within_s=0.8)
        world.standing.fault = "slow"
        assert quick.failure() is not None
        world.standing.fault = ""
        assert world.series().bars


@pytest.mark.parametrize(
    ("ticket", "alpaca", "yahoo"),
    [("IBM", "IBM", "IBM"), ("BRK.B", "BRK.B", "BRK-B"), ("JPM.PR.D", "JPM.PRD", "JPM-PD")],
)
def test_symbols_are_spelled_for_each(ticket: str, alpaca: str, yahoo: str) -> None:
    """A ticket's symbol is asked for in the source's spelling."""
    assert (for_alpaca(ticket), for_yahoo(ticket)) == (alpaca, yahoo)
