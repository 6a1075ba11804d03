import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.base.calendar import session_of
from shared.domain.market.bars import Bar
from shared.domain.market.daybook import DayBook, Joined, joined_bars, watched_since
from shared.errors import Malformed
from tests.domain.made import DEFAULT, OPENS, at, quote, session

TICKS = st.lists(st.tuples(st.integers(0, 200), st.integers(9000, 11000), st.integers(0, 500)), min_size=1, max_size=60)


def watched(
    ticks: list[tuple[int, int, int]], book: DayBook, start: datetime, volume: int = 1000
) -> tuple[datetime, int]:
    now = start
    for wait, price, shares in ticks:
        now += timedelta(seconds=wait)
        volume += shares
        seen = quote(f"{Decimal(price) / 100:.2f}", volume=volume, when=now)
        book.halts.observe(seen, now, DEFAULT.quotes)
        book.observe(seen, now)
    return now, volume


def test_bars_are_labelled_by_their_end_and_hold_the_difference_in_volume() -> None:
    """A minute bar spans the quotes of its minute; its volume is what the day's volume grew by."""
    book = DayBook(session())
    for second, price, volume in ((0, "100", 500), (20, "101", 520), (40, "99", 540), (59, "100.5", 600)):
        assert not book.observe(quote(price, volume=volume), OPENS + timedelta(seconds=second))
    assert book.observe(quote("102", volume=650), at(1))
    assert book.bars == [
        Bar(
            end=at(1),
            open=Decimal(100),
            high=Decimal(101),
            low=Decimal(99),
            close=Decimal("100.5"),
            volume=100,
        )
    ]
    book.observe(quote("102", volume=640), at(2))
    assert book.bars[1].volume == 50
    assert book.day_volume == 650


def test_quote_from_the_past_changes_nothing() -> None:
    """A tick older than the last one is ignored."""
    book = DayBook(session())
    book.observe(quote("100"), at(5))
    before = book.to_plain()
    assert not book.observe(quote("500"), at(4))
    assert book.to_plain() == before


def test_second_quote_of_an_instant_counts() -> None:
    """Two quotes at one instant both count, the later one closes."""
    book = DayBook(session())
    book.observe(quote("100"), at(5))
    book.observe(quote("101"), at(5))
    book.observe(quote("102"), at(6))
    assert (book.bars[0].open, book.bars[0].close) == (Decimal(100), Decimal(101))


def test_opening_range_ends_at_a_quarter_to_ten() -> None:
    """The opening range holds the first 15 minutes only, and is unknown before they are over."""
    book = DayBook(session())
    book.observe(quote("200"), at(-10))
    for minute in range(15):
        book.observe(quote(str(100 + minute)), at(minute))
    assert book.opening_range(at(14.99)) is None
    book.observe(quote("150"), at(15))
    assert book.opening_range(at(15)) == (Decimal(100), Decimal(114))
    assert (book.session_low, book.session_high) == (Decimal(100), Decimal(150))


def test_range_with_a_hole_is_no_range() -> None:
    """A range of which one minute was not watched is unknown for the whole day."""
    book = DayBook(session())
    for minute in range(400):
        if minute != 7:
            book.observe(quote(), at(minute))
    assert book.opening_range(at(399)) is None


@pytest.mark.parametrize(
    ("minutes", "since"),
    [
        (range(10), 0),
        (range(1, 10), 2),
        ([0, 1, 2, 5, 6, 7, 8, 9], 0),
        ([0, 1, 2, 6, 7, 8, 9], 7),
        ([0, 1, 9], 10),
        ([9], 10),
        ([], 11),
    ],
)
def test_a_gap_makes_a_symbol_one_that_is_seen_anew(minutes: Iterable[int], since: int) -> None:
    """What is watched from its first minute on is so since the open; more than two missing minutes begin anew."""
    book = DayBook(session())
    for minute in minutes:
        book.observe(quote(), at(minute))
    if book.all_bars:
        book.observe(quote(), at(10))
    found = watched_since(book.bars, at=at(10.5), gap=timedelta(minutes=2), opens_at=OPENS)
    assert found == at(since)


def test_a_gap_up_to_now_counts() -> None:
    """A symbol that comes back after minutes without a quote is seen anew from this minute on."""
    book = DayBook(session())
    for minute in range(20):
        book.observe(quote(), at(minute))
    book.observe(quote(), at(23))
    assert watched_since(book.bars, at=at(23), gap=timedelta(minutes=3), opens_at=OPENS) == OPENS
    assert watched_since(book.bars, at=at(23), gap=timedelta(minutes=2), opens_at=OPENS) == at(24)


def test_missing_minutes_stay_missing() -> None:
    """After a gap no bar stands where nobody looked, and the opening range is not completed by what comes later."""
    book = DayBook(session())
    for minute in (*range(5), *range(8, 30)):
        book.observe(quote(), at(minute))
    assert [bar.end for bar in book.bars if at(5) < bar.end <= at(8)] == []
    assert book.opening_range(at(30)) is None


