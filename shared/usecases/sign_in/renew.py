"""Wake the access token: one renewal for everybody who finds it asleep at the same time.

What can go wrong: fifty functions ask for the same renewal, or a taken-over one asks without end; an ask comes after
somebody else has renewed already; the one who renews dies; a new sign-in comes in between. What this promises: an ask
is no command. It is judged by our own record, and one in `ASKS_EVERY` is acted on, whatever became of it; a lease in
the store lets one caller renew while the others wait for it and renew nothing themselves; a token that E*TRADE no
longer knows is dead in the record at once, so that no function signs with it for longer than a minute, and no ask wakes
it; a record that changed meanwhile is left alone.
"""

import contextlib
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.broker.tokens import stage_of
from shared.errors import Conflict, TokenDead
from shared.frozen import frozen
from shared.ports import Authority, Severity
from shared.usecases.base import leases
from shared.usecases.base.desk import Desk, read, replaced
from shared.usecases.sign_in import token

LEASE = "token/renewal"
# Longer than three attempts with their time-outs and pauses.
LASTS = timedelta(seconds=45)
ASKED = "token/asked"
ASKS_EVERY = timedelta(seconds=50)
"""Shorter than the minute after which who is still refused asks again (`wake`)."""


@frozen
class Asked:
    """When an ask was last acted on."""

    at: datetime


def renew_when_asked(desk: Desk, authority: Authority, *, asked_at: datetime) -> None:
    """Renew for who was refused in a reading of `asked_at`, unless that was done since, or an ask was just acted on.

    Raises what `renew` raises.
    """
    now = desk.clock.now()
    held = token.current(desk.store)
    if held is None or not stage_of(held.value, now).signs or held.value.renewed_at >= asked_at:
        return
    before = read(desk.store, Asked, ASKED)
    if before is not None and now - before.value.at < ASKS_EVERY:
        return
    try:
        # Before the renewal: one that fails, or dies, counts too.
        desk.store.commit([replaced(ASKED, before, Asked(at=now))])
    except Conflict:
        return  # another one is acted on at this moment
    renew(desk, authority, asked_at=asked_at)


def renew(desk: Desk, authority: Authority, *, asked_at: datetime) -> bool:
    """Renew the token unless somebody has done so since `asked_at`; gives whether it is awake now.

    Raises BrokerError and AuthError where the renewal should be tried again.
    """
    if not token.stage(desk.store, desk.clock.now()).signs:
        return False
    lease = leases.take(desk, LEASE, lasts=LASTS)
    if lease is None:
        leases.outlives(desk, LEASE)
        return _renewed(desk, asked_at)
    try:
        return _renewed(desk, asked_at) or _wake(desk, authority)
    finally:
        leases.give_back(desk, lease)


def _renewed(desk: Desk, asked_at: datetime) -> bool:
    """Tell whether a token that lives was renewed, or came, at `asked_at` or later."""
    held = token.current(desk.store)
    return held is not None and stage_of(held.value, desk.clock.now()).signs and held.value.renewed_at >= asked_at


def _wake(desk: Desk, authority: Authority) -> bool:
    held = token.current(desk.store)
    now = desk.clock.now()
    if held is None or not stage_of(held.value, now).signs:
        return False
    try:
        authority.renew()
    except TokenDead as problem:
        with contextlib.suppress(Conflict):
            desk.store.commit([held.update(replace(held.value, dies_at=now))])
            desk.journal.line("token_lost", Severity.WARNING, detail=problem.detail)
        return False
    with contextlib.suppress(Conflict):
        desk.store.commit([held.update(replace(held.value, renewed_at=now))])
        desk.journal.line("token_renewed")
    return True
