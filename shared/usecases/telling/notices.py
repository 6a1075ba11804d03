"""Telling the owner: a notice is promised in the commit of what it tells about, and published when the work is done.

What can go wrong: the bus is down, the process dies, one thing is noticed again and again, a row holds no message of
ours. What this promises: no commit fails because of a notice (its row is put, never created), nothing that trades waits
for one (the door publishes after the work and swallows what fails), and none is lost (the row stays until it is
published). A row that cannot be read keeps no other from being told. Whose row it is does not matter: whoever writes in
a domain publishes all that wait there.
"""

from shared.domain.telling.notices import Notice, event_of
from shared.errors import DeskError, MessageError
from shared.ports import Put, Severity, Where
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, Held, held_rows

MOST_AT_ONCE = 20


def announce(desk: Desk, notice: Notice, *, owner: str | None = None) -> Put:
    """Give the write that promises a notice; it belongs into the commit of what the notice tells about.

    Where a command does the work of a function, `owner` is that function, in whose home it then lies.
    """
    row = outbox.promise(desk, name=event_of(notice), topic=outbox.NOTICES, key="", message=notice, owner=owner)
    return Put(row.path, row.data)


def post(desk: Desk) -> None:
    """Publish the notices that wait; what fails is journalled and left for the next invocation."""
    try:
        rows = held_rows(desk, outbox.Row, desk.store.query("outbox", Where("topic", "==", outbox.NOTICES)))
        dated = [(at, row) for row in rows if (at := _at(desk, row)) is not None]
        for _, row in sorted(dated, key=lambda one: one[0])[:MOST_AT_ONCE]:
            outbox.send(desk, row.path, row.value)
    except DeskError as problem:
        desk.journal.line("notices_wait", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def _at(desk: Desk, held: Held[outbox.Row]) -> str | None:
    """Give when it happened, so that what came first is told first; None where the row holds no message of ours."""
    try:
        return str(getattr(outbox.unpack(held.value.body.encode()), "at", ""))
    except MessageError as problem:
        desk.journal.line("outbox_row_unreadable", Severity.ERROR, row=held.path, detail=problem.detail)
        return None
