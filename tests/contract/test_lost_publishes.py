"""Publishing on Pub/Sub when the topic is away, the answer is lost."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from infra.one_machine.emulators import PUBSUB_VARIABLE, Emulators
from shared.errors import InvariantBroken, NotSent, StoreDown
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.pubsub_bus import PubsubBus
from tests.contract.clouds import new_project
from tests.contract.lossy import Fault, Lossy, lossy_before

LOST = Fault(arrives=False)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def project(emulators: Emulators) -> str:
    """Give a project with a topic and an ordered subscription."""
    project = new_project()
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        topic, name = publisher.topic_path(project, "signals"), subscriber.subscription_path(project, "all")
        publisher.create_topic(name=topic)
        subscriber.create_subscription(request={"name": name, "topic": topic, "enable_message_ordering": True})
    return project


@pytest.fixture
def lossy(emulators: Emulators) -> Iterator[Lossy]:
    """Give the server that loses what it is told to lose."""
    with lossy_before(emulators.pubsub) as lossy:
        yield lossy


@pytest.fixture
def bus(lossy: Lossy, project: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PubsubBus]:
    """Give a bus whose calls pass through the lossy server."""
    with monkeypatch.context() as patch:
        patch.setenv(PUBSUB_VARIABLE, lossy.address)
        bus = PubsubBus(project=project, clock=SystemClock(), chance=SystemChance())
        bus.publish("signals", b"warm", attributes={})
    yield bus
    bus.close()


def _received(project: str, count: int) -> list[Any]:
    """Take messages until there are so many, after the first one."""
    found: list[Any] = []
    with SubscriberClient() as subscriber:
        name = subscriber.subscription_path(project, "all")
        while len(found) <= count:
            taken = subscriber.pull(request={"subscription": name, "max_messages": 10}, timeout=10).received_messages
            subscriber.acknowledge(request={"subscription": name, "ack_ids": [one.ack_id for one in taken]})
            found += [one.message for one in taken]
    return [message for message in found if message.data != b"warm"]


def test_a_message_carries_key_and_attributes(bus: PubsubBus, project: str) -> None:
    """A message carries its ordering key and its attributes."""
    bus.publish("signals", b"x", attributes={"row": "outbox/1", "traceparent": TRACEPARENT}, ordering_key="AAPL")
    (message,) = _received(project, 1)
    assert (message.data, message.ordering_key) == (b"x", "AAPL")
    assert dict(message.attributes) == {"row": "outbox/1", "traceparent": TRACEPARENT}


def test_a_lost_answer_is_asked_for_again(bus: PubsubBus, project: str, lossy: Lossy) -> None:
    """A publish whose answer is lost is repeated, so the message comes twice, in order, under its key."""
    lossy.plan("Publish", Fault(arrives=True))
    bus.publish("signals", b"1", attributes={}, ordering_key="AAPL")
    bus.publish("signals", b"2", attributes={}, ordering_key="AAPL")
    assert [message.data for message in _received(project, 3)] == [b"1", b"1", b"2"]


def test_an_open_publish_is_store_down_and_holds_nothing_up(bus: PubsubBus, project: str, lossy: Lossy) -> None:
    """After three lost calls nobody knows, and the next message under the same key goes out all the same."""
    lossy.plan("Publish", LOST, LOST, LOST)
    with pytest.raises(StoreDown):
        bus.publish("signals", b"1", attributes={}, ordering_key="AAPL")
    bus.publish("signals", b"2", attributes={}, ordering_key="AAPL")
    assert [message.data for message in _received(project, 1)] == [b"2"]
    assert lossy.count("Publish") == 5


def test_what_surely_was_not_taken_is_not_sent(bus: PubsubBus, lossy: Lossy) -> None:
    """A topic that is not there and a refusal of rights are NotSent, at once."""
    with pytest.raises(NotSent):
        bus.publish("nowhere", b"x", attributes={})
    lossy.plan("Publish", Fault(arrives=False, status=grpc.StatusCode.PERMISSION_DENIED))
    with pytest.raises(NotSent):
        bus.publish("signals", b"x", attributes={})
    assert lossy.count("Publish") == 3


def test_a_message_that_no_bus_takes_is_our_bug(bus: PubsubBus) -> None:
    """A message without data and attributes is refused by Pub/Sub and is our own mistake."""
    with pytest.raises(InvariantBroken):
        bus.publish("signals", b"", attributes={})
