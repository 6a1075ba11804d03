"""The one interface to the market's data: who answers, how old it is, and what it lacks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.market.bars import Interval
from shared.domain.market.known import Glance, Known, State
from shared.domain.market.quotes import Quote, Quotes, QuoteStatus
from shared.errors import NotSent, TokenDead
from shared.ports import Put
from shared.strategies.config import load
from shared.usecases.base.desk import put
from shared.usecases.base.kept import Kept, Served
from shared.usecases.market import market_data
from shared.usecases.market.market_data import KEPT, NOW, OLD, STORED, MarketData
from tests.domain.days import TODAY, series, sessions
from tests.domain.made import OPENS, quote
from tests.domain.market.test_own_days import seen
from tests.usecases.market.test_own_bars import _session
from tests.usecases.morning import MorningBench, Scripted

NOON = OPENS + timedelta(hours=2, minutes=30)
(BEFORE_LAST, LAST) = sessions(2)


class Home:
    """A desk of which the owner may read everything, with a broker that a test scripts."""

    def __init__(self, *sources: Scripted) -> None:
        self.bench = MorningBench(*sources)
        self.clock, self.store = self.bench.clock, self.bench.file
        self.clock.at = NOON
        self.asked: list[tuple[str, ...]] = []
        self.answer: Callable[[Sequence[str]], Quotes] = self.all_of
        self.data = MarketData(replace(self.bench.desk, store=self.store), broker="E*TRADE", ask=self._ask)

    def all_of(self, symbols: Sequence[str]) -> Quotes:
        """Quote everything, at one price with no spread."""
        return Quotes({name: self.of(name) for name in symbols})

    def of(self, symbol: str, *, at: datetime | None = None) -> Quote:
        """Give a quote of a symbol that is of now unless a test says."""
        return replace(quote("100", bid="100", ask="100", when=at or self.clock.at), symbol=symbol)

    def scanned(self, symbol: str, *, ago: float) -> None:
        """Leave what the scan stored so many seconds ago."""
        self.store.commit([put(f"quotes/{symbol}", self.of(symbol, at=self.clock.at - timedelta(seconds=ago)))])

    def _ask(self, symbols: Sequence[str]) -> Quotes:
        self.asked.append(tuple(symbols))
        return self.answer(symbols)


def made(known: Known[Glance]) -> tuple[str, bool]:
    """Say how an answer came here and whether it is fresh."""
    return known.made, known.fresh


def test_the_first_that_can_answers() -> None:
    """A quote is asked for once a second at most: this instance answers, then what the scan stored, then the broker."""
    home = Home()
    home.scanned("MSFT", ago=0.5)
    first = home.data.quotes(["ibm", "MSFT", "IBM"])
    assert {name: made(one) for name, one in first.items()} == {"IBM": (NOW, True), "MSFT": (STORED, True)}
    home.clock.at += timedelta(seconds=0.9)
    assert made(home.data.quote("IBM")) == (KEPT, True)
    home.clock.at += timedelta(seconds=0.1)
    assert made(home.data.quote("IBM")) == (NOW, True)
    assert home.asked == [("IBM",), ("IBM",)]
    assert home.data.served.quote == Served(asked=4, instance=1, store=1, source=2, none=0)


def test_an_age_goes_on_in_the_cache() -> None:
    """An answer of the cache is as old as its quote is by now, and not as it was when it came."""
    home = Home()
    home.data.quote("IBM")
    home.clock.at += timedelta(seconds=0.75)
    assert (home.data.quote("IBM").age_s, home.data.quote("IBM").made) == (0.75, KEPT)


class Forever(Kept[Quote]):
    """Seeded mistake: a cache that forgets no time."""

    def get(self, name: str, now: datetime) -> Quote | None:
        """Give what was ever put there."""
        return super().get(name, datetime.min.replace(tzinfo=now.tzinfo))


def test_a_cache_without_a_time_is_found() -> None:
    """Seeded mistake: where nothing grows too old a minute's old quote is given for the market's."""
    ages = []
    for cache in (Kept[Quote](9), Forever(9)):
        home = Home()
        home.data._quotes = cache
        home.data.quote("IBM")
        home.clock.at += timedelta(minutes=1)
        ages.append(home.data.quote("IBM").age_s)
    assert ages == [0, 60]


def test_where_the_broker_fails_the_last_stored_quote_is_marked() -> None:
    """Its answer is the last that the scan stored, with its age and why, and is neither fresh nor of any quality."""
    home = Home()
    home.scanned("IBM", ago=90)

    def down(_: Sequence[str]) -> Quotes:
        raise NotSent("no connection")

    home.answer = down
    found = home.data.quotes(["IBM", "MSFT"])
    old, none = found["IBM"], found["MSFT"]
    assert (made(old), old.age_s) == ((OLD, False), 90)
    assert old.reasons[0] == "E*TRADE gave no usable answer: no connection"
    assert old.quality < Decimal("0.5")
    assert (none.value, none.at, none.fresh, none.quality) == (None, None, False, Decimal(0))
    assert home.data.served.quote == Served(asked=2, store=1, none=1)


def test_a_symbol_that_the_broker_leaves_out_is_missing() -> None:
    """Beside others that are quoted it is no price and no zero, and says so; what is no symbol is not asked."""
    home = Home()
    home.answer = lambda symbols: Quotes({"IBM": home.of("IBM")})
    found = home.data.quotes(["IBM", "NONE", "../orders"])
    assert found["IBM"].fresh
    assert (found["NONE"].value, found["NONE"].reasons) == (
        None,
        ("E*TRADE does not know it, or gives no quote that can be used",),
    )
    assert (found["../ORDERS"].value, found["../ORDERS"].reasons) == (None, ("no symbol",))
    assert home.asked == [("IBM", "NONE")]


def test_a_call_that_fails_costs_its_own_symbols_alone() -> None:
    """Of the symbols whose call failed, or did not leave, each has its reason, and the others are fresh."""
    home = Home()
    failed = {"MSFT": NotSent("no connection")}
    home.answer = lambda _: Quotes({"IBM": home.of("IBM")}, failed=failed, unasked=("ORCL",))
    found = home.data.quotes(["IBM", "MSFT", "ORCL"])
    assert found["IBM"].fresh
    assert found["MSFT"].reasons == ("E*TRADE gave no usable answer: no connection",)
    assert found["ORCL"].reasons == ("it was not asked for: its turn did not come",)


def test_a_dead_token_is_no_missing_quote() -> None:
    """That nobody is signed in is raised: it is the owner's to mend, and no matter of a symbol."""
    home = Home()

    def dead(_: Sequence[str]) -> Quotes:
        raise TokenDead("gone")

    home.answer = dead
    with pytest.raises(TokenDead):
        home.data.quote("IBM")


