"""The bus: retries, back-off, dead letters, deadlines, restarts and the push body."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infra.one_machine.bus import LocalBus
from infra.one_machine.clock import SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.queue import SqliteQueue
from shared.errors import InvariantBroken, NotSent
from shared.stored import Domain
from shared.topology import Function, Subscription, Topology

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_SIGNALS = Subscription(topic="signals", min_backoff_s=1, max_backoff_s=10, max_attempts=5)
_TOPOLOGY = Topology(
    functions=(
        Function(name="buyer", purpose="takes signals", home=Domain.BOOK, subscriptions=(_SIGNALS,)),
        Function(
            name="slow",
            purpose="works long",
            home=Domain.BOOK,
            subscriptions=(Subscription(topic="works", ack_deadline_s=30, min_backoff_s=1),),
            timeout_s=60,
        ),
        Function(
            name="brief",
            purpose="is cut off",
            home=Domain.BOOK,
            subscriptions=(Subscription(topic="briefs", ack_deadline_s=300),),
            timeout_s=60,
        ),
        Function(name="other", purpose="listens", home=Domain.BOOK, subscriptions=(Subscription(topic="works"),)),
    ),
    topics={"signals": "", "works": "", "briefs": "", "unheard": ""},
    schedules=(),
    secrets={},
    collections={},
)


@dataclass(slots=True)
class _Town:
    """A bus whose functions do what a test says, and every push that it made: (seconds, function, body)."""

    path: Path | None = None
    seed: int = 1
    start: datetime = START
    duplicate_rate: float = 0.0
    answer: Callable[[str, int], int] = lambda _function, _attempt: 204
    pushes: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    kernel: Kernel = field(init=False)
    queue: SqliteQueue = field(init=False)
    bus: LocalBus = field(init=False)

    def __post_init__(self) -> None:
        self.kernel = Kernel(start=self.start, seed=self.seed)
        self.queue = SqliteQueue(self.path)
        self.bus = LocalBus(
            kernel=self.kernel,
            topology=_TOPOLOGY,
            queue=self.queue,
            deliver=self._deliver,
            chance=SeededChance(seed=self.seed, name="bus"),
            duplicate_rate=self.duplicate_rate,
        )

    def _deliver(self, function: str, body: bytes) -> int:
        push = json.loads(body)
        self.pushes.append(((self.kernel.now() - START).total_seconds(), function, push))
        return self.answer(function, push["deliveryAttempt"])

    def publish(self, topic: str, data: bytes = b"{}", **attributes: str) -> str:
        return self.bus.publish(topic, data, attributes=attributes)

    def crash(self, function: str, seconds: float) -> None:
        at = START + timedelta(seconds=seconds)
        self.kernel.spawn(lambda: self.kernel.crash(function), at=at, name="nemesis")

    def run(self, seconds: float) -> list[tuple[str, int]]:
        self.kernel.run(START + timedelta(seconds=seconds))
        return [(function, push["deliveryAttempt"]) for _, function, push in self.pushes]


Towns = Callable[..., _Town]


@pytest.fixture
def towns() -> Iterator[Towns]:
    """Give what makes towns, and close them."""
    with ExitStack() as closing:

        def make(**given: Any) -> _Town:
            town = _Town(**given)
            closing.callback(town.queue.close)
            return town

        yield make


def test_a_push_body_is_what_pub_sub_sends(towns: Towns) -> None:
    """The body names subscription and attempt and carries all that the message has."""
    town = towns()
    message_id = town.bus.publish("signals", b"\x00data", attributes={"traceparent": TRACEPARENT}, ordering_key="AAPL")
    assert town.run(1) == [("buyer", 1)]
    at, _, push = town.pushes[0]
    assert 0.005 <= at <= 0.05
    assert push == {
        "subscription": "projects/local/subscriptions/buyer.signals",
        "deliveryAttempt": 1,
        "message": {
            "data": base64.b64encode(b"\x00data").decode(),
            "attributes": {"traceparent": TRACEPARENT},
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": "2013-10-07T13:30:00.000Z",
            "publish_time": "2013-10-07T13:30:00.000Z",
            "orderingKey": "AAPL",
        },
    }


def test_every_subscription_gets_every_message(towns: Towns) -> None:
    """A message reaches each function that subscribes to its topic once, and none when nobody does."""
    town = towns()
    town.publish("works")
    town.publish("unheard")
    assert sorted(town.run(60)) == [("other", 1), ("slow", 1)]
    assert (town.bus.pending, town.queue.pending()) == (0, [])


@pytest.mark.parametrize(("status", "taken"), [(102, 1), (200, 1), (201, 1), (202, 1), (204, 1), (203, 0), (302, 0)])
def test_the_status_decides(towns: Towns, status: int, taken: int) -> None:
    """Exactly the statuses that Pub/Sub takes for an acknowledgement end a message."""
    town = towns(answer=lambda _function, _attempt: status)
    town.publish("signals")
    town.run(1)
    assert town.bus.pending == (status not in {102, 200, 201, 202, 204})


def test_retries_wait_longer_and_end_as_a_dead_letter(towns: Towns) -> None:
    """Refused deliveries come after 1, 2, 4 and 8 s, each with its number, and the fifth is the last."""
    town = towns(answer=lambda _function, _attempt: 500)
    town.publish("signals", b"poison")
    assert town.run(600) == [("buyer", attempt) for attempt in range(1, 6)]
    times = [at for at, _, _ in town.pushes]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    for gap, least in zip(gaps, (1, 2, 4, 8), strict=True):
        assert least <= gap <= min(10, 1.25 * least)
    (dead,) = town.bus.dead_letters()
    assert (dead.subscription, dead.message.data, dead.attempts) == ("buyer.signals", b"poison", 5)
    assert (town.bus.pending, town.kernel.idle) == (0, True)


def test_a_message_recovers(towns: Towns) -> None:
    """A message that is refused twice and then taken is delivered three times and is no dead letter."""
    town = towns(answer=lambda _function, attempt: 204 if attempt == 3 else 429)
    town.publish("signals")
    assert town.run(600) == [("buyer", 1), ("buyer", 2), ("buyer", 3)]
    assert town.bus.dead_letters() == []


def test_a_late_answer_does_not_count(towns: Towns) -> None:
    """When the deadline passes first the message comes again, and only an answer in time ends it."""
    town = towns()

    def answer(function: str, attempt: int) -> int:
        if function == "slow" and attempt == 1:
            town.kernel.sleep(45)
        return 204

    town.answer = answer
    town.publish("works")
    assert [one for one in town.run(44) if one[0] == "slow"] == [("slow", 1), ("slow", 2)]
    assert 31 <= max(at for at, _, _ in town.pushes) < 32.5
    assert len(town.run(600)) == 3
    assert town.bus.pending == 0


def test_the_functions_time_out_is_a_deadline_too(towns: Towns) -> None:
    """A function is cut off by its own time-out even where the subscription would wait longer."""
    town = towns()

    def answer(_function: str, attempt: int) -> int:
        if attempt == 1:
            town.kernel.sleep(100)
        return 204

    town.answer = answer
    town.publish("briefs")
    assert town.run(600) == [("brief", 1), ("brief", 2)]
    assert 70 <= town.pushes[1][0] < 73


def test_a_crash_is_a_refusal(towns: Towns) -> None:
    """When the function dies while it works, its message comes again."""
    town = towns()

    def answer(_function: str, attempt: int) -> int:
        if attempt == 1:
            town.kernel.sleep(20)
        return 204

    town.answer = answer
    town.publish("signals")
    town.kernel.spawn(lambda: town.kernel.crash("buyer") and None, at=START + timedelta(seconds=5), name="nemesis")
    assert town.run(600) == [("buyer", 1), ("buyer", 2)]
    assert 6 <= town.pushes[1][0] < 6.3
    assert town.bus.pending == 0


def test_a_crash_spares_what_is_on_its_way(towns: Towns) -> None:
    """A function that dies between two deliveries still gets the second one."""
    town = towns(answer=lambda _function, attempt: 204 if attempt == 2 else 500)
    town.publish("signals")
    town.kernel.spawn(lambda: town.kernel.crash("buyer") and None, at=START + timedelta(seconds=0.5), name="nemesis")
    assert town.run(60) == [("buyer", 1), ("buyer", 2)]


def test_duplicates_are_delivered_though_acknowledged(towns: Towns) -> None:
    """At a duplicate rate of one each message comes twice with one id, whatever was answered."""
    town = towns(duplicate_rate=1.0)
    ids = {town.publish("signals") for _ in range(20)}
    town.run(60)
    seen = [push["message"]["messageId"] for _, _, push in town.pushes]
    assert sorted(seen) == sorted([*ids, *ids])


def test_the_seed_decides_the_course(towns: Towns) -> None:
    """Equal seeds push at equal instants, and another seed at others."""

    def course(seed: int) -> list[tuple[float, str]]:
        town = towns(seed=seed, answer=lambda _function, attempt: 204 if attempt > 2 else 500)
        for _ in range(10):
            town.publish("signals")
            town.publish("works")
        town.run(100)
        return [(at, function) for at, function, _ in town.pushes]

    assert course(1) == course(1) != course(2)


def test_a_restart_delivers_what_was_not_acknowledged(towns: Towns, tmp_path: Path) -> None:
    """A second process delivers the first one's open messages, counts on, and never reuses an id."""
    first = towns(path=tmp_path / "state.db", answer=lambda _function, _attempt: 500)
    taken = first.publish("works", b"work", a="b")
    first.answer = lambda function, _attempt: 204 if function == "other" else 500
    first.run(3)
    attempts = max(attempt for _, attempt in first.run(3))
    first.queue.close()

    second = towns(path=tmp_path / "state.db", start=START + timedelta(hours=1))
    second.bus.resume()
    assert second.run(3700) == [("slow", attempts + 1)]
    message = second.pushes[0][2]["message"]
    assert (message["messageId"], message["attributes"]) == (taken, {"a": "b"})
    assert message["publishTime"] == "2013-10-07T13:30:00.000Z"
    assert int(second.publish("works")) > int(taken)


def test_a_message_that_killed_every_process_is_buried(towns: Towns, tmp_path: Path) -> None:
    """A delivery whose last attempt was under way when the process died is not tried again."""
    queue = SqliteQueue(tmp_path / "state.db")
    message = queue.add(
        topic="signals",
        data=b"",
        attributes={},
        ordering_key="",
        published_at=START,
        subscriptions=("buyer.signals",),
    )
    queue.attempted("buyer.signals", message.message_id, 5)
    queue.close()
    town = towns(path=tmp_path / "state.db")
    town.bus.resume()
    assert town.run(600) == []
    assert len(town.bus.dead_letters()) == 1


def test_what_cannot_be_published_is_told(towns: Towns) -> None:
    """A topic that does not exist is our own bug, and a disk that refuses is NotSent."""
    town = towns()
    with pytest.raises(InvariantBroken):
        town.publish("nowhere")
    town.queue.close()
    with pytest.raises(NotSent):
        town.publish("signals")
