"""The doors: from an HTTP request to a use case and back; the only place that catches everything.

What can go wrong: a body that is no message, a message from another version, a use case that fails for a moment or
for good, more work than there are places. What this promises: a message that cannot be handled is kept as a dead
letter with its reason and acknowledged, never retried for ever; one that may succeed later is refused, so that the bus
brings it again; nothing of an exception but its safe detail leaves (shared/README.md, Architecture).
"""

import base64
import binascii
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Request

from shared.codec import dumps, loads
from shared.domain.control.control import TradingState
from shared.domain.telling.messages import MAX_BYTES, Message
from shared.domain.telling.notices import MessageBuried
from shared.errors import Busy, Conflict, DeskError, Disposition, Malformed
from shared.ports import Clock, Create, Envelope, Severity
from shared.trace import follow, serving
from shared.usecases.base.desk import Desk
from shared.usecases.base.outbox import drain, unpack
from shared.usecases.base.retried import Retried
from shared.usecases.control.control import tighten
from shared.usecases.telling.notices import announce, post

Reply = tuple[str, int]
Handler = Callable[[Envelope, Any], object]
ACK: Reply = ("", 204)
AGAIN: Reply = ("", 503)
FULL: Reply = ("", 429)
NO_PUSH: Reply = ("", 405)
DRAIN_EVERY = timedelta(seconds=30)
# A push body holds the message as base64, and attributes beside it.
MAX_BODY = 2 * MAX_BYTES
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
TURN_LASTS = timedelta(seconds=30)
"""Longer than a healthy exit, of some 20 s at the most: the list, a cancel and 12 s until it is confirmed, preview,
place, and a second's turn for each; half of a push's 60 s, so that who waits behind a frozen one is served in time."""


class Drain:
    """Publishes what invocations left behind, when there may be something.

    That is when an instance is new, since the one before may have died; after an invocation that failed; and now and
    then, for other instances that died. Else the rows in the outbox are those that others are publishing right now.
    """

    def __init__(self) -> None:
        self._due_at = _LONG_AGO

    @contextmanager
    def before(self, desk: Desk) -> Iterator[None]:
        """Publish what is left before the work inside; work that fails makes it due again."""
        due, now = self._due_at, desk.clock.now()
        done = False
        try:
            if now >= due:
                self._due_at = now + DRAIN_EVERY
                drain(desk)
            yield
            done = True
        finally:
            if not done:
                self._due_at = _LONG_AGO


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDoor:
    """The door of a function that Pub/Sub pushes to; `halts` says whether its bugs may halt trading.

    With `tells` the notices that wait are published after the work, whatever became of it. What comes again for minutes
    is told, with its reason.
    """

    desk: Desk
    handlers: Mapping[type[Message], Handler]
    halts: bool = False
    left: Drain = field(default_factory=Drain)
    tells: bool = False
    retried: Retried = field(default_factory=Retried)

    def __call__(self, request: Request) -> Reply:
        """Handle one push: 204 acknowledges, 429 and 503 have it brought again; what is not a POST is no push."""
        if request.method != "POST":
            return NO_PUSH
        raw = request.stream.read(MAX_BODY + 1)  # no more than tells that it is too much
        with serving(request.headers):
            reply = self._serve(raw)
            if self.tells:
                post(self.desk)
            return reply

    def _serve(self, raw: bytes) -> Reply:
        opened: tuple[Envelope, Message] | None = None
        try:
            envelope, data = open_push(raw)
            follow(envelope.attributes, message_id=envelope.message_id)
            message = unpack(data)
            handler = self.handlers.get(type(message))
            if handler is None:
                raise Malformed(f"{self.desk.actor} does not take {type(message).__name__}")
            opened = envelope, message
            with self.left.before(self.desk):
                handler(envelope, message)
        except DeskError as problem:
            reply, why = self._reply(problem, raw), f"{type(problem).__name__}: {problem.detail}"
        except Exception as problem:  # noqa: BLE001 - whatever escapes a use case must not lose the message
            reply, why = AGAIN, type(problem).__name__
            self.desk.journal.line("crash", Severity.CRITICAL, kind=why)
        else:
            self.retried.handled(message)
            return ACK
        if opened is not None and reply in (AGAIN, FULL):
            self._comes_again(*opened, why)
        return reply

    def _comes_again(self, envelope: Envelope, message: Message, why: str) -> None:
        """Promise to tell of a message that has come again for minutes; a store that fails changes no reply."""
        notice = self.retried.failed(self.desk, envelope, message, why)
        if notice is None:
            return
        self.desk.journal.line("retried", Severity.WARNING, message=notice.message, since=notice.since.isoformat())
        with suppress(DeskError):
            self.desk.store.commit([announce(self.desk, notice)])

    def _reply(self, problem: DeskError, raw: bytes) -> Reply:
        what = type(problem).__name__
        match problem.disposition:
            case Disposition.ACK:
                self.desk.journal.line("gave_up", Severity.WARNING, kind=what, detail=problem.detail)
                return ACK
            case Disposition.RETRY:
                if not isinstance(problem, Busy | Conflict):
                    self.desk.journal.line("again", Severity.WARNING, kind=what, detail=problem.detail)
                return FULL if isinstance(problem, Busy) else AGAIN
            case Disposition.FAIL_START:  # a secret or an account that is not there yet: the owner can put it right
                self.desk.journal.line("cannot_work", Severity.ERROR, kind=what, detail=problem.detail)
                return AGAIN
            case Disposition.HALT:
                self.desk.journal.line("invariant_broken", Severity.CRITICAL, kind=what, detail=problem.detail)
                return bury(self.desk, problem, raw) if not self.halts or self._halt(problem) else AGAIN
            case _:
                return bury(self.desk, problem, raw)

    def _halt(self, problem: DeskError) -> bool:
        """Halt trading; false when that could not be written, so that the message has to come again."""
        try:
            tighten(self.desk, TradingState.HALTED, reason=problem.detail)
        except DeskError as trouble:
            self.desk.journal.line("not_halted", Severity.CRITICAL, kind=type(trouble).__name__, detail=trouble.detail)
            return False
        return True


