"""Answers as E*TRADE sends them: keys exactly as captured (etrade-api.md), values invented."""

from typing import Any

NOW_S = 1795446000
NOW_MS = NOW_S * 1000

RATE_HTML = b"<html><title>Error</title><body>Number of requests exceeded the rate limit set</body></html>"
NOT_AVAILABLE = "The requested service is not currently available, please try after sometime."
TIMED_OUT = (
    "For your protection, we have timed out your original order request. "
    "If you would like to place this order, please resubmit it now."
)


def oauth_html(problem: str) -> bytes:
    """Give the Tomcat page of an /oauth failure."""
    return (
        f"<html><title> - Error report</title><body><h1>HTTP Status 401 - oauth_problem={problem}"
        f"</h1><u>This request requires HTTP authentication (oauth_problem={problem}).</u></body></html>"
    ).encode()


def oauth_xml(problem: str) -> bytes:
    """Give the XML envelope of a /v1 auth failure."""
    return f"<Error><code>0</code><message>oauth_problem={problem}</message></Error>".encode()


def quote_entry(symbol: str = "AAPL", **changes: object) -> dict[str, Any]:
    """Give one QuoteData entry; `changes` replace keys of its All block."""
    block: dict[str, Any] = {
        "adjustedFlag": False, "ask": 132.31, "askSize": 600, "askTime": "11:41:00 EST 11-23-2026",
        "bid": 132.29, "bidExchange": " ", "bidSize": 700, "bidTime": "11:41:00 EST 11-23-2026",
        "changeClose": 1.34, "changeClosePercentage": 1.03, "companyName": "AN INVENTED COMPANY",
        "daysToExpiration": 0, "dirLast": "1", "dividend": 0.205, "eps": 3.2668, "estEarnings": 3.969,
        "exDividendDate": 1604680918, "high": 133.46, "high52": 137.98, "lastTrade": 132.30, "low": 131.1,
        "low52": 53.15, "open": 131.32, "openInterest": 0, "optionStyle": "", "optionUnderlier": "",
        "previousClose": 130.96, "previousDayVolume": 169002720, "primaryExchange": "NSDQ",
        "symbolDescription": "AN INVENTED COMPANY", "totalVolume": 39359472, "upc": 0, "cashDeliverable": 0,
        "marketCap": 2249418313069.4, "sharesOutstanding": 17001802000, "nextEarningDate": "", "beta": 1.54,
        "yield": 0.6261, "declaredDividend": 0.205, "dividendPayableDate": 1605199318, "pe": 40.0883,
        "week52LowDate": 1584978118, "week52HiDate": 1599061318, "intrinsicValue": 0, "timePremium": 0,
        "optionMultiplier": 0, "contractSize": 0, "expirationDate": 0, "timeOfLastTrade": NOW_S,
        "averageVolume": 116883717,
    }  # fmt: skip
    block |= changes
    return {
        "dateTime": "11:41:00 EST 11-23-2026",
        "dateTimeUTC": NOW_S,
        "quoteStatus": "REALTIME",
        "ahFlag": "false",
        "All": block,
        "Product": {"symbol": symbol, "securityType": "EQ"},
    }


def quote_body(*entries: dict[str, Any]) -> dict[str, Any]:
    """Give a whole quote answer."""
    return {"QuoteResponse": {"QuoteData": list(entries)}}


ACCOUNTS = {
    "AccountListResponse": {
        "Accounts": {
            "Account": [
                {
                    "accountId": "00000001",
                    "accountIdKey": "-invented_accountkey-x",
                    "accountMode": "CASH",
                    "accountDesc": "Individual Brokerage",
                    "accountName": "",
                    "accountType": "INDIVIDUAL",
                    "institutionType": "BROKERAGE",
                    "accountStatus": "ACTIVE",
                    "closedDate": 0,
                    "shareWorksAccount": False,
                }
            ]
        }
    }
}  # fmt: skip
BALANCE = {
    "BalanceResponse": {
        "accountId": "00000001", "accountType": "MARGIN", "optionLevel": "LEVEL_3", "accountMode": "MARGIN",
        "accountDescription": "AN INVENTED PERSON", "quoteMode": 0, "dayTraderStatus": "NO_PDT",
        "Cash": {"fundsForOpenOrdersCash": 0, "moneyMktBalance": 6934.52},
        "Computed": {
            "cashAvailableForInvestment": 7685.52, "netCash": 7685.52, "cashBalance": 0,
            "settledCashForInvestment": 0, "unSettledCashForInvestment": 0, "marginBuyingPower": 15371.04,
            "cashBuyingPower": 7685.52, "accountBalance": 37388.25,
            "OpenCalls": {"minEquityCall": 0, "fedCall": 0, "cashCall": 0, "houseCall": 0},
            "RealTimeValues": {"totalAccountValue": 37645.27, "netMv": -6677.5, "netMvLong": 0},
        },
    }
}  # fmt: skip


