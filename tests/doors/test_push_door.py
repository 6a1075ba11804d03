"""The push door: what it answers to every kind of body and of error, and what it leaves behind."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import errors
from shared.domain.control.control import TradingState
from shared.domain.telling.messages import (
    KINDS,
    MAX_BYTES,
    SCHEMA_VERSION,
    ExitPosition,
    Message,
    PrepareTick,
    ScanTick,
)
from shared.door import MAX_BODY, PushDoor
from shared.errors import DeskError, Disposition
from shared.etrade import faults
from shared.ports import Envelope, Put
from shared.usecases.base.outbox import pack, promise
from shared.usecases.control import control
from tests.doors.fakes import NOW, Hands, push, request

_EXIT = ExitPosition(symbol="AIG", position_id="P1", exit_id="E1", session=NOW.date())


@dataclass(slots=True)
class Seen:
    """A handler that remembers what it was given, and raises what it was told to."""

    trouble: BaseException | None = None
    calls: list[tuple[Envelope, Message]] = field(default_factory=list)

    def __call__(self, envelope: Envelope, message: Any) -> None:
        self.calls.append((envelope, message))
        if self.trouble is not None:
            raise self.trouble


def _door(hands: Hands, seen: Seen, *, halts: bool = True) -> PushDoor:
    return PushDoor(desk=hands.desk(), handlers={PrepareTick: seen, ExitPosition: seen}, halts=halts)


def _message(**changes: object) -> bytes:
    plain = {"kind": "prepare_tick", "schema_version": SCHEMA_VERSION, "body": {"reason": "schedule"}, **changes}
    return json.dumps(plain).encode()


def test_a_good_push_reaches_its_handler_with_what_the_bus_said() -> None:
    """A whole push is handled once, with its envelope in UTC, and acknowledged with 204."""
    hands, seen = Hands(), Seen()
    body = push(pack(PrepareTick(reason="schedule")), messageId="77", attributes={"row": "outbox/x"})
    assert _door(hands, seen)(request(body)) == ("", 204)
    ((envelope, message),) = seen.calls
    assert message == PrepareTick(reason="schedule")
    assert (envelope.message_id, envelope.attempt, envelope.attributes) == ("77", 1, {"row": "outbox/x"})
    assert envelope.published_at == NOW
    assert envelope.published_at.tzinfo is UTC
    assert hands.letters() == []


_BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "no message": b"{}",
    "a message that is text": b'{"message": "x"}',
    "no id": json.dumps({"message": {"data": "", "publishTime": "2013-10-07T14:00:00Z"}}).encode(),
    "no time": json.dumps({"message": {"data": "", "messageId": "1"}}).encode(),
    "no time zone": push(_message(), publishTime="2013-10-07T14:00:00"),
    "a time that is none": push(_message(), publishTime="yesterday"),
    "a time before the calendar": push(_message(), publishTime="0001-01-01T00:00:00+14:00"),
    "data that is no text": push(b"", data=7),
    "data that is no base64": push(b"", data="%%%%"),
    "data beyond ASCII": push(b"", data="ä"),
    "attributes that are a list": push(_message(), attributes=["a"]),
    "an attempt that is no number": json.dumps({**json.loads(push(_message())), "deliveryAttempt": "soon"}).encode(),
    "nested without end": b'{"message":' + b"[" * 20_000,
    "a message that is no JSON": push(b"hello"),
    "a message that is a number": push(b"7"),
    "a message without a version": push(json.dumps({"kind": "prepare_tick", "body": {}}).encode()),
    "a message with more": push(_message(more=1)),
    "a kind that is a list": push(_message(kind=["prepare_tick"])),
    "an unknown kind": push(_message(kind="sell_everything")),
    "an older version": push(_message(schema_version=0)),
    "a newer version": push(_message(schema_version=2)),
    "a version that is a fraction": push(_message(schema_version=1.0)),
    "a version that is a truth": push(_message(schema_version=True)),
    "a body that is a list": push(_message(body=[])),
    "a body without a field": push(_message(body={})),
    "a body with more": push(_message(body={"reason": "schedule", "quantity": 7})),
    "a field of another type": push(_message(body={"reason": 7})),
    "a kind of another function": push(pack(ScanTick())),
    "a message above the limit": push(_message(body={"reason": "x" * MAX_BYTES})),
    "a push above the limit": push(_message(), orderingKey="x" * MAX_BODY),
}


@pytest.mark.parametrize("name", _BAD)
def test_what_no_retry_can_help_becomes_a_dead_letter(name: str) -> None:
    """A bad body is kept with its reason and acknowledged, its handler never runs, and twice is kept once."""
    hands, seen = Hands(), Seen()
    door = _door(hands, seen)
    assert [door(request(_BAD[name])) for _ in range(2)] == [("", 204)] * 2
    (letter,) = hands.letters()
    assert letter["reason"] in {"Malformed", "UnknownVersion"}
    assert letter["function"] == "order_placement"
    assert letter["detail"]
    assert len(letter["detail"]) <= 500
    assert letter["body"] == _BAD[name][:MAX_BODY].decode()
    assert seen.calls == []
    assert hands.bus.sent == []
    assert {row.path.partition("/")[0] for rows in hands.store.commits for row in rows} == {"dead_letters", "outbox"}


def test_a_bad_message_is_kept_once_however_often_it_comes() -> None:
    """Deliveries of one bad message leave one letter, though they differ in their count; another leaves its own."""
    hands = Hands()
    door = _door(hands, Seen())
    for message_id, attempt in (("1", 1), ("1", 2), ("2", 1)):
        body = json.loads(push(b"hello", messageId=message_id))
        assert door(request(json.dumps({**body, "deliveryAttempt": attempt}).encode())) == ("", 204)
    assert len(hands.letters()) == 2


def test_kinds_and_versions_are_told_apart_from_nonsense() -> None:
    """An unknown kind or version is an UnknownVersion in the letter, other nonsense a Malformed."""
    for name in ("an unknown kind", "a newer version", "an older version"):
        hands = Hands()
        _door(hands, Seen())(request(_BAD[name]))
        assert hands.letters()[0]["reason"] == "UnknownVersion"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_a_post_is_a_push(method: str) -> None:
    """Any method but POST is answered 405, without a dead letter and without a look at the outbox."""
    hands, seen = Hands(), Seen()
    hands.store.mood, hands.store.at = errors.StoreDown("down"), frozenset({"outbox", "dead_letters"})
    assert _door(hands, seen)(request(push(_message()), method=method)) == ("", 405)
    assert seen.calls == []


# Every error of the tree, how it is made where it takes more than its detail, the reply, and whether a letter stays.
_REPLIES: dict[type[DeskError], tuple[int, bool]] = {
    errors.ConfigError: (503, False),
    errors.Unseen: (503, False),
    errors.Asleep: (503, False),
    errors.AnotherVenue: (503, False),
    errors.MessageError: (204, True),
    errors.Malformed: (204, True),
    errors.UnknownVersion: (204, True),
    errors.AuthError: (204, False),
    errors.TokenIdle: (204, False),
    errors.TokenDead: (204, False),
    errors.KeyRefused: (204, True),
    errors.BrokerError: (503, False),
    errors.NotSent: (503, False),
    errors.Throttled: (503, False),
    errors.Refused: (204, False),
    errors.OutcomeUnknown: (204, False),
    errors.Unreadable: (503, False),
    faults.Unavailable: (503, False),
    faults.ServerFailure: (503, False),
    errors.SourceError: (503, False),
    errors.SourceDown: (503, False),
    errors.SourceRefused: (503, False),
    errors.SourceKeyRefused: (503, False),
    errors.StoreError: (503, False),
    errors.Conflict: (503, False),
    errors.StoreDown: (503, False),
    errors.NotKept: (204, False),
    errors.Busy: (429, False),
    errors.Undelivered: (503, False),
    errors.InvariantBroken: (204, True),
    errors.PermissionDenied: (204, True),
}
_HALTING = {errors.KeyRefused, errors.InvariantBroken, errors.PermissionDenied}


def _tree(root: type[DeskError]) -> Iterator[type[DeskError]]:
    for kind in root.__subclasses__():
        if kind.__module__.startswith("shared."):
            yield kind
        yield from _tree(kind)


def _make(kind: type[DeskError]) -> DeskError:
    if issubclass(kind, errors.ConfigError):
        return kind(("the detail",))
    return kind("the detail")


def test_every_error_has_a_row() -> None:
    """No error of ours is missing in the table of replies, and every disposition occurs in the tree."""
    kinds = set(_tree(DeskError))
    for kind in kinds:
        assert kind in _REPLIES, f"{kind.__name__} has no row: what shall a door answer to it?"
    assert {kind.disposition for kind in kinds} == set(Disposition)


@pytest.mark.parametrize("halts", [True, False])
@pytest.mark.parametrize("kind", _REPLIES, ids=lambda kind: kind.__name__)
def test_every_error_has_its_reply(kind: type[DeskError], halts: bool) -> None:
    """A handler's error gives exactly the status of its row, a letter where the row says so, and only bugs halt."""
    hands = Hands()
    body = push(pack(_EXIT))
    status, kept = _REPLIES[kind]
    assert _door(hands, Seen(_make(kind)), halts=halts)(request(body)) == ("", status)
    assert [letter["reason"] for letter in hands.letters()] == [kind.__name__] * kept
    held = control.current(hands.desk()).value
    if kind in _HALTING and halts:
        assert (held.state, held.reason, held.by) == (TradingState.HALTED, "the detail", "order_placement")
        assert "trading_state" in hands.journal.events
    else:
        assert held.state is TradingState.ACTIVE
    assert ("invariant_broken" in hands.journal.events) == (kind in _HALTING)


