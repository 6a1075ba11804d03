"""Puts the simulator on a loopback port, for clients that need a socket. It never listens anywhere else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from infra.brokersim.account import next_weekday
from infra.brokersim.chance import stream
from infra.brokersim.faults import ConnectionDropped
from infra.brokersim.market import open_market
from infra.brokersim.network import TRAVEL_S, Network, OwnTime, Wait, there_and_back
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.simulator import Simulator
from infra.brokersim.tape import new_york

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOOPBACK = "127.0.0.1"
_STARTS = clock_time(9, 29, 30)
_POLL_S = 0.05  # how long `close` waits at most for the listener to notice


class ScaledClock:
    """A clock that starts at `start` when it is made and runs `speed` times as fast as the machine's."""

    def __init__(self, start: datetime, speed: float, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._start = start
        self._speed = speed
        self._seconds = seconds
        self._began = seconds()

    def __call__(self) -> datetime:
        """The instant now (UTC)."""
        return self._start + timedelta(seconds=(self._seconds() - self._began) * self._speed)


class RunningSimulator:
    """A simulator that listens on loopback until `close`."""

    def __init__(self, simulator: Simulator, server: BaseWSGIServer, lock: threading.Lock) -> None:
        self.simulator = simulator
        self.lock = lock
        self.url = f"http://{LOOPBACK}:{server.port}"
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), name="brokersim", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening and waits until the listener has stopped; open calls are answered first."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> RunningSimulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _PlainHandler(WSGIRequestHandler):
    """Adds nothing to an answer, such as the Date of the machine, and writes no line for each request."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Says the status alone."""
        self.send_response_only(code, message)


def serve(simulator: Simulator, port: int, travel: Callable[[], object] | None = None) -> RunningSimulator:
    """Serves a simulator on 127.0.0.1 (`port` 0 picks a free one); OSError if the port is taken.

    Hold `.lock` to touch the simulator from outside. `travel` waits for as long as a request or an answer is under way
    beyond what loopback takes.
    """
    with _listen(port) as listening:
        return _serve_on(listening, simulator, travel)


def slowly(seed: int, wait: Wait) -> tuple[OwnTime, Callable[[], object]]:
    """Gives the slow network of a served simulator: the broker's own time, and what waits for one way."""
    chance = stream(seed, "travel")
    return OwnTime(seed=seed, wait=wait), lambda: wait(chance.uniform(*TRAVEL_S))


def _listen(port: int) -> socket.socket:
    return socket.create_server((LOOPBACK, port), backlog=64)


def _serve_on(
    listening: socket.socket, simulator: Simulator, travel: Callable[[], object] | None
) -> RunningSimulator:  # fmt: skip
    lock = threading.Lock()

    def travelled(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if travel is None:
            return one_at_a_time(environ, start_response)
        return there_and_back(travel, lambda: one_at_a_time(environ, start_response))

    def one_at_a_time(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            with lock:
                return simulator(environ, start_response)
        except ConnectionDropped:
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            raise  # werkzeug takes a ConnectionError as "the peer is gone" and answers nothing

    server = make_server(LOOPBACK, 0, travelled, threaded=True, request_handler=_PlainHandler, fd=listening.fileno())
    return RunningSimulator(simulator, server, lock)


def start(
    *,
    port: int,
    market_spec: str,
    consumer_key: str,
    consumer_secret: str,
    auto_approve: bool,
    speed: float,
    seed: int,
    network: Network = Network.SLOW,
    made_up: bool = False,
    settles: Callable[[date], date] = next_weekday,
) -> RunningSimulator:
    """Opens a market and serves it from half a minute before its open, `speed` times as fast as the wall
    clock.

    OAuth timestamps may be of the simulated time or of the wall clock. A consumer pair that was `made_up` for it
    is shown whole on the page at `/`. MarketFileError for a bad market file, OSError for a taken port; both before
    anything listens.
    """
    market = open_market(market_spec, seed=seed)
    with _listen(port) as listening:  # hrefs in answers need the port before the simulator exists
        settings = SimulatorSettings(
            consumer_key=consumer_key,
            consumer_secret=consumer_secret,
            auto_approve=auto_approve,
            public_url=f"http://{LOOPBACK}:{listening.getsockname()[1]}",
            speed=speed,
            made_up=made_up,
            settles=settles,
        )
        slow = slowly(seed, lambda seconds: time.sleep(seconds / speed)) if network is Network.SLOW else (None, None)
        own_time, travel = slow
        simulator = Simulator(
            market=market,
            now=ScaledClock(new_york(market.day, _STARTS), speed),
            settings=settings,
            seed=seed,
            signing_clocks=(lambda: datetime.now(UTC),),
            own_time=own_time,
        )
        return _serve_on(listening, simulator, travel)
