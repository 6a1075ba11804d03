"""What the owner was told and what not, read for them: from the documents that notify leaves, and from promises.

What can go wrong: no address takes a notice, or there is none; nobody publishes what was promised. What this promises:
each event is listed once, with its words and what became of it, and never the link of a sign-in.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from shared.codec import decode
from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import Notice, event_of
from shared.domain.telling.pacing import Turn
from shared.domain.telling.wording import ETRADE
from shared.errors import MessageError
from shared.frozen import frozen
from shared.ports import Document, Store, Where
from shared.usecases.base import outbox
from shared.usecases.telling.deliver import Told, Untold

T = TypeVar("T")
WEEK = timedelta(days=7)


class Fate(StrEnum):
    """What became of a notice."""

    TOLD = "told"
    NO_ADDRESS = "sent nowhere: no address"
    HELD_BACK = "not sent: many of its kind"
    PROMISED = "not sent yet"
    UNTOLD = "NOT DELIVERED: no address took it"


@frozen
class Line:
    """One notice: `at` is when it happened, `addresses` how many took it, `tries` how often nobody did."""

    event: str
    at: datetime
    title: str
    text: str
    fate: Fate
    addresses: int = 0
    tries: int = 0


@frozen
class Delivery:
    """Whether notices reach the owner: in a week how many nobody took and since when, and how many are in the journal.

    `unaddressed` says that there was no address for the last one.
    """

    untold: int
    untold_since: datetime | None
    told: int
    unaddressed: bool


def notices(store: Store, *, unread: list[str], broker: str = ETRADE) -> list[Line]:
    """List the notices, what happened last at the end; what cannot be read is named in `unread`; raises StoreDown.

    What was not sent yet is put into words about the `broker` of this name.
    """
    dated = (*_untold(store, unread), *_told(store, unread))
    found = {line.event: line for line in (*_promised(store, unread, broker), *(line for _, line in dated))}
    return sorted(found.values(), key=lambda line: (line.at, line.event))


def delivery(store: Store) -> Delivery:
    """Look whether notices reach anybody; the week is the one before the last of them; raises StoreDown."""
    waiting, told = _untold(store, []), _told(store, [])
    week = max((when for when, _ in (*waiting, *told)), default=datetime.max.replace(tzinfo=UTC)) - WEEK
    lost = [line.at for when, line in waiting if when >= week]
    sent = [line for _, line in told if line.fate is not Fate.HELD_BACK]
    return Delivery(
        untold=len(lost), untold_since=min(lost, default=None), told=sum(when >= week for when, _ in told),
        unaddressed=bool(sent) and sent[-1].fate is Fate.NO_ADDRESS,
    )  # fmt: skip


def _told(store: Store, unread: list[str]) -> list[tuple[datetime, Line]]:
    """Give what was told with its instant, in that order."""
    found: list[tuple[datetime, Line]] = []
    for event, told in _rows(store.query("notices"), Told, unread):
        fate = Fate.TOLD if told.addresses else Fate.HELD_BACK if told.turn is Turn.HOLD else Fate.NO_ADDRESS
        line = Line(
            event=event, at=told.happened_at, title=told.title, text=told.text, fate=fate, addresses=told.addresses
        )
        found.append((told.told_at, line))
    return sorted(found, key=lambda one: one[0])


def _untold(store: Store, unread: list[str]) -> list[tuple[datetime, Line]]:
    """Give what nobody took, with the instant of the last try."""
    found: list[tuple[datetime, Line]] = []
    for event, one in _rows(store.query("untold"), Untold, unread):
        line = Line(event=event, at=one.happened_at, title=one.title, text=one.text, fate=Fate.UNTOLD, tries=one.tries)
        found.append((one.tried_at, line))
    return found


def _promised(store: Store, unread: list[str], broker: str) -> list[Line]:
    found: list[Line] = []
    for name, row in _rows(store.query("outbox", Where("topic", "==", outbox.NOTICES)), outbox.Row, unread):
        try:
            notice = outbox.unpack(row.body.encode())
        except MessageError:
            unread.append(f"outbox/{name}")
            continue
        if isinstance(notice, Notice):
            said = words(notice, broker)
            line = Line(event=event_of(notice), at=notice.at, title=said.title, text=said.text, fate=Fate.PROMISED)
            found.append(line)
    return found


def _rows(rows: Iterable[Document], kind: type[T], unread: list[str]) -> Iterator[tuple[str, T]]:
    """Type documents, each with its name behind the collection's."""
    for row in rows:
        try:
            yield row.path.partition("/")[2], decode(kind, row.data)
        except MessageError:
            unread.append(row.path)