def test_a_missing_price_is_missing() -> None:
    """A price of zero, of NaN or below is None, and a delayed quote says so."""
    home = Home()
    odd = replace(home.of("IBM"), bid=Decimal(0), ask=Decimal("NaN"), previous_close=Decimal(-1))
    home.answer = lambda _: Quotes({"IBM": replace(odd, status=QuoteStatus.DELAYED)})
    found = home.data.quote("IBM")
    assert found.value is not None
    assert (found.value.bid, found.value.ask, found.value.previous_close) == (None, None, None)
    assert (found.value.last, found.delayed, found.quality) == (Decimal(100), True, Decimal(0))


def test_quotes_are_graded_by_the_limits_that_ship() -> None:
    """The limits of age and spread are those of the configuration that ships."""
    shipped = load("default")
    assert shipped.entry.quote_age_max_s == market_data.AGE_MAX_S
    assert shipped.universe.spread_max_bps == market_data.SPREAD_MAX_BPS


def test_the_cache_stays_small() -> None:
    """Of more values than it may hold the first are forgotten, and one that is put again counts as new."""
    cache: Kept[int] = Kept(2)
    later = NOON + timedelta(minutes=1)
    for name, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        cache.put(name, value, later)
    assert [cache.get(name, NOON) for name in "abc"] == [3, None, 4]


