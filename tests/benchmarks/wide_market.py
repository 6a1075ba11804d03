"""The first symbols of a generated day as a recorded one: a desk watches all of a recorded day, and ten of a generated.

Only the part of the day that is measured is written: as many minutes of a hundred symbols as of ten are read quickly.
"""

from datetime import time, timedelta
from pathlib import Path

from infra.brokersim.market import daily_bars, open_market
from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE
from infra.brokersim.tape import Row, new_york
from tests.simulated_day.made import write_rows

GENERATED = "generated"


def write(folder: Path, *, symbols: int, seed: int, starts: time, minutes: int) -> Path:
    """Write some minutes of the market and its daily bars into a folder, and give the market's file."""
    market, bars = open_market(GENERATED, seed=seed), daily_bars(GENERATED, seed=seed)
    begins = new_york(market.day, starts)
    ends = begins + timedelta(minutes=minutes)
    chosen = market.symbols[:symbols]
    rows: list[tuple[Row, str]] = []
    for symbol in chosen:
        first = market.quote(symbol, begins)
        rows += [(one, symbol) for one in (*([first] if first else []), *market.rows(symbol, begins, ends))]
    rows.sort(key=lambda one: one[0].at)
    write_rows(
        folder / DAILY_FILE,
        [
            (one.date, symbol, one.open, one.high, one.low, one.close, one.volume)
            for symbol in chosen for one in bars[symbol]
        ],
        columns=BAR_COLUMNS,
    )  # fmt: skip
    path = folder / "wide.csv.gz"
    write_rows(path, [(row.at.isoformat(), symbol, *row[1:]) for row, symbol in rows])
    return path
