"""A store that takes seconds for each commit: the whole way of an exit, with its turns, licence and neighbours."""

from datetime import timedelta

import pytest

from shared.domain.base.values import Side
from tests.usecases.bench import START, SYMBOL
from tests.usecases.graph import Graph
from tests.usecases.proofs import safety

SLOW_FROM, WANTED = timedelta(seconds=60), timedelta(seconds=75)


def _slow(lasts: float, *, seed: int, minutes: int) -> Graph:
    """Let every commit of every process last so long from a minute after the start on; an exit is due at 75 s."""
    graph = Graph(seed=seed)
    graph.exchange.guards_shares = True

    def seen(name: str) -> None:
        if "commit" in name and graph.kernel.now() >= START + SLOW_FROM:
            graph.kernel.sleep(lasts)

    graph.gate.seen = seen
    graph.at(1, lambda: graph.send(graph.signal()))
    graph.at(WANTED.total_seconds(), lambda: graph.exchange.set_price(SYMBOL, "102.10", "102.12"))
    graph.run(minutes * 60)
    return graph


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("lasts", "minutes"), [(2, 1), (5, 4)])
def test_an_exit_leaves_however_slow_the_store_is(lasts: float, minutes: int, seed: int) -> None:
    """With commits of 2 and 5 s the shares are sold in one and four minutes, and nothing leaves too fast."""
    graph = _slow(lasts, seed=seed, minutes=minutes + 2)
    sold = [at - START - WANTED for at, ticket in graph.exchange.posted if ticket.side is Side.SELL]
    assert sold[-1] <= timedelta(minutes=minutes)
    assert (graph.exchange.shares[SYMBOL], graph.throttled, safety(graph)) == (0, [], [])
