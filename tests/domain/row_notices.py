"""What the owner is told of rows that are odd, word by word (see `test_notices`)."""

from datetime import date

from shared.domain.telling.notices import Notice
from shared.domain.telling.row_notices import OddRow, OwnRowOdd
from tests.domain.made import NOON

DAY = date(2013, 10, 7)
ROWS: tuple[tuple[Notice, str, str], ...] = (
    (
        OddRow(where="order list", symbols=("ZZVT",), fields=("orderedQuantity", "status"), session=DAY, at=NOON),
        "An odd row in the order list: ZZVT",
        (
            "The account's order list has a row in ZZVT that is none of this system's or cannot be read in full "
            "(orderedQuantity, status). The system does not buy there today and goes on with everything else; "
            "nothing is to be done if you know what it is."
        ),
    ),
    (
        OwnRowOdd(
            intent_id="I1", symbol="IBM", side="SELL", quantity=10, fields=("filledQuantity",), session=DAY, at=NOON
        ),
        "Not all of an order can be read: IBM",
        (
            "What E*TRADE lists of the order SELL 10 IBM (I1) cannot be used in full: filledQuantity. "
            "What can be read is used, shares are protected at once and get their price when it is listed; "
            "compare the order with E*TRADE's own page."
        ),
    ),
)  # fmt: skip
