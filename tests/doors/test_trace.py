"""One trace from what began it to its end: read from requests and messages, given on with everything published."""

import pytest

from shared.domain.telling.messages import ExitPosition, PrepareTick
from shared.door import PushDoor
from shared.guard import Guard, GuardedBus
from shared.ports import Envelope
from shared.topology import TOPOLOGY
from shared.trace import from_headers, serving, trace_id, traceparent
from shared.usecases.base.outbox import pack
from tests.doors.fakes import NOW, Hands, ListBus, push, request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
OTHER = f"00-{'a' * 32}-{'b' * 16}-01"


def _served(attributes: dict[str, str], headers: dict[str, str], message_id: str = "1") -> str:
    """Push one message and give the traceparent under which its handler works."""
    seen: list[str] = []

    def handler(_envelope: Envelope, _message: object) -> None:
        seen.append(traceparent())

    door = PushDoor(desk=Hands().desk(), handlers={PrepareTick: handler})
    body = push(pack(PrepareTick(reason="schedule")), attributes=attributes, messageId=message_id)
    assert door(request(body, headers=headers)) == ("", 204)
    assert traceparent() == ""
    return seen[0]


def test_the_messages_own_trace_counts_first() -> None:
    """A handler works in the trace of its message, whatever trace the request for its push began."""
    assert _served({"traceparent": PARENT}, {"traceparent": OTHER}) == PARENT
    assert _served({}, {"traceparent": OTHER}) == OTHER
    assert _served({"traceparent": "nonsense"}, {"traceparent": OTHER}) == OTHER


def test_a_message_without_a_trace_begins_one() -> None:
    """Where nothing names a trace, all deliveries of one message get the same new one, and others another."""
    first, again, other = _served({}, {}), _served({}, {}), _served({}, {}, "2")
    assert first == again != other
    assert from_headers({"traceparent": first}) == first


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT},
        {"X-Cloud-Trace-Context": f"{TRACE}/123;o=1"},
        {"X-Cloud-Trace-Context": f"{TRACE}/0"},
        {"X-Cloud-Trace-Context": TRACE},
    ],
)
def test_a_request_names_its_trace(headers: dict[str, str]) -> None:
    """Both of Google's headers name the trace of a request, for as long as it is served, in W3C's form."""
    with serving(headers):
        assert trace_id() == TRACE
        assert from_headers({"traceparent": traceparent()}) == traceparent()
    assert trace_id() == ""


@pytest.mark.parametrize(
    ("parent", "google"),
    [
        ("", ""),
        ("00-xyz-1-01", ""),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        (f"{PARENT}\n", ""),
        ("", "projects/x"),
        ("", f"{TRACE}\n"),
        ("", "0" * 32),
        (f"{PARENT}-more", f"{TRACE}/a"),
    ],
)
def test_a_malformed_trace_is_none(parent: str, google: str) -> None:
    """Headers that are no trace give none, whoever sent them."""
    assert from_headers({"traceparent": parent, "X-Cloud-Trace-Context": google}) == ""


def test_what_is_published_carries_the_trace() -> None:
    """The guard gives the present trace to each message, over any that it had, and nothing outside a request."""
    hands, bus = Hands(), ListBus()
    guarded = GuardedBus(bus, Guard(TOPOLOGY.function("market_scan"), hands.journal))
    message = pack(ExitPosition(symbol="AIG", position_id="P1", exit_id="E1", session=NOW.date()))
    with serving({"traceparent": PARENT}):
        guarded.publish("exits", message, attributes={"row": "outbox/1", "traceparent": OTHER})
    guarded.publish("exits", message, attributes={"row": "outbox/2"})
    assert [sent.attributes for sent in bus.sent] == [{"row": "outbox/1", "traceparent": PARENT}, {"row": "outbox/2"}]
