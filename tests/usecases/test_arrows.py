"""The order table: every arrow that is used is taken here, every other one is refused, and each leaves its evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.control.asks import Ask, AskKind
from shared.domain.orders.orders import ARROWS, TERMINAL, State, advance
from shared.errors import InvariantBroken
from shared.usecases.settling.asks import ask
from tests.domain.made import NOON, order
from tests.usecases.bench import START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.lives import LEGAL, calls, life, taken
from tests.usecases.post import SETTLEMENT

# Arrows that the table allows and no use case takes today: an UNKNOWN is adopted as WORKING first and ends from there,
# a cancel that the list contradicts is asked for again, and what shows of an ended order only later has its own tests.
UNUSED = (
    {(State.UNKNOWN, to) for to in (State.FILLED, State.CANCELLED, State.EXPIRED, State.REJECTED)}
    | {(State.CANCEL_REQ, State.WORKING), (State.CANCEL_REQ, State.EXPIRED), (State.CANCEL_REQ, State.REJECTED)}
    | {(ended, ended) for ended in (State.FILLED, State.CANCELLED, State.EXPIRED)}
    | {(State.PREVIEWED, State.DENIED), (State.PREVIEWED, State.REJECTED), (State.PREVIEWED, State.PREVIEWED)}
)


def _sent(bench: Bench, *scripts: Script) -> Bench:
    bench.exchange.scripts += scripts
    bench.send(bench.signal())
    return bench


def _ended(status: BrokerStatus) -> Bench:
    bench = _sent(Bench())
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0
    bench.at(5, lambda: bench.exchange.end(501, status))
    return bench


def _dear() -> Bench:
    bench = _sent(Bench())
    bench.exchange.surcharge = Decimal(500)
    return bench


def _refused_preview() -> Bench:
    bench = _sent(Bench())
    bench.exchange.refuses_term = True
    bench.exchange.term_code = "33"
    return bench


def _frozen() -> Bench:
    plain = _sent(Bench())
    plain.run(10)
    previewed = plain.gate.names.index("preview") + 1
    return _sent(Bench(faults={k: Fault(how="freeze", seconds=70) for k in range(previewed + 2, previewed + 4)}))


def _stale() -> Bench:
    bench = Bench()
    bench.send(bench.signal(decided_at=START - timedelta(minutes=2)))
    return bench


def _cancel_filled() -> Bench:
    bench = _sent(Bench())
    bench.exchange.in_cancel = lambda resting: bench.exchange.fill(resting.order_id, 99, Decimal(102))
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "102.10", "102.12"))
    return bench


def _lost_cancel() -> Bench:
    bench = _sent(Bench())
    bench.exchange.cancel_lost = 1
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "101.10", "101.12"))
    return bench


def _manual() -> Bench:
    bench = _sent(Bench(), Script(how="late", side=Side.BUY, after=timedelta(seconds=1)))
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0

    def twin() -> None:
        _, ticket = bench.exchange.posted[0]
        bench.exchange.accept(replace(ticket, client_order_id="owner"))

    bench.at(0.9, twin)
    return bench


def _then(deed: Callable[[Bench], object]) -> Bench:
    bench = _manual()
    bench.at(40, lambda: deed(bench))
    return bench


def _verdict(bench: Bench, number: int | None) -> None:
    name = bench.orders()[0].intent_id
    wish = Ask(ask_id="A1", kind=AskKind.RESOLVE, at=bench.kernel.now(), intent_id=name, broker_order_id=number)
    ask(bench.desks[SETTLEMENT], wish)


def _late(twins: int = 1) -> Bench:
    bench = _sent(Bench(), Script(how="lost_before", side=Side.BUY))
    bench.exchange.refuses_term = True
    bench.at(10, lambda: _verdict(bench, None))

    def comes() -> None:
        for _ in range(twins):
            bench.exchange.accept(bench.exchange.posted[0][1])

    bench.at(70, comes)
    bench.run(30)
    return bench


def _stop_dead(calls_later: int) -> Bench:
    """Live with a settlement that dies so many calls after the preview of its first stop."""
    previews = [k for k, name in enumerate(calls(), 1) if name == "preview"]
    return life({previews[1] + calls_later: Fault(how="after")})


def _partial() -> Bench:
    bench = _sent(Bench())
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    return bench


def _denied() -> Bench:
    bench = _sent(Bench())
    bench.exchange.shares[SYMBOL] = 5
    return bench


SCENES: dict[str, Callable[[], Bench]] = {
    "denied": _denied,
    "partial": _partial,
    "dear": _dear,
    "refused preview": _refused_preview,
    "stale": _stale,
    "frozen": _frozen,
    "never sent": lambda: _sent(Bench(), Script(how="never_sent", side=Side.BUY)),
    "rejected": lambda: _sent(Bench(), Script(how="reject", side=Side.BUY)),
    "expired": lambda: _ended(BrokerStatus.EXPIRED),
    "rejected later": lambda: _ended(BrokerStatus.REJECTED),
    "cancelled": lambda: _ended(BrokerStatus.CANCELLED),
    "filled in the cancel": _cancel_filled,
    "lost cancel": _lost_cancel,
    "dead while a stop is reserved": lambda: _stop_dead(0),
    "dead when a stop is previewed": lambda: _stop_dead(1),
    "lost answer": lambda: _sent(Bench(), Script(how="lost_after", side=Side.BUY)),
    "lost stop": lambda: _sent(Bench(), Script(how="lost_before", price_type=PriceType.STOP)),
    "two candidates": _manual,
    "a candidate fills": lambda: _then(lambda bench: bench.exchange.fill(501, 40, Decimal(100))),
    "the owner says which": lambda: _then(lambda bench: _verdict(bench, 501)),
    "given up, and late": _late,
    "given up, and two are late": lambda: _late(twins=2),
    "the owner says none": lambda: _then(lambda bench: _verdict(bench, None)),
}


def test_every_arrow_is_taken_or_known_to_be_unused() -> None:
    """A life and the scenes take every arrow of the table but those listed as unused, and no other."""
    used = taken(life())
    for scene in SCENES.values():
        bench = scene()
        bench.run(100)
        used |= taken(bench)
    assert used <= LEGAL
    assert LEGAL - used == UNUSED, (LEGAL - used) ^ UNUSED


@pytest.mark.parametrize("before", list(State))
def test_an_arrow_that_the_table_does_not_have_is_refused(before: State) -> None:
    """From each state every step outside the table raises, so no terminal state but NOT_PLACED is ever left."""
    start = order(state=before, live=before not in TERMINAL)
    for after in State:
        more = {"filled": start.filled + 1} if {before, after} <= TERMINAL else {}
        if after in ARROWS[before]:
            moved, event = advance(start, after, at=NOON, actor="test", cause="test", **more)
            assert (moved.rev, event.seq, event.prev_hash) == (1, 1, start.audit_head)
        else:
            with pytest.raises(InvariantBroken):
                advance(start, after, at=NOON, actor="test", cause="test")
    assert before not in TERMINAL - {State.NOT_PLACED} or ARROWS[before] <= {before}


@pytest.mark.parametrize("ended", [State.CANCELLED, State.EXPIRED])
def test_an_ended_order_only_takes_a_fill_that_shows_late(ended: State) -> None:
    """An order that has ended is written again only to book more shares than before."""
    start = order(state=ended, live=False)
    with pytest.raises(InvariantBroken):
        advance(start, ended, at=NOON, actor="test", cause="test")


def test_filled_shares_never_fall_and_never_exceed_the_order() -> None:
    """A step that takes back fills, or fills more than was ordered, raises."""
    start = order(state=State.WORKING, filled=5)
    for filled in (4, 11):
        with pytest.raises(InvariantBroken):
            advance(start, State.WORKING, at=NOON, actor="test", cause="test", filled=filled)


def test_each_commit_of_an_order_writes_its_event_and_its_message() -> None:
    """Every commit that writes an order also writes one audit event, and each that reaches the broker its message."""
    names = [name for name in life().gate.names if name.startswith("commit") and ":orders" in name]
    assert all(name.count(":orders") == name.count("Create:audit") == 1 for name in names)
    reached = [name for name in names if "Create:broker_orders" in name]
    assert sum("Create:outbox" in name for name in reached) == 2
    assert sum("Create:broker_orders" in name for name in names) == 4
