"""What keeping a tick's looks costs the scan of CPU, and a day of disk: `python -m tests.benchmarks.recording`.

Every symbol has another quote at every tick, which is the dearest that a market can be.
"""

import sys
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from infra.one_machine.looks import WANTED, KeptLooks
from shared.usecases.scanning.record import Known, MemoryRecord, Record, Row
from tests.usecases.shifts import Shifts

MINUTES = 5
SECONDS_A_SESSION = 23_400
NOTHING = Known(watches={}, days={}, left={})


def cost(symbols: int) -> tuple[float, float, float]:
    """Give the median of a tick and of a minute's end in milliseconds of CPU, and the MB of a day."""
    shifts, took, turned = Shifts(symbols=symbols), list[float](), list[float]()
    day, opens_at = shifts.session.day, shifts.session.opens_at
    ask = partial(shifts.broker.quotes, shifts.desk.mandate.watch_list)
    found = shifts.kernel.call(ask, name="asks").heard
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / WANTED).touch()
        record = MemoryRecord(Record(KeptLooks(folder)), 1)
        before = opens_at - timedelta(minutes=1)
        record.began(shifts.desk, day, opens_at, before=before, warm=False, ahead={}, known=NOTHING)
        for second in range(60 * MINUTES):
            at = opens_at + timedelta(seconds=second)
            rows = [
                Row(
                    symbol=name, failure=None, given=None,
                    quote=replace(one, last=one.last + Decimal(second) / 100, at=at, received_at=at),
                )
                for name, one in found.items()
            ]  # fmt: skip
            began = time.thread_time()
            record.looked(shifts.desk, at, rows, known=NOTHING)
            took.append(time.thread_time() - began)
            if second % 60 == 59:
                began = time.thread_time()
                record.wrote(shifts.desk, at, {})
                turned.append(time.thread_time() - began)
        size = sum(path.stat().st_size for path in folder.iterdir())
    return median(took) * 1000, median(turned) * 1000, size / (60 * MINUTES) * SECONDS_A_SESSION / 1e6


def main() -> None:
    """Print the cost of some lengths of a watch list."""
    for symbols in (10, 50, 118):
        tick, minute, size = cost(symbols)
        sys.stdout.write(f"{symbols} symbols: {tick:.2f} ms a tick, {minute:.0f} ms a minute, {size:.0f} MB a day\n")


if __name__ == "__main__":
    main()
