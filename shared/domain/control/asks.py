"""What the owner asks of settlement by command: a document that the owner writes and settlement answers."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from shared.frozen import frozen


class AskKind(StrEnum):
    """What can be asked for."""

    CANCEL = "cancel"
    RESOLVE = "resolve"
    RECONCILE = "reconcile"


@frozen
class Ask:
    """One wish of the owner's, `waiting` until settlement has answered it; `done` says that it was fulfilled.

    `intent_id` is the order of a cancel or a resolve. `broker_order_id` is the broker's number that the owner says it
    has, None where the owner says that none of them is it. `confirmed` lets a reconcile book what is missing.
    `progress` is what settlement waits for, `answer` a sentence, `lines` what there is to list with it; `shares` are
    those that a reconcile would book, or has booked.
    """

    ask_id: str
    kind: AskKind
    at: datetime
    intent_id: str | None = None
    broker_order_id: int | None = None
    confirmed: bool = False
    waiting: bool = True
    progress: str = ""
    done: bool = False
    answer: str = ""
    lines: tuple[str, ...] = ()
    shares: int = 0
    answered_at: datetime | None = None
    schema_version: int = 1


@frozen
class Verdict:
    """What settlement says to an ask: `done` is false where it refuses."""

    done: bool
    text: str
    lines: tuple[str, ...] = ()
    shares: int = 0


def answered(ask: Ask, verdict: Verdict, at: datetime) -> Ask:
    """Give an ask with its answer."""
    return replace(
        ask, waiting=False, progress="", done=verdict.done, answer=verdict.text, lines=verdict.lines,
        shares=verdict.shares, answered_at=at,
    )  # fmt: skip
