"""What every Bus promises."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest

from infra.one_machine.memory_store import MemoryStore
from shared.domain.telling.messages import PrepareTick
from shared.errors import Conflict, StoreDown
from shared.gcp.chance import SystemChance
from shared.ports import Bus, Document, Severity, Store, Where, Write
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk
from tests.contract.buses import TRIES, BusWorld, Push


class _CrashError(BaseException):
    """The function's process ends here."""


class _Silent:
    """A journal that keeps nothing."""

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: object) -> None:
        """Keep nothing."""


class _Brittle:
    """A store whose function dies before its `n`th commit."""

    def __init__(self, store: Store, dies_before: int) -> None:
        self._store = store
        self._left = dies_before - 1

    def get(self, path: str) -> Document | None:
        return self._store.get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        if self._left == 0:
            raise _CrashError
        self._left -= 1
        return self._store.commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        return self._store.query(collection, *where, order_by=order_by, limit=limit)


class _Away:
    """A bus that nobody can reach."""

    def publish(self, *_: object, **__: object) -> str:
        raise StoreDown("away")


def _desk(world: BusWorld, store: Store, bus: Bus | None = None) -> Desk:
    return Desk(
        actor="market_scan", clock=world.clock, chance=SystemChance(), store=store, bus=bus or world.bus,
        journal=_Silent(),
    )  # fmt: skip


@contextmanager
def _dying() -> Iterator[None]:
    with pytest.raises(_CrashError):
        yield


def test_a_message_arrives_as_it_was_published(bus_world: BusWorld) -> None:
    """Data and attributes arrive unchanged at each function that subscribes, under the id that publishing gave."""
    data, attributes = b'\x00{"price":"\xc3\xa4"}', {"row": "outbox/a:b", "data": "x", "topic": "y"}
    message_id = bus_world.bus.publish("signals", data, attributes=attributes, ordering_key="AAPL")
    assert bus_world.wait(lambda: bool(bus_world.pushes))
    assert bus_world.pushes == [
        Push(function="takes-signals", data=data, attributes=attributes, message_id=message_id, attempt=1)
    ]
    assert message_id


def test_a_message_comes_until_it_is_acknowledged(bus_world: BusWorld) -> None:
    """A delivery that is answered with 429 or a 5xx comes again, and an acknowledged one does not."""
    statuses = [503, 429, 500, 204]
    bus_world.answer(lambda push: statuses[push.attempt - 1])
    bus_world.bus.publish("signals", b"x", attributes={})
    assert bus_world.wait(lambda: len(bus_world.pushes) == 4)
    later = bus_world.clock.now() + timedelta(seconds=2.5)
    bus_world.wait(lambda: bus_world.clock.now() > later)
    assert [push.attempt for push in bus_world.pushes] == [1, 2, 3, 4]
    assert bus_world.dead_letters() == []


def test_a_message_is_given_up_after_its_attempts(bus_world: BusWorld) -> None:
    """A message that is never acknowledged is tried as often as the topology says, then kept as a dead letter."""
    bus_world.answer(lambda _push: 500)
    for topic in TRIES:
        bus_world.bus.publish(topic, topic.encode(), attributes={})
    assert bus_world.wait(lambda: sorted(bus_world.dead_letters()) == [b"exits", b"signals"])
    tried = [push.function for push in bus_world.pushes]
    assert {topic: tried.count(f"takes-{topic}") for topic in TRIES} == TRIES


def test_one_poisoned_message_holds_up_no_other(bus_world: BusWorld) -> None:
    """Messages beside one that always fails arrive all the same, also under its ordering key."""
    bus_world.answer(lambda push: 500 if push.data == b"poison" else 204)
    bus_world.bus.publish("signals", b"poison", attributes={}, ordering_key="AAPL")
    for number in range(5):
        bus_world.bus.publish("signals", b"%d" % number, attributes={}, ordering_key="AAPL")

    def others() -> set[bytes]:
        return {push.data for push in bus_world.pushes} - {b"poison"}

    assert bus_world.wait(lambda: others() == {b"%d" % number for number in range(5)})


def test_a_crash_between_commit_and_publish_loses_nothing(bus_world: BusWorld) -> None:
    """A function that dies after its commit leaves the outbox row, which its next invocation publishes."""
    store = MemoryStore()
    row = outbox.promise(
        _desk(bus_world, store), name="1", topic="signals", key="AAPL", message=PrepareTick(reason="again")
    )
    store.commit([row])
    assert bus_world.pushes == []
    assert outbox.drain(_desk(bus_world, store)) == 1
    assert bus_world.wait(lambda: len(bus_world.pushes) == 1)
    assert outbox.unpack(bus_world.pushes[0].data) == PrepareTick(reason="again")
    assert outbox.drain(_desk(bus_world, store)) == 0


def test_a_crash_between_publish_and_removal_publishes_again(bus_world: BusWorld) -> None:
    """A function that dies before it removes the outbox row publishes the message once more, the same to the byte."""
    store = MemoryStore()
    row = outbox.promise(
        _desk(bus_world, store), name="1", topic="signals", key="AAPL", message=PrepareTick(reason="again")
    )
    store.commit([row])
    with _dying():
        outbox.publish(_desk(bus_world, _Brittle(store, 1)), row)
    assert outbox.drain(_desk(bus_world, store)) == 1
    assert bus_world.wait(lambda: len(bus_world.pushes) == 2)
    first, second = bus_world.pushes
    assert (first.data, first.attributes) == (second.data, second.attributes)
    assert first.message_id != second.message_id


def test_a_failed_publish_leaves_the_row(bus_world: BusWorld) -> None:
    """A message that the bus does not take stays in the outbox until the bus takes it."""
    store = MemoryStore()
    row = outbox.promise(
        _desk(bus_world, store), name="1", topic="signals", key="AAPL", message=PrepareTick(reason="again")
    )
    store.commit([row])
    with pytest.raises(StoreDown):
        outbox.publish(_desk(bus_world, store, _Away()), row)
    with pytest.raises(Conflict):
        store.commit([row])
    assert outbox.drain(_desk(bus_world, store)) == 1