@pytest.mark.parametrize("trouble", [KeyError("x"), ZeroDivisionError(), RecursionError(), MemoryError()])
def test_a_crash_is_brought_again(trouble: Exception) -> None:
    """Whatever else escapes a handler is refused with 503 and journalled by its kind only."""
    hands = Hands()
    assert _door(hands, Seen(trouble))(request(push(pack(_EXIT)))) == ("", 503)
    assert hands.journal.lines == [{"event": "crash", "severity": "CRITICAL", "kind": type(trouble).__name__}]
    assert hands.letters() == []


@pytest.mark.parametrize("mood", [errors.StoreDown("down"), errors.Conflict("raced"), errors.Malformed("unreadable")])
def test_a_halt_that_cannot_be_written_is_tried_again(mood: DeskError) -> None:
    """While the trading state cannot be written a broken invariant is brought again, until it halts."""
    hands = Hands()
    hands.store.mood, hands.store.at = mood, frozenset({"control"})
    door = _door(hands, Seen(errors.InvariantBroken("a bug")))
    assert door(request(push(pack(_EXIT)))) == ("", 503)
    hands.store.mood = None
    assert door(request(push(pack(_EXIT)))) == ("", 204)
    assert control.current(hands.desk()).value.state is TradingState.HALTED


def test_a_letter_that_cannot_be_kept_is_brought_again() -> None:
    """Without a store for its dead letter a bad message is refused with 503, not lost."""
    hands = Hands()
    hands.store.mood, hands.store.at = errors.StoreDown("down"), frozenset({"dead_letters"})
    assert _door(hands, Seen())(request(b"{")) == ("", 503)
    hands.store.mood = None
    assert _door(hands, Seen())(request(b"{")) == ("", 204)
    assert len(hands.letters()) == 1


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(["reason", "symbol", "position_id", "exit_id", "session", "signal", "extra"])
_DATA = st.one_of(
    st.binary(max_size=64),
    _PLAIN.map(lambda plain: json.dumps(plain).encode()),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from([*KINDS, "nothing", ""]) | _PLAIN,
            "schema_version": st.sampled_from([1, 1, 1, 0, 2]) | _PLAIN,
            "body": st.dictionaries(_NAMES, _PLAIN | st.just("2013-10-07"), max_size=5) | _PLAIN,
        }
    ).map(lambda plain: json.dumps(plain).encode()),
)
_TIMES = st.datetimes().map(lambda at: f"{at.isoformat()}Z")
_BODIES = st.one_of(
    st.binary(max_size=64),
    _PLAIN.map(lambda plain: json.dumps(plain).encode()),
    st.builds(
        lambda data, more, raw: push(data, **more, **({} if raw is None else {"data": raw})),
        _DATA,
        st.fixed_dictionaries(
            {},
            optional={
                "messageId": _PLAIN, "publishTime": _TIMES | _PLAIN, "attributes": _PLAIN, "orderingKey": _PLAIN,
                "message_id": _PLAIN,
            },
        ),
        st.none() | st.binary(max_size=30).map(lambda raw: base64.b64encode(raw).decode()) | _PLAIN,
    ),
    st.builds(lambda attempt, sub: json.dumps({**json.loads(push(_message())), "deliveryAttempt": attempt,
                                               "subscription": sub}).encode(), _PLAIN, _PLAIN),
)  # fmt: skip


