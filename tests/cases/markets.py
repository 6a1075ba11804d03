"""The made market with something otherwise: another close of yesterday, another name, a second share."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE
from tests.simulated_day.made import HALF_DAY, SYMBOL, at, market_file, rows, write_rows

SECOND = "LATE"
"""A share with the same prices, in which too little is traded for an entry until `BUSY_FROM`."""
BUSY_FROM = at(12, 28)
_FEW = 20_000
_DAYS = 60


def closed_at(folder: Path, *, yesterday: str) -> Path:
    """Write the market with all daily bars at one price, so that this is the previous close, too."""
    path = market_file(folder)
    write_rows(folder / DAILY_FILE, list(_bars(SYMBOL, yesterday)), columns=BAR_COLUMNS)
    return path


def named(folder: Path, symbol: str) -> Path:
    """Write the market of a share of another name."""
    write_rows(folder / DAILY_FILE, list(_bars(symbol, "100.00")), columns=BAR_COLUMNS)
    write_rows(folder / "market.csv", [(stamp, symbol, *figures) for stamp, _, *figures in rows()])
    return folder / "market.csv"


def with_second(folder: Path) -> Path:
    """Write the market of two shares, of which the second can be entered later."""
    path = market_file(folder)
    bars = [*_bars(SYMBOL, "100.00"), *_bars(SECOND, "100.00")]
    write_rows(folder / DAILY_FILE, sorted(bars, key=lambda bar: (str(bar[0]), str(bar[1]))), columns=BAR_COLUMNS)
    pairs = [(one, _late(one)) for one in rows()]
    write_rows(path, [row for pair in pairs for row in pair])
    return path


def _late(row: tuple[object, ...]) -> tuple[object, ...]:
    stamp, _, *figures, volume = row
    quiet = datetime.fromisoformat(str(stamp)) < BUSY_FROM
    return stamp, SECOND, *figures, _FEW if quiet else volume


def _bars(symbol: str, close: str) -> Iterator[tuple[object, ...]]:
    for day in range(_DAYS, 0, -1):
        yield (HALF_DAY - timedelta(days=day)).isoformat(), symbol, close, close, close, close, 5_000_000
