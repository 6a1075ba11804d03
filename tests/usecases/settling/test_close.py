"""The close comes to its turn whatever settlement is at, and after it a look each minute is enough."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.base.calendar import session_at
from shared.domain.base.values import PriceType
from shared.domain.orders.orders import Kind, State
from shared.domain.telling.messages import CloseTick
from shared.domain.telling.notices import DayResult, event_of
from shared.ports import Put
from shared.usecases.base import outbox
from shared.usecases.settling.close import _close
from tests.usecases.bench import CLOSES, START, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.post import SETTLEMENT

DUE = CLOSES + timedelta(minutes=5)


def _busy_bench(faults: Mapping[int, Fault] | None = None) -> Bench:
    """Leave a stop that nobody knows of over shares that no portfolio shows: it is looked for without an end."""
    bench = Bench(faults=faults)
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    bench.exchange.portfolio = lambda: ()
    bench.send(bench.signal())
    bench.looking = False
    return bench


def _run_to(bench: Bench, seconds: float) -> None:
    """Let time pass until so many seconds after the close is due."""
    bench.run((DUE - bench.kernel.now()).total_seconds() + seconds)


def _lists(bench: Bench) -> int:
    return sum(name == "orders" for name in bench.gate.names)


def _sealed(bench: Bench) -> bool:
    return bool(bench.store.query("seals"))


def test_the_close_comes_to_its_turn_while_settlement_is_at_work() -> None:
    """With an order that keeps settlement at work each minute the close seals in its first attempt."""
    bench = _busy_bench()
    _run_to(bench, 56)
    assert [order.state for order in bench.orders() if order.kind is Kind.PROTECT] == [State.UNKNOWN]
    assert _sealed(bench)
    assert not bench.bus.owed


def test_a_damaged_document_keeps_no_day_from_its_seal() -> None:
    """With an order of the day that cannot be read the day is sealed, and its result says what is not known."""
    bench = Bench()
    bench.store.commit([Put("orders/DAMAGED", {"session": START.date().isoformat(), "live": False})])
    _run_to(bench, 20)
    assert _sealed(bench)
    told = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    (result,) = [one for one in told if isinstance(one, DayResult)]
    assert result.unknown == ("1 of the book's documents cannot be read",)


def test_a_settlement_that_is_at_work_gives_way() -> None:
    """A settlement that works when the close comes ends within seconds, long before its fifty are over."""
    bench = _busy_bench()
    _run_to(bench, -60)
    bench.at((DUE - START).total_seconds() - 40, lambda: bench.bus.take("close-ticks", outbox.pack(CloseTick())))
    _run_to(bench, -28)
    closing, ticks = bench.bus.owed[-1], [one for one in bench.bus.owed if one.topic == "settle-ticks"]
    assert (closing.topic, closing.attempts, ticks) == ("close-ticks", 1, [])
    _run_to(bench, 30)
    assert _sealed(bench)


def test_after_the_seal_a_look_each_minute_is_enough() -> None:
    """Once the day is sealed each minute tick asks for one list, whatever is still in motion."""
    bench = _busy_bench()
    _run_to(bench, 60)
    assert _sealed(bench)
    before = _lists(bench)
    bench.run(180)
    assert _lists(bench) - before == 3


def test_a_close_that_dies_keeps_nobody_from_settling_for_long() -> None:
    """When the close dies with its lease settlement goes on after 75 seconds, and the close comes again and seals."""
    whole = _busy_bench()
    _run_to(whole, 0)
    due = len(whole.gate.names)
    _run_to(whole, 30)
    taken = whole.gate.names.index("commit Create:leases", due) + 1
    bench = _busy_bench({taken: Fault(how="after")})
    _run_to(bench, 70)
    assert not _sealed(bench)
    _run_to(bench, 240)
    assert _sealed(bench)
    assert not bench.bus.dead


def _told(bench: Bench) -> list[DayResult]:
    return [one for one in (outbox.unpack(data) for _, data in bench.bus.sent) if isinstance(one, DayResult)]


def _early(bench: Bench) -> Bench:
    """Let a tick that nobody scheduled come in the middle of a session with shares held, and then the true one."""
    bench.send(bench.signal())
    bench.at(600, lambda: bench.bus.take("close-ticks", outbox.pack(CloseTick())))
    bench.run(660)
    return bench


def test_a_tick_before_the_close_is_believed_by_nobody() -> None:
    """A close tick in the session seals nothing, tells nothing and does not come again; the true one does both."""
    bench = _early(Bench())
    assert not _sealed(bench)
    assert _told(bench) == []
    assert [one for one in bench.bus.owed if one.topic == "close-ticks"] == []
    _run_to(bench, 56)
    assert _sealed(bench)
    assert len(_told(bench)) == 1


def test_without_a_look_at_the_hour_a_forged_tick_ends_the_day() -> None:
    """What the close does after that look seals a session that goes on: nothing else would have kept it from that."""
    bench, session = Bench(), session_at(START)
    assert session is not None
    bench.send(bench.signal())
    bench.run(600)
    bench.kernel.call(lambda: _close(bench.desks[SETTLEMENT], session), name=SETTLEMENT)
    assert _sealed(bench)


TRUE = DayResult(
    session=START.date(), realized=Decimal("-1.5"), orders=1, fills=1, open_positions=("A",), live_orders=1, at=DUE
)  # fmt: skip
FORGED = replace(TRUE, realized=Decimal(0), open_positions=(), live_orders=0)


def test_a_forged_result_does_not_swallow_the_true_one() -> None:
    """Two results of one session that say different things are two events, and one that says the same is one."""
    assert event_of(FORGED) != event_of(TRUE)
    assert event_of(replace(TRUE, at=DUE + timedelta(minutes=1))) == event_of(TRUE)


def test_a_result_named_by_its_session_would_be_swallowed() -> None:
    """Where a session's result is one event, whatever it says, as it once was, the forged one is also the true one."""

    def by_session(result: DayResult) -> str:
        return result.session.isoformat()

    assert by_session(FORGED) == by_session(TRUE)
