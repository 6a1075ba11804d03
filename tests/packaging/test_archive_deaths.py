"""Archives whose store is away, or that are killed within their work: the message comes again and has one effect."""

import threading
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from infra.archives import build
from infra.one_machine.emulators import Emulators
from infra.one_machine.loopback import held_port
from shared.domain.telling.messages import EnterPosition, ScanTick
from shared.usecases.base.desk import create
from shared.usecases.base.outbox import pack
from tests.architecture.files import ROOT
from tests.contract.lossy import Fault, lossy_before
from tests.packaging.drive import decided, promise, signal
from tests.packaging.graph import Graph, eventually, push_of, running_graph
from tests.packaging.processes import Served, borrow, served
from tests.patience import PATIENCE_S

SCAN, PLACEMENT = "market_scan", "order_placement"
LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standstill:
    """A moment in which a function waits for the answer to a commit, until it is let go."""

    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        """Wait there."""
        self.reached.set()
        self.over.wait(PATIENCE_S)


def _kill(graph: Graph, function: str, moment: Standstill) -> None:
    """Kill a function at a moment that it reaches."""
    assert moment.reached.wait(PATIENCE_S)
    graph.functions[function].kill()
    moment.over.set()


def _again(graph: Graph, function: str) -> AbstractContextManager[Served]:
    """Start a killed function again on its port."""
    return served(graph.runnables[function], graph.environ(function), port=graph.functions[function].port)


def test_a_push_waits_for_its_store(running_emulators: Emulators, tmp_path: Path) -> None:
    """While nothing listens where the store is, every push is answered 503; then the same one has its effect once."""
    late, runnable = signal(1, age=LATE), borrow(build(PLACEMENT, ROOT), tmp_path)
    with (
        held_port() as port,
        running_graph([runnable], running_emulators, firestore={PLACEMENT: f"127.0.0.1:{port}"}) as graph,
    ):
        graph.store.commit([create(f"signals/{late.signal_id}", late)])
        process = graph.functions[PLACEMENT]
        for data in (b"{", pack(EnterPosition(signal=late))):
            assert process.request("POST", "/", push_of(data)) == 503
        graph.publish("signals", EnterPosition(signal=late))
        eventually(lambda: len(process.lines("again")) >= 3, "the message came twice")
        assert {line["kind"] for line in process.lines("again")} == {"StoreDown"}
        assert graph.documents("orders", "audit", "dead_letters") == {}
        with lossy_before(running_emulators.firestore, port=port):
            decided(graph, late)
            assert process.request("POST", "/", push_of(pack(EnterPosition(signal=late)))) == 204
            order = decided(graph, late)
        assert (order.codes, len(graph.documents("orders"))) == (("SIGNAL_STALE",), 1)
        assert graph.documents("dead_letters") == {}


@pytest.mark.parametrize("commit", [1, 2])
def test_a_signal_outlives_its_function(running_emulators: Emulators, tmp_path: Path, commit: int) -> None:
    """Killed after the commit that begins or the one that ends an order, it comes again and is decided once."""
    late, moment = signal(1, age=LATE), Standstill()
    with ExitStack() as closing:
        lossy = closing.enter_context(lossy_before(running_emulators.firestore))
        runnable, where = borrow(build(PLACEMENT, ROOT), tmp_path), {PLACEMENT: lossy.address}
        graph = closing.enter_context(running_graph([runnable], running_emulators, firestore=where))
        graph.store.commit([create(f"signals/{late.signal_id}", late)])
        lossy.plan("Commit", *[None] * (commit - 1), Fault(arrives=True, meanwhile=moment))
        graph.publish("signals", EnterPosition(signal=late))
        _kill(graph, PLACEMENT, moment)
        before = lossy.count("RunQuery")  # of the dead: the next one may be at work before it is seen to listen
        with _again(graph, PLACEMENT):
            eventually(lambda: lossy.count("RunQuery") > before, "the message came again")
            # One more, which may meet that one at work and be refused for now, until both are over.
            again = push_of(pack(EnterPosition(signal=late)))
            eventually(lambda: graph.functions[PLACEMENT].request("POST", "/", again) == 204, "it is over")
            order = decided(graph, late)
        assert (order.codes, len(graph.documents("orders"))) == (("SIGNAL_STALE",), 1)
        assert graph.documents("dead_letters") == {}


def test_a_promise_outlives_its_function(running_emulators: Emulators, tmp_path: Path) -> None:
    """Killed between publishing and forgetting a message, market_scan publishes it again, and it is decided once."""
    late, moment = signal(1, age=LATE), Standstill()
    with ExitStack() as closing:
        lossy = closing.enter_context(lossy_before(running_emulators.firestore))
        runnables = [borrow(build(name, ROOT), tmp_path / name) for name in (SCAN, PLACEMENT)]
        graph = closing.enter_context(running_graph(runnables, running_emulators, firestore={SCAN: lossy.address}))
        row = promise(SCAN, "signals", late.signal_id, pack(EnterPosition(signal=late)))
        lossy.plan("Commit", Fault(arrives=False, meanwhile=moment))
        graph.store.commit([create(f"signals/{late.signal_id}", late), row])
        graph.publish("scan-ticks", ScanTick())
        _kill(graph, SCAN, moment)
        assert row.path in graph.documents("outbox")
        with _again(graph, SCAN):
            assert graph.functions[SCAN].request("POST", "/", push_of(pack(ScanTick()))) == 204
            eventually(lambda: graph.documents("outbox") == {}, "the row is gone")
            order = decided(graph, late)
        assert (order.codes, len(graph.documents("orders"))) == (("SIGNAL_STALE",), 1)
        assert graph.documents("dead_letters") == {}
