"""What the scan knows of the days before: the newest that were gathered, late ones from the next minute on."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.domain.base.calendar import TradingSession, session_at
from shared.domain.market.series import Series, Split
from shared.ports import Document, Put
from shared.strategies.view import quality
from shared.usecases.base.desk import put
from shared.usecases.base.trading import TradingDesk
from shared.usecases.market.warmth import Prepared, Warmth, known_days
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.domain.days import TODAY, series
from tests.domain.made import quote
from tests.usecases.bench import START, Bench
from tests.usecases.post import SCAN

MINUTE = timedelta(minutes=1)
NONE, FULL = quality(0), quality(250)


def _session() -> TradingSession:
    found = session_at(START)
    assert found is not None
    return found


def _gathered(bench: Bench, one: Series, *, session: date = TODAY, after: int = 0) -> None:
    """Leave what `market_history` leaves for a session."""
    work = Prepared(session=session, at=START + after * MINUTE, days={"IBM": len(one.bars)}, kept=session)
    bench.store.commit([put("history/IBM", Warmth(session=session, series=one)), put("prepared/history", work)])


def _seen(desk: TradingDesk, memory: ScanMemory, minute: int) -> tuple[Decimal, Decimal | None]:
    """Let a minute be scanned, and give the quality and the last daily close as its strategies see them."""
    begins = START + minute * MINUTE
    memory.recall(desk, _session(), begins)
    view = memory.watch(desk, "IBM").see(quote(when=begins), begins)
    memory.save(desk, _session(), begins)
    return view.quality, view.daily_close


def _reads(bench: Bench) -> list[str]:
    """Give the paths that are read from now on, as they are."""
    read, get = list[str](), bench.store.get

    def counted(path: str) -> Document | None:
        read.append(path)
        return get(path)

    bench.store.get = counted  # type: ignore[method-assign]
    return read


def test_history_that_comes_late_counts_from_the_next_minute() -> None:
    """A symbol first seen without history trades on it in the minute after it was gathered, in the same instance."""
    bench, memory = Bench(), ScanMemory()
    desk = bench.desks[SCAN]
    assert _seen(desk, memory, 0) == (NONE, None)
    assert _seen(desk, memory, 1) == (NONE, None)
    _gathered(bench, series(250))
    assert _seen(desk, memory, 2) == (FULL, Decimal(100))


def test_a_symbol_with_history_costs_no_reading() -> None:
    """What is known is not asked for again, and without any history one small document a minute is looked at."""
    bench, memory = Bench(), ScanMemory()
    desk, read = bench.desks[SCAN], _reads(bench)
    for minute in range(3):
        _seen(desk, memory, minute)
    assert read.count("prepared/history") == 2
    assert read.count("history/IBM") == 1
    _gathered(bench, series(250))
    for minute in range(3, 6):
        _seen(desk, memory, minute)
    assert (read.count("prepared/history"), read.count("history/IBM")) == (3, 2)


@pytest.mark.parametrize(("more", "times"), [(False, 1), (True, 2)])
def test_a_cold_start_reads_the_days_once(more: bool, times: int) -> None:
    """Days that were read ahead are read again only where more was gathered until the minute was taken over."""
    bench, memory = Bench(), ScanMemory()
    desk, read = bench.desks[SCAN], _reads(bench)
    _gathered(bench, series(250))
    memory.read_ahead(desk, _session())
    if more:
        _gathered(bench, series(250), after=1)
    assert _seen(desk, memory, 0) == (FULL, Decimal(100))
    assert read.count("history/IBM") == times


def test_a_morning_without_sources_trades_on_yesterday_s_bars() -> None:
    """Bars gathered for the session before are used; those for a later one, and ones of weeks ago, are not."""
    bench = Bench()
    yesterday = TODAY - timedelta(days=3)
    _gathered(bench, series(249, before=yesterday), session=yesterday)
    assert _seen(bench.desks[SCAN], ScanMemory(), 0) == (FULL, Decimal(100))
    _gathered(bench, series(249, before=TODAY - timedelta(days=20)), session=TODAY - timedelta(days=20))
    assert _seen(bench.desks[SCAN], ScanMemory(), 1) == (NONE, None)
    _gathered(bench, series(250, before=TODAY + timedelta(days=1)), session=TODAY + timedelta(days=1))
    assert known_days(bench.desks[SCAN], "IBM", TODAY) is None


def test_the_last_close_is_in_shares_of_today() -> None:
    """A split that is in force this morning divides yesterday's close; one of tomorrow does not."""
    for day, close in ((TODAY, "50"), (TODAY + timedelta(days=1), "100")):
        bench = Bench()
        _gathered(bench, series(250, splits=(Split(day=day, ratio=Decimal(2)),)))
        assert _seen(bench.desks[SCAN], ScanMemory(), 0) == (FULL, Decimal(close))


def test_history_that_cannot_be_read_costs_the_scan_nothing_else() -> None:
    """A damaged series, or a damaged word on how it stands, is reported and counts as none; what comes later counts."""
    bench, memory = Bench(), ScanMemory()
    desk = bench.desks[SCAN]
    bench.store.commit([Put("history/IBM", {"bars": 1}), Put("prepared/history", {"at": 1})])
    assert _seen(desk, memory, 0) == (NONE, None)
    assert _seen(desk, memory, 1) == (NONE, None)
    assert {line["path"] for line in bench.journal.named("unreadable_document")} == {"history/IBM", "prepared/history"}
    _gathered(bench, series(250))
    assert _seen(desk, memory, 2) == (FULL, Decimal(100))
