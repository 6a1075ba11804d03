"""The watch of settlement over others: a scan that is silent, shares without a stop, and what orders tell the owner."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerStatus, Ticket
from shared.domain.market.sight import BLIND_AFTER, Sight
from shared.domain.orders.orders import Kind, State
from shared.domain.telling.hand_notices import OrderAmbiguous
from shared.domain.telling.notices import (
    DayResult,
    ForeignOrder,
    HeldUnseen,
    OrderUnknown,
    PositionUnprotected,
    ScanBlind,
    ScanSilent,
    event_of,
)
from shared.errors import StoreDown
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.market.minutes import MINUTE, take
from shared.usecases.settling.watch import NAKED_AFTER, SILENT_AFTER, watch
from shared.usecases.telling.notices import post
from tests.usecases.bench import CLOSES, START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.post import SCAN, SETTLEMENT

N = TypeVar(
    "N", ScanSilent, ScanBlind, HeldUnseen, PositionUnprotected, OrderUnknown, OrderAmbiguous, ForeignOrder, DayResult
)


def _told(bench: Bench, kind: type[N]) -> list[N]:
    """Give the notices of one kind that reached the bus, one for each event."""
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    return list({event_of(one): one for one in sent if isinstance(one, kind)}.values())


def _scanned(bench: Bench, minutes: int) -> None:
    """Let so many minutes be scanned, one after the other."""
    for _ in range(minutes):
        assert take(bench.desks[SCAN], bench.kernel.now()) is not None
        bench.kernel.run(bench.kernel.now() + MINUTE)


def _saw(bench: Bench, *, usable: int, faults: tuple[str, ...], held: tuple[str, ...] = (), symbols: int = 2) -> None:
    """Let a minute be scanned in which this was seen, and look."""
    begins = bench.kernel.now()
    lease = take(bench.desks[SCAN], begins)
    assert lease is not None
    sight = Sight(begins=begins, symbols=symbols, usable=usable, faults=faults, unseen=dict.fromkeys(held, faults))
    bench.kernel.run(bench.kernel.now() + MINUTE)
    bench.desks[SCAN].store.commit([put(lease.path, replace(lease.value, sight=sight))])
    _look(bench)


def _look(bench: Bench) -> None:
    watch(bench.desks[SETTLEMENT])
    post(bench.desks[SETTLEMENT])


def test_a_scan_that_falls_silent_is_noticed_once() -> None:
    """Five minutes after the last scanned minute the owner is told since when, and it stays one event for an hour."""
    bench = Bench()
    _scanned(bench, 10)
    silent_since = bench.kernel.now()
    for _ in range(4):
        bench.kernel.run(bench.kernel.now() + MINUTE)
        _look(bench)
    assert _told(bench, ScanSilent) == []
    for _ in range(20):
        bench.kernel.run(bench.kernel.now() + MINUTE)
        _look(bench)
    (notice,) = _told(bench, ScanSilent)
    assert timedelta(0) <= notice.since - silent_since < timedelta(seconds=2)


def test_a_scan_that_lives_is_no_notice() -> None:
    """While each minute is scanned nothing is told, whether or not there is anything to trade."""
    bench = Bench()
    for _ in range(15):
        _scanned(bench, 1)
        _look(bench)
    assert _told(bench, ScanSilent) == []


def test_a_scan_that_goes_blind_is_noticed_once() -> None:
    """After three minutes without a usable quote it is told once, since when and with what is held, for an hour."""
    bench = Bench()
    _saw(bench, usable=1, faults=("STALE",))
    began = bench.kernel.now()
    for _ in range(BLIND_AFTER - 1):
        _saw(bench, usable=0, faults=("FUTURE",), held=(SYMBOL,))
    assert _told(bench, ScanBlind) == []
    for _ in range(25):
        _saw(bench, usable=0, faults=("FUTURE",), held=(SYMBOL,))
    (notice,) = _told(bench, ScanBlind)
    assert (notice.since, notice.faults, notice.held) == (began, ("FUTURE",), (SYMBOL,))
    assert (_told(bench, HeldUnseen), _told(bench, ScanSilent)) == ([], [])


def test_one_good_minute_ends_blindness() -> None:
    """A minute with one usable quote begins the count anew, and what is blind again is another event."""
    bench = Bench()
    for _ in range(2):
        for _ in range(BLIND_AFTER - 1):
            _saw(bench, usable=0, faults=("STALE",))
        _saw(bench, usable=1, faults=("STALE",))
    assert _told(bench, ScanBlind) == []
    for _ in range(2):
        for _ in range(BLIND_AFTER):
            _saw(bench, usable=0, faults=("STALE",))
        _saw(bench, usable=1, faults=())
    assert len(_told(bench, ScanBlind)) == 2


def test_a_minute_that_asked_for_nothing_is_not_blind() -> None:
    """Minutes of a scan without a token, or that could not ask for any quote, are no notice."""
    bench = Bench()
    for _ in range(8):
        _saw(bench, usable=0, faults=())
    assert _told(bench, ScanBlind) == []


def test_a_minute_that_asked_for_nothing_ends_no_blindness() -> None:
    """Such a minute says nothing: what was blind before it and is after it stays one event, since its first minute."""
    bench = Bench()
    _saw(bench, usable=2, faults=())
    began = bench.kernel.now()
    for _ in range(3):
        for _ in range(BLIND_AFTER):
            _saw(bench, usable=0, faults=("STALE",), held=(SYMBOL,))
        _saw(bench, usable=0, faults=(), symbols=0)
    (notice,) = _told(bench, ScanBlind)
    assert notice.since == began


def test_one_held_symbol_without_quotes_is_told() -> None:
    """A held symbol that alone has no usable quote for five minutes is told once."""
    bench = Bench()
    for _ in range(12):
        _saw(bench, usable=1, faults=("STALE",), held=(SYMBOL,))
    (notice,) = _told(bench, HeldUnseen)
    assert (notice.symbol, notice.faults, notice.since) == (SYMBOL, ("STALE",), START)
    assert _told(bench, ScanBlind) == []


@pytest.mark.parametrize(
    ("start", "silent"),
    [
        (datetime.fromisoformat("2013-10-07T13:00:00+00:00"), False),
        (datetime.fromisoformat("2013-10-07T13:34:00+00:00"), False),
        (datetime.fromisoformat("2013-10-07T13:36:00+00:00"), True),
        (CLOSES, False),
        (datetime.fromisoformat("2013-10-06T15:00:00+00:00"), False),
    ],
)
def test_silence_counts_while_the_market_trades(start: datetime, silent: bool) -> None:
    """A scan that never began is noticed five minutes after the open, and none is missed before, after or on a rest."""
    bench = Bench(start=start)
    _look(bench)
    told = _told(bench, ScanSilent)
    assert [bool(told), SILENT_AFTER] == [silent, timedelta(minutes=5)]


def test_a_watch_that_cannot_read_keeps_nobody_from_work() -> None:
    """A store that is down while the watch looks is journalled, and settlement goes on."""
    bench = Bench()
    bench.gate.faults[1] = Fault(how="down_before")
    bench.kernel.spawn(lambda: watch(bench.desks[SETTLEMENT]), name=SETTLEMENT)
    bench.kernel.run(bench.kernel.now() + timedelta(seconds=1))
    assert [fields["kind"] for fields in bench.journal.named("watch_failed")] == [StoreDown.__name__]


def _holding(bench: Bench) -> Bench:
    bench.send(bench.signal())
    bench.run(20)
    return bench


def test_a_stop_that_is_refused_again_and_again_is_told() -> None:
    """Shares whose stop is refused for longer than the bound are told once with their number and since when."""
    bench = Bench()
    bench.exchange.scripts += [Script(how="reject", price_type=PriceType.STOP) for _ in range(200)]
    bench.send(bench.signal())
    for _ in range(10):
        bench.run(15)
        _look(bench)
    (notice,) = _told(bench, PositionUnprotected)
    assert (notice.symbol, notice.quantity) == (SYMBOL, 99)
    assert notice.at - notice.since >= NAKED_AFTER
    assert notice.since < START + timedelta(seconds=15)


def test_a_stop_that_vanished_is_told_when_none_comes_back() -> None:
    """A stop that ended at the broker counts from its end, and one that is back in time is not told."""
    bench = _holding(Bench())
    bench.exchange.end(502, BrokerStatus.CANCELLED)
    bench.run(70)
    _look(bench)
    assert _told(bench, PositionUnprotected) == []
    bench.exchange.scripts += [Script(how="reject", price_type=PriceType.STOP) for _ in range(200)]
    bench.exchange.end(503, BrokerStatus.CANCELLED)
    for _ in range(10):
        bench.run(15)
        _look(bench)
    (notice,) = _told(bench, PositionUnprotected)
    assert notice.since > START + timedelta(seconds=80)


def test_protected_shares_are_no_notice() -> None:
    """Shares behind a working stop are not told, however long they are held."""
    bench = _holding(Bench())
    for _ in range(5):
        bench.run(60)
        _look(bench)
    assert _told(bench, PositionUnprotected) == []


@pytest.mark.parametrize("how", ["lost_after", "lost_before"])
def test_an_unknown_order_is_told_once(how: str) -> None:
    """An order that was sent and not answered is told once with its name, however often it is looked for."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how=how, side=Side.BUY))
    bench.send(bench.signal())
    bench.run(200)
    (notice,) = _told(bench, OrderUnknown)
    entry = bench.orders()[0]
    assert (notice.intent_id, notice.symbol, notice.quantity) == (entry.intent_id, SYMBOL, 99)
    assert (entry.state is State.FILLED) == (how == "lost_after")


