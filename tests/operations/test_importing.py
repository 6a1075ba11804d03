"""A file of bars is imported as a whole or not at all, and each line that is not clean is named."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.cli.importing import tell
from infra.one_machine.clock import SeededChance
from infra.one_machine.memory_store import MemoryStore
from infra.operations import importing
from infra.operations.bars_file import read_bars
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.market.series import Dividend, Series, Split
from shared.gcp.no_bus import NoBus
from shared.ports import Put
from shared.topology import TOPOLOGY, Right
from shared.usecases.base.desk import Desk, read
from shared.usecases.market.sources import imported
from tests.domain.days import TODAY, bar, sessions
from tests.domain.made import OPENS
from tests.doors.fakes import Lines, ListVault
from tests.operations.desks import refused, strategy
from tests.usecases.morning import Clock

HEAD = "date,symbol,open,high,low,close,volume"
GOOD = "2013-10-03,IBM,100,101,99,100.5,1000"


class Home:
    """An owner with a file and a store."""

    def __init__(self, folder: Path, *, simulated: bool = False) -> None:
        self.file, self.store = folder / "bars.csv", MemoryStore()
        desk = Desk(
            actor="owner", clock=Clock(), chance=SeededChance(seed=1, name="x"), store=self.store, bus=NoBus(),
            journal=Lines(),
        )  # fmt: skip
        self.hand = Hand(
            name="here", desk=desk, open_vault=ListVault, sign_in=None, operator="owner", running=True, mode="paper",
            simulated=simulated,
        )  # fmt: skip

    def bring(self, *lines: str, name: str = "bars.csv", meant: bool = False) -> list[importing.Result]:
        """Import a file of these lines."""
        file = self.file.with_name(name)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return importing.bring(self.hand, file, meant=meant)

    def series(self, symbol: str = "IBM") -> Series | None:
        """Give what history will be given of a symbol."""
        return imported(self.store).daily(symbol, start=date(2012, 1, 1), before=TODAY)


def test_daily_bars_with_their_splits_and_dividends(tmp_path: Path) -> None:
    """Days in any order become a series of the source "file", as traded, with what happened beside it."""
    home = Home(tmp_path)
    lines = ["2013-10-04,IBM,50,51,49,50.5,2000,2,", "2013-10-03,ibm,100,101,99,100.5,1000,,0.95"]
    (result,) = home.bring(f"{HEAD},split,dividend", *lines)
    found = home.series()
    assert found is not None
    assert [(one.day, str(one.close), one.volume) for one in found.bars] == [
        (date(2013, 10, 3), "100.5", 1000), (date(2013, 10, 4), "50.5", 2000),
    ]  # fmt: skip
    assert (found.source, found.made) == ("file", "imported from bars.csv")
    assert found.splits == (Split(day=date(2013, 10, 4), ratio=Decimal(2)),)
    assert found.dividends == (Dividend(day=date(2013, 10, 3), usd=Decimal("0.95")),)
    assert (result.bars, result.splits, result.dividends) == (2, 1, 1)


def test_a_later_import_counts_and_forgets_nothing(tmp_path: Path) -> None:
    """Of a day in both files the later one's bar counts; the days of the earlier one stay, as of another make."""
    home = Home(tmp_path)
    home.bring(HEAD, GOOD, "2013-10-02,IBM,99,99,99,99,1")
    (second,) = home.bring(HEAD, GOOD.replace("100.5", "100.7"), name="later.csv")
    assert (second.again, second.changed, second.earlier) == (1, 1, "imported from bars.csv")
    found = home.series()
    assert found is not None
    assert [str(one.close) for one in found.bars] == ["99", "100.7"]
    assert (found.source, found.mixed) == ("file", True)


_BAD = {
    GOOD: "stands twice",
    "2013-10-05,IBM,100,101,99,100.5,1000": "no trading day",
    f"{TODAY},IBM,100,101,99,100.5,1000": "is not over",
    "3.10.2013,IBM,100,101,99,100.5,1000": "date is '3.10.2013' and not written like 2026-11-17",
    "1999-10-04,IBM,100,101,99,100.5,1000": "calendar covers",
    "2013-10-02,I BM,100,101,99,100.5,1000": "no symbol",
    "2013-10-02,IBM,100,101,99,0,1000": "close is '0'",
    "2013-10-02,IBM,100,101,99,NaN,1000": "close is 'NaN'",
    "2013-10-02,IBM,100,101,99,1e2,1000": "close is '1e2'",
    "2013-10-02,IBM,100,101,-99,100,1000": "low is '-99'",
    "2013-10-02,IBM,100,101,100.6,100.5,1000": "do not lie around",
    "2013-10-02,IBM,100,100.2,99,100.5,1000": "do not lie around",
    "2013-10-02,IBM,100,101,99,100.5,10.5": "no whole number",
    "2013-10-02,IBM,100,101,99,100.5,": "no whole number",
    "2013-10-02,IBM,100,101,99,100.5": "6 fields",
    "2013-10-02,IBM,100,101,99,100.5,1000,x": "8 fields",
}


