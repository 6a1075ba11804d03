"""A recorded market file is read whole or refused with its line."""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from infra.brokersim.market import MarketFileError, daily_bars, open_market

HEADER = "time_utc,symbol,bid,bid_size,ask,ask_size,last,day_volume"
GOOD = [
    "2013-10-07T13:30:00Z,SPY,167.55,100,167.56,200,167.55,1000",
    "2013-10-07T13:30:00Z,IBM,181.00,100,181.00,200,181.00,500",
    "2013-10-07T13:30:05Z,SPY,167.57,300,167.58,400,167.58,1200",
]
DAILY = """date,symbol,open,high,low,close,volume
2013-10-03,SPY,168.94,168.94,166.84,167.62,141000000
2013-10-04,SPY,167.75,169.06,167.53,168.89,96000000
2013-10-07,SPY,167.42,168.45,167.25,167.43,96000000
"""


def write(folder: Path, *lines: str, name: str = "2013-10-07.csv.gz") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress("\n".join((HEADER, *lines, "")).encode()))
    return path


def refused(path: Path) -> MarketFileError:
    with pytest.raises(MarketFileError) as caught:
        open_market(str(path), seed=1)
    assert str(caught.value) == f"{path}, line {caught.value.line}: {caught.value.problem}"
    return caught.value


def test_a_good_file_answers_the_last_row_at_or_before_an_instant(tmp_path: Path) -> None:
    """A good file answers the last row at or before an instant."""
    market = open_market(str(write(tmp_path, *GOOD)), seed=1)
    assert (market.name, market.day, market.symbols) == ("2013-10-07", date(2013, 10, 7), ("IBM", "SPY"))
    assert market.quote("SPY", datetime(2013, 10, 7, 13, 29, 59, tzinfo=UTC)) is None
    at = datetime(2013, 10, 7, 13, 30, 4, 999_999, tzinfo=UTC)
    row = market.quote("SPY", at)
    assert row is not None
    assert (row.bid, row.ask_size) == (Decimal("167.55"), 200)
    assert [one.bid for one in market.rows("SPY", row.at, datetime(2013, 10, 7, 13, 30, 5, tzinfo=UTC))] == [
        Decimal("167.57")
    ]


def test_a_locked_quote_is_valid(tmp_path: Path) -> None:
    """A locked quote is valid."""
    row = open_market(str(write(tmp_path, *GOOD)), seed=1).quote("IBM", datetime(2013, 10, 7, 14, tzinfo=UTC))
    assert row is not None
    assert row.bid == row.ask


def test_a_plain_csv_reads_the_same(tmp_path: Path) -> None:
    """A plain CSV reads the same."""
    path = tmp_path / "day.csv"
    path.write_text("\n".join((HEADER, *GOOD)))
    assert open_market(str(path), seed=1).symbols == ("IBM", "SPY")


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("2013-10-07T13:29:59Z,SPY,167.55,1,167.56,1,167.55,1", "backwards"),
        ("2013-10-07T13:30:06Z,SPY,-1,1,167.56,1,167.55,1", "bid -1 is not above zero"),
        ("2013-10-07T13:30:06Z,SPY,0,1,167.56,1,167.55,1", "bid 0 is not above zero"),
        ("2013-10-07T13:30:06Z,SPY,167.55,1,167.56,1,0.0,1", "last 0.0 is not above zero"),
        ("2013-10-07T13:30:06Z,SPY,167.55,-1,167.56,1,167.55,1", "bid_size -1 is negative"),
        ("2013-10-07T13:30:06Z,SPY,167.55,1,167.56,1,167.55,-5", "day_volume -5 is negative"),
        ("2013-10-07T13:30:06Z,SPY,167.57,1,167.56,1,167.55,1", "crossed quote"),
        ("2013-10-07T13:30:06Z,SPY,abc,1,167.56,1,167.55,1", "'abc' is not a price"),
        ("2013-10-07T13:30:06Z,SPY,NaN,1,167.56,1,167.55,1", "'NaN' is not a price"),
        ("2013-10-07T13:30:06Z,SPY,167.55555,1,167.56,1,167.55,1", "finer than"),
        ("2013-10-07T13:30:06Z,SPY,167.55,1.5,167.56,1,167.55,1", "not a whole number"),
        ("yesterday,SPY,167.55,1,167.56,1,167.55,1", "not a valid timestamp"),
        ("2013-10-07T13:30:06,SPY,167.55,1,167.56,1,167.55,1", "no time zone"),
        ("2013-10-08T13:30:06Z,SPY,167.55,1,167.56,1,167.55,1", "a row of 2013-10-08"),
        ("2013-10-07T13:30:06Z,SPY,167.55", "3 values where the header has 8"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, bad: str, problem: str) -> None:
    """A bad row is refused with its line."""
    error = refused(write(tmp_path, *GOOD, bad, GOOD[-1]))
    assert error.line == 5
    assert problem in error.problem


