"""What cannot be read is noted since when and why, and a look a minute finds it out while nothing is open."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.codec import decode
from shared.domain.broker.reads import FRESH, Answer, Unread, again, lasting
from shared.domain.orders.orders import State
from shared.domain.telling.unseen import AnswerUnread
from shared.errors import AuthError, BrokerError, DeskError, NotSent, Refused, StoreDown, TokenDead, Unreadable
from shared.usecases.base import outbox
from shared.usecases.base.reads import RENEW, NotedBroker
from shared.usecases.orders import account
from shared.usecases.settling.settle import settle
from shared.usecases.settling.watch import watch_sight
from tests.usecases.bench import CLOSES, START, Bench
from tests.usecases.exchange import ScriptedBroker
from tests.usecases.gate import Fault
from tests.usecases.post import PLACEMENT, SETTLEMENT

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN = Unreadable("orders: status 500, code 100")
ASKS = {
    Answer.ACCOUNTS: lambda broker: broker.accounts(),
    Answer.BALANCE: lambda broker: broker.balance("key"),
    Answer.PORTFOLIO: lambda broker: broker.portfolio("key"),
    Answer.ORDERS: lambda broker: broker.orders("key", since=START.date()),
    Answer.ORDER: lambda broker: broker.order("key", 1),
}


def _notes(bench: Bench) -> list[Unread]:
    return [decode(Unread, row.data) for row in bench.store.query("reads")]


def _asked(bench: Bench, what: Answer, actor: str = SETTLEMENT) -> DeskError | None:
    """Let a function ask once and give what it met."""

    def ask() -> DeskError | None:
        try:
            ASKS[what](bench.desks[actor].broker)
        except DeskError as problem:
            return problem
        return None

    return bench.kernel.call(ask, name=actor)


def _tick(bench: Bench) -> None:
    bench.kernel.call(lambda: settle(bench.desks[SETTLEMENT], list_first=True), name=SETTLEMENT)


@pytest.mark.parametrize("what", Answer)
def test_a_failure_is_noted_and_a_success_forgets_it(what: Answer) -> None:
    """Each kind of answer has a note of its own: since the first failure, with its reason, until the next success."""
    bench = Bench()
    began = bench.kernel.now()
    bench.exchange.down[what] = DOWN
    assert _asked(bench, what) is DOWN
    (note,) = _notes(bench)
    assert (note.actor, note.what, note.since, note.times, note.why) == (SETTLEMENT, what, began, 1, DOWN.detail)
    bench.exchange.down.clear()
    assert _asked(bench, what) is None
    assert _notes(bench) == []


def test_a_lasting_failure_is_written_now_and_then() -> None:
    """A failure each second is written every twenty, counts every try, and keeps its first instant."""
    bench = Bench()
    began = bench.kernel.now()
    bench.exchange.down["orders"] = DOWN
    for _ in range(60):
        _asked(bench, Answer.ORDERS)
        bench.kernel.run(bench.kernel.now() + SECOND)
    (note,) = _notes(bench)
    assert (note.since, note.times) == (began, note.times)
    assert 40 <= note.times <= 60
    assert note.last_at - began >= 2 * RENEW - SECOND
    commits = [name for name in bench.gate.names if name.startswith("commit")]
    assert len(commits) == 3


@pytest.mark.parametrize("trouble", [TokenDead("dead"), AuthError("refused")])
def test_a_refused_login_is_no_blindness(trouble: DeskError) -> None:
    """What fails for want of a login is not noted: the owner is told of that otherwise."""
    bench = Bench()
    bench.exchange.down["orders"] = trouble
    assert _asked(bench, Answer.ORDERS) is trouble
    assert _notes(bench) == []


def test_one_refused_order_says_nothing_about_orders() -> None:
    """That a single order is refused to us is not noted; that it cannot be read is."""
    bench = Bench()
    bench.exchange.down["order"] = Refused("order: status 400, code 1005", code=1005)
    _asked(bench, Answer.ORDER)
    assert _notes(bench) == []
    bench.exchange.down["order"] = NotSent("no connection")
    _asked(bench, Answer.ORDER)
    assert len(_notes(bench)) == 1


@pytest.mark.parametrize("how", ["down_before", "conflict"])
@pytest.mark.parametrize("fails", [True, False])
def test_a_store_that_fails_fails_no_read(how: str, fails: bool) -> None:
    """Whatever the store does, a read gives what the broker gave, and the trouble is journalled."""
    bench = Bench()
    bench.exchange.down["orders"] = DOWN
    _asked(bench, Answer.ORDERS)
    fresh = replace(bench.desks[SETTLEMENT], broker=NotedBroker(bench.desks[SETTLEMENT].broker, bench.desks[PLACEMENT]))
    bench.desks[PLACEMENT] = fresh
    if not fails:
        bench.exchange.down.clear()
    bench.gate.faults[len(bench.gate.names) + 2] = Fault(how=how)
    assert _asked(bench, Answer.ORDERS, PLACEMENT) is (DOWN if fails else None)
    kinds = [fields["kind"] for fields in bench.journal.named("read_not_noted")]
    assert kinds == ([StoreDown.__name__] if how == "down_before" else [])


def test_a_new_instance_looks_once() -> None:
    """An instance that finds the note of one that died removes it at its first success, and asks the store no more."""
    bench = Bench()
    bench.exchange.down["orders"] = DOWN
    _asked(bench, Answer.ORDERS)
    bench.exchange.down.clear()
    desk = bench.desks[SETTLEMENT]
    bench.desks[SETTLEMENT] = replace(desk, broker=NotedBroker(desk.broker, desk))
    _asked(bench, Answer.PORTFOLIO)
    assert len(_notes(bench)) == 1
    _asked(bench, Answer.ORDERS)
    assert _notes(bench) == []
    before = len(bench.gate.names)
    _asked(bench, Answer.ORDERS)
    assert bench.gate.names[before:] == ["orders"]


def _minutes(bench: Bench, count: int, *, judged: bool = True) -> set[datetime]:
    """Let a new instance ask each minute, and give since when the owner was told that the balance lacks a figure."""
    told: set[datetime] = set()
    scripted = ScriptedBroker(bench.exchange, bench.gate.pass_)
    for _ in range(count):
        bench.kernel.run(bench.kernel.now() + MINUTE)
        desk = bench.desks[SETTLEMENT]
        noted = (
            NotedBroker(scripted, desk, judge=account.judge(desk, "owner", "key"))
            if judged
            else NotedBroker(scripted, desk)
        )
        bench.desks[SETTLEMENT] = replace(desk, broker=noted)
        for _ in range(2):
            _asked(bench, Answer.BALANCE)
        bench.kernel.call(lambda: watch_sight(bench.desks[SETTLEMENT]), name=SETTLEMENT)
        rows = [outbox.unpack(str(row.data["body"]).encode()) for row in bench.store.query("outbox")]
        told |= {row.since for row in rows if isinstance(row, AnswerUnread)}
    return told


def test_a_balance_that_lacks_a_figure_is_told_since_the_first_whoever_reads() -> None:
    """With a new instance each minute the owner hears once, after three minutes, since when a figure is missing."""
    bench = Bench()
    bench.exchange.says["cash_buying_power"] = None
    assert _minutes(bench, 3) == set()
    assert _minutes(bench, 6) == {START + MINUTE}
    (note,) = _notes(bench)
    assert note.why == "balance: cashBuyingPower is missing"
    bench.exchange.says.clear()
    _asked(bench, Answer.BALANCE)
    assert _notes(bench) == []


def test_where_its_arrival_is_a_success_nobody_is_told() -> None:
    """An instance that does not judge what came forgets what another noted: the test above can fail."""
    bench = Bench()
    bench.exchange.says["cash_buying_power"] = None
    assert _minutes(bench, 1) == set()
    assert _minutes(bench, 8, judged=False) == set()
    assert _notes(bench) == []


def test_a_minute_without_anything_open_looks_at_everything() -> None:
    """In the session a tick asks once each for list, holdings and balance, though nothing is open."""
    bench = Bench()
    bench.kernel.call(lambda: settle(bench.desks[SETTLEMENT]), name=SETTLEMENT)
    asked = {"orders", "portfolio", "balance"}
    assert not asked & set(bench.gate.names)
    _tick(bench)
    assert sorted(name for name in bench.gate.names if name in asked) == sorted(asked)


@pytest.mark.parametrize(
    "start", [CLOSES, START.replace(hour=13, minute=0), datetime.fromisoformat("2013-10-06T15:00:00+00:00")]
)
def test_a_closed_market_is_not_looked_at(start: datetime) -> None:
    """Before the open, after the close and on a day of rest a tick with nothing open asks for none of it."""
    bench = Bench(start=start)
    _tick(bench)
    assert not {"orders", "portfolio", "balance"} & set(bench.gate.names)


@pytest.mark.parametrize("what", [Answer.ORDERS, Answer.PORTFOLIO, Answer.BALANCE])
def test_a_look_notices_blindness(what: Answer) -> None:
    """What one look cannot read is noted and given as nothing, the rest is there, and the tick does not fail."""
    bench = Bench()
    bench.exchange.down[what] = DOWN
    look = bench.kernel.call(lambda: settle(bench.desks[SETTLEMENT], list_first=True), name=SETTLEMENT)
    assert look is not None
    seen = {Answer.ORDERS: look.listing, Answer.PORTFOLIO: look.holdings, Answer.BALANCE: look.balance}
    assert [kind for kind, answer in seen.items() if answer is None] == [what]
    assert look.sighted == (what is not Answer.ORDERS)
    assert [note.what for note in _notes(bench)] == [what]


def test_shares_come_before_the_look() -> None:
    """A fill that a tick finds is booked and protected before holdings and balance are asked for."""
    bench = Bench()
    bench.bus.muted.add("orders-placed")
    bench.send(bench.signal())
    bench.kernel.run(bench.kernel.now() + timedelta(seconds=5))
    before = len(bench.gate.names)
    _tick(bench)
    names = bench.gate.names[before:]
    assert names.index("place") < names.index("portfolio")
    assert [order.state for order in bench.orders()] == [State.FILLED, State.WORKING]


def _note(what: Answer, since: float, last: float, actor: str = SETTLEMENT) -> Unread:
    return Unread(
        actor=actor, what=what, since=START + since * SECOND, last_at=START + last * SECOND, times=1, why=f"at {since}"
    )  # fmt: skip


def test_what_lasts_is_told_apart_from_what_was() -> None:
    """Of each kind the freshest note counts, since the first that led up to it; what nobody renewed is over."""
    now = START + 600 * SECOND
    gap = FRESH.total_seconds()
    mine = _note(Answer.ORDERS, 400, 580)
    led = _note(Answer.ORDERS, 300, 401 - gap, PLACEMENT)
    old = _note(Answer.ORDERS, 10, 300 - gap - 1, "another")
    assert lasting([old, mine], now=now) == [mine]
    assert lasting([led, mine], now=now) == [replace(mine, since=led.since)]
    assert lasting([_note(Answer.BALANCE, 0, 599 - gap)], now=now) == []
    assert [one.what for one in lasting([mine, _note(Answer.BALANCE, 590, 595)], now=now)] == [
        Answer.BALANCE, Answer.ORDERS,
    ]  # fmt: skip


def test_an_old_note_is_not_renewed() -> None:
    """A failure long after the last one is another blindness, one soon after it the same."""
    first, soon, late = _note(Answer.ORDERS, 0, 5), _note(Answer.ORDERS, 60, 61), _note(Answer.ORDERS, 900, 901)
    assert again(None, first) == first
    assert (again(first, soon).since, again(first, soon).times) == (first.since, 2)
    assert again(first, late) == late
    assert isinstance(DOWN, BrokerError)
