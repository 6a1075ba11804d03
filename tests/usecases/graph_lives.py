"""Whole lives of two positions on the graph, for sweeps that break them at every kind of call in every kind of moment.

A call of a process is struck once for each moment in which it is made: what is held, what rests over it at the broker.
So a sweep visits every state without repeating the thousand calls of a waiting scan.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import cycle

from shared.domain.base.values import Side
from tests.usecases.bench import ENDS, START, SYMBOL
from tests.usecases.gate import Fault
from tests.usecases.graph import OTHER, Changed, Graph
from tests.usecases.proofs import wrongs

NAKED_AT_MOST_S = 100
"""The longest that held shares may lie without a live sell after one crash or freeze, whatever lasts how long."""
MAY_BE_LOST = frozenset({"dead letter scan-ticks", "dead letter exits", "dead letter signals"})
"""Messages that say nothing any more once nobody took them for minutes: the next scan decides anew."""
MOVES_EVERY_S = 7

Script = Callable[[Graph], None]
Moment = tuple[tuple[bool, tuple[str, ...]], ...]
Prices = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A call that a fault can strike: its number, its name, and the moment in which it is made."""

    number: int
    name: str
    moment: Moment

    @property
    def naked(self) -> bool:
        """Tell whether some shares are held without any sell over them."""
        return any(held and not sells for held, sells in self.moment)


def target(graph: Graph) -> None:
    """Enter twice; both reach their target together and go on moving, so that each decision has a price of its own."""
    _enter(graph)
    _moving(graph, 96, (("102.10", "102.12"), ("51.10", "51.12")), (("102.11", "102.13"), ("51.11", "51.13")))


def slow(graph: Graph) -> None:
    """The same, but nobody buys for a minute: the exits are asked for again at other prices."""
    graph.at(90, lambda: setattr(graph.exchange, "sells_fill", False))
    graph.at(160, lambda: setattr(graph.exchange, "sells_fill", True))
    target(graph)


def trailing(graph: Graph) -> None:
    """Enter twice; the market rises in steps, so that the stops move up, and then falls through them."""
    _enter(graph)
    steps: tuple[tuple[float, Prices], ...] = (
        (90, (("101.10", "101.12"), ("50.55", "50.57"))),
        (125, (("101.40", "101.42"), ("50.70", "50.72"))),
        (160, (("101.70", "101.72"), ("50.85", "50.87"))),
        (260, (("99.00", "99.02"), ("49.00", "49.02"))),
    )
    for second, prices in steps:
        graph.at(second, partial(_set, graph, prices))


SCRIPTS: Mapping[str, Script] = {"target": target, "slow": slow, "trailing": trailing}


def life(
    script: Script = target, faults: Mapping[int, Fault] | None = None, *, seed: int = 0, changed: Changed | None = None
) -> Graph:
    """Live once."""
    graph = Graph(seed=seed, faults=faults, changed=changed)
    _live(graph, script)
    return graph


def _live(graph: Graph, script: Script) -> None:
    """Live until both signals were sent and everything is quiet after them."""
    script(graph)
    graph.run(60)
    graph.run_until_quiet()


@cache
def points(script: Script, seed: int = 0) -> tuple[Point, ...]:
    """Give the first call of each name in each moment of an undisturbed life."""
    graph, found = Graph(seed=seed), dict[tuple[str, Moment], Point]()

    def see(name: str) -> None:
        moment = _moment(graph)
        found.setdefault((name, moment), Point(number=len(graph.gate.names), name=name, moment=moment))

    graph.gate.seen = see
    _live(graph, script)
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What came of the lives of a sweep: their number, the longest naked while, everything that was wrong."""

    lives: int
    naked_s: float
    wrong: tuple[str, ...]


def sweep(script: Script, fault: Fault, at: Iterable[Point], *, seed: int = 0, changed: Changed | None = None) -> Swept:
    """Break a life at each of the points in turn."""
    wrong: list[str] = []
    naked = [timedelta(0)]
    for point in at:
        graph = life(script, {point.number: fault}, seed=seed, changed=changed)
        where = f"{fault.how} {fault.seconds or ''} at call {point.number} ({point.name}), seed {seed}"
        wrong += [
            f"{where}: {text}" for text in wrongs(graph, naked_at_most=NAKED_AT_MOST_S) if text not in MAY_BE_LOST
        ]
        # A call that was held up on its way may arrive beside the next one; nothing else may come too fast.
        wrong += [f"{where}: too fast: {name}" for name in graph.throttled if not fault.seconds]
        naked.append(graph.exchange.naked())
    return Swept(lives=len(naked) - 1, naked_s=max(naked).total_seconds(), wrong=tuple(wrong))


def _enter(graph: Graph) -> None:
    price = Decimal(50)
    graph.at(1, lambda: graph.send(graph.signal()))
    graph.at(62, lambda: graph.send(graph.signal(2, OTHER, decision_price=price, stop_distance=price / 100)))


def _set(graph: Graph, prices: Prices) -> None:
    for symbol, (bid, ask) in zip((SYMBOL, OTHER), prices, strict=True):
        graph.exchange.set_price(symbol, bid, ask)


def _moving(graph: Graph, since_s: int, *prices: Prices) -> None:
    """Let the prices change in turn to the end of the day."""
    turns = cycle(prices)
    for second in range(since_s, round((ENDS - START).total_seconds()), MOVES_EVERY_S):
        graph.at(second, lambda: _set(graph, next(turns)))


def _moment(graph: Graph) -> Moment:
    exchange = graph.exchange
    rests = {symbol: exchange.live(symbol, Side.SELL) for symbol in (SYMBOL, OTHER)}
    return tuple(
        (exchange.shares[symbol] > 0, tuple(sorted(f"{sell.price_type} {sell.status}" for sell in sells)))
        for symbol, sells in rests.items()
    )