def test_a_missing_column_is_refused_at_the_header(tmp_path: Path) -> None:
    """A missing column is refused at the header."""
    path = tmp_path / "day.csv"
    path.write_text("time_utc,symbol,bid,bid_size,ask,ask_size,last\n")
    error = refused(path)
    assert (error.line, error.problem) == (1, "missing column day_volume")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda _: b"", "empty"),
        (lambda _: gzip.compress(f"{HEADER}\n".encode()), "no rows"),
        (lambda _: b"time_utc,symbol\n", "not a gzip file"),
    ],
)
def test_an_empty_or_foreign_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], problem: str) -> None:
    """An empty or foreign file is refused."""
    path = write(tmp_path, *GOOD)
    path.write_bytes(damage(path.read_bytes()))
    error = refused(path)
    assert error.line == 1
    assert problem in error.problem


def many_rows(folder: Path) -> Path:
    prices = (f"167.{cents % 97:02}" for cents in range(5_000))
    return write(folder, *(f"2013-10-07T13:30:00Z,SPY,{price},1,168.00,1,167.55,1" for price in prices))


def test_a_file_cut_in_the_middle_of_the_gzip_is_refused_where_it_breaks(tmp_path: Path) -> None:
    """A file cut in the middle of the gzip is refused where it breaks."""
    path = many_rows(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    error = refused(path)
    assert "cut off" in error.problem
    assert 500 < error.line < 4_500


def test_damage_in_the_middle_of_the_gzip_is_refused(tmp_path: Path) -> None:
    """Damage in the middle of the gzip is refused."""
    path = many_rows(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 0xFF  # the checksum at the end
    path.write_bytes(raw)
    assert "damaged" in refused(path).problem


def test_the_previous_close_is_the_last_daily_close_before_the_day(tmp_path: Path) -> None:
    """The previous close is the last daily close before the day."""
    path = write(tmp_path, *GOOD)
    assert open_market(str(path), seed=1).previous_close("SPY") == Decimal("167.55")  # no daily file: first trade
    (tmp_path / "daily.csv").write_text(DAILY)
    assert open_market(str(path), seed=1).previous_close("SPY") == Decimal("168.89")
    assert [bar.date.day for bar in daily_bars(str(path), seed=1)["SPY"]] == [3, 4]


def test_a_bad_daily_file_is_refused_with_its_line(tmp_path: Path) -> None:
    """A bad daily file is refused with its line."""
    path = write(tmp_path, *GOOD)
    (tmp_path / "daily.csv").write_text(DAILY.replace("2013-10-04", "2013-10-02"))
    error = refused_daily(path)
    assert (error.path.name, error.line) == ("daily.csv", 3)


def refused_daily(path: Path) -> MarketFileError:
    with pytest.raises(MarketFileError) as caught:
        daily_bars(str(path), seed=1)
    return caught.value


def test_a_recorded_day_loads_fast_and_whole(market_data: Path) -> None:
    """A recorded day is loaded whole, in no more than a few times what it takes to read its file line by line."""
    path = market_data / "2013-10-09.csv.gz"
    asked = time.process_time()
    with gzip.open(path, "rt") as lines:
        assert sum(1 for _ in csv.reader(lines)) > 24_287
    began = time.process_time()
    market = open_market(str(path), seed=1)
    assert time.process_time() - began < 12 * (began - asked)
    whole = market.rows("SPY", datetime(2013, 10, 9, tzinfo=UTC), datetime(2013, 10, 10, tzinfo=UTC))
    assert sum(1 for _ in whole) == 24_287
    assert market.previous_close("SPY") == Decimal("165.48")
