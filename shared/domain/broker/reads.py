"""Since when an answer of the broker cannot be read, by whom and why, and which of it counts at an instant.

What can go wrong: functions and instances ask at different times, and one that failed may never ask again. So a note
that was not renewed for a while says nothing any more; settlement asks for everything once a minute, and its notes
stay fresh as long as they are true. A note that ended before a later one began belongs to an earlier blindness.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.frozen import frozen

FRESH = timedelta(minutes=2, seconds=30)
"""Longer than from one minute's look to the next, a lost one between them."""
LONGEST_WHY = 200


class Answer(StrEnum):
    """The kinds of answers of the broker that a decision of settlement or placement rests on."""

    ACCOUNTS = "accounts"
    BALANCE = "balance"
    PORTFOLIO = "portfolio"
    ORDERS = "orders"
    ORDER = "order"


@frozen
class Unread:
    """One function has not been able to read a kind of answer `since` an instant, `last_at` its last try.

    `times` counts the tries; `why` is our own safe detail: status, code or field.
    """

    actor: str
    what: Answer
    since: datetime
    last_at: datetime
    times: int
    why: str
    schema_version: int = 1


def again(before: Unread | None, failed: Unread) -> Unread:
    """Give the note after one more failure: one that is out of date begins anew."""
    if before is None or failed.since - before.last_at > FRESH:
        return failed
    return replace(failed, since=min(before.since, failed.since), times=before.times + failed.times)


def lasting(notes: Sequence[Unread], *, now: datetime) -> list[Unread]:
    """Give one note for each kind of answer that cannot be read now: the freshest, since the first of its blindness.

    A note from before it counts as its beginning when it was fresh while the next one began.
    """
    found = []
    for what in Answer:
        of_kind = sorted((note for note in notes if note.what is what), key=lambda note: note.last_at, reverse=True)
        if not of_kind or now - of_kind[0].last_at > FRESH:
            continue
        since = of_kind[0].since
        for note in of_kind[1:]:
            if since - note.last_at <= FRESH:
                since = min(since, note.since)
        found.append(replace(of_kind[0], since=since))
    return found
