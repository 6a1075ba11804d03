"""Blindness is told: answers that cannot be read, entries that nobody could judge, shares that stay held."""

from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from shared.domain.base.values import PriceType
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.broker.reads import Answer, Unread
from shared.domain.orders.orders import Kind, Order, State, advance
from shared.domain.telling.notices import PositionUnprotected, event_of
from shared.domain.telling.unseen import AnswerUnread, EntryNotJudged, StaysHeld
from shared.errors import DeskError, Refused, Unreadable
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.settling.cover import may_be_naked, naked_since, uncovered
from shared.usecases.settling.settle import settle
from shared.usecases.settling.watch import NEAR_THE_CLOSE, UNREAD_AFTER, watch, watch_sight
from shared.usecases.telling.notices import post
from tests.usecases.bench import CLOSES, START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.post import PLACEMENT, SETTLEMENT

MINUTE = timedelta(minutes=1)
DOWN = Unreadable("orders: status 500, code 100")
N = TypeVar("N", AnswerUnread, EntryNotJudged, StaysHeld, PositionUnprotected)


def _told(bench: Bench, kind: type[N]) -> list[N]:
    """Give the notices of one kind that reached the bus, one for each event."""
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    return list({event_of(one): one for one in sent if isinstance(one, kind)}.values())


def _minutes(bench: Bench, count: int) -> None:
    """Let minutes pass, each with the whole tick of settlement."""

    def tick() -> None:
        watch(bench.desks[SETTLEMENT])
        settle(bench.desks[SETTLEMENT], list_first=True)
        watch_sight(bench.desks[SETTLEMENT])
        post(bench.desks[SETTLEMENT])

    for _ in range(count):
        at = bench.kernel.now() + MINUTE
        bench.kernel.spawn(tick, name=SETTLEMENT)
        bench.kernel.run(at)


@pytest.mark.parametrize("what", [Answer.ORDERS, Answer.PORTFOLIO, Answer.BALANCE])
def test_an_answer_that_cannot_be_read_is_told_once(what: Answer) -> None:
    """After three minutes, and before five, the owner hears what cannot be read and why, once, with nothing open."""
    bench = Bench()
    _minutes(bench, 2)
    bench.exchange.down[what] = DOWN
    began = bench.kernel.now()
    _minutes(bench, 2)
    assert _told(bench, AnswerUnread) == []
    _minutes(bench, 13)
    (notice,) = _told(bench, AnswerUnread)
    assert (notice.what, notice.why, notice.naked) == (what, DOWN.detail, ())
    first = min(one.at for one in _all(bench, AnswerUnread))
    assert first - notice.since >= UNREAD_AFTER
    assert first - began <= timedelta(minutes=4, seconds=10)


def _all(bench: Bench, kind: type[N]) -> list[N]:
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    return [one for one in sent if isinstance(one, kind)]


def test_what_is_readable_again_is_over() -> None:
    """Two minutes of blindness are not told, and another blindness after a good look is another event."""
    bench = Bench()
    for minutes in (2, 6, 6):
        bench.exchange.down["orders"] = DOWN
        _minutes(bench, minutes)
        bench.exchange.down.clear()
        _minutes(bench, 1)
    assert len(_told(bench, AnswerUnread)) == 2


def test_a_quiet_hour_tells_nothing() -> None:
    """While everything can be read nothing of it is told, with shares held and without."""
    bench = Bench()
    _minutes(bench, 5)
    bench.send(bench.signal())
    bench.run(60)
    _minutes(bench, 20)
    assert bench.kernel.now() < CLOSES - NEAR_THE_CLOSE
    told = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    assert {type(one) for one in told} & {AnswerUnread, EntryNotJudged, StaysHeld, PositionUnprotected} == set()


def test_blindness_names_the_shares_of_an_entry_under_way() -> None:
    """When the list is gone from an entry's fill on, the shares that may be without a stop are named within minutes."""
    bench = Bench()
    bench.bus.muted.add("orders-placed")
    bench.send(bench.signal())
    bench.kernel.run(START + timedelta(seconds=5))
    bench.exchange.down |= {"orders": DOWN, "order": DOWN}
    assert bench.positions() == []
    assert bench.exchange.shares[SYMBOL] == 99
    bench.kernel.run(START + MINUTE)
    _minutes(bench, 5)
    notice = next(one for one in _told(bench, AnswerUnread) if one.what is Answer.ORDERS)
    assert notice.naked == (f"up to 99 {SYMBOL} of an entry under way",)
    assert notice.at - notice.since >= UNREAD_AFTER


