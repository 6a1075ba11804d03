"""A small made market: one symbol on a half-day, quiet, but rising enough for one entry that is held until the flatten.

Prices swing a little around a slow rise, so that the RSI stays between exit and entry gate; the levels of stop and
target are out of reach.
"""

import csv
import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE, ROW_COLUMNS

SYMBOL = "MADE"
HALF_DAY = date(2013, 11, 29)
_NEW_YORK = ZoneInfo("America/New_York")
_FIRST, _LAST = time(9, 25), time(13, 1)
_EVERY = timedelta(seconds=5)
_YESTERDAY_CENTS = 10_000
_HISTORY_DAYS = 60


def at(hour: int, minute: int, second: float = 0) -> datetime:
    """Give an instant of the half-day by New York's clock."""
    return datetime.combine(HALF_DAY, time(hour, minute), _NEW_YORK).astimezone(UTC) + timedelta(seconds=second)


def market_file(folder: Path, *, name: str = "market.csv") -> Path:
    """Write the market and its daily bars into `folder`, compressed when `name` says so, and give its path."""
    write_rows(folder / DAILY_FILE, list(bars()), columns=BAR_COLUMNS)
    write_rows(folder / name, list(rows()))
    return folder / name


def write_rows(path: Path, content: Sequence[Sequence[object]], *, columns: Sequence[str] = ROW_COLUMNS) -> None:
    """Write a market file of any content."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *content])
    plain = text.getvalue().encode()
    path.write_bytes(gzip.compress(plain, mtime=0) if path.suffix == ".gz" else plain)


def rows() -> Iterator[tuple[object, ...]]:
    """Give a row every five seconds; it moves by a cent or two once a minute."""
    now, end = at(_FIRST.hour, _FIRST.minute), at(_LAST.hour, _LAST.minute)
    begins, volume = now, 2_000_000
    while now < end:
        cents = _cents((now - begins) // timedelta(minutes=1))
        volume += 500
        prices = [f"{price / 100:.2f}" for price in (cents - 1, cents + 1, cents)]
        stamp = now.isoformat().replace("+00:00", "Z")
        yield stamp, SYMBOL, prices[0], 5_000, prices[1], 5_000, prices[2], volume
        now += _EVERY


def _cents(minute: int) -> int:
    """Three cents up, two down, and so on, from one percent above yesterday's close."""
    return _YESTERDAY_CENTS + 100 + minute // 2 + (3 if minute % 2 else 0)


def bars() -> Iterator[tuple[object, ...]]:
    """Give two months of daily bars that all close at yesterday's price."""
    day = HALF_DAY - timedelta(days=_HISTORY_DAYS)
    close = f"{_YESTERDAY_CENTS / 100:.2f}"
    while day < HALF_DAY:
        yield day.isoformat(), SYMBOL, close, close, close, close, 5_000_000
        day += timedelta(days=1)
