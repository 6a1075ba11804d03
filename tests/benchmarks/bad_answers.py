"""Bad answers of one endpoint, between the functions and the simulated broker: what a client sees in the field."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Literal

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as LostConnection
from requests.exceptions import ReadTimeout
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

from infra.one_machine.kernel import Kernel
from shared.etrade.session import ANSWER_WITHIN_S
from tests.between import Between

Endpoint = Literal["accounts", "balance", "portfolio", "orders", "order", "quotes"]
Kind = Literal["500", "time-out", "cut", "unreadable", "odd"]
ENDPOINTS: tuple[Endpoint, ...] = ("accounts", "balance", "portfolio", "orders", "order", "quotes")
KINDS: tuple[Kind, ...] = ("500", "time-out", "cut", "unreadable", "odd")
_PATHS: Mapping[Endpoint, re.Pattern[str]] = {
    "accounts": re.compile(r"/accounts/list\.json"),
    "balance": re.compile(r"/balance\.json"),
    "portfolio": re.compile(r"/portfolio\.json"),
    "orders": re.compile(r"/orders\.json"),
    "order": re.compile(r"/orders/[0-9]+\.json"),
    "quotes": re.compile(r"/market/quote/"),
}
_FAILURE = {"Error": {"code": 100, "message": "Due to a system error the request could not be processed."}}
_ODD_ORDER = {
    "orderId": 77,
    "OrderDetail": [{
        "placedTime": 1385740800000, "status": "EXECUTED", "orderTerm": "GOOD_FOR_DAY", "priceType": "MARKET",
        "Instrument": [{
            "Product": {"symbol": "ODD", "securityType": "EQ"}, "orderAction": "BUY", "orderedQuantity": 10.4321,
            "filledQuantity": 10.4321, "averageExecutionPrice": 5.01,
        }],
    }],
}  # fmt: skip
_ODD_HOLDING = {
    "positionId": 77, "Product": {"symbol": "ODD", "securityType": "EQ"}, "quantity": 10.4321, "positionType": "LONG",
    "costPerShare": None, "pricePaid": None,
}  # fmt: skip


class BadAnswers(Between):
    """A connection on which the answers of one endpoint are bad for a while; `served` are the instants of each."""

    def __init__(self, inner: BaseAdapter, kernel: Kernel, *, endpoint: Endpoint, kind: Kind, lasts: timedelta) -> None:
        super().__init__(inner)
        self._kernel = kernel
        self._path = _PATHS[endpoint]
        self._endpoint = endpoint
        self._kind = kind
        self._lasts = lasts
        self._until: datetime | None = None
        self.served: list[datetime] = []

    def begin(self) -> None:
        """Let the answers be bad from now on."""
        self._until = self._kernel.now() + self._lasts

    def carry(self, request: PreparedRequest) -> Response:
        """Carry one request."""
        now = self._kernel.now()
        if self._until is None or now >= self._until or not self._path.search(request.url or ""):
            return super().carry(request)
        self.served.append(now)
        if self._kind == "time-out":
            self._kernel.sleep(ANSWER_WITHIN_S)
            raise ReadTimeout(request=request)
        answer = super().carry(request)
        match self._kind:
            case "500":
                return _with(answer, 500, json.dumps(_FAILURE).encode())
            case "cut":
                raise LostConnection(ProtocolError("Connection aborted."), request=request)
            case "unreadable":
                return _with(answer, 200, (answer.content or b'{"x": 1}')[:-3])
            case "odd":
                return _with(answer, 200, odd(self._endpoint, answer.content))


def odd(endpoint: Endpoint, body: bytes) -> bytes:
    """Put one odd row into an answer: another person's kind of trading, or a field that is null."""
    plain: dict[str, Any] = json.loads(body) if body else {}
    match endpoint:
        case "orders":
            _rows(plain.setdefault("OrdersResponse", {}), "Order").append(_ODD_ORDER)
        case "order":
            for row in _rows(plain["OrdersResponse"], "Order"):
                row["OrderDetail"][0]["Instrument"][0]["averageExecutionPrice"] = None
        case "portfolio":
            whole = plain.setdefault("PortfolioResponse", {"AccountPortfolio": [{"totalPages": 1}]})
            _rows(_rows(whole, "AccountPortfolio")[0], "Position").append(_ODD_HOLDING)
        case "balance":
            plain["BalanceResponse"]["Computed"].pop("RealTimeValues", None)
            plain["BalanceResponse"]["dayTraderStatus"] = None
        case "accounts":
            _rows(plain["AccountListResponse"]["Accounts"], "Account").append({"accountId": None, "institutionType": 7})
        case "quotes":
            _rows(plain["QuoteResponse"], "QuoteData").append({"Product": {"symbol": "ODD"}, "All": {"bid": None}})
    return json.dumps(plain).encode()


def _rows(node: dict[str, Any], name: str) -> list[Any]:
    found = node.get(name) or []
    node[name] = found if isinstance(found, list) else [found]
    rows: list[Any] = node[name]
    return rows


def _with(answer: Response, status: int, body: bytes) -> Response:
    made = Response()
    made.status_code = status
    made.headers = CaseInsensitiveDict({"Content-Type": "application/json", "Content-Length": str(len(body))})
    made.url, made.request = answer.url, answer.request
    made.raw = BytesIO(body)
    return made
