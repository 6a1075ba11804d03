"""A small market, a clock that tests move, and a signing client that calls the simulator in process."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests_oauthlib import OAuth1Session

from infra.brokersim.market import Row
from infra.brokersim.simulator import CASH_ACCOUNT_KEY, Simulator, SimulatorSettings

CONSUMER_KEY = "simulated-consumer-key"
CONSUMER_SECRET = "simulated-consumer-secret"
URL = "http://127.0.0.1:8080"
DAY = date(2013, 10, 7)
NOON = datetime(2013, 10, 7, 16, 0, tzinfo=UTC)
CLOSE = datetime(2013, 10, 7, 20, 0, tzinfo=UTC)


class FakeClock:
    """Tells the time that a test set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        """Lets time pass."""
        self.at += timedelta(seconds=seconds)


class ListedMarket:
    """A market of the rows that a test lists."""

    name, day = "listed", DAY

    def __init__(self, rows: Mapping[str, list[Row]], close: Decimal = Decimal("10.00")) -> None:
        self.symbols = tuple(rows)
        self._rows = rows
        self._close = close

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """The last row at or before an instant."""
        return max((row for row in self._rows[symbol] if row.at <= at), default=None)

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """The rows in between."""
        return (row for row in self._rows[symbol] if after < row.at <= upto)

    def previous_close(self, symbol: str) -> Decimal:
        """The same for every symbol."""
        return self._close


def row(second: float, bid: str, ask: str, *, size: int = 1000, last: str | None = None, volume: int = 0) -> Row:
    """A row so many seconds after noon UTC-4."""
    at = NOON + timedelta(seconds=second)
    return Row(at, Decimal(bid), size, Decimal(ask), size, Decimal(last or bid), volume)


def quiet(*symbols: str) -> ListedMarket:
    """A market in which nothing moves: 10.00 bid, 10.02 asked, 1,000 shares each."""
    return ListedMarket({symbol: [row(-7200 * 2, "10.00", "10.02")] for symbol in symbols or ("ZXAA",)})


class InProcess(BaseAdapter):
    """Carries requests to a WSGI application without a socket."""

    def __init__(self, application: Simulator) -> None:
        super().__init__()
        self._application = application

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """One call of the application."""
        assert request.url is not None
        url = urlsplit(request.url)
        raw = request.body or b""
        body = raw.encode() if isinstance(raw, str) else bytes(raw)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote(url.path),
            "REQUEST_URI": f"{url.path}?{url.query}",
            "QUERY_STRING": url.query,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": _text(request.headers.get("Content-Type", "")),
            "HTTP_HOST": url.netloc,
            "SERVER_NAME": url.hostname,
            "SERVER_PORT": str(url.port),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": io.BytesIO(body),
        }
        for name, value in request.headers.items():
            environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", _text(value))
        response = requests.Response()

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            response.status_code = int(status.split(maxsplit=1)[0])
            response.headers.update(dict(headers))

        response.raw = io.BytesIO(b"".join(self._application(environ, start_response)))
        response.url = request.url
        response.request = request
        return response

    def close(self) -> None:
        """Nothing to close."""


def _text(value: str | bytes) -> str:
    """A header as text; oauthlib signs into bytes."""
    return value.decode() if isinstance(value, bytes) else value


@dataclass
class World:
    """A simulator, its clock and a client of it."""

    clock: FakeClock
    simulator: Simulator
    api: OAuth1Session

    def session(self, **oauth: str) -> OAuth1Session:
        """A signing session of the consumer with other tokens."""
        return session_for(self.simulator, self.clock, **oauth)

    def get(self, path: str, **params: str) -> requests.Response:
        """A signed GET a second and a half after the last call, so that no limit is hit."""
        self.clock.forward(1.5)
        return self.api.get(f"{URL}{path}", params=params)

    def preview(self, account: str = CASH_ACCOUNT_KEY, **changes: Any) -> requests.Response:
        """A signed preview of an order to buy 100 ZXAA at 10.02, or with the changes given."""
        self.clock.forward(1.5)
        body = {"PreviewOrderRequest": order_body(**changes)}
        return self.api.post(f"{URL}/v1/accounts/{account}/orders/preview.json", json=body)

    def place(self, preview_id: object, account: str = CASH_ACCOUNT_KEY, **changes: Any) -> requests.Response:
        """A signed place of the same order."""
        body = {"PlaceOrderRequest": {**order_body(**changes), "PreviewIds": [{"previewId": preview_id}]}}
        return self.api.post(f"{URL}/v1/accounts/{account}/orders/place.json", json=body)

    def buy(self, **changes: Any) -> int:
        """Previews and places; the order id."""
        previewed = self.preview(**changes)
        assert previewed.status_code == 200, previewed.text
        self.clock.forward(1.5)
        preview_id = previewed.json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
        placed = self.place(preview_id, **changes)
        assert placed.status_code == 200, placed.text
        number: int = placed.json()["PlaceOrderResponse"]["OrderIds"][0]["orderId"]
        return number

    def cancel(self, order_id: int) -> requests.Response:
        """A signed cancel."""
        body = {"CancelOrderRequest": {"orderId": order_id}}
        return self.api.put(f"{URL}/v1/accounts/{CASH_ACCOUNT_KEY}/orders/cancel.json", json=body)

    def order(self, order_id: int) -> Any:
        """One order as the ledger has it now."""
        return next(order for order in self.simulator.ledger()["orders"] if order["order_id"] == order_id)

    def seconds(self, order_id: int, event: str) -> float:
        """When an event of an order happened, in seconds after it was placed."""
        order = self.order(order_id)
        at = next(told["at"] for told in order["history"] if told["event"] == event)
        return (datetime.fromisoformat(at) - datetime.fromisoformat(order["placed_at"])).total_seconds()


