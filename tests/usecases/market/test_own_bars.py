"""What the scan built is kept by whoever prepares the next session, however often and however late that is asked."""

import base64
import zlib
from datetime import date, timedelta

import pytest

from shared.codec import loads
from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.market.daybook import DayBook
from shared.domain.market.series import Series
from shared.ports import Put
from shared.usecases.base.desk import put, read
from tests.domain.days import TODAY, series, sessions
from tests.domain.market.test_own_days import seen
from tests.usecases.morning import MorningBench

TOMORROW = TODAY + timedelta(days=1)
(BEFORE_LAST, LAST) = sessions(2)


def _session(day: date) -> TradingSession:
    found = session_of(day)
    assert found is not None
    return found


def own(bench: MorningBench) -> Series:
    """Give the daily bars of our own."""
    held = read(bench.file, Series, "own_days/IBM")
    assert held is not None
    return held.value


def test_the_next_morning_keeps_minutes_and_makes_the_day() -> None:
    """Each symbol's minutes are one compressed document that makes the same book, and the day is a bar of our own."""
    bench = MorningBench()
    book = seen(of=_session(LAST))
    bench.scanned(book)
    bench.gather()
    (row,) = bench.file.query("own_minutes")
    plain = loads(zlib.decompress(base64.b64decode(row.data["book"])))
    assert (row.data["session"], row.data["symbol"]) == (LAST.isoformat(), "IBM")
    assert DayBook.from_plain(plain, _session(LAST)).to_plain() == book.to_plain()
    found = bench.history()
    assert found is not None
    assert [one.day for one in found.bars] == [LAST]
    assert (found.source, found.at) == ("own", _session(LAST).closes_at)


def test_missed_mornings_are_caught_up_with() -> None:
    """Two sessions that nobody kept are kept by the next tick, once; another tick changes nothing."""
    bench = MorningBench()
    bench.scanned(seen(of=_session(BEFORE_LAST)), seen(of=_session(LAST)))
    bench.gather()
    assert [one.day for one in own(bench).bars] == [BEFORE_LAST, LAST]
    before = own(bench)
    bench.gather()
    assert own(bench) == before
    assert len(bench.journal.named("own_bars_kept")) == 2


def test_the_session_of_the_day_itself_is_not_yet_kept() -> None:
    """What is scanned today waits for tomorrow, also where a message comes in the middle of the session."""
    bench = MorningBench()
    bench.scanned(seen(last=100))
    bench.gather()
    assert bench.file.query("own_days") == []
    bench.scanned(seen())
    bench.next_morning(TOMORROW)
    bench.gather()
    assert [one.day for one in own(bench).bars] == [TODAY]


def test_half_a_day_keeps_its_minutes_and_makes_no_bar() -> None:
    """A session that was seen in part has its minutes, and no daily bar that would be of half a day."""
    bench = MorningBench()
    bench.scanned(seen(last=195, of=_session(LAST)))
    bench.gather()
    assert len(bench.file.query("own_minutes")) == 1
    assert bench.file.query("own_days") == []
    (line,) = bench.journal.named("own_day_short")
    assert "196 of 390" in str(line["why"])


@pytest.mark.parametrize("books", ["AAAA", base64.b64encode(zlib.compress(b'{"IBM":{"v":1}}')).decode()])
def test_damaged_books_cost_their_session_alone(books: str) -> None:
    """Books that cannot be read are reported, and the session after them is kept."""
    bench = MorningBench()
    bench.file.commit([Put(f"bars/{BEFORE_LAST:%Y%m%d}-0", {"session": BEFORE_LAST.isoformat(), "books": books})])
    bench.scanned(seen(of=_session(LAST)))
    bench.gather()
    assert [one.day for one in own(bench).bars] == [LAST]
    assert len(bench.journal.named("books_unreadable")) == 1


def test_the_morning_s_previous_close_counts() -> None:
    """The broker's close of the day before takes the place of ours, whether it comes before the bars or after."""
    for late in (False, True):
        bench = MorningBench()
        bench.scanned(seen(of=_session(LAST)))
        if late:
            bench.gather()
        bench.said(TODAY, IBM="104.10", OTHER="3")
        bench.gather("IBM")
        found = bench.history()
        assert found is not None
        assert str(found.bars[-1].close) == "104.10"


def test_a_previous_close_of_another_share_is_a_doubt() -> None:
    """Half the close is marked and journalled as a possible split, and adjusts nothing by itself."""
    bench = MorningBench()
    bench.scanned(seen(of=_session(LAST)))
    bench.said(TODAY, IBM="51.90")
    bench.gather()
    found = bench.history()
    assert found is not None
    assert (str(found.bars[-1].close), found.doubted) == ("103.89", (LAST,))
    bench.gather()
    assert len(bench.journal.named("close_doubted")) == 1


def test_a_previous_close_is_of_the_session_before_alone() -> None:
    """Where the session before was not kept, its close changes no other day's."""
    bench = MorningBench()
    bench.file.commit([put("own_days/IBM", series(3, before=LAST, source="own"))])
    bench.said(TODAY, IBM="104.10")
    bench.gather()
    assert {str(one.close) for one in own(bench).bars} == {"100"}


def test_minutes_go_after_their_time() -> None:
    """Minutes older than the setting are deleted, younger ones stay, and so do the daily bars."""
    bench = MorningBench()
    old, young = TODAY - timedelta(days=31), TODAY - timedelta(days=30)
    for day in (old, young):
        data = {"symbol": "IBM", "session": day.isoformat(), "book": ""}
        bench.file.commit([Put(f"own_minutes/{day:%Y%m%d}-IBM", data)])
    bench.gather()
    assert [row.data["session"] for row in bench.file.query("own_minutes")] == [young.isoformat()]
