"""One signal, one order: whatever is delivered, however often, and whoever competes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import Side
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.positions import Ledger
from shared.domain.telling.barred import EntriesBarred
from shared.domain.telling.messages import EnterPosition
from shared.domain.telling.notices import event_of
from shared.errors import Malformed
from shared.ports import Delete, Put
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.control import control
from shared.usecases.placing.enter import enter
from tests.domain.made import config, position
from tests.usecases.bench import START, SYMBOL, Bench
from tests.usecases.gate import Fault
from tests.usecases.lives import calls, life
from tests.usecases.post import PLACEMENT
from tests.usecases.proofs import safety, wrongs

SLOW = (0.001, 0.3)


def duplicates(copies: int, seed: int) -> None:
    """Deliver one signal several times, mixed call by call, and see one entry posted once."""
    bench = Bench(seed=seed, latency_s=SLOW)
    bench.bus.copies["signals"] = copies
    bench.send(bench.signal())
    bench.run(20)
    entries = [order for order in bench.orders() if order.kind is Kind.ENTRY]
    assert [order.state for order in entries] == [State.FILLED], seed
    assert bench.exchange.posts[entries[0].intent_id] == 1
    assert bench.exchange.shares[SYMBOL] == 99
    assert safety(bench) == [], seed


@pytest.mark.parametrize("copies", [1, 2, 3, 4, 5])
def test_a_signal_that_comes_again_is_sent_once(copies: int) -> None:
    """However often a signal is delivered, and in whatever order its calls mix, one order is posted, once."""
    for seed in range(40):
        duplicates(copies, seed)


@pytest.mark.long
@pytest.mark.parametrize("copies", [2, 3, 4, 5])
def test_a_signal_that_comes_again_is_sent_once_over_many_seeds(copies: int) -> None:
    """The same over five hundred orders of calls."""
    for seed in range(500):
        duplicates(copies, 1000 + seed)


def test_two_signals_for_one_symbol_make_one_position() -> None:
    """Of two signals that compete for one symbol at most one is reserved, in every order of their calls."""
    for seed in range(40):
        bench = Bench(seed=seed, latency_s=SLOW)
        bench.send(bench.signal(1), times=2)
        bench.send(bench.signal(2, strategy="opening_range"), times=2)
        bench.run(25)
        filled = [order for order in bench.orders() if order.kind is Kind.ENTRY and order.state is State.FILLED]
        assert len(filled) == 1, seed
        assert bench.exchange.shares[SYMBOL] == 99
        assert safety(bench) == [], seed


def test_signals_that_compete_for_the_last_cash_never_commit_it_twice() -> None:
    """Three signals that each want half of the equity leave the cash reserve untouched, in every order of calls."""
    greedy = config(sizing__base_pct=50, sizing__max_pct=50)
    for seed in range(30):
        bench = Bench(seed=seed, latency_s=SLOW, config=greedy)
        for number, symbol in enumerate(("IBM", "MSFT", "ORCL")):
            bench.exchange.set_price(symbol, "99.99", "100.01")
            bench.send(bench.signal(number, symbol=symbol))
        bench.run(25)
        tickets = [ticket for _, ticket in bench.exchange.posted if ticket.side is Side.BUY]
        bought = sum(ticket.quantity * (ticket.limit_price or 0) for ticket in tickets)
        assert Decimal(40_000) < bought <= Decimal(80_000), seed
        assert safety(bench) == [], seed


def test_a_forged_or_altered_signal_is_refused() -> None:
    """A signal that the scan did not write, or wrote otherwise, is malformed, and nothing is written or placed."""
    bench = Bench()
    real = bench.signal()
    desk = replace(bench.desks[PLACEMENT], store=bench.store)
    for forged in (replace(real, signal_id="S" + "9" * 19), replace(real, decision_price=Decimal(1000))):
        with pytest.raises(Malformed):
            enter(desk, EnterPosition(signal=forged), ahead=0)
    assert len(bench.journal.named("forged_signal")) == 2
    assert bench.orders() == []


def test_a_forged_signal_becomes_a_dead_letter() -> None:
    """The door keeps a forged signal with its reason and does not have it brought again."""
    bench = Bench()
    bench.send(replace(bench.signal(), stop_distance=Decimal(50)), times=1)
    bench.run(10)
    assert [row.data["reason"] for row in bench.store.query("dead_letters")] == ["Malformed"]
    assert bench.orders() == []


def test_a_stale_signal_is_voided() -> None:
    """A signal older than its life is voided without a call to the broker."""
    bench = Bench()
    bench.send(bench.signal(decided_at=START - timedelta(seconds=61)))
    bench.run(10)
    (entry,) = bench.orders()
    assert (entry.state, entry.codes) == (State.VOIDED, ("SIGNAL_STALE",))
    assert "preview" not in bench.gate.names
    assert wrongs(bench, naked_at_most=0) == []


@pytest.mark.parametrize("state", [TradingState.REDUCE_ONLY, TradingState.HALTED])
def test_a_halt_at_any_step_stops_what_has_no_licence(state: TradingState) -> None:
    """A halt before the licence is committed keeps the entry from being sent, at whichever call it comes."""
    licensed = next(k for k, name in enumerate(calls(), 1)
                    if "Check:restrictions" in name and "Create:outbox" not in name
                    and "Update:orders" in name and "Update:ledger" not in name)  # fmt: skip
    for k in range(1, licensed + 8):
        halted = Bench()
        desk = replace(halted.desks[PLACEMENT], store=halted.store)
        halted.gate.faults[k] = Fault(how="deed", deed=lambda desk=desk: control.tighten(desk, state, reason="test"))  # type: ignore[misc]
        halted.at(1, lambda bench=halted: bench.send(bench.signal()))  # type: ignore[misc]
        halted.run_until_quiet()
        sent = sum(halted.exchange.posts[order.intent_id] for order in halted.orders() if order.kind is Kind.ENTRY)
        assert sent == (1 if k > licensed else 0), (k, licensed, calls()[k - 1])
        assert wrongs(halted, naked_at_most=100) == [] or state is TradingState.HALTED


def test_a_sender_that_freezes_after_its_licence_does_not_send() -> None:
    """An entry frozen between licence and send past its deadline is voided unsent, at once free of its cash."""
    place = calls().index("place") + 1
    for seconds in (4, 6, 30):
        bench = life({place: Fault(how="freeze", seconds=seconds)})
        entry = bench.orders()[0]
        late = seconds > 5
        assert bench.exchange.posts[entry.intent_id] == (0 if late else 1)
        if not late:
            continue
        assert entry.state in {State.VOIDED, State.NOT_PLACED}
        assert safety(bench) == []


def test_a_licence_whose_commit_took_too_long_is_not_used() -> None:
    """When the licence's commit answers after its deadline nothing is sent, even by a client that keeps no deadline."""
    licence = calls().index("place")
    bench = Bench(faults={licence: Fault(how="slow", seconds=6)})
    bench.exchange.keeps_deadlines = False
    bench.at(1, lambda: bench.send(bench.signal()))
    bench.run(30)
    (entry,) = bench.orders()
    assert (entry.state, entry.codes, entry.reserved) == (State.VOIDED, ("UNSENT",), Decimal(0))
    assert not bench.exchange.posts


