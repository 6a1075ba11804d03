"""What there is of a span is named before the run, and each session is made alone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from infra.backtest.bar_market import MINUTE
from infra.backtest.data import survey
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.kept_data import KeptData, in_files
from infra.backtest.minutes import as_minutes
from infra.backtest.spool import COLUMNS, Spool
from infra.brokersim.generated import GENERATED_DAY
from infra.simulated_day.facts import bars_missing
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import NEW_YORK
from tests.backtest.made import session

TODAY = date(2026, 11, 30)
MONDAY, TUESDAY, WEDNESDAY = date(2013, 10, 7), date(2013, 10, 8), date(2013, 10, 9)
QUOTES = "time_utc,symbol,bid,bid_size,ask,ask_size,last,day_volume\n"


def minutes(path: Path, *days: date, symbols: Sequence[str] = ("IBM",), count: int = 390, zone: str = "Z") -> Path:
    """Write a file of minutes that all trade at 100; without a zone its instants are on New York's clock."""
    rows = []
    for day in days:
        for symbol in symbols:
            for minute in range(1, count + 1):
                end = session(day).opens_at + minute * MINUTE
                text = f"{end:%Y-%m-%dT%H:%M:%S}Z" if zone else f"{end.astimezone(NEW_YORK):%Y-%m-%dT%H:%M:%S}"
                rows.append(f"{text},{symbol},100,101,99,100.5,1000")
    path.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return path


def quotes(path: Path, day: date, symbol: str = "SPY") -> Path:
    at = session(day).opens_at.astimezone(UTC)
    path.write_text(f"{QUOTES}{at.isoformat()},{symbol},100,100,100.02,100,100.01,5000\n", encoding="utf-8")
    return path


def opened(path: Path, spool: Path, *, chosen: bool = False) -> KeptData:
    spool.mkdir(exist_ok=True)
    return in_files(path, spool=Spool(spool), today=TODAY, chosen=chosen)


def test_a_file_of_a_weekend_is_one_sentence(tmp_path: Path) -> None:
    """Of 390 minutes on a Saturday one line says that it is no trading day, with how many others are on it."""
    file = minutes(tmp_path / "a.csv", MONDAY)
    file.write_text(file.read_text().replace("2013-10-07", "2013-10-05"))
    with pytest.raises(UserError) as wrong:
        opened(file, tmp_path / "spool")
    assert wrong.value.what.endswith("line 2: 2013-10-05 is no trading day; the same in 389 more rows")
    assert wrong.value.what.count("2013-10-05") == 1


def test_what_is_missing_is_named_before_the_run(tmp_path: Path) -> None:
    """A session without data, and a symbol that not every session has, are each said in a sentence."""
    folder = tmp_path / "days"
    folder.mkdir()
    minutes(folder / "a.csv", MONDAY, symbols=("IBM", "SPY"))
    minutes(folder / "b.csv", WEDNESDAY)
    rows = "".join(f"{day},{name},100,100,100,100,5\n" for day in ("2013-10-04", TUESDAY) for name in ("IBM", "SPY"))
    (folder / "daily.csv").write_text(f"date,symbol,open,high,low,close,volume\n{rows}")
    seen = survey(opened(folder, tmp_path / "spool"), MONDAY, WEDNESDAY, ())
    assert seen.sessions == (MONDAY, WEDNESDAY)
    assert seen.missing == (
        "1 session of 3 without data: 2013-10-08.",
        "Not in every one of the 2 sessions: SPY in 1.",
    )


def test_what_cannot_be_bought_is_named_before_the_run(tmp_path: Path) -> None:
    """A symbol without daily bars is named in the sentence of a day, and one that lacks the session before is told."""
    folder = tmp_path / "days"
    folder.mkdir()
    minutes(folder / "a.csv", MONDAY, symbols=("IBM", "SPY"))
    minutes(folder / "b.csv", WEDNESDAY)
    quotes(folder / "c.csv", TUESDAY)
    (folder / "daily.csv").write_text("date,symbol,open,high,low,close,volume\n2013-10-04,IBM,100,100,100,100,5\n")
    data = opened(folder, tmp_path / "spool")
    missing = survey(data, MONDAY, WEDNESDAY, ()).missing
    some = "Without the daily bar of the session before nothing can be bought: "
    assert [one for one in missing if "can be bought" in one] == [
        f"{some}IBM in 1 session, 2013-10-09 the first, SPY in 1 session, 2013-10-07 the first."
    ]
    (one,) = (one for one in survey(data, MONDAY, MONDAY, ()).missing if "can be bought" in one)
    assert one == bars_missing(["SPY"])
    (chapter,) = data.chapters(MONDAY, MONDAY, ())
    closes = {name: quote.previous_close for name, quote in next(chapter.minutes.ticks()).quotes.items()}
    assert closes == {"IBM": 100, "SPY": None}  # and without one each entry is refused as a jump


@pytest.mark.parametrize(
    ("first", "last", "symbols", "said"),
    [
        (TUESDAY, TUESDAY, (), "there is no data from 2013-10-08"),
        (MONDAY, MONDAY, ("XYZ",), "there is nothing of XYZ"),
        (WEDNESDAY, MONDAY, (), "--to 2013-10-07 is before --from 2013-10-09"),
        (date(2013, 10, 12), date(2013, 10, 13), (), "the exchange does not trade"),
    ],
)
def test_a_span_or_a_symbol_without_data_is_refused(
    tmp_path: Path, first: date, last: date, symbols: tuple[str, ...], said: str
) -> None:
    """Where there is nothing to play, the command says so and plays nothing."""
    data = opened(minutes(tmp_path / "a.csv", MONDAY), tmp_path / "spool")
    with pytest.raises(UserError, match=said):
        survey(data, first, last, symbols)


