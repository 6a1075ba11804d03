"""`strategy history`: what is stored of a symbol, with its source and its gaps, without a sign-in."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.one_machine.sqlite_store import SqliteStore
from infra.operations.bars_file import read_bars
from infra.running.folder import Folder
from shared.domain.market.daybook import DayBook
from shared.domain.market.series import Dividend, Series, Split
from shared.gcp.no_bus import NoBus
from shared.usecases.base.desk import Desk, put
from shared.usecases.market.books import put_books
from tests.domain.days import TODAY, series, sessions
from tests.domain.market.test_own_days import seen
from tests.doors.fakes import HandClock, Lines
from tests.etrade.world import SeededChance
from tests.operations.desks import answer, refused, strategy, write_card
from tests.usecases.market.test_own_bars import _session

LAST = sessions(1)[0]
DAYS = ("--from", str(sessions(20)[0]), "--to", str(LAST))


def home(folder: Path, held: Series | None = None, *books: DayBook) -> str:
    """Leave a system that does not run, with an imported series and with what its scan saw; gives its folder."""
    write_card(folder, broker="production", mode="paper")
    store = SqliteStore(Folder(path=folder).store, durable=True)
    store.commit([put("imports/IBM", held)] if held else [])
    desk = Desk(
        actor="market_scan", clock=HandClock(), chance=SeededChance(), store=store, bus=NoBus(), journal=Lines()
    )
    for book in books:
        put_books(desk, book.session, book.session.closes_at, {"IBM": book.to_plain()})
    store.close()
    return str(folder)


def test_the_bars_are_shown_with_their_source(tmp_path: Path) -> None:
    """A line for each day, below it who gave them, when, how many, and how whole they are."""
    state = home(tmp_path / "desk", series(20))
    done = strategy("history", "ibm", *DAYS, "--state", state)
    assert done.exit_code == 0, done.output
    assert len([line for line in done.stdout.splitlines() if line.startswith("2013-")]) == 20
    assert "Source: file (of file), as of 2013-10-04 16:00:00 New York.\n20 price bars of 1d from " in done.stderr
    assert "--from DAY" not in done.stderr
    usual = strategy("history", "ibm", "--to", "2013-10-04", "--state", state).stderr
    assert "to 2013-10-04, the last 30 days: --from DAY shows earlier ones." in usual


def test_what_is_missing_and_what_happened_is_said(tmp_path: Path) -> None:
    """A gap, a split and a doubted close are named beside the bars, and no price is adjusted."""
    held = series(20)
    split = Split(day=held.bars[9].day, ratio=Decimal(2))
    cut = Series(symbol="IBM", bars=held.bars[:4] + held.bars[6:], source="file", made="of file", at=held.at,
                 splits=(split,), doubted=(LAST,))  # fmt: skip
    done = strategy("history", "IBM", *DAYS, "--state", home(tmp_path / "desk", cut))
    for part in ("2 of 20 sessions are missing", f"from {split.day} on one share of before is 2", "close is doubted"):
        assert part in done.stderr
    assert {line.split()[4] for line in done.stdout.splitlines()[1:]} == {"100"}


def test_csv_comes_back_by_import(tmp_path: Path) -> None:
    """What is printed as CSV is a file that `strategy import` reads to the same bars, splits and dividends."""
    (held,) = [series(20)]
    held = Series(
        symbol="IBM", bars=held.bars, source="file", made="of file", at=held.at,
        splits=(Split(day=held.bars[3].day, ratio=Decimal("0.1")),),
        dividends=(Dividend(day=held.bars[5].day, usd=Decimal("0.95")),),
    )  # fmt: skip
    done = strategy("history", "IBM", *DAYS, "--csv", "--state", home(tmp_path / "desk", held))
    (tmp_path / "out.csv").write_text(done.stdout, encoding="utf-8")
    found = read_bars(tmp_path / "out.csv", today=TODAY)["IBM"]
    assert tuple(found.bars[day] for day in sorted(found.bars)) == held.bars
    assert (tuple(found.splits), tuple(found.dividends)) == (held.splits, held.dividends)


@pytest.mark.parametrize(("interval", "count"), [("1m", 390), ("5m", 78), ("1h", 7)])
def test_bars_within_a_session_are_those_of_the_scan(tmp_path: Path, interval: str, count: int) -> None:
    """Minutes that the scan saw are shown and joined, and CSV has each one's end in UTC."""
    state = home(tmp_path / "desk", None, seen(of=_session(LAST)))
    words = ("history", "IBM", "--from", str(LAST), "--to", str(LAST), "--interval", interval, "--state", state)
    assert len(answer(*words)["value"]["bars"]) == count
    rows = list(csv.DictReader(io.StringIO(strategy(*words, "--csv").stdout)))
    assert (len(rows), rows[-1]["ends_utc"]) == (count, f"{_session(LAST).closes_at:%Y-%m-%dT%H:%M:%SZ}")


def test_as_json_every_answer_has_source_age_delay_and_quality(tmp_path: Path) -> None:
    """A program gets the answer as the interface gives it."""
    found = answer("history", "IBM", *DAYS, "--state", home(tmp_path / "desk", series(20)))
    assert {"value", "source", "made", "at", "age_s", "quality", "reasons", "fresh", "delayed"} == set(found)
    assert (found["source"], found["quality"], found["delayed"]) == ("file", "1", False)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("IBM",), "strategy import FILE"),
        (("IBM", "--interval", "5m"), "let it see a session"),
        (("IBM", "--from", "7.10.2013"), "is no day"),
        (("IBM", "--from", "2013-10-07", "--to", "2013-10-04"), "is before"),
        (("../orders",), "no symbol"),
        (("IBM", "--from", "1999-01-01"), "covers"),
        (("IBM", "--csv", "--json"), "exclude each other"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_remedy(tmp_path: Path, words: tuple[str, ...], part: str) -> None:
    """Where there are no bars it says who would bring some, and what cannot be meant is named."""
    refused(strategy("history", *words, "--state", home(tmp_path / "desk")), part)


def test_thirty_days_are_shown_where_none_are_named(tmp_path: Path) -> None:
    """Without --from and --to it is the last thirty days of the system's own time."""
    state = home(tmp_path / "desk", series(40))
    done = strategy("history", "IBM", "--to", str(LAST), "--state", state)
    days = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("2013-")]
    assert days[0] >= str(LAST - timedelta(days=30))
    assert days[-1] == str(LAST)