@pytest.mark.parametrize("line", _BAD)
def test_a_line_that_is_not_clean_is_named_and_nothing_is_imported(tmp_path: Path, line: str) -> None:
    """The refusal has the line's number and its reason, and the good lines beside it are not imported either."""
    home = Home(tmp_path)
    with pytest.raises(UserError) as wrong:
        home.bring(HEAD, GOOD, line)
    assert "line 3: " in wrong.value.what
    assert _BAD[line] in wrong.value.what
    assert home.series() is None


@pytest.mark.parametrize(
    "head",
    [
        "",
        "date,symbol,close",
        f"{HEAD},adjusted",
        f"{HEAD},open",
        HEAD.replace("date", "time"),
        f"ends_utc,{HEAD}",
        "\0",
    ],
)
def test_other_columns_are_refused(tmp_path: Path, head: str) -> None:
    """A file that names other columns is refused with the ones that are wanted; so is one without a bar."""
    with pytest.raises(UserError) as wrong:
        Home(tmp_path).bring(head, GOOD)
    assert HEAD in str(wrong.value)
    with pytest.raises(UserError, match="no bar"):
        Home(tmp_path).bring(HEAD)


def test_many_bad_lines_are_named_up_to_a_few(tmp_path: Path) -> None:
    """A file of another kind costs one message of bearable length."""
    with pytest.raises(UserError) as wrong:
        Home(tmp_path).bring(HEAD, *[GOOD.replace("IBM", f"IBM!{number}") for number in range(1000)])
    assert wrong.value.what.count("\n  - line ") == 20
    assert wrong.value.what.endswith("and more")


def test_what_is_wrong_with_every_line_is_said_once(tmp_path: Path) -> None:
    """Lines that are wrong in the same words are one sentence, of the first of them, with the count of the others."""
    with pytest.raises(UserError) as wrong:
        Home(tmp_path).bring(HEAD, GOOD, *["x"] * 1000)
    assert wrong.value.what.count("1 fields") == 1
    assert " line 3: " in wrong.value.what
    assert wrong.value.what.endswith("; the same in 999 more rows")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A file that is no UTF-8, or is not there, is refused with a remedy."""
    home = Home(tmp_path)
    home.file.write_bytes(b"PK\x03\x04\xff\xfe")
    for path in (home.file, tmp_path / "none.csv"):
        with pytest.raises(UserError, match="cannot be read"):
            importing.bring(home.hand, path)


def test_a_price_that_can_hardly_be_is_asked_for_again(tmp_path: Path) -> None:
    """A price far from the day before needs the owner's word, and a split that explains it needs none."""
    home, halved = Home(tmp_path), "2013-10-04,IBM,50,51,49,50.5,2000"
    with pytest.raises(UserError) as asked:
        home.bring(HEAD, GOOD, halved)
    assert "IBM 2013-10-04: low 49 lies 105 % from the close of the day before, 100.5" in asked.value.what
    assert "--yes" in asked.value.remedy
    assert home.series() is None
    with pytest.raises(UserError, match="high 990 lies"):
        home.bring(HEAD, GOOD.replace("101", "990"))
    (meant,) = home.bring(HEAD, GOOD, halved, meant=True)
    assert len(meant.far) == 1
    (again,) = home.bring(HEAD, GOOD, halved)
    assert again.far == ()
    other = Home(tmp_path)
    (split,) = other.bring(f"{HEAD},split", f"{GOOD},", f"{halved},2")
    assert split.far == ()


def test_a_file_that_fits_badly_to_an_earlier_one_is_asked_for(tmp_path: Path) -> None:
    """What is compared is the whole series: the second file's days with those that the first one brought."""
    home = Home(tmp_path)
    home.bring(HEAD, GOOD)
    with pytest.raises(UserError, match=r"2013-10-04: low 9\.9"):
        home.bring(HEAD, "2013-10-04,IBM,10,10.1,9.9,10,2000", name="wrong-share.csv")
    found = home.series()
    assert found is not None
    assert len(found.bars) == 1


def test_what_is_imported_can_be_listed_and_taken_out(tmp_path: Path) -> None:
    """The list names each symbol's days and files, also one that cannot be read, and a symbol that is out is gone."""
    home = Home(tmp_path)
    home.bring(HEAD, GOOD, GOOD.replace("IBM", "AIG"))
    home.bring(HEAD, GOOD.replace("10-03", "10-04"), name="later.csv")
    home.store.commit([Put("imports/X", {"symbol": "X"})])
    aig, ibm, damaged = importing.kept(home.hand)
    assert (aig.symbol, aig.bars, aig.made) == ("AIG", 1, "imported from bars.csv")
    assert (ibm.bars, ibm.first, ibm.last) == (2, date(2013, 10, 3), date(2013, 10, 4))
    assert ibm.made == "imported from later.csv; imported from bars.csv"
    assert damaged.wrong
    with pytest.raises(UserError, match="cannot be read"):
        home.bring(HEAD, GOOD.replace("IBM", "X"))
    assert importing.remove(home.hand, "ibm").bars == 2
    assert home.series() is None
    importing.remove(home.hand, "X")
    assert [one.symbol for one in importing.kept(home.hand)] == ["AIG"]
    for none in ("IBM", "../owner"):
        with pytest.raises(UserError, match="nothing is imported"):
            importing.remove(home.hand, none)