def test_a_quote_of_an_earlier_instant_is_known() -> None:
    """A quote older than a sound one before it is told from one of the same instant, after a restart as well."""
    book = DayBook(session())
    assert not book.is_older(quote(when=at(-5)))
    book.observe(quote(when=at(3)), at(3))
    for one in (book, DayBook.from_plain(book.to_plain(), session())):
        assert (one.is_older(quote(when=at(2.99))), one.is_older(quote(when=at(3)))) == (True, False)
        assert one.seen_at == at(3)
    assert DayBook(session()).seen_at == OPENS


def complete(bars: list[Bar], minutes: int) -> list[Bar]:
    joined = Joined(minutes=minutes, since=OPENS)
    for bar in bars:
        joined.add(bar)
    return joined.complete


def test_longer_bars_join_complete_spans_only() -> None:
    """Five-minute bars join what began after the open; the last one waits for its last minute."""
    book = DayBook(session())
    for minute in range(-3, 11):
        book.observe(quote(str(100 + minute), volume=1000 + minute), at(minute))
    joined = complete(book.bars, 5)
    assert [bar.end for bar in joined] == [at(5), at(10)]
    low, high = Decimal(100), Decimal(104)
    assert joined[0] == Bar(end=at(5), open=low, high=high, low=low, close=high, volume=5)
    assert complete(book.bars[:-1], 5) == joined[:1]
    holed = [bar for bar in book.bars if bar.end != at(5)]
    assert [bar.end for bar in complete(holed, 5)] == [at(5), at(10)]
    assert complete([], 5) == []


@given(gaps=st.lists(st.integers(1, 9), max_size=60), minutes=st.integers(1, 16))
def test_longer_bars_are_those_of_their_minutes(gaps: list[int], minutes: int) -> None:
    """Whatever is missing, each longer bar has the figures of the minutes in it; only the last may be incomplete."""
    ends = [sum(gaps[: count + 1]) - 3 for count in range(len(gaps))]
    bars = [_varied(end, count) for count, end in enumerate(ends)]
    inside: dict[int, list[Bar]] = {}
    for end, bar in zip(ends, bars, strict=True):
        if end > 0:
            inside.setdefault(-(-end // minutes) * minutes, []).append(bar)
    expected = [
        Bar(
            end=at(end), open=some[0].open, high=max(bar.high for bar in some), low=min(bar.low for bar in some),
            close=some[-1].close, volume=sum(bar.volume for bar in some),
        )
        for end, some in inside.items()
    ]  # fmt: skip
    assert joined_bars(bars, minutes=minutes, since=OPENS) == expected
    whole = bool(expected) and expected[-1].end == bars[-1].end
    assert complete(bars, minutes) == (expected if whole else expected[:-1])


def _varied(end: int, count: int) -> Bar:
    low, price = Decimal(100 - count % 3), Decimal(100 + count % 4)
    return Bar(end=at(end), open=price, high=price + count % 5, low=low, close=price - count % 2, volume=count)


@given(before=TICKS, after=TICKS, start=st.integers(-1800, 3600))
def test_restored_book_goes_on_as_if_it_had_never_died(
    before: list[tuple[int, int, int]], after: list[tuple[int, int, int]], start: int
) -> None:
    """A book that went through JSON gives the same bars, range and extremes for every later quote."""
    book = DayBook(session())
    now, volume = watched(before, book, OPENS + timedelta(seconds=start))
    again = DayBook.from_plain(json.loads(json.dumps(book.to_plain())), session())
    assert watched(after, book, now, volume) == watched(after, again, now, volume)
    assert again.bars == book.bars
    assert again.to_plain() == book.to_plain()
    assert again.opening_range(at(60)) == book.opening_range(at(60))


def test_untouched_book_can_be_restored() -> None:
    """A book that has seen nothing survives the store as well."""
    assert DayBook.from_plain(DayBook(session()).to_plain(), session()).bars == []


def test_whole_day_stays_small() -> None:
    """A full session fits into 20 kB of JSON."""
    book = DayBook(session())
    for minute in range(391):
        book.observe(quote(f"{150 + minute % 7}.25", volume=10_000 * (minute + 500)), at(minute))
    assert len(json.dumps(book.to_plain())) < 20_000


def test_foreign_snapshots_are_refused() -> None:
    """A snapshot of another day, a damaged one or something else entirely is refused."""
    book = DayBook(session())
    watched([(1, 10000, 5)] * 100, book, OPENS)
    plain = book.to_plain()
    tuesday = session_of(OPENS.date() + timedelta(days=1))
    assert tuesday is not None
    with pytest.raises(Malformed):
        DayBook.from_plain(plain, tuesday)
    broken: list[object] = [{**plain, key: value} for key in plain for value in ("x", None, 7.5, "1 2")]
    broken += [None, [], {}, {key: value for key, value in plain.items() if key != "range"}]
    for data in broken:
        with pytest.raises(Malformed):
            DayBook.from_plain(data, session())