def daily_source(count: int) -> Scripted:
    """Give a source that knows so many sessions."""
    return Scripted("yahoo", lambda symbol, before: series(count, before=before, symbol=symbol, source="yahoo"))


def test_daily_bars_are_those_that_were_gathered() -> None:
    """They come with their source, as of the last one's close, and a quality of 1 where no session is missing."""
    home = Home(daily_source(250))
    home.bench.gather("IBM")
    found = home.data.history("IBM", sessions(20)[0], TODAY)
    assert found.value is not None
    assert [one.day for one in found.value.bars if hasattr(one, "day")] == sessions(20)
    assert (found.source, found.quality, found.reasons) == ("yahoo", Decimal(1), ())
    assert found.at == _session(LAST).closes_at
    assert found.age_s == (NOON - _session(LAST).closes_at).total_seconds()


def test_imported_days_complete_the_gathered_ones() -> None:
    """Days before those that the scan needs are taken from the owner's file, and the series says that it is of two."""
    home = Home(daily_source(5))
    home.bench.gather("IBM")
    home.store.commit([put("imports/IBM", series(30))])
    found = home.data.history("IBM", sessions(30)[0], LAST)
    assert found.value is not None
    assert (len(found.value.bars), found.source) == (30, "yahoo+file")
    assert "bars of two makes" in found.reasons
    assert Decimal(0) < found.quality <= 1


def test_a_gap_is_said_and_lowers_the_quality() -> None:
    """Where a tenth of the sessions is missing the quality is 0.9, and it says how many and from when on."""
    home = Home()
    held = series(20)
    home.store.commit([put("imports/IBM", replace(held, bars=held.bars[:5] + held.bars[7:]))])
    found = home.data.history("IBM", held.bars[0].day, LAST)
    assert (found.quality, found.reasons) == (
        Decimal("0.90"), (f"2 of 20 sessions are missing, the first is {held.bars[5].day}",),
    )  # fmt: skip


def test_a_doubted_day_halves_the_quality() -> None:
    """A close that may be of another share is named, and no quality above a half is claimed for what holds it."""
    home = Home()
    home.store.commit([put("imports/IBM", series(20, doubted=(LAST,)))])
    found = home.data.history("IBM", sessions(20)[0], LAST)
    assert found.quality == Decimal("0.5")
    assert any(str(LAST) in reason for reason in found.reasons)


def test_a_damaged_document_hides_no_other() -> None:
    """What cannot be read is named, and the days of another collection are given all the same."""
    home = Home()
    home.store.commit([Put("own_days/IBM", {"bars": "much"}), put("imports/IBM", series(3))])
    found = home.data.history("IBM", sessions(3)[0], LAST)
    assert found.value is not None
    assert found.reasons == ("own_days/IBM cannot be read",)


def test_nothing_stored_is_nothing_known() -> None:
    """Without any bar there is no value, and no quality."""
    known = Home().data.history("IBM", LAST, TODAY)
    assert (known.value, known.quality, known.fresh) == (None, Decimal(0), False)


@pytest.mark.parametrize(("interval", "count"), [("1m", 390), ("5m", 78), ("15m", 26), ("1h", 7)])
def test_bars_within_a_session_are_what_the_scan_saw(interval: str, count: int) -> None:
    """A session that is kept is given minute by minute, or joined, whole and at a quality of 1."""
    home = Home()
    home.bench.scanned(seen(of=_session(LAST)))
    home.bench.gather()
    found = home.data.history("IBM", LAST, LAST, Interval(interval))
    assert found.value is not None
    assert len(found.value.bars) == count
    assert (found.source, found.quality, found.at) == ("own", Decimal(1), _session(LAST).closes_at)