def test_shares_that_become_naked_in_a_blindness_are_told() -> None:
    """A blindness that was told is told again when shares lose their cover in it."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(20)
    bench.looking = False
    bench.kernel.run(START + MINUTE)
    bench.exchange.down["portfolio"] = DOWN
    _minutes(bench, 5)
    bench.exchange.scripts += [Script(how="reject", price_type=PriceType.STOP) for _ in range(200)]
    bench.exchange.end(502, BrokerStatus.CANCELLED)
    _minutes(bench, 3)
    assert [one.naked for one in _told(bench, AnswerUnread)] == [(), (f"99 {SYMBOL}",)]


def test_a_stop_whose_cancel_was_asked_for_is_no_cover() -> None:
    """For what is told, shares behind such a stop are naked since the cancel was asked for first, not last."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(20)
    (position,) = bench.positions()
    entry, stop = bench.orders()
    assert naked_since(position, [entry, stop]) is None
    later = START + timedelta(seconds=90)
    asked = _moved(stop, START + timedelta(seconds=30))
    again = _moved(asked, later)
    assert naked_since(position, [entry, again]) == START + timedelta(seconds=30)
    assert uncovered(position, [entry, again]) == 99
    assert again.updated_at == later


def _moved(order: Order, at: datetime) -> Order:
    return advance(order, State.CANCEL_REQ, at=at, actor="test", cause="test")[0]


@pytest.mark.parametrize("trouble", [DOWN, Refused("balance: status 400, code 102", code=102)])
@pytest.mark.parametrize("what", [Answer.BALANCE, Answer.PORTFOLIO, Answer.ORDERS, Answer.ACCOUNTS])
def test_an_entry_that_nobody_could_judge_is_told(what: Answer, trouble: DeskError) -> None:
    """A signal that dies because an answer cannot be read is told with answer and reason, once a day for each."""
    bench = Bench()
    bench.exchange.down[what] = trouble
    for slot in (1, 2):
        bench.send(bench.signal(slot))
        bench.run(120)
    (notice,) = _told(bench, EntryNotJudged)
    assert (notice.symbol, notice.what, notice.why) == (SYMBOL, what, trouble.detail)
    assert all(order.kind is Kind.ENTRY and not order.broker_order_id for order in bench.orders())


def test_a_signal_that_only_waited_is_not_told() -> None:
    """A signal that died of age for another reason, or was judged at its second try, is no notice."""
    bench = Bench()
    old = bench.signal(1, decided_at=START - timedelta(minutes=5))
    bench.send(old)
    bench.exchange.down["balance"] = DOWN
    bench.send(bench.signal(2))
    bench.at(3, bench.exchange.down.clear)
    bench.run(100)
    assert _told(bench, EntryNotJudged) == []
    assert State.FILLED in {order.state for order in bench.orders()}


def test_a_blindness_of_before_explains_no_death() -> None:
    """A note that nobody has renewed since long before a signal says nothing about why it died of age."""
    bench = Bench()
    past = START - timedelta(minutes=30)
    note = Unread(actor=PLACEMENT, what=Answer.BALANCE, since=past, last_at=past, times=1, why="at noon")
    bench.store.commit([put(f"reads/{PLACEMENT}:balance", note)])
    bench.send(bench.signal(1, decided_at=START - timedelta(minutes=5)))
    bench.run(30)
    assert [order.state for order in bench.orders()] == [State.VOIDED]
    assert _told(bench, EntryNotJudged) == []


def test_what_stays_held_is_told_near_the_close() -> None:
    """Five minutes before the close what is held is told once with its shares and its stop, and not a minute before."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(20)
    bench.looking = False
    bench.kernel.run(CLOSES - NEAR_THE_CLOSE - MINUTE)
    _minutes(bench, 1)
    assert _told(bench, StaysHeld) == []
    _minutes(bench, 3)
    (notice,) = _told(bench, StaysHeld)
    assert (notice.symbol, notice.quantity, notice.order_ids) == (SYMBOL, 99, (502,))
    stop = bench.exchange.book[502].stop_price
    assert notice.sells == (f"order 502, a stop sell of 99 shares at {stop}",)


def test_what_was_sold_does_not_stay() -> None:
    """A day that is flat before its close tells of nothing that stays."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run((CLOSES - NEAR_THE_CLOSE - START).total_seconds())
    _minutes(bench, 4)
    assert [position.is_open for position in bench.positions()] == [False]
    assert _told(bench, StaysHeld) == []
    assert may_be_naked(bench.desks[SETTLEMENT]) == ()
