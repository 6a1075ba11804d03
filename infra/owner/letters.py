"""The messages that a function could not handle and put aside (shared.door), as their owner may read them.

What can go wrong: a letter is damaged, or its message holds what is nobody's business. What this promises: every letter
is listed, whatever can be read of it, and never the message itself: a reminder holds the link of a sign-in.
"""

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.codec import loads
from shared.errors import Malformed
from shared.ports import Store

COLLECTION = "dead_letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message that was put aside: when, by which function, why; `message` is its kind, empty when unreadable.

    `name` is the document's, behind `dead_letters/`; `at` is None where the letter does not tell.
    """

    name: str
    at: datetime | None
    function: str
    message: str
    reason: str
    detail: str


def letters(store: Store) -> list[Letter]:
    """List them, the oldest first; raises StoreDown."""
    found = [_letter(row.path.partition("/")[2], row.data) for row in store.query(COLLECTION)]
    return sorted(found, key=lambda one: (one.at or datetime.max.replace(tzinfo=UTC), one.name))


def since(found: list[Letter]) -> datetime | None:
    """Give when the oldest was put aside, None when there is none that tells."""
    return found[0].at if found else None


def _letter(name: str, data: Mapping[str, Any]) -> Letter:
    text = {one: str(data.get(one, "")) for one in ("function", "reason", "detail")}
    return Letter(name=name, at=_instant(data.get("at")), message=_kind(data.get("body")), **text)


def _instant(plain: object) -> datetime | None:
    with suppress(ValueError):
        at = datetime.fromisoformat(str(plain))
        return at.astimezone(UTC) if at.tzinfo is not None else None
    return None


def _kind(body: object) -> str:
    """Read the kind of the message in a push body; nothing else of it leaves."""
    with suppress(Malformed, ValueError, TypeError, KeyError, AttributeError):
        plain = loads(base64.b64decode(loads(str(body))["message"]["data"], validate=True))
        return str(plain["kind"])[:60]
    return ""