@settings(max_examples=1_000)
@given(body=_BODIES)
def test_no_body_gets_through_as_an_error(body: bytes) -> None:
    """Whatever bytes arrive, the door answers 204, and either its handler has run or a dead letter tells why not."""
    hands, seen = Hands(), Seen()
    assert _door(hands, seen)(request(body)) == ("", 204)
    assert len(seen.calls) + len(hands.letters()) == 1


@settings(max_examples=300)
@given(body=_BODIES, kind=st.sampled_from(sorted(_REPLIES, key=lambda kind: kind.__name__)))
def test_a_failing_handler_is_the_only_reason_for_a_5xx(body: bytes, kind: type[DeskError]) -> None:
    """With a handler that raises, a 5xx or 429 is answered only when it ran and its error may be retried."""
    hands, seen = Hands(), Seen(_make(kind))
    _, status = _door(hands, seen)(request(body))
    assert status == (_REPLIES[kind][0] if seen.calls else 204)


def test_a_row_that_cannot_be_read_does_not_stop_the_function() -> None:
    """An outbox row of another version is reported and left where it is; the message behind it is handled."""
    hands, seen = Hands(), Seen()
    good = promise(hands.desk(), name="good", topic="signals", key="AIG", message=_EXIT)
    bad = Put("outbox/order_placement:bad", {"owner": "order_placement", "topic": "signals", "version": 2})
    hands.store.commit([bad, good])
    assert _door(hands, seen)(request(push(pack(_EXIT)))) == ("", 204)
    assert len(seen.calls) == 1
    assert [row.path for row in hands.store.query("outbox")] == ["outbox/order_placement:bad"]
    assert [sent.topic for sent in hands.bus.sent] == ["signals"]
    assert "outbox_row_unreadable" in hands.journal.events
    assert hands.letters() == []


_CANARY = "CANARY-7f3a9c51-secret"


@pytest.mark.parametrize("kind", [errors.Malformed, errors.InvariantBroken, errors.KeyRefused, errors.Refused])
def test_nothing_but_the_safe_detail_leaves(kind: type[DeskError]) -> None:
    """What hangs on an exception besides its detail is neither in the letter, the reply nor the journal."""
    hands = Hands()

    def handler(_envelope: Envelope, _message: object) -> None:
        try:
            raise ValueError(_CANARY)
        except ValueError as inner:
            problem = _make(kind)
            problem.add_note(_CANARY)
            raise problem from inner

    door = PushDoor(desk=hands.desk(), handlers={ExitPosition: handler}, halts=True)
    reply = door(request(push(pack(_EXIT)), headers={"Authorization": f"Bearer {_CANARY}"}))
    assert _CANARY not in repr((reply, hands.letters(), hands.journal.lines))
    crash = PushDoor(desk=hands.desk(), handlers={ExitPosition: Seen(ValueError(_CANARY))})
    reply = crash(request(push(pack(_EXIT)), headers={"Authorization": f"Bearer {_CANARY}"}))
    assert _CANARY not in repr((reply, hands.letters(), hands.journal.lines))
