"""The simulator in the place of E*TRADE's hosts: over TLS, behind a proxy that leads every name to loopback."""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from infra.brokersim.market import open_market
from infra.brokersim.server import LOOPBACK, ScaledClock
from infra.brokersim.settings import Limit, SimulatorSettings
from infra.brokersim.simulator import Simulator
from infra.brokersim.tape import new_york
from tests.certificates import certificate
from tests.sources.standing import proxied

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KEY, SECRET = "simulated-consumer-key", "simulated-consumer-secret"
HOSTS = ("api.etrade.com", "apisb.etrade.com", "us.etrade.com")
_SEED, _SPEED, _BEGINS = 3, 20, clock_time(10)
_AS_THEY_COME = Limit(per_second=1000, per_hour=1_000_000)
"""A client that paces nothing is not throttled: this is about what answers say, not about how many there are."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """The simulator, and what a process needs in its environment to meet it under E*TRADE's names."""

    simulator: Simulator
    environment: dict[str, str]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Write no line for each request."""


@contextmanager
def front(folder: Path) -> Iterator[Front]:
    """Serve a fresh simulator of a generated day from ten o'clock, twenty times as fast as the wall clock."""
    market = open_market("generated", seed=_SEED)
    settings = SimulatorSettings(
        consumer_key=KEY,
        consumer_secret=SECRET,
        preview_life_s=24 * 3600,
        orders_limit=_AS_THEY_COME,
        accounts_limit=_AS_THEY_COME,
        market_limit=_AS_THEY_COME,
        public_url=f"https://{HOSTS[0]}",
    )
    clock = ScaledClock(new_york(market.day, _BEGINS), _SPEED)
    simulator = Simulator(
        market=market, now=clock, settings=settings, seed=_SEED, signing_clocks=(lambda: datetime.now(UTC),)
    )
    lock, pem = threading.Lock(), certificate(folder, *HOSTS)

    def one_at_a_time(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with lock:
            return simulator(environ, start_response)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = make_server(LOOPBACK, 0, one_at_a_time, threaded=True, request_handler=_Quiet, ssl_context=context)
    worker = threading.Thread(target=server.serve_forever, args=(0.05,))
    worker.start()
    try:
        with proxied(server.port) as proxy:
            believed = {"REQUESTS_CA_BUNDLE": str(pem), "SSL_CERT_FILE": str(pem)}
            yield Front(simulator=simulator, environment={"HTTPS_PROXY": proxy, **believed})
    finally:
        server.shutdown()
        worker.join()
        server.server_close()
