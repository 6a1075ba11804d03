"""Deliver one notice to the owner: once per event, not too often per kind, and written down after it was told.

What can go wrong: the message comes twice (the event's document is created once); no address takes it (Undelivered: the
bus brings it again, so often and no oftener, and that it is untold is written down for who asks); the process dies
after sending and before writing (then it is told twice, never not at all); one kind comes in floods (held back, except
what is urgent); somebody who may publish a notice writes the address of a page of theirs into it. What this promises:
whatever is told or held back is journalled with its text, and neither the journal nor a document holds the link of a
sign-in or of a halt. Every link that is sent leads to the page of this function's own setting: of a message only the
signed part is taken, where it has the form of one, and the words lead nowhere (`notice_words`).
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import Notice, event_of, kind_of
from shared.domain.telling.pacing import WINDOW, Pace, Turn, turn
from shared.domain.telling.sign_in_notices import SignInNeeded
from shared.domain.telling.wording import ETRADE, Words, day_and_clock
from shared.errors import ConfigError, MessageError, StoreError, Undelivered
from shared.frozen import frozen
from shared.ports import Delete, Notifier, Severity, Vault, Write
from shared.usecases.base.desk import Desk, create, put, read, replaced
from shared.usecases.base.links import HALT_LINK_LIFE, address_of, halt_key, halt_page, is_signed_part

HALT_WORDS = "To halt trading, open this and confirm; it works for twelve hours:"


@frozen
class Told:
    """What became of one event's notice: `addresses` is how many took it, 0 when it was only journalled."""

    kind: str
    title: str
    text: str
    turn: Turn
    addresses: int
    happened_at: datetime
    told_at: datetime
    schema_version: int = 1


@frozen
class Untold:
    """One event's notice that no address has taken so far: how often it was tried, and when last."""

    kind: str
    title: str
    text: str
    tries: int
    happened_at: datetime
    tried_at: datetime
    schema_version: int = 1


@frozen
class Links:
    """Makes every link that a notice carries; `page` is the start page's address, empty where nobody said it."""

    desk: Desk
    vault: Vault
    operator: str
    page: str

    def sign_in(self, signed: str) -> str:
        """Give the link of a signed part, or nothing where there is no page or the text has not the form of one."""
        if not (self.page and signed):
            return ""
        if not is_signed_part(signed):
            self.desk.journal.line("no_sign_in_link", Severity.WARNING, kind="not the form of a signed link")
            return ""
        return address_of(self.page, signed)

    def halt(self) -> str:
        """Give a new link that halts, or nothing where there is no page or no key: no notice waits for it."""
        if not self.page:
            return ""
        try:
            key = halt_key(self.vault, self.operator)
        except (ConfigError, StoreError) as problem:
            self.desk.journal.line("no_halt_link", Severity.WARNING, kind=type(problem).__name__)
            return ""
        now, page = self.desk.clock.now(), halt_page(self.page)
        return key.mint(self.desk.chance, now=now, lasts=HALT_LINK_LIFE * self.desk.pace, page=page)


def deliver(
    desk: Desk, notifier: Notifier, notice: Notice, *, prefix: str = "", links: Links | None = None,
    broker: str = ETRADE,
) -> None:  # fmt: skip
    """Tell a notice that was not told yet; raises Undelivered where every address failed, or StoreError.

    `broker` is what the words call the broker; `prefix` stands before every title: on paper the owner must not take a
    paper position for shares. What is urgent carries a new halt link of `links`, which is sent and kept nowhere;
    without them no link is sent.
    """
    notice, link = _with_link(notice, links)
    event, kind, said = event_of(notice), kind_of(notice), words(notice, broker)
    dated = f"{said.advice} ({day_and_clock(notice.at)})"
    said = replace(said, title=f"{prefix}{said.title}", advice=dated)
    path = f"notices/{event}"
    if desk.store.get(path) is not None:
        return
    now = desk.clock.now()
    what, held_back, writes = Turn.TELL, 0, list[Write]()
    if not said.urgent:
        pace = read(desk.store, Pace, f"paces/{kind}")
        before = pace.value if pace is not None else Pace()
        what, after = turn(before, now)
        held_back = before.held_back
        writes.append(replaced(f"paces/{kind}", pace, after))
    try:
        addresses = 0 if what is Turn.HOLD else _send(notifier, said, _tail(what, held_back), link, links)
    except Undelivered:
        desk.journal.line("notice_not_delivered", Severity.ERROR, key=event, title=said.title, text=said.text)
        _leave_untold(desk, event, notice, said)
        raise
    writes.append(Delete(f"untold/{event}"))
    told = Told(
        kind=kind, title=said.title, text=said.text, turn=what, addresses=addresses, happened_at=notice.at, told_at=now
    )
    desk.store.commit([create(path, told), *writes])
    desk.journal.line(
        "notice", Severity.WARNING if said.urgent else Severity.INFO, kind=kind, key=event, title=said.title,
        text=said.text, turn=what, addresses=addresses,
    )  # fmt: skip


def _with_link(notice: Notice, links: Links | None) -> tuple[Notice, str]:
    """Give the link of a notice, and the notice as it is told: without one it must not speak of one."""
    if not isinstance(notice, SignInNeeded):
        return notice, ""
    link = links.sign_in(notice.signed) if links is not None else ""
    return (notice if link else replace(notice, signed="")), link


def _send(notifier: Notifier, said: Words, tail: str, link: str, links: Links | None) -> int:
    halting = links.halt() if links is not None and said.urgent else ""
    halt = f"{HALT_WORDS}\n{halting}" if halting else ""
    body = "\n".join(part for part in (said.text, link, halt, tail) if part)
    return notifier.tell(title=said.title, text=body, urgent=said.urgent)


def _leave_untold(desk: Desk, event: str, notice: Notice, said: Words) -> None:
    """Write down that nobody took a notice; where even that fails the journal has it."""
    path = f"untold/{event}"
    with suppress(StoreError, MessageError):
        held = read(desk.store, Untold, path)
        # What lasts is announced again and again under one event: it began with the first one.
        tries, since = (held.value.tries, held.value.happened_at) if held else (0, notice.at)
        untold = Untold(
            kind=kind_of(notice), title=said.title, text=said.text, tries=tries + 1, happened_at=since,
            tried_at=desk.clock.now(),
        )  # fmt: skip
        desk.store.commit([put(path, untold)])


def _tail(what: Turn, held_back: int) -> str:
    parts = [f"Held back before this one: {held_back}."] if held_back else []
    if what is Turn.LAST:
        minutes = int(WINDOW.total_seconds() // 60)
        parts.append(f"There are many of these: for up to {minutes} minutes the next are only in `strategy notices`.")
    return " ".join(parts)
