"""The outbox: a message that was committed reaches the bus, whatever dies on the way, and twice does no harm."""

import pytest

from shared.codec import loads
from shared.domain.telling.messages import ExitPosition
from shared.door import PushDoor
from shared.errors import Conflict, NotSent, StoreDown
from shared.ports import Create
from shared.usecases.base import outbox
from tests.doors.fakes import NOW, Hands, push, request

_EXIT = ExitPosition(symbol="AIG", position_id="P1", exit_id="E1", session=NOW.date())


def _row(hands: Hands, name: str = "one", actor: str = "order_placement") -> Create:
    return outbox.promise(hands.desk(actor), name=name, topic="exits", key="AIG", message=_EXIT)


def _next_invocation(hands: Hands) -> tuple[str, int]:
    """Let the function be invoked again by some other message, as if it had been started anew."""
    door = PushDoor(desk=hands.desk(), handlers={ExitPosition: lambda _envelope, _message: None})
    return door(request(push(outbox.pack(_EXIT))))


def test_a_published_row_is_gone() -> None:
    """Publishing sends the row's message once, with its topic, key and row, and removes the row."""
    hands = Hands()
    desk = hands.desk()
    row = _row(hands)
    desk.store.commit([row])
    outbox.publish(desk, row)
    (sent,) = hands.bus.sent
    assert (sent.topic, sent.key, sent.attributes) == ("exits", "AIG", {"row": "outbox/order_placement:one"})
    assert outbox.unpack(sent.data) == _EXIT
    assert loads(sent.data)["schema_version"] == 1
    assert hands.store.query("outbox") == []


def test_a_death_before_publishing_loses_nothing() -> None:
    """A row left between commit and publish is published by the function's next invocation, before its own work."""
    hands = Hands()
    hands.store.commit([_row(hands)])
    assert _next_invocation(hands) == ("", 204)
    assert [outbox.unpack(sent.data) for sent in hands.bus.sent] == [_EXIT]
    assert hands.store.query("outbox") == []
    assert _next_invocation(hands) == ("", 204)
    assert len(hands.bus.sent) == 1


def test_a_death_before_removal_publishes_twice() -> None:
    """A row left between publish and removal is published again with the same body, and then it is gone."""
    hands, row = Hands(), _row(Hands())
    hands.store.commit([row])
    hands.store.mood, hands.store.at = StoreDown("gone"), frozenset({"outbox"})
    with pytest.raises(StoreDown):
        outbox.publish(hands.desk(), row)
    hands.store.mood = None
    assert _next_invocation(hands) == ("", 204)
    one, two = hands.bus.sent
    assert one == two
    assert hands.store.query("outbox") == []


def test_a_bus_that_is_down_keeps_the_row() -> None:
    """While the bus refuses, the row stays and the invocation comes again; when it is back the row goes out first."""
    hands = Hands()
    hands.store.commit([_row(hands)])
    hands.bus.down = True
    assert _next_invocation(hands) == ("", 503)
    assert len(hands.store.query("outbox")) == 1
    hands.bus.down = False
    assert _next_invocation(hands) == ("", 204)
    assert len(hands.bus.sent) == 1


def test_a_function_leaves_the_rows_of_others_alone() -> None:
    """Draining publishes the rows of this function only."""
    hands = Hands()
    hands.store.commit([_row(hands, actor="market_scan")])
    assert outbox.drain(hands.desk()) == 0
    assert outbox.drain(hands.desk("market_scan")) == 1


def test_one_name_is_promised_once() -> None:
    """Two commits that promise the same row conflict, so that one event is promised once."""
    hands = Hands()
    hands.store.commit([_row(hands)])
    with pytest.raises(Conflict):
        hands.store.commit([_row(hands)])


def test_a_refused_publish_is_not_swallowed() -> None:
    """Publishing on a bus that is down raises NotSent, so that the caller's message comes again."""
    hands = Hands()
    hands.bus.down = True
    with pytest.raises(NotSent):
        outbox.publish(hands.desk(), _row(hands))
