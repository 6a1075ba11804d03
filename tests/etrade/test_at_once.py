"""Many quotes over real sockets and threads: all calls are out at once, and each ends by its own deadline."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from shared.deadline import DeadlineAdapter
from shared.domain.broker.turns import Purpose
from shared.errors import BrokerError
from shared.etrade.client import GOING_ROUND_WITHIN_S, EtradeBroker
from shared.etrade.limits import Limits, Role
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.threads import Threads
from shared.ports import SideBySide
from shared.trace import serving, trace_id
from tests.etrade import samples
from tests.etrade.loopback import Loopback, server
from tests.etrade.world import CREDENTIALS, InTurn, KeptLines, SteadyClock, json_reply
from tests.patience import PATIENCE_S

SYMBOLS = [f"S{number}" for number in range(118)]
SECOND = timedelta(seconds=1)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Market:
    """A server that answers a call when so many are there; the one that begins with `hangs` gets no end."""

    def __init__(self, *, together: int, hangs: str = "", patience_s: float = PATIENCE_S) -> None:
        self._met = threading.Barrier(together)
        self._patience_s = patience_s
        self._hangs = hangs
        self._asked = threading.local()

    def heard(self, request: bytes) -> None:
        """Remember what this connection asks for."""
        path = request.decode().split(" ", 2)[1]
        self._asked.symbols = path.split("/quote/")[1].split(".json")[0].split(",")

    def talk(self, peer: socket.socket) -> None:
        """Wait for the others, and answer."""
        symbols: Sequence[str] = self._asked.symbols
        _, body = json_reply(samples.quote_body(*(samples.quote_entry(symbol) for symbol in symbols)))
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        with suppress(threading.BrokenBarrierError):
            self._met.wait(self._patience_s)
            peer.sendall(head)
            if symbols[0] == self._hangs:
                peer.recv(1)  # until it is hung up on
            peer.sendall(body)


class Traced(KeptLines):
    """A journal that keeps in which trace each line was written."""

    def __init__(self) -> None:
        super().__init__()
        self.traces: set[str] = set()

    def line(self, event: str, *args: object, **fields: object) -> None:
        self.traces.add(trace_id())
        super().line(event, *args, **fields)  # type: ignore[arg-type]


def broker_of(port: int, *, side_by_side: SideBySide | None = None, journal: KeptLines | None = None) -> EtradeBroker:
    """Give the scan's client over the real network adapter."""
    clock = SystemClock()
    return EtradeBroker(
        credentials=lambda: CREDENTIALS, sandbox=False, clock=clock, chance=SystemChance(),
        journal=journal or KeptLines(), limits=Limits(clock=clock, role=Role.SCAN, turns=None),
        side_by_side=side_by_side or Threads(clock), caller="scan", purpose=Purpose.SETTLE,
        http=Loopback(port, real=DeadlineAdapter(connections=16)),
    )  # fmt: skip


def test_all_calls_are_out_at_once() -> None:
    """Three calls whose answers wait for one another are all answered, and each journals in its caller's trace."""
    journal = Traced()
    market = Market(together=3)
    with serving({"traceparent": TRACE}), server(market.talk, heard=market.heard) as port:
        found = broker_of(port, journal=journal).quotes(SYMBOLS)
    assert list(found) == SYMBOLS
    assert journal.traces == {TRACE.split("-")[1]}
    assert sorted(str(line["call"]) for line in journal.lines) == ["1", "2", "3"]


def test_one_after_the_other_would_be_found() -> None:
    """Seeded mistake: calls that wait for one another's answers never meet."""
    market = Market(together=3, patience_s=0.2)
    with server(market.talk, heard=market.heard) as port:
        found = broker_of(port, side_by_side=InTurn(SteadyClock())).quotes(SYMBOLS)
    assert set(found.failed) == set(SYMBOLS)


def test_a_call_that_hangs_holds_its_tick_up_for_its_deadline() -> None:
    """A further call whose answer never ends fails at its deadline, and what is held has its quotes by then."""
    market = Market(together=1, hangs="S50")
    with server(market.talk, heard=market.heard) as port:
        broker = broker_of(port)
        broker.quotes(["S0"])
        began = SystemClock().now()
        found = broker.quotes(SYMBOLS[:50], others=SYMBOLS[50:100], next_at=began + SECOND)
        took = SystemClock().now() - began
    assert set(found.heard) == set(SYMBOLS[:50])
    assert set(found.failed) == set(SYMBOLS[50:100])
    assert took >= GOING_ROUND_WITHIN_S * SECOND
    with pytest.raises(BrokerError):
        found.get("S50")
