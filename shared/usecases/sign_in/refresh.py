"""Look after the access token all day: keep it awake, remind the owner, end it when its day is done.

A day without a token trades nothing: every function that needs the broker gives up its message, stops that work at the
broker stay there, and the owner is told before the open, at the open, and at once when a token is lost.
"""

from datetime import time

from shared.domain.base.calendar import new_york_day, session_at
from shared.domain.broker.token_day import Loss, Reminders, ends, reminder
from shared.domain.broker.tokens import TokenRecord, lost
from shared.domain.telling.sign_in_notices import SignInNeeded
from shared.frozen import frozen
from shared.ports import Authority, Severity, Vault
from shared.usecases.base.desk import Desk, Held, read, replaced
from shared.usecases.base.links import REMINDER_LINK_LIFE, sign_in_key
from shared.usecases.sign_in import token
from shared.usecases.sign_in.end_day import clear, end_day, look
from shared.usecases.sign_in.renew import renew
from shared.usecases.telling.notices import announce

REMINDERS = "token/reminders"


@frozen
class Care:
    """What the owner chose: whose link it is, when to remind and when the token ends at the latest.

    `has_page` tells whether there is a page that takes a link.
    """

    operator: str
    has_page: bool
    remind_at: tuple[time, ...]
    ends_at: time


def refresh(desk: Desk, authority: Authority, vault: Vault, care: Care) -> None:
    """Do what the token needs now; raises BrokerError where it should be tried again."""
    now = desk.clock.now()
    if token.stage(desk.store, now).renews:
        renew(desk, authority, asked_at=now)
    held = token.current(desk.store)
    session = session_at(now)
    lives = token.stage(desk.store, desk.clock.now()).signs
    if held is not None and lives and ends(session, now, settled=True, at_the_latest=care.ends_at):
        evening = look(desk, session)
        if ends(session, now, settled=evening.settled, at_the_latest=care.ends_at):
            end_day(desk, authority, vault, held, evening)
            return
    clear(desk, vault)
    if not lives:
        _remind(desk, vault, care, held)


def _remind(desk: Desk, vault: Vault, care: Care, held: Held[TokenRecord] | None) -> None:
    now = desk.clock.now()
    session, record = session_at(now), held.value if held else None
    if session is None:
        return
    day = new_york_day(now)
    before = read(desk.store, Reminders, REMINDERS)
    so_far = before.value.told if before is not None and before.value.day == day else ()
    loss = Loss(version=record.vault_version, at=record.dies_at) if record is not None and lost(record, now) else None
    due = reminder(session, now, clocks=care.remind_at, told=so_far, loss=loss)
    if due is None:
        return
    after = Reminders(day=day, told=tuple(dict.fromkeys((*so_far, *due.covers))))
    occasion = f"{day.isoformat()}:{due.occasion}"
    notice = SignInNeeded(
        signed=_signed(desk, vault, care), minutes_to_open=due.minutes_to_open, occasion=occasion, at=now
    )
    desk.store.commit([replaced(REMINDERS, before, after), announce(desk, notice)])
    desk.journal.line("sign_in_needed", Severity.WARNING, token=token.stage(desk.store, now).state, occasion=occasion)


def _signed(desk: Desk, vault: Vault, care: Care) -> str:
    """Give the signed part of a new link, or nothing where no page takes one."""
    if not care.has_page:
        return ""
    key = sign_in_key(vault, care.operator)
    return key.sign(desk.chance, now=desk.clock.now(), lasts=REMINDER_LINK_LIFE * desk.pace)