def test_the_session_under_way_is_given_as_far_as_it_went() -> None:
    """Minutes of today come from the scan's own books, none that is not over, and a missing one is counted."""
    home = Home()
    home.bench.scanned(seen(first=30, last=150))
    home.clock.at = NOON + timedelta(seconds=30)
    found = home.data.history("IBM", TODAY, TODAY, Interval.MINUTE)
    assert found.value is not None
    assert (len(found.value.bars), found.at) == (120, NOON)
    assert (found.quality, found.reasons) == (Decimal("0.80"), (f"{TODAY}: 30 of 150 minutes are missing",))


def test_a_bar_that_still_runs_is_as_old_as_its_last_minute() -> None:
    """A bar whose end is still to come says so, and its age is that of the last minute in it, never below nothing."""
    home = Home()
    home.bench.scanned(seen(last=150))
    home.clock.at = NOON + timedelta(seconds=90)
    found = home.data.history("IBM", TODAY, TODAY, Interval.HOUR)
    assert found.value is not None
    assert (found.at, found.age_s) == (NOON + timedelta(minutes=1), 30)
    assert found.reasons == ("the last bar is still running",)


def test_damaged_minutes_cost_their_session_alone() -> None:
    """A session whose minutes cannot be read is named, and the other one is given."""
    home = Home()
    home.bench.scanned(seen(of=_session(BEFORE_LAST)), seen(of=_session(LAST)))
    home.bench.gather()
    home.store.commit([Put(f"own_minutes/{LAST:%Y%m%d}-IBM", {"symbol": "IBM", "book": "no base64"})])
    found = home.data.history("IBM", BEFORE_LAST, LAST, Interval.HOUR)
    assert found.value is not None
    assert (len(found.value.bars), found.quality) == (7, Decimal("0.50"))
    assert f"{LAST}: its minutes cannot be read" in found.reasons


def test_bars_are_kept_until_history_is_gathered_anew() -> None:
    """A second question is answered by this instance, with its age of by then; after a gathering the store is read."""
    home = Home(daily_source(250))
    home.bench.gather("IBM")
    first = home.data.history("IBM", sessions(20)[0], LAST)
    home.clock.at += timedelta(minutes=30)
    again = home.data.history("IBM", sessions(20)[0], LAST)
    assert first.age_s is not None
    assert again == replace(first, age_s=first.age_s + 1800)
    assert (home.data.served.history.instance, home.data.served.history.store) == (1, 1)
    home.bench.next_morning(TODAY + timedelta(days=1))
    home.bench.gather("IBM")
    home.data.history("IBM", sessions(20)[0], LAST)
    assert (home.data.served.history.instance, home.data.served.history.store) == (1, 2)


@pytest.mark.parametrize(
    ("hours", "state"), [(-1, State.BEFORE), (0, State.OPEN), (6, State.OPEN), (6.5, State.OVER), (9, State.OVER)]
)
def test_a_session_says_where_it_stands(hours: float, state: State) -> None:
    """A session has its instants and its state, a day of rest has none, and one beyond the calendar is refused."""
    home = Home()
    home.clock.at = OPENS + timedelta(hours=hours)
    found = home.data.session(TODAY).value
    assert found is not None
    assert (found.opens_at, found.state) == (OPENS, state)
    assert home.data.session(date(2013, 10, 6)).reasons == ("a day of rest",)
    with pytest.raises(ValueError, match="covers"):
        home.data.session(date(1999, 1, 4))


def test_what_cannot_be_meant_is_refused() -> None:
    """What is no symbol, a range that ends before it begins, and more sessions than are given at once."""
    home = Home()
    for symbol, start, interval in (
        ("../orders", LAST, Interval.DAY), ("IBM", TODAY + timedelta(days=1), Interval.DAY),
        ("IBM", date(2012, 1, 3), Interval.MINUTE),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"no symbol|is before|are more than"):
            home.data.history(symbol, start, TODAY, interval)