def order_body(**changes: Any) -> dict[str, Any]:
    """The body of a preview: 100 ZXAA bought at a limit of 10.02 for the day, with changes by wire name."""
    values = {
        "orderType": "EQ",
        "clientOrderId": "order1",
        "symbol": "ZXAA",
        "orderAction": "BUY",
        "quantity": "100",
        "priceType": "LIMIT",
        "orderTerm": "GOOD_FOR_DAY",
        "limitPrice": "10.02",
        "stopPrice": "",
        **changes,
    }
    instrument = {
        "Product": {"securityType": "EQ", "symbol": values["symbol"]},
        "orderAction": values["orderAction"],
        "quantityType": "QUANTITY",
        "quantity": values["quantity"],
    }
    order = {name: values[name] for name in ("priceType", "orderTerm", "limitPrice", "stopPrice")}
    order |= {"allOrNone": "false", "marketSession": "REGULAR", "Instrument": [instrument]}
    return {"orderType": values["orderType"], "clientOrderId": values["clientOrderId"], "Order": [order]}


def session_for(simulator: Simulator, clock: FakeClock, **oauth: Any) -> OAuth1Session:
    """A requests-oauthlib session that signs with the test's clock and calls in process."""
    keys: dict[str, Any] = {"client_secret": CONSUMER_SECRET, **oauth}
    session = OAuth1Session(keys.pop("client_key", CONSUMER_KEY), **keys)
    session.trust_env = False  # nothing here goes by a proxy: each request would look for one
    client: Any = session.auth.client
    client.get_oauth_params = _with_clock(client, clock)
    session.mount("http://", InProcess(simulator))
    return session


def _with_clock(client: Any, clock: FakeClock) -> Any:
    """oauthlib's parameters with the timestamp of the test's clock."""
    original = type(client).get_oauth_params

    def parameters(request: Any) -> Any:
        client.timestamp = str(int(clock().timestamp()))
        return original(client, request)

    return parameters


def log_in(simulator: Simulator, clock: FakeClock) -> OAuth1Session:
    """The three steps of signing in, the page included."""
    first = session_for(simulator, clock, callback_uri="oob")
    token = dict(parse_qsl(first.get(f"{URL}/oauth/request_token").text))
    page = f"{URL}/e/t/etws/authorize?key={CONSUMER_KEY}&token={quote(token['oauth_token'], safe='')}"
    verifier = verifier_in(requests_in(simulator).get(page).text)
    second = session_for(
        simulator,
        clock,
        resource_owner_key=token["oauth_token"],
        resource_owner_secret=token["oauth_token_secret"],
        verifier=verifier,
    )
    access = dict(parse_qsl(second.get(f"{URL}/oauth/access_token").text))
    return session_for(
        simulator,
        clock,
        resource_owner_key=access["oauth_token"],
        resource_owner_secret=access["oauth_token_secret"],
    )


def requests_in(simulator: Simulator) -> requests.Session:
    """A session without any signature, like a browser."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", InProcess(simulator))
    return session


def verifier_in(page: str) -> str:
    """The text of the element with the id `verifier`."""
    return page.partition('id="verifier">')[2].partition("<")[0]


SETTINGS = SimulatorSettings(consumer_key=CONSUMER_KEY, consumer_secret=CONSUMER_SECRET, auto_approve=True)


def world(market: Any = None, *, at: datetime = NOON, seed: int = 1, logged_in: bool = True, **changes: Any) -> World:
    """A signed-in world at noon New York unless told otherwise."""
    clock = FakeClock(at)
    settings = replace(SETTINGS, **changes)
    simulator = Simulator(market=market or quiet(), now=clock, settings=settings, seed=seed)
    api = log_in(simulator, clock) if logged_in else session_for(simulator, clock)
    return World(clock, simulator, api)
