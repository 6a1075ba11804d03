"""Asks a source twice in a process of its own, with every logger wide open: `python -m tests.sources.quiet`."""

import json
import logging
import sys
import threading

from shared.errors import SourceError
from shared.sources.alpaca import Alpaca
from shared.sources.yahoo import Yahoo
from tests.etrade.world import SteadyClock
from tests.sources.market import NOW
from tests.sources.world import BEFORE, KEY, START


def main(kind: str, address: str, certificate: str) -> None:
    """Ask twice and print how many bars came, what was refused and how many threads there are."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    clock = SteadyClock(NOW)
    source: Alpaca | Yahoo = Yahoo(clock=clock, proxy=address, verify=certificate)
    if kind == "alpaca":
        source = Alpaca(KEY, clock=clock, address=address, verify=certificate)
    came: list[int | str] = []
    for _ in range(2):
        try:
            series = source.daily("BRK.B", start=START, before=BEFORE)
        except SourceError as problem:
            came.append(type(problem).__name__)
        else:
            came.append(len(series.bars) if series else 0)
    sys.stdout.write(json.dumps({"came": came, "threads": threading.active_count()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
