"""Measures the CPU of one signed quote call of ten symbols inside the simulator, without the client's own
work.

Run it with `python -m tests.infra.brokersim.measure_quotes`; a whole day is 23,010 calls.
"""

from __future__ import annotations

import io
import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from oauthlib.oauth1 import Client

from infra.brokersim.market import open_market
from infra.brokersim.simulator import Simulator
from tests.infra.brokersim.world import SETTINGS, URL, FakeClock, World, log_in

DAY_OF_CALLS = 23_010


def cpu_per_call_ms(calls: int, *, resting: int) -> tuple[float, float]:
    """Milliseconds of CPU a call, one a simulated second, with so many orders resting; and of signing that call."""
    clock = FakeClock(datetime(2013, 3, 4, 14, 31, tzinfo=UTC))
    market = open_market("generated", seed=1)
    simulator = Simulator(market=market, now=clock, settings=SETTINGS, seed=1)
    one = World(clock, simulator, log_in(simulator, clock))
    for number, symbol in enumerate(market.symbols[:resting]):
        row = market.quote(symbol, clock.at)
        assert row is not None
        order = {"symbol": symbol, "clientOrderId": f"resting{number}", "orderTerm": "GOOD_UNTIL_CANCEL"}
        one.buy(**order, quantity=1, limitPrice=str(row.ask // 2))
    known: Any = one.api.auth.client
    keys = {
        "resource_owner_key": known.resource_owner_key,
        "resource_owner_secret": known.resource_owner_secret,
    }
    signer = Client(known.client_key, known.client_secret, **keys)
    spent, signing = 0.0, 0.0
    for _ in range(calls):
        clock.forward(1)
        signer.timestamp = str(int(clock.at.timestamp()))
        asked = time.process_time()
        environ = quote_call(signer, ",".join(market.symbols[:10]))
        began = time.process_time()
        simulator(environ, expect_ok)
        spent, signing = spent + time.process_time() - began, signing + began - asked
    return spent / calls * 1000, signing / calls * 1000


def quote_call(signer: Client, symbols: str) -> dict[str, Any]:
    """The WSGI environment of one signed quote call."""
    url = f"{URL}/v1/market/quote/{symbols}.json?overrideSymbolCount=true&detailFlag=ALL"
    parts = urlsplit(url)
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": parts.path,
        "REQUEST_URI": f"{parts.path}?{parts.query}",
        "QUERY_STRING": parts.query,
        "HTTP_HOST": parts.netloc,
        "HTTP_AUTHORIZATION": signer.sign(url)[1]["Authorization"],
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(),
    }


def expect_ok(status: str, *_: object) -> Any:
    """Takes the status line of a call that must succeed."""
    assert status.startswith("200"), status


if __name__ == "__main__":
    for resting in (0, 10):
        each, signing = cpu_per_call_ms(DAY_OF_CALLS, resting=resting)
        sys.stdout.write(
            f"{resting} resting orders: {each:.3f} ms CPU a call, {each * DAY_OF_CALLS / 1000:.1f} s a day,"
            f" {each / signing:.1f} x what its signing costs\n"
        )
