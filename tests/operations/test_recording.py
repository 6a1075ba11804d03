"""A recording as its owner has it: a recorded day that the reader of market files reads, and that is decided again."""

import csv
import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.brokersim.market import daily_bars
from infra.brokersim.recorded import RecordedMarket
from infra.cli.main import app
from infra.one_machine.looks import WANTED, KeptLooks
from infra.operations import recording
from infra.simulated_day.problems import UserError
from shared.domain.market.quotes import Quotes
from shared.usecases.scanning.record import MemoryRecord, Record
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.usecases.shifts import MarketBroker, Shifts

DAY = date(2013, 3, 4)
MINUTES = 17


class Crossed(MarketBroker):
    """One quote of the day is crossed, another one has no price."""

    def quotes(self, symbols, *, others=(), next_at=None) -> Quotes:  # type: ignore[no-untyped-def] # noqa: ANN001
        """Quote as the market stands, but for that."""
        from dataclasses import replace

        found = dict(super().quotes(symbols, others=others, next_at=next_at))
        second = self._kernel.now().second
        if second in (7, 9):
            one = found[symbols[0]]
            found[symbols[0]] = replace(one, bid=one.ask + 1) if second == 7 else replace(one, last=one.last * 0)
        return Quotes(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which minutes of a market were recorded by a scan."""
    made = tmp_path_factory.mktemp("system") / "looks"
    made.mkdir()
    (made / WANTED).touch()
    record, shifts = Record(KeptLooks(made)), Shifts(symbols=4)
    shifts.broker = Crossed(shifts.broker._market, shifts.kernel)
    shifts.desk = shifts._desk(shifts.desk.config)
    memories = [ScanMemory(record=MemoryRecord(record, number)) for number in (1, 2)]
    for minute in range(MINUTES):
        shifts.tick(minute, memories[minute % 2], late_s=1.7)
    shifts.run(MINUTES + 1)
    return made


@pytest.fixture(scope="module")
def written(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, recording.Written]:
    """Return a folder with the recorded day, and what was said of it."""
    out = tmp_path_factory.mktemp("days")
    return out, recording.write(folder, DAY, out)


def test_a_recorded_day_is_read_by_the_reader_of_market_files(
    folder: Path, written: tuple[Path, recording.Written]
) -> None:
    """Its rows are the quotes as the scan had them, at the seconds at which it looked; unsound ones are left out."""
    out, said = written
    market, shifts = RecordedMarket(said.market), Shifts(symbols=4)
    assert (market.day, len(market.symbols), said.symbols) == (DAY, 4, 4)
    assert said.left_out >= MINUTES
    truth = shifts.broker._market
    for second in (30, 95, 500, 900):
        at = datetime.fromtimestamp(shifts.session.opens_at.timestamp() + second, UTC)
        for symbol in market.symbols[1:]:
            ours, theirs = market.quote(symbol, at), truth.quote(symbol, at)
            assert ours is not None
            assert theirs is not None
            assert ours[1:] == theirs[1:]
    assert folder.exists()
    assert sorted(path.name for path in out.iterdir()) == [f"{DAY}.csv.gz", f"{DAY}.looks.gz", "daily.csv"]


def test_daily_bars_are_those_that_the_scan_knew(written: tuple[Path, recording.Written]) -> None:
    """The file beside the day has the bars of the store, as they were traded."""
    rows = list(csv.DictReader((written[0] / "daily.csv").read_text().splitlines()))
    truth = daily_bars("generated", seed=1)
    for symbol in {row["symbol"] for row in rows}:
        closes = [row["close"] for row in rows if row["symbol"] == symbol]
        assert [float(one) for one in closes] == [float(bar.close) for bar in truth[symbol]]


def test_a_written_day_is_decided_again_as_the_system_did(written: tuple[Path, recording.Written]) -> None:
    """From the written folder alone every signal and receipt comes out byte for byte."""
    found = recording.again(written[0], DAY, strategies="")
    assert (found.differing, found.minutes) == (0, MINUTES * 2)


def test_what_is_there_is_not_written_over(
    folder: Path, written: tuple[Path, recording.Written], tmp_path: Path
) -> None:
    """A day that is there stays; daily bars that say otherwise are named, and nothing is left beside them."""
    with pytest.raises(UserError, match="is there already, and stays"):
        recording.write(folder, DAY, written[0])
    bars = (written[0] / "daily.csv").read_text()
    (tmp_path / "daily.csv").write_text(bars.replace("2013-03-01,IBM,", "2013-03-01,IBM,9"))
    with pytest.raises(UserError, match="another daily bar of IBM on 2013-03-01"):
        recording.write(folder, DAY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["daily.csv"]


def test_days_share_their_daily_bars(folder: Path, tmp_path: Path) -> None:
    """Bars of other days and symbols that are there already stay beside the new ones."""
    (tmp_path / "daily.csv").write_text("date,symbol,open,high,low,close,volume\n2012-01-03,AIG,1,2,1,2,3\n")
    recording.write(folder, DAY, tmp_path)
    text = (tmp_path / "daily.csv").read_text()
    assert "2012-01-03,AIG,1,2,1,2,3\n" in text
    assert ",IBM," in text


def test_a_day_without_a_recording_is_named(folder: Path, tmp_path: Path) -> None:
    """The days that there are stand in the remedy, and nothing is written."""
    with pytest.raises(UserError, match="no recording of 2013-03-05") as refused:
        recording.write(folder, date(2013, 3, 5), tmp_path / "out")
    assert "2013-03-04" in refused.value.remedy


def test_a_damaged_line_is_no_traceback(folder: Path, tmp_path: Path) -> None:
    """A recording that somebody edited is refused in a sentence."""
    made = tmp_path / "looks"
    made.mkdir()
    (made / f"{DAY}.looks.gz").write_bytes(gzip.compress(b'0\n["looks",1,"2013-03-04","x"]\n["look",1]\n'))
    for act in (lambda: recording.again(made, DAY, strategies=""), lambda: recording.write(made, DAY, tmp_path / "o")):
        with pytest.raises(UserError, match="cannot be read"):
            act()


def test_the_cloud_has_no_seconds() -> None:
    """With --profile cloud the command says why nothing can be recorded there, and where it can."""
    done = CliRunner().invoke(app, ["record", "start", "--profile", "cloud"])
    assert done.exit_code == 2
    assert "keeps minutes and no seconds" in done.stderr
    assert "strategy up --broker production" in done.stderr


def test_check_says_that_nothing_differs_or_what_does(written: tuple[Path, recording.Written], tmp_path: Path) -> None:
    """Exit code 0 and a sentence where all is as on the day; exit code 1 and the first differences where it is not."""
    fine = CliRunner().invoke(app, ["record", "check", str(written[0])])
    assert fine.exit_code == 0, fine.output
    assert "All of it is as on the day." in fine.stdout
    lines = gzip.decompress((written[0] / f"{DAY}.looks.gz").read_bytes())
    spoilt = lines.replace(b'"price_min":"5"', b'"price_min":"150"')
    assert spoilt != lines
    (tmp_path / f"{DAY}.looks.gz").write_bytes(gzip.compress(spoilt))
    other = CliRunner().invoke(app, ["record", "check", str(tmp_path)])
    assert other.exit_code == 1
    assert "DIFFER" in other.stdout
    assert "PRICE_OUT_OF_RANGE" in other.stdout
