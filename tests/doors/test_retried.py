"""Messages that come again for minutes: the door tells the owner which, since when and why, once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.telling.messages import CloseTick, ExitPosition, Message, SettleTick
from shared.domain.telling.notices import NOTICES
from shared.domain.telling.unseen import MessageRetried
from shared.door import PushDoor
from shared.errors import Busy, ConfigError, Conflict, DeskError, StoreDown, TokenDead, Unreadable
from shared.ports import Envelope
from shared.usecases.base.outbox import pack
from shared.usecases.base.retried import RETRIED_AFTER
from tests.doors.fakes import NOW, Hands, notices_of, push, request

EXIT = ExitPosition(symbol="AIG", position_id="P1", exit_id="E1", session=NOW.date())
MINUTE = 60.0


class Failing:
    """A handler that raises what it is told to."""

    def __init__(self, trouble: Exception | None) -> None:
        self.trouble = trouble

    def __call__(self, _envelope: Envelope, _message: Any) -> None:
        """Fail, or not."""
        if self.trouble is not None:
            raise self.trouble


def _door(hands: Hands, handler: Callable[[Envelope, Any], object], actor: str = "order_placement") -> PushDoor:
    kinds: tuple[type[Message], ...] = (ExitPosition, SettleTick, CloseTick, *NOTICES.values())
    return PushDoor(desk=hands.desk(actor), handlers=dict.fromkeys(kinds, handler))


def _told(hands: Hands) -> list[dict[str, Any]]:
    found = notices_of(hands.store, hands.bus)
    assert {one["kind"] for one in found} <= {"message_retried"}
    return [one["body"] for one in found]


@pytest.mark.parametrize(
    "trouble", [Busy("full"), Conflict("other"), StoreDown("down"), Unreadable("odd"), ConfigError(("no key",))]
)
def test_a_message_that_comes_again_for_minutes_is_told_once(trouble: DeskError) -> None:
    """After three minutes the owner hears which function cannot handle what, since when and why, once a message."""
    hands, handler = Hands(), Failing(trouble)
    door = _door(hands, handler)
    for _ in range(12):
        assert door(request(push(pack(EXIT))))[1] in (429, 503)
        assert bool(_told(hands)) == (hands.clock.now() - NOW >= RETRIED_AFTER)
        hands.clock.forward(MINUTE / 2)
    (told,) = _told(hands)
    assert (told["function"], told["message"]) == ("order_placement", "exit_position")
    assert told["reason"].startswith(f"{type(trouble).__name__}: ")
    assert "\n" not in told["reason"]
    assert datetime.fromisoformat(told["since"]) == NOW


def test_our_own_crash_is_told_too() -> None:
    """What escapes a use case is told by its kind alone, which shows nothing of what it says."""
    hands = Hands()
    hands.clock.forward(4 * MINUTE)
    assert _door(hands, Failing(ValueError("a secret")))(request(push(pack(EXIT))))[1] == 503
    (told,) = _told(hands)
    assert told["reason"] == "ValueError"


@pytest.mark.parametrize("trouble", [None, TokenDead("dead")])
def test_what_is_acknowledged_is_not_told(trouble: DeskError | None) -> None:
    """A message that was handled, or that no retry helps, is no notice, however old it is."""
    hands = Hands()
    hands.clock.forward(60 * MINUTE)
    assert _door(hands, Failing(trouble))(request(push(pack(EXIT))))[1] == 204
    assert _told(hands) == []


def test_ticks_that_fail_one_after_the_other_are_told_together() -> None:
    """A new tick each minute is young, but ten that fail in a row are one trouble, since the first."""
    hands, handler = Hands(), Failing(Unreadable("odd"))
    door = _door(hands, handler, "order_settlement")
    for minute in range(10):
        door(request(push(pack(SettleTick()), at=hands.clock.now(), messageId=str(minute))))
        hands.clock.forward(MINUTE)
    (told,) = {one["since"] for one in _told(hands)}
    assert datetime.fromisoformat(told) == NOW
    assert len(hands.store.query("outbox")) == 1


def test_ticks_that_several_instances_meet_are_told_once() -> None:
    """Where three instances share the ticks that fail the owner hears one notice, and one more of another trouble."""
    hands, handler = Hands(), Failing(Unreadable("odd"))
    doors = [_door(hands, handler, "order_settlement") for _ in range(3)]

    def fail(first: int, count: int) -> set[str]:
        for minute in range(first, first + count):
            doors[minute % 3](request(push(pack(SettleTick()), at=hands.clock.now(), messageId=str(minute))))
            hands.clock.forward(MINUTE)
        return {row.path for row in hands.store.query("outbox")}

    assert len(fail(0, 12)) == 1
    assert len(_told(hands)) == 1
    handler.trouble = ConfigError(("no key",))
    assert len(fail(12, 6)) == 2


def test_a_tick_that_works_begins_the_count_anew() -> None:
    """Single ticks that fail between good ones, or long after one another, are no trouble that lasts."""
    hands, handler = Hands(), Failing(None)
    door = _door(hands, handler, "order_settlement")
    for minute in range(20):
        handler.trouble = None if minute % 3 == 2 else Unreadable("odd")
        door(request(push(pack(SettleTick()), at=hands.clock.now(), messageId=str(minute))))
        hands.clock.forward(MINUTE)
    handler.trouble = Unreadable("odd")
    for _ in range(3):
        hands.clock.forward(10 * MINUTE)
        door(request(push(pack(SettleTick()), at=hands.clock.now())))
    assert _told(hands) == []


def test_each_message_has_a_notice_of_its_own() -> None:
    """Two messages that come again are two notices; the same one through another instance is the same."""
    hands, handler = Hands(), Failing(Busy("full"))
    hands.clock.forward(4 * MINUTE)
    for name in ("1", "2", "2"):
        _door(hands, handler)(request(push(pack(EXIT), messageId=name)))
    assert len(hands.store.query("outbox")) == 2


def test_notices_have_a_way_of_their_own() -> None:
    """A notice that nobody takes is not told of by another notice."""
    hands = Hands()
    hands.clock.forward(9 * MINUTE)
    notice = MessageRetried(function="x", message="y", name="z", reason="w", since=NOW - timedelta(1), at=NOW)
    assert _door(hands, Failing(StoreDown("down")), "notify")(request(push(pack(notice))))[1] == 503
    assert hands.store.query("outbox") == []


def test_a_store_that_is_down_changes_no_reply() -> None:
    """Where the notice cannot be written the message is answered as before, and it is told as soon as it can be."""
    hands = Hands()
    door = _door(hands, Failing(Busy("full")))
    hands.clock.forward(4 * MINUTE)
    hands.store.mood, hands.store.at = StoreDown("down"), frozenset({"outbox"})
    assert door(request(push(pack(EXIT))))[1] == 503
    hands.store.mood = None
    assert door(request(push(pack(EXIT))))[1] == 429
    assert len(_told(hands)) == 1