def bury(desk: Desk, problem: DeskError, raw: bytes) -> Reply:
    """Keep a message that no retry can help, with its reason, once however often it comes, and acknowledge it."""
    name = hashlib.sha256(_identity(raw)).hexdigest()[:32]
    letter = {
        "function": desk.actor, "at": desk.clock.now().isoformat(), "reason": type(problem).__name__,
        "detail": problem.detail[:500], "body": raw[:MAX_BODY].decode("utf-8", "replace"),
    }  # fmt: skip
    notice = MessageBuried(function=desk.actor, reason=type(problem).__name__, letter=name, at=desk.clock.now())
    try:
        desk.store.commit([Create(f"dead_letters/{desk.actor}:{name}", letter), announce(desk, notice)])
    except Conflict:
        return ACK
    except DeskError:
        return AGAIN
    desk.journal.line("dead_letter", Severity.ERROR, kind=type(problem).__name__, detail=problem.detail[:500])
    return ACK


def _identity(raw: bytes) -> bytes:
    """Give what is the same in every delivery of a message: its push body without the count of deliveries."""
    try:
        body = loads(raw) if len(raw) <= MAX_BODY else None
    except Malformed:
        body = None
    return dumps(body["message"]) if isinstance(body, dict) and "message" in body else raw


def open_push(raw: bytes) -> tuple[Envelope, bytes]:
    """Read Pub/Sub's push body (google-cloud.md 1): what the bus says, and the message's bytes; raises Malformed."""
    if len(raw) > MAX_BODY:
        raise Malformed(f"{len(raw)} bytes are more than the {MAX_BODY} that a push may have")
    body = loads(raw)
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        raise Malformed("a push body has a message")
    try:
        data = base64.b64decode(message.get("data", ""), validate=True)
        published = datetime.fromisoformat(str(message["publishTime"]))
        if published.tzinfo is None:
            raise Malformed("a publish time without a time zone")
        attributes = {str(name): str(text) for name, text in (message.get("attributes") or {}).items()}
        envelope = Envelope(
            message_id=str(message["messageId"]), published_at=published.astimezone(UTC), attributes=attributes,
            subscription=str(body.get("subscription", "")), attempt=int(body.get("deliveryAttempt") or 1),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, binascii.Error) as problem:
        raise Malformed(f"not a push body: {type(problem).__name__}") from None
    return envelope, data


class Turnstile:
    """Lets one intent through at a time, exits before signals, and refuses signals beyond half the places.

    A turn lasts `lasts` at most: one that freezes inside loses it, and the next goes in beside it, so that exits
    do not wait behind one bad call until their messages are spent. Then two may work at once. Waits only through the
    Clock; correctness never rests on it (google-cloud.md 9.2).
    """

    def __init__(self, clock: Clock, *, places: int, lasts: timedelta = TURN_LASTS) -> None:
        self._clock = clock
        self._lasts = lasts
        self._most_signals = places // 2
        self._here: list[tuple[int, int]] = []
        self._waiting: list[tuple[int, int]] = []
        self._inside: tuple[int, int] | None = None
        self._since = _LONG_AGO
        self._issued = 0
        self._book = threading.Lock()

    @contextmanager
    def turn(self, *, is_exit: bool) -> Iterator[int]:
        """Wait for a turn and give how many intents were ahead; raises Busy when there is no place for a signal."""
        rank = 0 if is_exit else 1
        with self._book:
            if not is_exit and sum(1 for here, _ in self._here if here) >= self._most_signals:
                raise Busy("every place for signals is taken")
            self._issued += 1
            ticket = (rank, self._issued)
            ahead = len(self._here)
            self._here.append(ticket)
            self._waiting.append(ticket)
        try:
            while not self._enters(ticket):
                self._clock.sleep_until(self._clock.now() + timedelta(milliseconds=50))
            yield ahead
        finally:
            with self._book:
                self._here.remove(ticket)
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                if self._inside == ticket:
                    self._inside = None

    def _enters(self, ticket: tuple[int, int]) -> bool:
        """Take the turn when it is this one's, and free or held for too long."""
        now = self._clock.now()
        with self._book:
            held = self._inside is not None and now - self._since < self._lasts
            if held or min(self._waiting) != ticket:
                return False
            self._waiting.remove(ticket)
            self._inside, self._since = ticket, now
            return True
