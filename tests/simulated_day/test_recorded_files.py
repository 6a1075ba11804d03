"""The recorded market days themselves, and the rule for finding them."""

import csv
import gzip
from pathlib import Path

import pytest

from tests.recorded import BESIDE_THE_REPOSITORY, market_data_folder

COLUMNS = ["time_utc", "symbol", "bid", "bid_size", "ask", "ask_size", "last", "day_volume"]
DAYS = ("2013-10-07", "2013-10-08", "2013-10-09")


@pytest.mark.days
@pytest.mark.parametrize("day", DAYS)
def test_recorded_day_has_the_known_form(market_data: Path, day: str) -> None:
    """A recorded day has the documented columns and its rows are in the order of time."""
    with gzip.open(market_data / f"{day}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        assert rows.fieldnames == COLUMNS
        times = [row["time_utc"] for row in rows]
    assert times == sorted(times)
    assert times[0].startswith(day)


def test_named_folder_is_used(tmp_path: Path) -> None:
    """The folder that STRATEGY_MARKET_DATA names is used."""
    (tmp_path / "2013-10-07.csv.gz").touch()
    assert market_data_folder({"STRATEGY_MARKET_DATA": str(tmp_path)}) == tmp_path
    assert BESIDE_THE_REPOSITORY.parts[-2:] == ("shared", "market-data")


def test_absent_days_skip_and_say_so(tmp_path: Path) -> None:
    """Without recorded days a test skips with the name of the folder."""
    with pytest.raises(pytest.skip.Exception, match="no recorded market days in"):
        market_data_folder({"STRATEGY_MARKET_DATA": str(tmp_path)})


def test_required_days_fail_when_absent(tmp_path: Path) -> None:
    """Where the days are required, their absence fails the test."""
    with pytest.raises(pytest.fail.Exception, match="no recorded market days in"):
        market_data_folder({"STRATEGY_MARKET_DATA": str(tmp_path), "REQUIRE_MARKET_DATA": "1"})
