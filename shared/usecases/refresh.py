"""Keep the access token awake, and say early when the owner has to sign in."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.tokens import TokenState
from shared.errors import TokenDead
from shared.ports import Authority, Severity
from shared.usecases import token
from shared.usecases.desk import Desk

RENEW_AFTER = timedelta(minutes=25)


def refresh(desk: Desk, authority: Authority) -> None:
    """Renew a token that is not fresh any more; a missing or dead one is a warning that asks for a sign-in.

    Raises BrokerError where the renewal should be tried again.
    """
    held = token.current(desk.store)
    now = desk.clock.now()
    state = token.state_of(held.value if held else None, now)
    if held is None or state in (TokenState.MISSING, TokenState.DEAD):
        desk.journal.line("sign_in_needed", Severity.WARNING, token=state)
        return
    if now - held.value.renewed_at < RENEW_AFTER:
        return
    try:
        authority.renew()
    except TokenDead:
        desk.store.commit([held.update(replace(held.value, dies_at=now))])
        desk.journal.line("sign_in_needed", Severity.WARNING, token=TokenState.DEAD)
        return
    desk.store.commit([held.update(replace(held.value, renewed_at=desk.clock.now()))])
    desk.journal.line("token_renewed")
