"""That the owner signed out: the notice, and its words."""

from datetime import datetime

from shared.domain.telling.wording import Words, clock, short
from shared.frozen import frozen


@frozen
class SignedOut:
    """The owner ended the token; `problem` is why E*TRADE could not be asked to, "" when it did.

    `left` is what stands at the broker, one name each: shares with their stop or without one, orders.
    """

    problem: str
    left: tuple[str, ...]
    at: datetime


def signed_out(notice: SignedOut) -> Words:
    """Say whether the token is surely dead, and what nobody looks after any more."""
    done = "the access token was revoked at E*TRADE and destroyed here"
    if notice.problem:
        done = f"the access token was destroyed here but not revoked at E*TRADE ({short(notice.problem)})"
    stays = (
        f"{'; '.join(notice.left)}: nothing manages this until you sign in again"
        if notice.left
        else "nothing is held and no order is open"
    )
    advice = "Nothing is traded until `strategy login`; if this was not you, change your E*TRADE password."
    if notice.problem:
        advice = "The token may live until midnight ET: if somebody else may have it, change your E*TRADE password."
    return Words(
        title="Signed out",
        sentence=f"You signed out of E*TRADE at {clock(notice.at)}, {done}, and {stays}.",
        advice=advice,
        urgent=bool(notice.left or notice.problem),
    )