def position(position_id: int, symbol: str, quantity: float, **changes: object) -> dict[str, Any]:
    """Give one portfolio position."""
    made: dict[str, Any] = {
        "positionId": position_id, "symbolDescription": symbol, "dateAcquired": -68400000,
        "pricePaid": 29.9052, "commissions": 0, "otherFees": 0, "quantity": quantity,
        "positionIndicator": "TYPE2", "positionType": "LONG", "marketValue": 3444, "totalCost": 5981.05,
        "costPerShare": 29.9052, "adjPrevClose": 17.28,
        "Product": {"symbol": symbol, "securityType": "EQ", "productId": {"symbol": symbol}},
        "Quick": {"lastTrade": 17.22, "lastTradeTime": 1631044800, "quoteStatus": "CLOSING"},
    }  # fmt: skip
    return made | changes


def portfolio(*positions: dict[str, Any], pages: int = 1) -> dict[str, Any]:
    """Give one page of a portfolio."""
    part = {"accountId": "00000001", "next": "", "totalPages": pages, "Position": list(positions)}
    return {"PortfolioResponse": {"AccountPortfolio": [part]}}


def order(order_id: int = 674, *, leg: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    """Give one row of the order list; `changes` go into its detail, `leg` into its instrument."""
    instrument: dict[str, Any] = {
        "symbolDescription": "AN INVENTED COMPANY", "orderAction": "BUY", "quantityType": "QUANTITY",
        "orderedQuantity": 53, "filledQuantity": 53.0, "averageExecutionPrice": 1.405,
        "estimatedCommission": 0.0, "estimatedFees": 0.0, "Product": {"symbol": "COCP", "securityType": "EQ"},
    }  # fmt: skip
    detail: dict[str, Any] = {
        "placedTime": NOW_MS + order_id, "executedTime": 2023137072, "orderValue": 74.73,
        "status": "EXECUTED", "orderTerm": "GOOD_FOR_DAY", "priceType": "LIMIT", "limitPrice": 1.41,
        "stopPrice": 0,
        "marketSession": "REGULAR", "allOrNone": False, "netPrice": 0, "netBid": 0, "netAsk": 0, "gcd": 0,
        "ratio": "", "Instrument": [instrument | (leg or {})],
    }  # fmt: skip
    return {"orderId": order_id, "details": "", "orderType": "EQ", "OrderDetail": [detail | changes]}


def orders(*rows: dict[str, Any], marker: str | None = None) -> dict[str, Any]:
    """Give one page of the order list."""
    page: dict[str, Any] = {"Order": list(rows)}
    if marker is not None:
        page |= {"marker": marker, "next": "https://example.invalid/next"}
    return {"OrdersResponse": page}


def preview(**changes: object) -> dict[str, Any]:
    """Give a successful preview of 10 shares."""
    made: dict[str, Any] = {
        "orderType": "EQ", "totalOrderValue": 1323.1, "previewTime": NOW_MS, "dstFlag": False,
        "accountId": "00000001", "marginLevelCd": "MARGIN_TRADING_NOT_ALLOWED",
        "Order": [
            {
                "orderTerm": "GOOD_FOR_DAY", "priceType": "LIMIT", "limitPrice": 132.31, "stopPrice": 0,
                "messages": {"Message": [{"description": "200|A warning.", "code": 7084, "type": "WARNING"}]},
                "estimatedCommission": 0, "estimatedTotalAmount": 1323.1,
                "Instrument": [
                    {
                        "symbolDescription": "AN INVENTED COMPANY", "orderAction": "BUY", "quantity": 10,
                        "cancelQuantity": 0.0, "Product": {"symbol": "AAPL", "securityType": "EQ"},
                    }
                ],
            }
        ],
        "PreviewIds": [{"previewId": 266606056106}],
        "Disclosure": {"ehDisclosureFlag": True},
    }  # fmt: skip
    return {"PreviewOrderResponse": made | changes}


def placed(*order_ids: object, **changes: object) -> dict[str, Any]:
    """Give a successful place."""
    made: dict[str, Any] = {
        "orderType": "EQ", "dstFlag": False, "placedTime": NOW_MS + 165, "accountId": "00000001",
        "Order": [{"messages": {"Message": [{"description": "200|Entered.", "code": 1026}]}}],
        "OrderIds": [{"orderId": order_id} for order_id in order_ids],
    }  # fmt: skip
    return {"PlaceOrderResponse": made | changes}


def cancelled(order_id: int = 403, code: int = 5011) -> dict[str, Any]:
    """Give a cancel that the broker took, or one whose message says otherwise."""
    message = {"description": "200|Your request to cancel your order.", "code": code, "type": "WARNING"}
    return {
        "CancelOrderResponse": {
            "accountId": "00000001", "orderId": order_id, "cancelTime": NOW_MS,
            "Messages": {"Message": [message]},
        }
    }  # fmt: skip
