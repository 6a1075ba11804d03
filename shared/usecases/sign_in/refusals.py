"""How many links, cookies and callbacks were refused, in all and since the owner was told (see `pages.refused`)."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.telling.sign_in_notices import SignInRefused
from shared.frozen import frozen
from shared.usecases.base.desk import Desk, persist, read, replaced
from shared.usecases.telling.notices import announce

PATH = "sign_in/refused"
TELL_EVERY = timedelta(hours=1)


@frozen
class Refusals:
    """How many refusals there were in all and since the owner was told, and when that was."""

    untold: int = 0
    total: int = 0
    told_at: datetime | None = None


def write(desk: Desk, count: int) -> bool:
    """Add refusals to those of before, and tell the owner of the first, then once an hour; gives whether they are told.

    Raises StoreError; then nothing was added.
    """
    return persist(lambda: _write(desk, count))


def _write(desk: Desk, count: int) -> bool:
    now = desk.clock.now()
    held = read(desk.store, Refusals, PATH)
    before = held.value if held else Refusals()
    after = replace(before, untold=before.untold + count, total=before.total + count)
    telling = before.told_at is None or now - before.told_at >= TELL_EVERY
    rows = []
    if telling:
        why = f"refused since the last notice of this kind: {after.untold}"
        rows = [announce(desk, SignInRefused(why=why, at=now))]
        after = replace(after, untold=0, told_at=now)
    desk.store.commit([replaced(PATH, held, after), *rows])
    return telling
