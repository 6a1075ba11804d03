"""Examples of the notice that the owner signed out, with what they read."""

from shared.domain.telling.notices import Notice
from shared.domain.telling.sign_out import SignedOut
from tests.domain.made import NOON, at

SIGNED_OUT: tuple[tuple[Notice, str, str], ...] = (
    (
        SignedOut(problem="", left=(), at=NOON),
        "Signed out",
        (
            "You signed out of E*TRADE at 12:00 ET, the access token was revoked at E*TRADE and destroyed here, and "
            "nothing is held and no order is open. "
            "Nothing is traded until `strategy login`; if this was not you, change your E*TRADE password."
        ),
    ),
    (
        SignedOut(problem="no connection", left=("10 shares of IBM WITHOUT a stop", "BUY BAC open"), at=at(510)),
        "Signed out",
        (
            "You signed out of E*TRADE at 18:00 ET, the access token was destroyed here but not revoked at E*TRADE "
            "(no connection), and 10 shares of IBM WITHOUT a stop; BUY BAC open: nothing manages this until you "
            "sign in again. "
            "The token may live until midnight ET: if somebody else may have it, change your E*TRADE password."
        ),
    ),
)
