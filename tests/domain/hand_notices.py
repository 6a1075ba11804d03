"""What the owner is told of what only they can tell, or have done by hand, word by word (see `test_notices`)."""

from datetime import timedelta
from decimal import Decimal

from shared.domain.orders.orders import Candidate
from shared.domain.telling.hand_notices import OrderAmbiguous, OrderCameLate, SharesTaken
from shared.domain.telling.notices import Notice
from tests.domain.made import NOON

HAND: tuple[tuple[Notice, str, str], ...] = (
    (
        OrderAmbiguous(
            intent_id="I1", symbol="IBM", side="BUY", quantity=10, at=NOON,
            candidates=(
                Candidate(order_id=501, status="OPEN", filled=0, placed_at=None),
                Candidate(order_id=502, status="EXECUTED", filled=10, placed_at=NOON - timedelta(minutes=1)),
            ),
        ),
        "Your decision: IBM",
        (
            "More than one order at E*TRADE could be BUY 10 IBM, so none is taken for it: order 501, open, 0 shares "
            "filled; order 502 placed at 11:59:00, executed, 10 shares filled; up to 10 shares of it have NO STOP. "
            "Say which one it is with `strategy resolve I1 --is NUMBER`, or `--none` if none is; the others are yours."
        ),
    ),
    (
        OrderAmbiguous(intent_id="I2", symbol="IBM", side="SELL", quantity=10, at=NOON, candidates=(
            Candidate(order_id=503, status="OPEN", filled=1, placed_at=None),
        )),
        "Your decision: IBM",
        (
            "More than one order at E*TRADE could be SELL 10 IBM, so none is taken for it: order 503, open, 1 share "
            "filled; no stop is put over the shares of this position and none of them is sold until then. "
            "Say which one it is with `strategy resolve I2 --is NUMBER`, or `--none` if none is; the others are yours."
        ),
    ),
    (
        OrderCameLate(
            intent_id="I1", symbol="IBM", side="BUY", quantity=10, order_id=501, filled=4, booked=True, at=NOON
        ),
        "Came late: IBM",
        (
            "BUY 10 IBM (I1) was given up as never placed, and E*TRADE has it as order 501, with 4 of its 10 shares "
            "filled: what it fills is booked and gets a stop, what is open is cancelled, and its cash is set aside "
            "again. Look at your cash, which was free for other entries meanwhile; nothing is bought until you say "
            "`strategy resume`."
        ),
    ),
    (
        OrderCameLate(
            intent_id="I2", symbol="IBM", side="SELL", quantity=10, order_id=502, filled=0, booked=True, at=NOON
        ),
        "Came late: IBM",
        (
            "SELL 10 IBM (I2) was given up as never placed, and E*TRADE has it as order 502, with 0 of its 10 shares "
            "filled: what it fills is booked as sold, and what is open is cancelled. Look at IBM on E*TRADE's own "
            "page; nothing is bought until you say `strategy resume`."
        ),
    ),
    (
        OrderCameLate(
            intent_id="I3", symbol="IBM", side="SELL", quantity=10, order_id=503, filled=10, booked=False, at=NOON
        ),
        "Came late: IBM",
        (
            "SELL 10 IBM (I3) was given up as never placed, and E*TRADE has it as order 503, with 10 of its 10 shares "
            "filled: the book holds no such shares, so nothing is booked and the account may be short. Look at IBM on "
            "E*TRADE's own page now, and buy back there what is short; nothing is bought until you say "
            "`strategy resume`."
        ),
    ),
    (
        SharesTaken(
            position_id="P1", symbol="IBM", quantity=99, unpriced=59, price=Decimal("100.5"), left=1,
            since=NOON - timedelta(minutes=1), at=NOON,
        ),
        "Taken out by hand: IBM",
        (
            "99 shares of IBM left the account without an order of this system, first missed at 11:59 ET: "
            "your own order sold 40 of them at $100.50; what 59 of them brought is not known; 1 share of it is left. "
            "The book follows and trading goes on; if this was not you, look at E*TRADE's own page now."
        ),
    ),
)  # fmt: skip
