"""A time of an open session without data is named, of all symbols or of one, and a quiet while is none."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from infra.backtest.data import survey
from infra.backtest.kept_data import in_files
from infra.backtest.spool import Spool
from infra.results.data_holes import OF_BARS, OF_QUOTES, Gap, Gaps, around, holes_of, told
from infra.simulated_day.facts import bars_missing
from tests.backtest.made import session
from tests.backtest.test_data import QUOTES, minutes
from tests.results.made import DAY, at

OPEN, CLOSE = at(9, 30), at(16, 0)
HOUR = at(11, 0), at(12, 0)
SO = "New York: nothing in that time can be judged, and what was held in it counts at its last price."


def said(
    least: timedelta = OF_QUOTES, begins: datetime = OPEN, ends: datetime = CLOSE, **apart: list[Gap]
) -> tuple[str, ...]:
    """Say what holes there are of symbols with rows from `begins` to `ends`, but `apart`."""
    of = {symbol: around(begins, ends, those) for symbol, those in apart.items()}
    return told(holes_of(session(DAY), Gaps(least=least, of=of), of))


def test_an_hour_without_data_is_named() -> None:
    """What no symbol has is a hole of the session, and that of a symbol which is little longer is no other one."""
    hole = f"The data have nothing on 2013-10-07 from 11:00:00 to 12:00:00 {SO}"
    assert said(IBM=[HOUR], SPY=[(at(10, 50), at(12, 5))]) == (hole,)
    assert said(IBM=[HOUR], SPY=[]) == (
        "Some symbols have nothing while others go on: IBM on 2013-10-07 from 11:00:00 to 12:00:00 New York.",
    )


def test_data_that_begin_late_are_named() -> None:
    """A session whose first row comes long after its open says so; what is missing up to the close is an end."""
    late = f"The data have nothing on 2013-10-07 from the open at 09:30:00 to 10:00:00 {SO}"
    assert said(begins=at(10, 0), ends=at(15, 0), IBM=[], SPY=[]) == (late,)


@pytest.mark.parametrize(("least", "minute"), [(OF_QUOTES, 5), (OF_BARS, 15)])
def test_a_quiet_while_is_no_hole(least: timedelta, minute: int) -> None:
    """Of quotes less than five minutes are none, of bars less than fifteen; a symbol by itself has half an hour."""
    assert len(said(least, IBM=[(at(11, 0), at(11, minute))])) == 1
    assert said(least, IBM=[(at(11, 0), at(11, minute - 1))]) == ()
    assert said(least, IBM=[(at(11, 0), at(11, 29))], SPY=[]) == ()


@pytest.mark.parametrize("quoted", [True, False])
def test_a_hole_of_a_file_is_known_before_the_run(tmp_path: Path, quoted: bool) -> None:
    """An hour that a recorded day or a file of minutes does not have is named by the survey; a whole one has none."""
    (tmp_path / "spool").mkdir()
    file = tmp_path / "some.csv"
    if quoted:
        stamps = [session(DAY).opens_at + timedelta(minutes=minute) for minute in range(391)]
        rows = [f"{one.isoformat()},IBM,100,100,100.02,100,100.01,{5000 + n}" for n, one in enumerate(stamps)]
        lines = [QUOTES.strip(), *rows]
    else:
        lines = minutes(file, DAY, symbols=("IBM",)).read_text().splitlines()
    cut = [*lines[:91], *lines[151:]] if not quoted else [*lines[:92], *lines[151:]]
    for number, text in enumerate((lines, cut)):
        file.write_text("\n".join([*text, ""]))
        folder = tmp_path / str(number)
        folder.mkdir()
        data = in_files(file, spool=Spool(folder), today=date(2026, 1, 2), chosen=False)
        found = tuple(one for one in survey(data, DAY, DAY, ()).missing if one != bars_missing(["IBM"]))
        assert found == ((f"The data have nothing on 2013-10-07 from 11:00:00 to 12:00:00 {SO}",) if number else ())
