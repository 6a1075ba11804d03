"""Until when the owner is signed in, as the token's record says it; never the token."""

from collections.abc import Mapping
from datetime import datetime

from infra.operations.profiles import Hand
from shared.domain.broker.tokens import TokenState, stage_of
from shared.frozen import frozen
from shared.usecases.sign_in import token

SAID: Mapping[TokenState, str] = {
    TokenState.MISSING: "nobody has signed in",
    TokenState.FRESH: "until midnight New York",
    TokenState.RENEWABLE: "until midnight New York",
    TokenState.IDLE: "until midnight New York; the next call renews it",
    TokenState.DEAD: "the sign-in has ended",
}
"""Until when somebody is signed in, by the token's state, or that nobody is."""


@frozen
class TokenView:
    """Where the token stands; never the token itself. `signs_in` says that the owner has to sign in."""

    state: TokenState
    signs_in: bool
    issued_at: datetime | None
    renewed_at: datetime | None
    dies_at: datetime | None
    ended_at: datetime | None


def token_view(hand: Hand) -> TokenView:
    """Look at the token's record; raises StoreDown."""
    held = token.current(hand.desk.store)
    record = held.value if held is not None else None
    stage = stage_of(record, hand.desk.clock.now())
    return TokenView(
        state=stage.state, signs_in=stage.signs_in,
        issued_at=record.issued_at if record else None, renewed_at=record.renewed_at if record else None,
        dies_at=record.dies_at if record else None, ended_at=record.ended_at if record else None,
    )  # fmt: skip