def _by_hand(bench: Bench) -> None:
    ticket = Ticket(
        client_order_id="owner", symbol=SYMBOL, side=Side.BUY, quantity=99, price_type=PriceType.LIMIT,
        term=Term.GOOD_FOR_DAY, limit_price=Decimal("100.11"),
    )  # fmt: skip
    bench.exchange.accept(ticket)


def test_an_order_that_two_could_be_is_told() -> None:
    """When two broker orders could be ours the owner is told to decide."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="late", side=Side.BUY, after=timedelta(seconds=1)))
    bench.exchange.entry_fill, bench.exchange.refuses_term = 0, True
    bench.at(0.7, lambda: _by_hand(bench))
    bench.send(bench.signal())
    bench.run(30)
    entry = next(order for order in bench.orders() if order.kind is Kind.ENTRY)
    assert entry.state is State.MANUAL
    assert [type(one) for one in _told(bench, OrderAmbiguous)] == [OrderAmbiguous]


def test_a_foreign_order_is_told() -> None:
    """A signal that is denied because of an order that is not ours tells the owner which symbol."""
    bench = Bench()
    _by_hand(bench)
    bench.send(bench.signal())
    bench.run(10)
    assert bench.orders()[0].state is State.DENIED
    (notice,) = _told(bench, ForeignOrder)
    assert (notice.symbol, notice.session) == (SYMBOL, START.date())


def test_the_day_s_result_is_told_with_the_seal() -> None:
    """The seal at the close and the day's result are one commit, with the ledger's own figures."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run((CLOSES - bench.kernel.now()).total_seconds() + 400)
    (notice,) = _told(bench, DayResult)
    sent = [order for order in bench.orders() if order.broker_order_id is not None]
    (ledger,) = bench.store.query("ledger")
    assert (notice.orders, notice.fills, notice.open_positions, notice.live_orders) == (len(sent), 2, (), 0)
    assert str(notice.realized) == ledger.data["realized"]
    assert any("Put:seals+Put:outbox" in name for name in bench.gate.names)
