"""Sign-ins that were refused: counted, told to the owner, and at most so many a minute.

Anybody can send forged links and callbacks. Each refusal within the limit is one small write; beyond it a refusal
writes nothing, so that nobody can make this cost money. The owner's own flow is found by its cookie before any of
this is asked: no flood of forgeries can keep the owner out.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.notices import SignInRefused
from shared.errors import StoreError
from shared.ports import Severity
from shared.usecases.desk import Desk, persist, read, replaced
from shared.usecases.notices import announce, post

PATH = "sign_in/refused"
WINDOW = timedelta(minutes=1)
MOST_A_WINDOW = 20
TELL_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """The instants of the last minute's refusals, how many there were since the owner was told, and when that was."""

    recent: tuple[datetime, ...] = ()
    untold: int = 0
    total: int = 0
    told_at: datetime | None = None


def count(desk: Desk, why: str) -> bool:
    """Count one refusal and tell the owner of the first, then once an hour; false beyond the limit.

    A store that fails must not turn a refusal into anything else: then it is only journalled.
    """
    desk.journal.line("sign_in_refused", Severity.WARNING, why=why)
    try:
        return persist(lambda: _count(desk))
    except StoreError as problem:
        desk.journal.line("refusal_not_counted", Severity.WARNING, kind=type(problem).__name__)
        return True


def _count(desk: Desk) -> bool:
    now = desk.clock.now()
    held = read(desk.store, Refusals, PATH)
    before = held.value if held else Refusals()
    recent = tuple(at for at in before.recent if now - at < WINDOW)
    if len(recent) >= MOST_A_WINDOW:
        return False
    after = replace(before, recent=(*recent, now), untold=before.untold + 1, total=before.total + 1)
    telling = before.told_at is None or now - before.told_at >= TELL_EVERY
    rows = []
    if telling:
        why = f"refused since the last notice of this kind: {after.untold}"
        rows = [announce(desk, SignInRefused(why=why, at=now))]
        after = replace(after, untold=0, told_at=now)
    desk.store.commit([replaced(PATH, held, after), *rows])
    if telling:
        post(desk)
    return True
