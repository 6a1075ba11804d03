"""Which URL means which endpoint, with and without `.json` (fact sheet, sections 0, 1.1, 2.2, 3.4, 4.0)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from infra.brokersim.faults import Endpoint
from infra.brokersim.wire import Refused

_SUFFIX = ".json"
_ODD = "/transactions.json/"  # what hrefs in a list of transactions have in the middle (section 0)
_OAUTH: dict[str, Endpoint] = {
    "request_token": "request_token",
    "access_token": "access_token",
    "renew_access_token": "renew",
    "revoke_access_token": "revoke",
}


class Route(NamedTuple):
    """An endpoint, the parts of the path it needs, and `.json` if the path had it."""

    endpoint: Endpoint
    parts: tuple[str, ...]
    suffix: str


_SINGLE: dict[str, Endpoint] = {
    "balance": "balance",
    "portfolio": "portfolio",
    "transactions": "transactions",
    "orders": "orders",
}
_ORDER_STEPS: dict[str, Endpoint] = {"preview": "preview", "place": "place", "cancel": "cancel"}
_CHANGE_STEPS: dict[str, Endpoint] = {"preview": "preview_change", "place": "place_change"}
_EITHER = ("GET", "POST")  # documented is GET; the most used public client posts, and is answered
_VERBS: dict[Endpoint, tuple[str, ...]] = {
    **dict.fromkeys(_OAUTH.values(), _EITHER),
    "authorize": ("GET", "POST"),
    "preview": ("POST",),
    "place": ("POST",),
    "cancel": ("PUT",),
    "preview_change": ("PUT",),
    "place_change": ("PUT",),
}

TOLD = (
    ("GET", "/oauth/request_token", "request token; oauth_callback=oob"),
    ("GET", "/e/t/etws/authorize", "the page of sign-in: key and token; needs no signature"),
    ("GET", "/oauth/access_token", "access token; oauth_verifier is what the page showed"),
    ("GET", "/oauth/renew_access_token", "wake a token that was idle for two hours"),
    ("GET", "/oauth/revoke_access_token", "end a token"),
    ("GET", "/v1/market/quote/SYMBOLS", "quotes, separated by commas; detailFlag ALL or INTRADAY"),
    ("GET", "/v1/market/lookup/TEXT", "symbols that have the text in them"),
    ("GET", "/v1/accounts/list", "accounts, and the KEY of each"),
    ("GET", "/v1/accounts/KEY/balance", "balance; instType=BROKERAGE, realTimeNAV"),
    ("GET", "/v1/accounts/KEY/portfolio", "positions; count, pageNumber, totalsRequired"),
    ("GET", "/v1/accounts/KEY/transactions", "transactions; count, marker, startDate, endDate, sortOrder"),
    ("GET", "/v1/accounts/KEY/transactions/ID", "one transaction"),
    ("GET", "/v1/accounts/KEY/orders", "orders; count, marker, status, symbol, fromDate, toDate"),
    ("GET", "/v1/accounts/KEY/orders/ID", "one order with its events"),
    ("POST", "/v1/accounts/KEY/orders/preview", "preview an order: PreviewOrderRequest"),
    ("POST", "/v1/accounts/KEY/orders/place", "place what was previewed: PlaceOrderRequest"),
    ("PUT", "/v1/accounts/KEY/orders/cancel", "cancel an order: CancelOrderRequest"),
    ("PUT", "/v1/accounts/KEY/orders/ID/change/preview", "preview a change"),
    ("PUT", "/v1/accounts/KEY/orders/ID/change/place", "place a change"),
)
"""What a person is told of each endpoint: verb, path, and what it is for."""


@lru_cache(maxsize=512)
def route(method: str, path: str) -> Route:
    """The endpoint of a request; Refused 404 for an unknown path, 405 (9999) for the wrong verb."""
    found = _endpoint(path.removesuffix(_SUFFIX).strip("/").split("/"))
    if found is None:
        raise Refused("The simulator does not know this path.", code=None, status=404)
    endpoint, parts = found
    if method not in _VERBS.get(endpoint, ("GET",)):
        raise Refused("Method not allowed", code=9999, status=405)
    return Route(endpoint, parts, _SUFFIX if path.endswith(_SUFFIX) or _ODD in path else "")


def _endpoint(parts: list[str]) -> tuple[Endpoint, tuple[str, ...]] | None:
    match parts:
        case ["v1", "market", "quote", symbols]:
            return "quotes", (symbols,)
        case ["v1", "market", "lookup", search]:
            return "lookup", (search,)
        case ["v1", "accounts", "list"]:
            return "accounts", ()
        case ["v1", "accounts", key, name] if name in _SINGLE:
            return _SINGLE[name], (key,)
        case ["v1", "accounts", key, "orders", step] if step in _ORDER_STEPS:
            return _ORDER_STEPS[step], (key,)
        case ["v1", "accounts", key, "orders", order_id]:
            return "order", (key, order_id)
        case ["v1", "accounts", key, "orders", order_id, "change", step] if step in _CHANGE_STEPS:
            return _CHANGE_STEPS[step], (key, order_id)
        case ["v1", "accounts", key, "transactions" | "transactions.json", number]:
            return "transaction", (key, number)
        case ["oauth", step] if step in _OAUTH:
            return _OAUTH[step], ()
        case [""]:
            return "index", ()
        case ["e", "t", "etws", "authorize"]:
            return "authorize", ()
        case _:
            return None
