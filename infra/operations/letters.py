"""The messages that nobody handled, as their owner may read them: put aside by a function, or given up by the bus.

A function puts aside what it cannot handle (shared.door), in the desk's documents. The bus gives up what was not
acknowledged in all its attempts: this machine's keeps it in the state file, Pub/Sub in its subscription `dead-letters`.

What can go wrong: a letter is damaged, or its message holds what is nobody's business. What this promises: every letter
is listed, whatever can be read of it, and never the message itself: a reminder holds the signed part of a link.
"""

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from infra.one_machine.queue import QueuedDelivery
from shared.codec import loads
from shared.errors import Malformed
from shared.frozen import frozen
from shared.ports import Store

COLLECTION = "dead_letters"
GIVEN_UP = "GivenUp"


@frozen
class Letter:
    """One message that was not handled: when, by which function, why; `message` is its kind, empty when unreadable.

    `name` is the document's, behind `dead_letters/`, or the subscription and the number of what the bus gave up, whose
    `reason` is `GIVEN_UP` and whose `at` is when it was published; `at` is None where a letter does not tell.
    """

    name: str
    at: datetime | None
    function: str
    message: str
    reason: str
    detail: str


def letters(store: Store, given_up: Iterable[QueuedDelivery] = ()) -> list[Letter]:
    """List what was put aside and what was given up, the oldest first; raises StoreDown."""
    found = [_letter(row.path.partition("/")[2], row.data) for row in store.query(COLLECTION)]
    found += [_given_up(one) for one in given_up]
    return sorted(found, key=lambda one: (one.at or datetime.max.replace(tzinfo=UTC), one.name))


def since(found: list[Letter]) -> datetime | None:
    """Give when the oldest was put aside, None when there is none that tells."""
    return found[0].at if found else None


def _letter(name: str, data: Mapping[str, Any]) -> Letter:
    text = {one: str(data.get(one, "")) for one in ("function", "reason", "detail")}
    return Letter(name=name, at=_instant(data.get("at")), message=_kind(data.get("body")), **text)


def _given_up(one: QueuedDelivery) -> Letter:
    function, _, topic = one.subscription.partition(".")
    detail = f"not acknowledged in {one.attempts} attempts, published then to {topic}"
    return Letter(
        name=f"{one.subscription}:{one.message.message_id}", at=one.message.published_at.astimezone(UTC),
        function=function, message=_kind_of(one.message.data), reason=GIVEN_UP, detail=detail,
    )  # fmt: skip


def _instant(plain: object) -> datetime | None:
    with suppress(ValueError):
        at = datetime.fromisoformat(str(plain))
        return at.astimezone(UTC) if at.tzinfo is not None else None
    return None


def _kind(body: object) -> str:
    """Read the kind of the message in a push body; nothing else of it leaves."""
    with suppress(Malformed, ValueError, TypeError, KeyError, AttributeError):
        return _kind_of(base64.b64decode(loads(str(body))["message"]["data"], validate=True))
    return ""


def _kind_of(data: bytes) -> str:
    with suppress(Malformed, ValueError, TypeError, KeyError, AttributeError):
        return str(loads(data)["kind"])[:60]
    return ""
