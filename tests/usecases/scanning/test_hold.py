"""What the scan decides over a held position is its own to write, and stands until it came to something."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.codec import decode
from shared.domain.base.calendar import session_at
from shared.domain.base.values import PriceType, Side
from shared.domain.market.quotes import Quote
from shared.domain.orders.backoff import Refusal
from shared.domain.orders.exits import Unquoted
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.positions import PendingExit, Position
from shared.domain.orders.watches import EXIT_LIFE, PositionWatch
from shared.errors import Conflict
from shared.ports import Put
from shared.usecases.base.desk import Held, put
from shared.usecases.orders.moves import begin, live_sells
from shared.usecases.orders.watches import Watched, kept, watched
from shared.usecases.scanning.hold import look_after
from shared.usecases.settling.protect import protect
from tests.domain.made import quote
from tests.usecases.bench import SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.lives import calls, script
from tests.usecases.post import SCAN, SETTLEMENT
from tests.usecases.proofs import safety, wrongs

SECOND = timedelta(seconds=1)


def _holding() -> Bench:
    """Let a position be held behind its stop, whose messages of exits are lost."""
    bench = Bench()
    bench.send(bench.signal())
    bench.looking = False
    bench.run(20)
    bench.bus.muted.add("exits")
    return bench


def _held(bench: Bench) -> Held[Position]:
    document = bench.store.get(f"positions/{SYMBOL}")
    assert document is not None
    return Held(path=document.path, value=decode(Position, document.data), version=document.version)


def _look(bench: Bench, over: Watched, bid: str | None, *, after: timedelta) -> tuple[str, Watched | None]:
    """Let the scan look at a tick so long after now."""
    at, desk = bench.kernel.now() + after, bench.desks[SCAN]
    session = session_at(at)
    assert session is not None
    seen = Unquoted(lasts=SECOND) if bid is None else quote(bid, bid=bid, ask=bid, when=at)
    return look_after(desk, _held(bench), over, seen, rsi=None, session=session, at=at)


def _decided(bench: Bench) -> Watched:
    """Let an exit be decided at the target."""
    code, after = _look(bench, watched(bench.desks[SCAN], _held(bench).value), "102.10", after=SECOND)
    assert (code, after is not None) == ("exit:target", True)
    assert after is not None
    return after


def _stored(bench: Bench) -> PositionWatch:
    found = kept(bench.desks[SCAN], SYMBOL)
    assert found is not None
    return found


def test_the_scan_writes_its_watch_and_no_position() -> None:
    """A decision is one commit of the watch and its message, a higher stop one of the watch; the position stays."""
    bench = _holding()
    before = _held(bench)
    code, after = _look(bench, watched(bench.desks[SCAN], before.value), "101.10", after=timedelta(seconds=20))
    assert code.startswith("stop:")
    assert after is not None
    assert _look(bench, after, "102.10", after=timedelta(seconds=22))[0] == "exit:target"
    assert _held(bench) == before
    assert (_stored(bench).stop_wanted, _stored(bench).exit is not None) == (after.value.stop_wanted, True)


@pytest.mark.parametrize(("seconds", "afresh"), [(60, False), (61, True)])
def test_a_decision_that_nobody_began_is_over_after_its_life(seconds: int, afresh: bool) -> None:
    """While an exit may still be begun nothing is decided anew without a quote; too old a one is over."""
    bench = _holding()
    after = _decided(bench)
    assert timedelta(seconds=60) == EXIT_LIFE
    code, later = _look(bench, after, None, after=(seconds + 1) * SECOND)
    assert (code, later is not None) == ("held", True)
    assert later is not None
    assert (later.value.exit is None) is afresh


def test_a_refused_exit_is_not_decided_anew_before_the_book_has_counted_it() -> None:
    """An order that ended is over once the position says so, with the refusal that tells when to ask again."""
    bench = _holding()
    after = _decided(bench)
    decision = after.value.exit
    assert decision is not None
    held, now = _held(bench), bench.kernel.now()
    entry = bench.orders()[0]
    ended = replace(
        entry, intent_id=decision.exit_id, kind=Kind.EXIT, side=Side.SELL, state=State.REJECTED, live=False
    )  # fmt: skip
    pending = replace(held.value, pending_exit=PendingExit(exit_id=decision.exit_id, first_at=now))
    bench.store.commit([put(f"orders/{decision.exit_id}", ended), put(held.path, pending)])
    assert _look(bench, after, "102.20", after=3 * SECOND)[0] == "held"
    refusal = Refusal(times=2, since=now, last_at=now, reason="no")
    bench.store.commit([put(held.path, replace(held.value, exit_refused=refusal))])
    assert _look(bench, after, "102.20", after=3 * SECOND)[0] == "exit refused:target"
    assert _look(bench, after, "102.20", after=5 * SECOND)[0] == "exit:target"


def test_the_position_is_not_older_than_the_order_s_end() -> None:
    """A scan that read the position before its exit was begun and refused does not take the exit for over."""
    bench = _holding()
    after, before = _decided(bench), _held(bench)
    decision = after.value.exit
    assert decision is not None
    entry = bench.orders()[0]
    ended = replace(entry, intent_id=decision.exit_id, kind=Kind.EXIT, state=State.REJECTED, live=False)
    pending = PendingExit(exit_id=decision.exit_id, first_at=decision.first_at)
    bench.store.commit([
        put(f"orders/{decision.exit_id}", ended), put(before.path, replace(before.value, pending_exit=pending))
    ])  # fmt: skip
    session = session_at(bench.kernel.now())
    assert session is not None
    at = bench.kernel.now() + 2 * SECOND
    seen = quote("102.20", bid="102.20", ask="102.20", when=at)
    code, _ = look_after(bench.desks[SCAN], before, after, seen, rsi=None, session=session, at=at)
    assert code == "held"


def test_of_two_scans_the_later_one_reads_anew() -> None:
    """Two scans over one position decide once: the one that read before the other wrote has to read again."""
    bench = _holding()
    read = watched(bench.desks[SCAN], _held(bench).value)
    assert _look(bench, read, "102.10", after=SECOND)[0] == "exit:target"
    first = _stored(bench).exit
    assert _look(bench, read, "102.30", after=2 * SECOND) == ("exit:target", None)
    assert _stored(bench).exit == first
    assert len(bench.store.query("outbox")) == 0


def test_a_damaged_watch_costs_neither_stop_nor_exit() -> None:
    """A watch that cannot be read is reported: the position's own stop level counts, and the scan begins it anew."""
    bench = _holding()
    bench.bus.muted.discard("exits")
    bench.store.commit([Put(f"watches/{SYMBOL}", {"stop_wanted": "much"})])
    bench.run(120)
    assert [stop.stop_price for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [_held(bench).value.stop_wanted]
    assert bench.journal.named("unreadable_document")
    bench.looking = True
    bench.exchange.set_price(SYMBOL, "102.10", "102.12")
    bench.run_until_quiet()
    assert bench.exchange.shares[SYMBOL] == 0
    assert wrongs(bench, naked_at_most=5) == []


@pytest.mark.parametrize(("level", "moved"), [("98.00", False), ("99.50", True)])
def test_settlement_moves_a_stop_up_and_never_down(level: str, moved: bool) -> None:
    """What the scan wants lifts the stop, and the book has the level with it; a lower one does nothing."""
    bench = _holding()
    before = _held(bench).value
    over = watched(bench.desks[SCAN], before)
    bench.store.commit([put(over.path, replace(over.value, stop_wanted=Decimal(level)))])
    bench.run(30)
    wanted = Decimal(level) if moved else before.stop_wanted
    assert [stop.stop_price for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [wanted]
    assert (_held(bench).value.stop_wanted, len(bench.exchange.cancels)) == (wanted, int(moved))
    assert safety(bench) == []


@pytest.mark.parametrize(
    ("last", "limit"),
    [
        (quote(when=Bench().kernel.now() - timedelta(minutes=2, seconds=30)), "99.99"),
        (quote(when=Bench().kernel.now() - timedelta(minutes=3, seconds=1)), None),
        (None, None),
    ],
)
def test_what_the_owner_wants_sold_is_sold_without_a_quote(last: Quote | None, limit: str | None) -> None:
    """Without a quote of the tick the limit is a sound bid of the last three minutes, or it goes at the market."""
    bench = _holding()
    held = _held(bench)
    bench.store.commit([put(held.path, replace(held.value, closing=True))])
    if last is not None:
        bench.store.commit([put(f"quotes/{SYMBOL}", last)])
    over = watched(bench.desks[SCAN], held.value)
    code, after = _look(bench, over, None, after=SECOND)
    assert (code, after is not None) == ("exit:owner", True)
    decision = _stored(bench).exit
    assert decision is not None
    assert (decision.price_type, decision.limit_price) == (
        (PriceType.MARKET, None) if limit is None else (PriceType.LIMIT, Decimal(limit))
    )


def test_a_quote_that_cannot_be_read_stops_no_sale() -> None:
    """A damaged quote counts as none, and what the owner wants sold is sold at the market."""
    bench = _holding()
    held = _held(bench)
    bench.store.commit([
        put(held.path, replace(held.value, closing=True)), Put(f"quotes/{SYMBOL}", {"bid": "much"})
    ])  # fmt: skip
    assert _look(bench, watched(bench.desks[SCAN], held.value), None, after=SECOND)[0] == "exit:owner"
    decision = _stored(bench).exit
    assert decision is not None
    assert decision.price_type is PriceType.MARKET


def test_a_wish_to_close_outlives_an_exit_that_came_to_nothing() -> None:
    """An exit of the owner's that the broker refuses is decided again, and what is held is sold."""
    bench = _holding()
    bench.bus.muted.discard("exits")
    held = _held(bench)
    bench.store.commit([put(held.path, replace(held.value, closing=True))])
    bench.exchange.scripts.append(Script(how="reject", price_type=PriceType.LIMIT))
    bench.looking = True
    bench.run_until_quiet()
    exits = [(order.reason, order.state) for order in bench.orders() if order.kind is Kind.EXIT]
    assert exits == [("owner", State.REJECTED), ("owner", State.FILLED)]
    assert wrongs(bench, naked_at_most=15) == []


def test_an_exit_that_is_born_after_the_next_decision_cancels_nothing() -> None:
    """An exit whose decision was replaced between its reading and its birth ends unsent, and a later one sells."""
    bench = Bench()
    script(bench)

    def decide_anew() -> None:
        watch = _stored(bench)
        assert watch.exit is not None
        next_ = replace(watch.exit, exit_id="I" + "B" * 19, decided_at=bench.kernel.now())
        bench.store.commit([put(f"watches/{SYMBOL}", replace(watch, exit=next_))])

    births = [k for k, name in enumerate(calls(), 1) if name.startswith("commit Create:orders")]
    bench.gate.faults[births[-1]] = Fault(how="deed", deed=decide_anew)
    bench.run_until_quiet()
    exits = [(order.state, order.codes) for order in bench.orders() if order.kind is Kind.EXIT]
    assert exits == [(State.VOIDED, ("OUTDATED",)), (State.FILLED, ())]
    assert len(bench.exchange.cancels) == 2  # one for the stop that moved up, one for the exit that sold
    assert wrongs(bench, naked_at_most=5) == []


def test_settlement_on_an_older_copy_of_the_position_ends_no_exit() -> None:
    """An exit that is born between settlement's look at the position and at its sells is not left behind."""
    bench = _holding()
    decision = _decided(bench).value.exit
    assert decision is not None
    desk, before = bench.desks[SETTLEMENT], _held(bench)
    stop = next(order for order in bench.orders() if order.kind is Kind.PROTECT)
    born = replace(
        stop, intent_id=decision.exit_id, kind=Kind.EXIT, state=State.NEW, rev=0, broker_order_id=None,
        created_at=bench.kernel.now(), updated_at=bench.kernel.now(),
    )  # fmt: skip
    pending = PendingExit(exit_id=decision.exit_id, first_at=decision.first_at)
    begin(desk, born, before.update(replace(before.value, pending_exit=pending)), cause="exit: target")
    with pytest.raises(Conflict):
        protect(desk, before, live_sells(desk, SYMBOL), account_key="", listing=None)
    assert [order.state for order in bench.orders() if order.kind is Kind.EXIT] == [State.NEW]
