"""The messages that nobody handled, as their owner may read them: put aside by a function, or given up by the bus.

A function puts aside what it cannot handle (shared.door), in the desk's documents. The bus gives up what was not
acknowledged in all its attempts: this machine's keeps it in the state file, Pub/Sub in its subscription `dead-letters`.

What can go wrong: a letter is damaged, or its message holds what is nobody's business; its owner does not know whether
money or stops are touched. What this promises: every letter is listed, whatever can be read of it, with what follows
from it and what to do, and never the message itself: a reminder holds the signed part of a link.
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
_LATE = "a fill may have been booked and a stop placed late; each minute's comparison with the broker makes up for it"
_COMPARE = "see that it is so: `strategy reconcile` compares now, `strategy positions` shows each stop"
_MEANS: Mapping[str, str] = {
    "enter_position": "one purchase was not made; no share and no stop is touched; nothing is to be done",
    "exit_position": "one sale was not begun; it is decided again while its reason holds, and the stop stays; see that "
    "it is sold: `strategy positions`, or sell it: `strategy close SYMBOL`",
    "settle_tick": f"{_LATE}; {_COMPARE}",
    "order_placed": f"{_LATE}; {_COMPARE}",
    "close_tick": "the day may not be settled to its end; see that nothing is open: `strategy status`",
    "scan_tick": "one minute's prices may not have been looked at; stops at the broker work without it, on paper none "
    "did for that minute; see that prices come: `strategy status`",
    "refresh_tick": "the sign-in may have ended early; see that it has not: `strategy token`",
    "renew_asked": "the sign-in may have ended early; see that it has not: `strategy token`",
    "halt_asked": "A HALT THAT YOU ASKED FOR BY A LINK MAY NOT BE IN FORCE; stop trading now: `strategy halt`",
    "prepare_tick": "daily prices may be missing, and then less is bought; no stop is touched; see: `strategy status`",
    "history_asked": "daily prices may be missing, and then less is bought; no stop is touched; see: `strategy status`",
    "fallback_asked": "a price from elsewhere is not shown; nothing is traded by it; nothing is to be done",
}
"""What follows from a message that was not handled, and what to do, by its kind."""
_NOTICE = "a notice did not reach you; no money and no stop is touched; read it: `strategy notices`"
_UNKNOWN = "what it asked for cannot be read; compare `strategy positions` and `strategy orders` with the account"


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

    @property
    def means(self) -> str:
        """What follows from it for money and stops, and what to do."""
        return _MEANS.get(self.message) or (_NOTICE if self.function == "notify" else _UNKNOWN)


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
    function = one.subscription.partition(".")[0]
    detail = f"not handled in {one.attempts} attempts"
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