def test_a_fill_between_holdings_and_balance_denies_nobody() -> None:
    """Holdings from before a fill that the book knows already are asked for again, and the signal is sent."""
    plain = Bench()
    plain.send(plain.signal())
    plain.run(5)
    balance = plain.gate.names.index("balance") + 1

    def filled() -> None:
        now = bench.kernel.now()
        bench.exchange.set_price("AIG", "99.99", "100.01")
        bench.exchange.shares["AIG"] = 10
        bench.store.commit([
            put("quotes/AIG", bench.exchange.quote("AIG")),
            put("positions/AIG", position(symbol="AIG")),
            put(f"ledger/{START.date()}", Ledger(session=START.date(), entries=1, last_fill_at=now)),
        ])  # fmt: skip

    bench = Bench(faults={balance: Fault(how="deed", deed=filled)})
    bench.send(bench.signal())
    bench.run(5)
    (entry,) = [order for order in bench.orders() if order.kind is Kind.ENTRY]
    assert entry.codes == ()
    assert bench.exchange.posts[entry.intent_id] == 1
    assert bench.gate.names.count("balance") == 2


@pytest.mark.parametrize(("daily_close", "denied"), [("100.00", False), ("142.00", True), ("10.00", True)])
def test_a_price_that_may_be_of_another_share_is_not_entered(daily_close: str, denied: bool) -> None:
    """A signal whose last daily bar is too far from the quote of this moment is denied before the broker is asked."""
    bench = Bench()
    bench.send(bench.signal(daily_close=Decimal(daily_close)))
    bench.run(10)
    entry = bench.orders()[0]
    assert (entry.codes == ("PRICE_JUMP",)) is denied
    assert ("preview" in bench.gate.names) is not denied


@pytest.mark.parametrize("session", ["2013-10-04", START.date().isoformat()])
def test_a_ledger_that_cannot_be_read_denies_entries_and_is_told(session: str) -> None:
    """Where a ledger is damaged, today's or an old one, entries are denied and the owner hears once which and why."""
    bench = Bench()
    bench.store.commit([Put(f"ledger/{session}", {"session": session, "realized": "a lot"})])
    for slot in range(2):
        bench.send(bench.signal(slot))
        bench.run(10)
    assert {(order.state, order.codes) for order in bench.orders()} == {(State.DENIED, ("LEDGER_UNREADABLE",))}
    told = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    barred = {event_of(one): one for one in told if isinstance(one, EntriesBarred)}
    assert [one.why for one in barred.values()] == [f"ledger/{session}"]
    assert not bench.bus.dead
    assert not bench.exchange.posts


def test_a_ledger_that_is_restored_lets_entries_go_on() -> None:
    """When the damaged document is gone the next signal is entered."""
    bench = Bench()
    bench.store.commit([Put("ledger/2013-10-04", {"session": "2013-10-04", "realized": "a lot"})])
    bench.send(bench.signal())
    bench.run(10)
    bench.store.commit([Delete("ledger/2013-10-04")])
    bench.send(bench.signal(2))
    bench.run(10)
    assert [order.state for order in bench.orders() if order.kind is Kind.ENTRY] == [State.DENIED, State.FILLED]
