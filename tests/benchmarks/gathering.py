"""What a gathering costs `market_history`, in the environment of its lock: `python -m tests.benchmarks.gathering`.

One process, from the built archive as the cloud has it, loads the function's wiring and asks both sources for a year of
daily bars of so many symbols. The sources are the tests' stand-ins on loopback, so what is measured is ours and the
libraries': memory at its highest, and seconds of CPU for the start, for the first answer of each source, and for all.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from shared.topology import TOPOLOGY
from tests import certificates
from tests.benchmarks.subjects import subjects
from tests.sources.alpaca_standing import KEY_ID, SECRET, AlpacaStanding
from tests.sources.market import NOW, SYMBOL
from tests.sources.world import BEFORE, START, opened
from tests.sources.yahoo_standing import HOSTS

NAME = "market_history"
WITHIN_S = 600

_CODE = """
import json, resource, sys
from datetime import date, datetime

from shared.sources.alpaca import Alpaca, AlpacaKey
from shared.sources.yahoo import Yahoo
from shared.wiring import cloud, cloud_bus, market_history

told = json.loads(sys.argv[1])

class Clock:
    def now(self):
        return datetime.fromisoformat(told["now"])

    def sleep_until(self, at):
        pass

def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

key = AlpacaKey(key_id=told["key_id"], secret=told["secret"])
sources = (
    Alpaca(key, clock=Clock(), address=told["alpaca"], verify=told["certificate"]),
    Yahoo(clock=Clock(), proxy=told["yahoo"], verify=told["certificate"]),
)
first, before = (date.fromisoformat(told[name]) for name in ("start", "before"))
seen = {"start": spent()}
for source in sources:
    for count in range(told["symbols"]):
        began = spent()
        series = source.daily(told["symbol"], start=first, before=before)
        assert series is not None and series.bars
        if not count:
            seen[source.name] = spent() - began
seen["all"] = spent()
seen["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(seen))
"""


def measure(folder: Path, symbols: int) -> dict[str, float]:
    """Ask both sources, in a process of the function's own environment, for so many symbols."""
    subject = next(one for one in subjects(folder, installed=True, names=(NAME,)) if one.name == NAME)
    certificate = certificates.certificate(folder, *HOSTS)
    with opened("alpaca", certificate) as alpaca, opened("yahoo", certificate) as yahoo:
        if isinstance(alpaca.standing, AlpacaStanding):
            alpaca.standing.page = 1_000
        told = {
            "now": NOW.isoformat(), "symbol": SYMBOL, "start": START.isoformat(),
            "before": BEFORE.isoformat(), "symbols": symbols, "key_id": KEY_ID,
            "secret": SECRET, "certificate": str(certificate), "alpaca": alpaca.address, "yahoo": yahoo.address,
        }  # fmt: skip
        python = str(subject.runnable.environment / "bin" / "python")
        done = subprocess.run(  # noqa: S603 - our own code
            [python, "-c", _CODE, json.dumps(told)], cwd=subject.runnable.source, capture_output=True, text=True,
            timeout=WITHIN_S, check=True,
        )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gathering", description="A gathering's cost.")
    parser.add_argument("--symbols", type=int, default=118)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = measure(Path(folder), given.symbols)
    most = TOPOLOGY.function(NAME).memory_mib
    sys.stdout.write(
        f"CPU: start {seen['start']:.2f} s, first answer of Alpaca {seen['alpaca']:.2f} s, of Yahoo "
        f"{seen['yahoo']:.2f} s, all {2 * given.symbols} questions {seen['all'] - seen['start']:.1f} s\n"
        f"Memory at its highest: {seen['mib']:.0f} MiB of {most}\n"
    )


if __name__ == "__main__":
    main()
