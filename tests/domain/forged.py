"""Examples of the notice that an order of unknown origin was stopped, with what they read."""

from shared.domain.telling.forged import OrderForged
from shared.domain.telling.notices import Notice
from tests.domain.made import NOON

FORGED: tuple[tuple[Notice, str, str], ...] = (
    (
        OrderForged(
            intent_id="I1", what="BUY 440 IBM at 220.00 USD", codes=("NOTIONAL_MAX_ORDER", "RESERVATION"), at=NOON
        ),
        "An order of unknown origin was stopped",
        (
            "The order BUY 440 IBM at 220.00 USD (I1) stood in the books as approved, which it cannot have been "
            "(notional max order, reservation): it was not sent, trading is HALTED, and stops at E*TRADE stay in "
            "force. Somebody else may write in your books: compare orders and positions with E*TRADE's own page, keep "
            "the trail with `strategy audit export`, and find out who wrote it before you resume."
        ),
    ),
)
