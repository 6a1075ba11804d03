"""Minutes that a source or a system's own store gives are data of a back-test."""

from datetime import date
from pathlib import Path

import pytest

from infra.backtest import stored
from infra.backtest.data import CHOSEN_TODAY
from infra.backtest.spool import Spool
from infra.one_machine.clock import SeededChance
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import session_of
from shared.gcp.no_bus import NoBus
from shared.sources.alpaca import Alpaca
from shared.usecases.base.desk import Desk
from tests.domain.days import sessions
from tests.domain.market.test_own_days import seen
from tests.doors.fakes import Lines, ListVault
from tests.sources.world import opened
from tests.usecases.morning import Clock, MorningBench

DAY = date(2026, 3, 9)


def test_alpacas_minutes_are_asked_once_and_lie_in_a_folder(certificate: Path, tmp_path: Path) -> None:
    """Each symbol's sessions become a file a session, its daily bars the history, and today's list is said."""
    told: list[str] = []
    with opened("alpaca", certificate) as world:
        source = world.fresh()
        assert isinstance(source, Alpaca)
        data = stored.alpaca(source, Spool(tmp_path), DAY, DAY, ["BRK.B"], tell=told.append)
    (chapter,) = data.chapters(DAY, DAY, ())
    ends = [tick.at for tick in chapter.minutes.ticks() if tick.bars]
    session = session_of(DAY)
    assert session is not None
    assert [(end - session.opens_at).seconds // 60 for end in ends] == [1, 2, 5, 390]
    assert max(bar.day for bar in chapter.minutes.history["BRK.B"].bars) < DAY
    assert data.said == (CHOSEN_TODAY,)
    assert [file.name for file in tmp_path.iterdir()] == ["2026-03-09.csv"]
    assert told == ["BRK.B, 1 of 1 symbol, 1 session"]


def test_a_source_without_symbols_is_refused(certificate: Path, tmp_path: Path) -> None:
    """Nobody asks a source for everything."""
    with opened("alpaca", certificate) as world:
        source = world.fresh()
        assert isinstance(source, Alpaca)
        with pytest.raises(UserError, match="this source needs symbols"):
            stored.alpaca(source, Spool(tmp_path), DAY, DAY, [], tell=print)


def test_own_minutes_are_those_that_the_scan_saw(tmp_path: Path) -> None:
    """What a system kept of a session is played with the symbols watched that day; a span without is refused."""
    bench, (last,) = MorningBench(), sessions(1)
    book = seen(of=session_of(last))
    bench.scanned(book)
    bench.gather()
    desk = Desk(
        actor="owner", clock=Clock(), chance=SeededChance(seed=1, name="x"), store=bench.file, bus=NoBus(),
        journal=Lines(),
    )  # fmt: skip
    hand = Hand(
        name="here", desk=desk, open_vault=ListVault, sign_in=None, operator="owner", running=True, mode="paper"
    )
    data = stored.own(hand, Spool(tmp_path), last, last)
    (chapter,) = data.chapters(last, last, ())
    bars = [tick.bars["IBM"] for tick in chapter.minutes.ticks() if tick.bars]
    assert bars == book.all_bars
    assert (data.said, data.present(last, last)) == ((), {last: {"IBM": bars[-1].end}})
    with pytest.raises(UserError, match="here has no minutes of its own"):
        stored.own(hand, Spool(tmp_path), date(2013, 6, 3), date(2013, 6, 4))
