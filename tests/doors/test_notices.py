"""Notices on their way out: promised in the commit of what they tell about, published after the work, never lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain.control.control import TradingState
from shared.domain.telling.messages import Message, PrepareTick
from shared.domain.telling.notices import MessageBuried, ScanSilent, TradingHalted, TradingReduced, event_of
from shared.door import PushDoor
from shared.errors import ConfigError, DeskError, InvariantBroken, PermissionDenied, StoreDown
from shared.ports import Envelope, Put
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk
from shared.usecases.control import control
from shared.usecases.control.control import tighten
from shared.usecases.telling.notices import MOST_AT_ONCE, announce, post
from tests.doors.fakes import NOW, Hands, push, request

_SILENT = ScanSilent(since=NOW, at=NOW)
_WORK = push(outbox.pack(PrepareTick(reason="again")))


def _door(hands: Hands, work: Callable[[Desk], object] = lambda _desk: None, *, tells: bool = True) -> PushDoor:
    desk = hands.desk()

    def take(_envelope: Envelope, _tick: PrepareTick) -> None:
        work(desk)

    return PushDoor(desk=desk, handlers={PrepareTick: take}, halts=True, tells=tells)


def _sent(hands: Hands) -> list[Message]:
    assert {sent.topic for sent in hands.bus.sent} <= {outbox.NOTICES}
    return [outbox.unpack(sent.data) for sent in hands.bus.sent]


def _halt(desk: Desk) -> None:
    tighten(desk, TradingState.HALTED, reason="seeded")


def _announce(desk: Desk) -> None:
    desk.store.commit([announce(desk, _SILENT)])


def test_a_halt_and_its_notice_are_one_commit() -> None:
    """The commit that halts trading also promises the notice, and the door publishes it after the work."""
    hands = Hands()
    assert _door(hands, _halt)(request(_WORK)) == ("", 204)
    (commit,) = [writes for writes in hands.store.commits if any(write.path == control.PATH for write in writes)][-1:]
    assert [write.path for write in commit] == [control.PATH, "outbox/order_placement:trading_halted:1"]
    assert _sent(hands) == [
        TradingHalted(exits_too=False, reason="seeded", by="order_placement", epoch=1, at=hands.clock.now())
    ]
    assert hands.store.query("outbox") == []


def test_what_did_not_happen_is_not_told() -> None:
    """A halt whose commit failed leaves no notice, and neither does a reason that was given before."""
    hands = Hands()
    tighten(hands.desk(), TradingState.REDUCE_ONLY, reason="first")
    hands.store.mood, hands.store.at = StoreDown("gone"), frozenset({"control"})
    assert _door(hands, _halt)(request(_WORK)) == ("", 503)
    hands.store.mood = None
    assert tighten(hands.desk(), TradingState.REDUCE_ONLY, reason="first") is False
    post(hands.desk())
    assert [type(notice) for notice in _sent(hands)] == [TradingReduced]


def test_a_notice_that_waits_stops_no_work() -> None:
    """While the bus takes no notice, the work is done and acknowledged; when it does, the next invocation publishes."""
    hands, done = Hands(), []
    hands.bus.down = True

    def work(desk: Desk) -> None:
        done.append(desk.clock.now())
        _announce(desk)

    assert [_door(hands, work)(request(_WORK)) for _ in range(2)] == [("", 204)] * 2
    assert len(done) == 2
    assert hands.journal.events.count("notices_wait") == 2
    hands.bus.down = False
    assert _door(hands)(request(_WORK)) == ("", 204)
    assert _sent(hands) == [_SILENT]


@pytest.mark.parametrize("problem", [StoreDown("gone"), ConfigError(("no login",)), PermissionDenied("a right")])
def test_a_store_that_fails_after_the_work_changes_no_reply(problem: DeskError) -> None:
    """A store that fails only when notices are looked for, in any way, leaves the work's own answer as it is."""
    hands = Hands()

    def work(_desk: Desk) -> None:
        hands.store.mood, hands.store.at = problem, frozenset({"outbox"})

    assert _door(hands, work)(request(_WORK)) == ("", 204)
    assert hands.journal.events == ["notices_wait"]


