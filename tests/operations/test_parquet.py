"""A Parquet file of bars is read as the CSV of the same bars is, and refused by row where it is not clean."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infra.operations.bars_file import Imported, read_bars
from infra.simulated_day.problems import UserError
from infra.tools.locks import locks
from tests.domain.days import TODAY, sessions
from tests.domain.made import OPENS

arrow = pytest.importorskip("pyarrow", reason="`make setup-dev` installs it")
parquet = pytest.importorskip("pyarrow.parquet")

DAYS = (date(2013, 10, 3), date(2013, 10, 4))
TEXT = """date,symbol,open,high,low,close,volume,split,dividend
2013-10-03,IBM,100.25,101,99,100.5,1000,,0.95
2013-10-04,IBM,50,51.125,49,50.47,2000,2,
"""


def columns(**others: Any) -> dict[str, Any]:
    """Give the columns of the same two bars, with others in their places."""
    return {
        "date": arrow.array(DAYS), "symbol": ["IBM", "IBM"], "open": [100.25, 50.0], "high": [101.0, 51.125],
        "low": [99.0, 49.0], "close": [100.5, 50.47], "volume": [1000, 2000], "split": [None, 2.0],
        "dividend": [0.95, None],
    } | others  # fmt: skip


def written(folder: Path, given: dict[str, Any]) -> Path:
    """Write columns as a file."""
    path = folder / "bars.parquet"
    parquet.write_table(arrow.table(given), path)
    return path


def read(folder: Path, given: dict[str, Any]) -> dict[str, Imported]:
    """Write columns as a file and read it."""
    return read_bars(written(folder, given), today=TODAY)


def _single(*values: float) -> Any:
    return arrow.array(values, arrow.float32())


def _decimal(*values: str) -> Any:
    return arrow.array([Decimal(value) for value in values])


STORED: dict[str, Any] = {
    "as usual": {},
    "dates as text": {"date": ["2013-10-03", "2013-10-04"]},
    "dates as midnights": {"date": arrow.array([datetime(2013, 10, 3), datetime(2013, 10, 4)])},  # noqa: DTZ001
    "32-bit prices": {"close": _single(100.5, 50.47), "high": _single(101, 51.125)},
    "decimals": {"close": _decimal("100.50", "50.47"), "open": _decimal("100.25", "50.00")},
    "volumes as floats": {"volume": [1000.0, 2000.0]},
    "a dictionary of symbols": {"symbol": arrow.array(["ibm", "ibm"]).dictionary_encode()},
}


@pytest.mark.parametrize("how", STORED)
def test_the_same_bars_are_read_however_they_are_stored(tmp_path: Path, how: str) -> None:
    """Whatever type a column has, each price is the one that was printed, and the bars are those of the CSV."""
    (tmp_path / "bars.csv").write_text(TEXT)
    assert read(tmp_path, columns(**STORED[how])) == read_bars(tmp_path / "bars.csv", today=TODAY)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a price is missing": ({"close": [100.5, None]}, "row 2: close is ''"),
    "a price is NaN": ({"close": [100.5, float("nan")]}, "row 2: close is 'nan'"),
    "a price is beyond its bar": ({"close": [100.5, 60.0]}, "row 2: low and high do not lie around"),
    "half a share": ({"volume": [1000.0, 2000.5]}, "row 2: volume is '2000.5'"),
    "a day twice": ({"date": arrow.array([DAYS[0], DAYS[0]])}, "row 2: 2013-10-03 of IBM stands twice"),
    "a day is an instant": (
        {"date": arrow.array([datetime(2013, 10, 3, 13, 30), datetime(2013, 10, 4)])},  # noqa: DTZ001
        "row 1: date is ",
    ),
    "a day has a zone": ({"date": arrow.array([datetime(2013, 10, 3, tzinfo=UTC)] * 2)}, "row 1: date is "),
    "a list": ({"close": [[100.5], [50.47]]}, "rows 1 to 2: close"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_row_that_is_not_clean_is_named(tmp_path: Path, what: str) -> None:
    """The refusal has the row and its reason, and nothing of the file is used."""
    others, why = BAD[what]
    with pytest.raises(UserError) as wrong:
        read(tmp_path, columns(**others))
    assert why in wrong.value.what


def test_minutes_are_instants_of_any_zone(tmp_path: Path) -> None:
    """Minutes with a zone are the instants that they are; of a whole session they become its daily bar."""
    (day,) = sessions(1)
    starts = [OPENS + (day - TODAY) + timedelta(minutes=minute) for minute in range(390)]
    for zone in ("UTC", "America/New_York"):
        count = len(starts)
        given = columns(
            begins_utc=arrow.array([one.astimezone(ZoneInfo(zone)) for one in starts], arrow.timestamp("ns", tz=zone)),
            symbol=["IBM"] * count, open=[100.0] * count, high=[101.0] * count, low=[99.0] * count,
            close=[100.0] * count, volume=[10] * count,
        )  # fmt: skip
        for name in ("date", "split", "dividend"):
            del given[name]
        one = read(tmp_path, given)["IBM"]
        assert (one.short, one.bars[day].volume) == ([], 3900)


def test_what_only_begins_like_parquet_is_refused(tmp_path: Path) -> None:
    """A file that is cut off is refused with a remedy."""
    path = written(tmp_path, columns())
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match="is no Parquet file"):
        read_bars(path, today=TODAY)


def test_a_piece_that_is_damaged_is_named(tmp_path: Path) -> None:
    """A file whose schema is whole and whose rows are not is refused at the row."""
    path = written(tmp_path, columns())
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(len(whole) // 4) + whole[4 + len(whole) // 4 :])
    with pytest.raises(UserError, match=r"nothing of|no Parquet file"):
        read_bars(path, today=TODAY)


def test_the_library_is_in_no_archive() -> None:
    """pyarrow is locked for the one machine that imports a file, and for nothing that is deployed."""
    holds = [lock.path for lock in locks() if "parquet" in lock.extras]
    assert holds == ["requirements/dev.txt", "requirements/parquet.txt"]
