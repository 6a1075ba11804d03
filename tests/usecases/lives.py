"""Whole lives of one position, from signal to flat, for sweeps that break them at every port call."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from shared.codec import decode
from shared.domain.base.audit import AuditEvent, breaks
from shared.domain.orders.orders import ARROWS, State
from tests.usecases.bench import SYMBOL, Bench, Variant
from tests.usecases.gate import Fault
from tests.usecases.proofs import wrongs

NAKED_AT_MOST_S = 64
"""The longest that shares may lie without a sell order over them after any single fault: the next tick and a retry."""
NAKED_WHEN_FROZEN_S = 100
"""The same when an instance freezes: until its lease has run out and three clean lists have shown nothing."""

FREEZE_ANYWHERE = Fault(how="freeze", seconds=100)
_EFFECTS = frozenset({"commit", "publish", "preview", "place", "cancel"})

Arrow = tuple[State, State]

LEGAL: frozenset[Arrow] = frozenset((before, after) for before, afters in ARROWS.items() for after in afters)
"""Every arrow of the order table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What came of the lives of a sweep: their number, everything that was wrong after them, the arrows they took."""

    lives: int
    wrong: tuple[str, ...]
    arrows: frozenset[Arrow]


def life(faults: Mapping[int, Fault] | None = None, *, seed: int = 0, variant: Variant | None = None) -> Bench:
    """Live once: entry, protective stop, the stop moves up, the target is reached, flat."""
    bench = Bench(faults=faults, seed=seed, variant=variant)
    script(bench)
    bench.run_until_quiet()
    return bench


def script(bench: Bench) -> None:
    """Let the signal come after a second, breakeven after thirty, the target after seventy-five."""
    bench.at(1, lambda: bench.send(bench.signal()))
    bench.at(30, lambda: bench.exchange.set_price(SYMBOL, "101.10", "101.12"))
    bench.at(75, lambda: bench.exchange.set_price(SYMBOL, "102.10", "102.12"))


@cache
def calls(seed: int = 0) -> tuple[str, ...]:
    """Name every port call of an undisturbed life."""
    return tuple(life(seed=seed).gate.names)


def points(fault: Fault, *, seed: int = 0, every: bool = False) -> Iterator[int]:
    """Number the calls that a fault can strike: the store's faults strike commits, every other fault all calls.

    Without `every` each state is visited once. Who dies before a call leaves what the last effect left, and so does who
    dies after a read; who answers late with a read has frozen before the next call. A freeze before an effect makes all
    that was read old at once; `FREEZE_ANYWHERE` strikes before the reads, too, each the first time that its invocation
    makes it in a moment: a look that is repeated while nothing has changed finds what the first one found.
    """
    only_commits = fault.how in {"down_before", "down_after", "conflict"}
    for k, name in enumerate(calls(seed), 1):
        kind = name.partition(" ")[0]
        read = every or (fault == FREEZE_ANYWHERE and k in firsts(seed))
        if kind == "commit" or (not only_commits and (kind in _EFFECTS or read)):
            yield k


@cache
def firsts(seed: int = 0, skewed: tuple[str, timedelta] | None = None) -> frozenset[int]:
    """Number the calls of an undisturbed life that are the first of their name and invocation in their moment.

    The clock of the function in `skewed` is ahead by so much.
    """
    variant = Variant(clock_skew=dict([skewed] if skewed else []))
    bench, found = Bench(seed=seed, variant=variant), dict[Hashable, int]()

    def see(name: str) -> None:
        running = bench.kernel._running
        found.setdefault((name, running and running.name, _moment(bench)), len(bench.gate.names))

    bench.gate.seen = see
    script(bench)
    bench.run_until_quiet()
    return frozenset(found.values())


def _moment(bench: Bench) -> Hashable:
    """Give where every order stands, in the book and at the broker, and what is held."""
    ours = tuple((order.intent_id, order.state, order.filled) for order in bench.orders())
    theirs = tuple((row.order_id, row.status) for row in bench.exchange.book.values())
    return ours, theirs, tuple(bench.exchange.shares.items())


@cache
def sweep(fault: Fault, *, seed: int = 0, every: bool = False, part: int = 0, of: int = 1) -> Sweep:
    """Break a life at every point in turn, or at those of one part of several."""
    wrong: list[str] = []
    arrows: set[Arrow] = set()
    struck = tuple(points(fault, seed=seed, every=every))[part::of]
    for k in struck:
        bench = life({k: fault}, seed=seed)
        at_most = NAKED_WHEN_FROZEN_S if fault.seconds else NAKED_AT_MOST_S
        where = f"{fault.how} at call {k} ({calls(seed)[k - 1]}), seed {seed}"
        wrong += [f"{where}: {text}" for text in wrongs(bench, naked_at_most=at_most)]
        arrows |= taken(bench)
    return Sweep(lives=len(struck), wrong=tuple(wrong), arrows=frozenset(arrows))


def taken(bench: Bench) -> set[Arrow]:
    """Give the arrows of the order table that a bench took, as its audit proves."""
    events = [decode(AuditEvent, row.data) for row in bench.store.query("audit")]
    assert breaks(events, {one.intent_id: one.audit_head for one in bench.orders()}) == []
    return {(State(event.before), State(event.after)) for event in events if event.before != "-"}