def test_work_that_fails_is_told_all_the_same() -> None:
    """When the work breaks an invariant, trading is halted and the notice of that goes out with the same invocation."""
    hands = Hands()

    def work(_desk: Desk) -> None:
        raise InvariantBroken("seeded")

    assert _door(hands, work)(request(_WORK)) == ("", 204)
    assert {type(notice) for notice in _sent(hands)} == {TradingHalted, MessageBuried}


def test_notices_are_never_drained_before_the_work() -> None:
    """Rows of notices are left to the end of an invocation, so that nothing that trades waits for them."""
    hands = Hands()
    _announce(hands.desk())
    seen = []
    assert outbox.drain(hands.desk()) == 0
    _door(hands, lambda _desk: seen.append(len(hands.bus.sent)))(request(_WORK))
    assert (seen, _sent(hands)) == ([0], [_SILENT])


def test_a_function_without_the_right_leaves_its_notices_to_others() -> None:
    """A function that may not publish notices promises them all the same, and the next one that may publishes them."""
    hands = Hands()
    assert _door(hands, _announce, tells=False)(request(_WORK)) == ("", 204)
    assert hands.bus.sent == []
    post(hands.desk("order_settlement"))
    assert _sent(hands) == [_SILENT]


def test_a_repeated_notice_never_fails_a_commit() -> None:
    """A notice that is promised again while it still waits replaces itself: one row, no conflict."""
    hands = Hands()
    for _ in range(3):
        _announce(hands.desk())
    assert [row.path for row in hands.store.query("outbox")] == [f"outbox/order_placement:{event_of(_SILENT)}"]


def test_rows_that_cannot_be_read_stop_no_other() -> None:
    """Rows that another version wrote are reported and left, however many, and the notices behind them go out."""
    hands = Hands()
    newer = [f"outbox/a:{number}" for number in range(2 * MOST_AT_ONCE)]
    hands.store.commit([Put(path, {"topic": outbox.NOTICES, "newer": True}) for path in newer])
    _announce(hands.desk())
    post(hands.desk())
    assert _sent(hands) == [_SILENT]
    assert set(hands.journal.events) == {"unreadable_document"}
    assert {row.path for row in hands.store.query("outbox")} == set(newer)


def test_a_heap_of_notices_does_not_hold_an_invocation() -> None:
    """One invocation publishes a bounded number of notices, and the next ones publish the rest."""
    hands = Hands()
    for number in range(MOST_AT_ONCE + 5):
        hands.desk().store.commit([announce(hands.desk(), ScanSilent(since=NOW + timedelta(minutes=number), at=NOW))])
    post(hands.desk())
    assert len(hands.bus.sent) == MOST_AT_ONCE
    post(hands.desk())
    assert len(_sent(hands)) == MOST_AT_ONCE + 5


@pytest.mark.parametrize("at", ["outbox", "dead_letters"])
def test_a_dead_letter_and_its_notice_are_one_commit(at: str) -> None:
    """A message that is put aside is told with the name of its letter, and neither is written without the other."""
    hands = Hands()
    bad = push(b"nonsense")
    hands.store.mood, hands.store.at = StoreDown("gone"), frozenset({at})
    assert _door(hands, tells=False)(request(bad)) == ("", 503)
    hands.store.mood = None
    assert (hands.letters(), hands.store.query("outbox")) == ([], [])
    assert [_door(hands)(request(bad)) for _ in range(2)] == [("", 204)] * 2
    (letter,) = hands.store.query("dead_letters")
    (notice,) = _sent(hands)
    assert isinstance(notice, MessageBuried)
    assert letter.path == f"dead_letters/{notice.function}:{notice.letter}"
    assert (notice.function, notice.reason) == ("order_placement", "Malformed")