def test_overlapping_files_are_refused_by_name(tmp_path: Path) -> None:
    """Two files that have the same session of a symbol, or a day as quotes and as minutes, are named, not mixed."""
    folder = tmp_path / "days"
    folder.mkdir()
    minutes(folder / "a.csv", MONDAY, TUESDAY)
    minutes(folder / "b.csv", TUESDAY)
    with pytest.raises(UserError, match=r"a.csv and .*b.csv both have 2013-10-08 of IBM"):
        opened(folder, tmp_path / "one")
    (folder / "b.csv").unlink()
    quotes(folder / "c.csv", MONDAY)
    with pytest.raises(UserError, match=r"2013-10-07 is in .*c.csv, and in a file of minutes"):
        opened(folder, tmp_path / "two")
    (folder / "a.csv").unlink()
    quotes(folder / "d.csv", MONDAY)
    with pytest.raises(UserError, match=r"c.csv and .*d.csv are both of 2013-10-07"):
        opened(folder, tmp_path / "three")


def test_new_yorks_clock_is_not_taken_for_utc(tmp_path: Path) -> None:
    """Minutes without a zone that can only be meant as New York's are refused; so is another offset."""
    with pytest.raises(UserError, match="look like New York's clock"):
        opened(minutes(tmp_path / "a.csv", MONDAY, zone=""), tmp_path / "one")
    offset = tmp_path / "b.csv"
    offset.write_text(f"{','.join(COLUMNS)}\n2013-10-07T10:00:00-04:00,IBM,100,100,100,100,5\n")
    with pytest.raises(UserError, match="is no minute in UTC"):
        opened(offset, tmp_path / "two")


def test_a_day_knows_only_days_before_it(tmp_path: Path) -> None:
    """The daily bars of a session end before it; a session that is not whole gives none."""
    data = opened(minutes(tmp_path / "a.csv", MONDAY, TUESDAY), tmp_path / "spool")
    first, second = (chapter.minutes for chapter in data.chapters(MONDAY, TUESDAY, ()))
    assert first.history["IBM"].bars == ()
    assert [bar.day for bar in second.history["IBM"].bars] == [MONDAY]
    half = opened(minutes(tmp_path / "b.csv", MONDAY, count=200), tmp_path / "half")
    assert half.series == {}


def test_a_split_of_a_later_day_is_not_known(tmp_path: Path) -> None:
    """Daily bars stay as they were traded, and the previous close of a session is divided by splits up to its day."""
    folder = tmp_path / "days"
    folder.mkdir()
    minutes(folder / "a.csv", TUESDAY, WEDNESDAY)
    rows = "2013-10-07,IBM,200,200,200,200,5,\n2013-10-08,IBM,200,200,200,200,5,\n2013-10-09,IBM,100,100,100,100,5,2\n"
    (folder / "daily.csv").write_text(f"date,symbol,open,high,low,close,volume,split\n{rows}")
    data = opened(folder, tmp_path / "spool")
    closes = [
        next(tick.quotes["IBM"].previous_close for tick in chapter.minutes.ticks() if tick.quotes)
        for chapter in data.chapters(TUESDAY, WEDNESDAY, ())
    ]
    assert closes == [200, 100]


def test_todays_list_is_said(tmp_path: Path) -> None:
    """Symbols that were chosen today are said to be; those that a recorded day has were known on it."""
    assert "chosen today" in opened(minutes(tmp_path / "a.csv", MONDAY), tmp_path / "one").said[0]
    file = quotes(tmp_path / "b.csv", MONDAY)
    assert opened(file, tmp_path / "two").said == ()
    assert "chosen today" in opened(file, tmp_path / "two", chosen=True).said[0]


def test_a_generated_days_bars_are_those_of_its_quotes() -> None:
    """The quick bars of a generated session are the ones that one-second looks at it build."""
    *_, chapter = GeneratedData(seed=3).chapters(GENERATED_DAY, date(2013, 3, 5), FIRST_TEN[:2])
    assert chapter.ticks is not None
    assert list(chapter.minutes.ticks()) == list(as_minutes(chapter.ticks).ticks())


def test_a_generated_span_begins_where_the_days_before_left() -> None:
    """A span that begins later is the end of the longer one."""
    data, second = GeneratedData(seed=3), date(2013, 3, 5)
    *_, whole = data.chapters(GENERATED_DAY, second, FIRST_TEN[:1])
    (alone,) = data.chapters(second, second, FIRST_TEN[:1])
    assert list(alone.minutes.ticks()) == list(whole.minutes.ticks())
    assert alone.minutes.history == whole.minutes.history
    with pytest.raises(UserError, match="begins on 2013-03-04"):
        survey(data, date(2013, 3, 1), second, ())


def test_instants_of_a_quoted_day_are_aware(tmp_path: Path) -> None:
    """A recorded day is found by what stands in it, whatever its file is called."""
    data = opened(quotes(tmp_path / "any.csv", TUESDAY), tmp_path / "spool")
    (chapter,) = data.chapters(MONDAY, WEDNESDAY, ())
    assert chapter.ticks is not None
    assert next(chapter.ticks.ticks()).at == datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
