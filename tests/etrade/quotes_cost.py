"""What one quotes call costs in CPU, without network: `python -m tests.etrade.quotes_cost`."""

import json
import sys
import time

from shared.etrade.limits import Role
from tests.etrade import samples
from tests.etrade.world import world

CALLS = 3000
SYMBOLS = tuple(f"SYM{n}" for n in range(10))


def cost_ms(calls: int = CALLS) -> float:
    """Give the milliseconds of CPU per call: limiter, signature, requests, decoding, journal."""
    body = json.dumps(samples.quote_body(*(samples.quote_entry(symbol) for symbol in SYMBOLS))).encode()
    made = world((200, body), role=Role.SCAN)
    broker = made.broker()
    assert len(broker.quotes(SYMBOLS)) == len(SYMBOLS)
    started = time.process_time()
    for _ in range(calls):
        broker.quotes(SYMBOLS)
    return (time.process_time() - started) / calls * 1000


if __name__ == "__main__":
    sys.stdout.write(f"{cost_ms():.3f} ms of CPU per quotes() of {len(SYMBOLS)} symbols\n")
