"""Rows that an owner's own trading leaves in the order list, each as E*TRADE writes them and none as ours are."""

from collections.abc import Callable
from typing import Any

from tests.simulated_day.made import at

Row = dict[str, Any]
OTHER = "ZZVT"
FIRST_ID = 900_101


def row(order_id: int, symbol: str, *, kind: str = "EQ", detail: Row, leg: Row) -> Row:
    """Make one row of the list; `detail` and `leg` are what is otherwise than in a plain market order that filled."""
    placed = int(at(12, 5).timestamp() * 1000)
    instrument = {
        "symbolDescription": "AN INVENTED NAME", "orderAction": "SELL", "quantityType": "QUANTITY",
        "orderedQuantity": 10, "filledQuantity": 10, "averageExecutionPrice": 101.25, "estimatedCommission": 0,
        "estimatedFees": 0.03, "Product": {"symbol": symbol, "securityType": "EQ"},
    }  # fmt: skip
    order = {
        "placedTime": placed, "executedTime": placed, "orderValue": 1012.5,
        "status": "EXECUTED", "orderTerm": "GOOD_FOR_DAY", "priceType": "MARKET", "limitPrice": 0, "stopPrice": 0,
        "marketSession": "REGULAR", "allOrNone": False, "Instrument": [instrument | leg],
    }  # fmt: skip
    return {
        "orderId": order_id,
        "details": "https://api.etrade.com/",
        "orderType": kind,
        "OrderDetail": [order | detail],
    }


FOREIGN: dict[str, Callable[[int, str], Row]] = {
    "fraction": lambda number, symbol: row(
        number, symbol, detail={}, leg={"orderedQuantity": 10.4321, "filledQuantity": 10.4321}
    ),
    "fraction that waits": lambda number, symbol: row(
        number, symbol, detail={"status": "OPEN"}, leg={"orderedQuantity": 0.4321, "filledQuantity": 0}
    ),
    "option": lambda number, symbol: row(
        number, symbol, kind="OPTN", detail={"priceType": "NET_DEBIT"},
        leg={"orderAction": "BUY_OPEN", "Product": {"symbol": symbol, "securityType": "OPTN", "callPut": "CALL"}},
    ),
    "fund by dollars": lambda number, symbol: row(
        number, symbol, kind="MF", detail={},
        leg={"quantityType": "DOLLAR", "orderedQuantity": 250.5, "filledQuantity": 17.123,
             "Product": {"symbol": symbol, "securityType": "MF"}},
    ),
    "all that is owned": lambda number, symbol: row(
        number, symbol, detail={}, leg={"quantityType": "ALL_I_OWN", "orderedQuantity": 0, "filledQuantity": 31}
    ),
    "unknown status": lambda number, symbol: row(number, symbol, detail={"status": "HELD_FOR_REVIEW"}, leg={}),
    "short sale": lambda number, symbol: row(number, symbol, detail={}, leg={"orderAction": "SELL_SHORT"}),
    "spread": lambda number, symbol: {
        **row(number, symbol, kind="SPREADS", detail={}, leg={}),
        "OrderDetail": [row(number, symbol, detail={}, leg={})["OrderDetail"][0]] * 2,
    },
    "fill without its price": lambda number, symbol: row(
        number, symbol, detail={}, leg={"averageExecutionPrice": None}
    ),
    "nothing to read": lambda _number, _symbol: {"orderId": None, "OrderDetail": None},
}  # fmt: skip


def all_foreign() -> list[Row]:
    """Give one row of each kind, each in a symbol of its own."""
    return [make(FIRST_ID + place, f"ZZ{chr(65 + place)}") for place, make in enumerate(FOREIGN.values())]


def put_first(*found: Row) -> Callable[[Any], object]:
    """Give the edit that shows rows at the head of each order list, but on its first page alone."""

    def edit(body: Any) -> None:
        response = body["OrdersResponse"]
        response["Order"] = [*found, *response["Order"]]

    return edit