def _minutes(day: date, count: int, *, by: str = "begins_utc") -> list[str]:
    opens = OPENS + (day - TODAY)
    late = timedelta(minutes=by == "ends_utc")
    starts = (opens + timedelta(minutes=minute) + late for minute in range(count))
    return [f"{at:%Y-%m-%dT%H:%M:%SZ},IBM,100,101,99,100,10" for at in starts]


def test_minutes_that_make_no_whole_day_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    """Half a day alone is no import: it is named, what was there before stays, and the exit code says so."""
    (half,) = sessions(1)
    home = Home(tmp_path)
    with pytest.raises(UserError) as refused:
        home.bring(HEAD.replace("date", "begins_utc"), *_minutes(half, 195))
    assert f"its minutes make no whole day: some are missing of IBM {half}" in refused.value.what
    assert "what was stored before is kept" in refused.value.remedy
    assert home.series() is None


@pytest.mark.parametrize("by", ["begins_utc", "ends_utc"])
def test_whole_sessions_of_minutes_become_days_and_half_ones_do_not(tmp_path: Path, by: str) -> None:
    """A session that is there from end to end becomes a daily bar, half a day is named and left out."""
    half, whole = sessions(2)
    home = Home(tmp_path)
    head = HEAD.replace("date", by)
    (result,) = home.bring(head, *_minutes(half, 195, by=by), *_minutes(whole, 390, by=by))
    found = home.series()
    assert found is not None
    assert found.bars == (bar(whole, "100", high=Decimal(101), low=Decimal(99), volume=3900),)
    assert (result.bars, result.short) == (1, (half,))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2013-10-04T13:30:00Z,IBM,100,101,99,100,10", "stands twice"),
        ("2013-10-04T13:31:30Z,IBM,100,101,99,100,10", "no minute"),
        ("2013-10-04T09:31:00-04:00,IBM,100,101,99,100,10", "no minute in UTC"),
        ("2013-10-04T13:31:00Z,IBM,100,99,101,100,10", "do not lie around"),
        ("2013-10-05T13:31:00Z,IBM,100,101,99,100,10", "no trading day"),
    ],
)
def test_a_minute_that_is_not_clean_is_named(tmp_path: Path, line: str, why: str) -> None:
    """Minutes are refused by line as days are."""
    with pytest.raises(UserError, match=why):
        Home(tmp_path).bring(HEAD.replace("date", "begins_utc"), "2013-10-04T13:30:00Z,IBM,100,101,99,100,10", line)


def test_minutes_outside_the_session_are_no_part_of_the_day(tmp_path: Path) -> None:
    """Trading before the open changes neither the day's high nor its volume."""
    (day,) = sessions(1)
    early = f"{day}T12:00:00Z,IBM,100,500,99,100,10"
    home = Home(tmp_path)
    home.file.write_text("\n".join([HEAD.replace("date", "begins_utc"), early, *_minutes(day, 390)]), encoding="utf-8")
    one = read_bars(home.file, today=TODAY)["IBM"]
    assert one.bars[day].high == 101


def test_a_simulated_market_imports_nothing(tmp_path: Path) -> None:
    """A system on a simulated market has its own days, and would never read what is imported."""
    with pytest.raises(UserError, match="days of its own"):
        Home(tmp_path, simulated=True).bring(HEAD, GOOD)


def test_no_function_writes_what_the_owner_imported() -> None:
    """Imported bars lie in the owner's database, which no function may change and one may read."""
    rights = {one.name: one.collections["imports"] for one in TOPOLOGY.functions if "imports" in one.collections}
    assert rights == {"market_history": Right.READ}


def test_the_owner_reads_what_was_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says what came of each symbol and when it counts, and what it refuses says why."""
    half, whole = sessions(2)
    tell(Home(tmp_path).bring(HEAD.replace("date", "begins_utc"), *_minutes(half, 195), *_minutes(whole, 390)))
    shown = capsys.readouterr().out
    assert f"IBM: 1 daily bar, {whole} to {whole}\n" in shown
    assert f"left out, for minutes are missing: 1 day ({half})" in shown
    assert "next sign-in" in shown
    refused(strategy("import", str(tmp_path / "none.csv"), "--state", str(tmp_path / "no-desk")), "no-desk")
    for words in ((), ("--list", "--remove", "IBM"), (str(tmp_path / "bars.csv"), "--list")):
        refused(strategy("import", *words), "needs one of")
    assert read(MemoryStore(), Series, "imports/IBM") is None
