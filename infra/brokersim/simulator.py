"""The simulator as one WSGI application: in-process callers call it, `server` puts it on loopback.

Every call goes the same way: brought up to now, counted, authenticated, limited, answered; a fault may cut in
before or after the answer has had its effect. Nothing here reads a clock or draws chance of its own: `now`
and `seed` decide. Not thread-safe by itself: one caller at a time. Only the broker's own time (`network`) passes
outside: the call has had its effect by then, and other callers come meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, get_args
from urllib.parse import parse_qsl, quote

from infra.brokersim import pages
from infra.brokersim.account import CASH_ACCOUNT_KEY
from infra.brokersim.broker import Broker
from infra.brokersim.chance import stream
from infra.brokersim.faults import ConnectionDropped, Endpoint, Fault, FaultPlan, faulty_answer
from infra.brokersim.halting import How
from infra.brokersim.in_xml import in_xml, json_of
from infra.brokersim.index_page import index_page
from infra.brokersim.ledger import Ledger, PlaceRequest, iso, ledger_of
from infra.brokersim.limiter import Limiter
from infra.brokersim.market import Market
from infra.brokersim.network import OwnTime
from infra.brokersim.oauth import Provider, Signed
from infra.brokersim.routes import Route, route
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.standing import Standing
from infra.brokersim.tickets import attempt_of
from infra.brokersim.wire import (
    THROTTLED,
    Answer,
    AuthRefused,
    Refused,
    Request,
    nothing_found,
    refusal,
    tomcat_page,
    xml_error,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["CASH_ACCOUNT_KEY", "ConnectionDropped", "Fault", "Simulator", "SimulatorSettings"]

_MARKET, _ACCOUNTS, _ORDERS = "market", "accounts", "orders"
_MODULES: dict[Endpoint, str] = {
    "quotes": _MARKET,
    "lookup": _MARKET,
    "accounts": _ACCOUNTS,
    "balance": _ACCOUNTS,
    "portfolio": _ACCOUNTS,
    "transactions": _ACCOUNTS,
    "transaction": _ACCOUNTS,
    "preview": _ORDERS,
    "place": _ORDERS,
    "orders": _ORDERS,
    "order": _ORDERS,
    "cancel": _ORDERS,
    "preview_change": _ORDERS,
    "place_change": _ORDERS,
}
_PLACES = ("place", "place_change")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_URL_SAFE = "/%!$&'()*+,:;=@~-._"  # what a client leaves unescaped in a path


class _Call:
    """One HTTP request as it arrived."""

    __slots__ = ("authorization", "body", "method", "path", "query", "raw_path", "url", "wants_json")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ["PATH_INFO"]
        self.query: str = environ.get("QUERY_STRING", "")
        self.authorization: str = environ.get("HTTP_AUTHORIZATION", "")
        self.wants_json = ".json" in self.path or "json" in environ.get("HTTP_ACCEPT", "")
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        raw_path = environ.get("REQUEST_URI", "").partition("?")[0] or quote(self.path, safe=_URL_SAFE)
        self.url = f"{environ['wsgi.url_scheme']}://{host}{raw_path}"
        length = environ.get("CONTENT_LENGTH") or 0
        body: bytes = environ["wsgi.input"].read(int(length)) if length else b""
        self.body = json_of(body) if "xml" in environ.get("CONTENT_TYPE", "") else body

    def signed(self) -> Signed:
        """What OAuth looks at."""
        return Signed(method=self.method, url=self.url, query=self.query, authorization=self.authorization)


class Simulator:
    """A broker that fills orders from one market day and behaves like E*TRADE's REST API v1 to its callers.

    `now` gives the instant of every call (UTC). OAuth timestamps are checked against it, and against
    `signing_clocks` too: a person's client signs with the time on the wall, whatever day is simulated. Without an
    `own_time` an answer leaves in the instant in which its call came.
    """

    def __init__(
        self,
        *,
        market: Market,
        now: Callable[[], datetime],
        settings: SimulatorSettings,
        seed: int,
        signing_clocks: Sequence[Callable[[], datetime]] = (),
        own_time: OwnTime | None = None,
    ) -> None:
        self._now = now
        self._own_time = own_time
        self._settings = settings
        self._broker = Broker(market=market, settings=settings, seed=seed)
        self._provider = Provider(
            consumer_key=settings.consumer_key,
            consumer_secret=settings.consumer_secret,
            chance=stream(seed, "oauth"),
            signing_clocks=(now, *signing_clocks),
            request_token_life=timedelta(minutes=settings.request_token_minutes),
        )
        self._limiters = {
            _MARKET: Limiter(settings.market_limit),
            _ACCOUNTS: Limiter(settings.accounts_limit),
            _ORDERS: Limiter(settings.orders_limit),
        }
        self._date_off = timedelta(0)
        self._faults = FaultPlan()
        self._calls: Counter[str] = Counter()
        self._throttled = 0
        self._place_requests: list[PlaceRequest] = []

    def bear(self, jitter: timedelta) -> None:
        """Let calls come too close together by this much from now on, for a simulator in scaled time."""
        for limiter in self._limiters.values():
            limiter.bears = jitter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; raises ConnectionDropped where an injected fault drops the connection.

        Signatures are checked over scheme, HTTP_HOST, path and query; the path as REQUEST_URI has it, so
        callers that sign unusual characters should pass REQUEST_URI (werkzeug does), otherwise PATH_INFO is
        encoded again.
        """
        call = _Call(environ)
        answer, own_s = self._handle(call)
        if not call.wants_json:
            answer = in_xml(answer)
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        headers += [("Date", format_datetime(self._now().astimezone(UTC) + self._date_off, usegmt=True))]
        headers += [("Cache-Control", "no-cache, no-store"), ("Pragma", "no-cache"), ("Server", "brokersim")]
        start_response(_STATUS_LINES[answer.status], headers)
        return [answer.body] if self._own_time is None else self._own_time.after(answer.body, own_s)

    def advance(self) -> None:
        """Lets fills, expiries and cancels happen up to now, each at its own instant."""
        self._broker.advance(self._now())

    def inject(self, fault: Fault) -> None:
        """Makes the next calls of one endpoint go wrong."""
        self._faults.add(fault)

    def mend(self) -> None:
        """Lets every call go well again."""
        self._faults = FaultPlan()

    def delay_quotes(self, delayed: bool) -> None:
        """Gives delayed quotes from now on, as to an account without the real-time agreement, or real-time ones."""
        self._broker.realtime = not delayed

    def halt(self, symbol: str, how: How = "stands-still") -> None:
        """Halts trading in a symbol from now on; KeyError for an unknown one."""
        self._broker.halt(symbol, how, self._now())

    def resume(self, symbol: str) -> None:
        """Lets a halted symbol trade again."""
        self._broker.resume(symbol, self._now())

    def misdate(self, off: timedelta) -> None:
        """Says in the Date header of each answer from now on that it is so much later than it is."""
        self._date_off = off

    def withdraw(self, symbol: str, quantity: int, account_key: str = CASH_ACCOUNT_KEY) -> None:
        """Moves shares of an account to another broker, as its owner may at any time."""
        self._broker.accounts[account_key].withdraw(symbol, quantity)

    def stand(self, standing: Standing) -> None:
        """Says this of the owner's accounts from now on."""
        self._broker.standing = standing

    def ledger(self, account_key: str = CASH_ACCOUNT_KEY) -> Ledger:
        """A snapshot of one account's book (counters are of the whole simulator), brought up to now."""
        now = self._now()
        self._broker.advance(now)
        return ledger_of(
            self._broker.accounts[account_key],
            at=now,
            calls={endpoint: self._calls[endpoint] for endpoint in get_args(Endpoint)},
            throttled=self._throttled,
            placed=self._place_requests,
        )

    def _handle(self, call: _Call) -> tuple[Answer, float]:
        """Give the answer, and the seconds of the broker's own time before it leaves."""
        now = self._now()
        self._broker.advance(now)
        try:
            found = route(call.method, call.path)
        except Refused as error:
            return refusal(error), 0.0
        self._calls[found.endpoint] += 1
        attempt = self._note_place(call, now) if found.endpoint in _PLACES else None
        refused = self._throttled
        answer = self._suffer(found, call, now, attempt)
        if self._own_time is None or self._throttled > refused:
            return answer, 0.0
        return answer, self._own_time.draw(found.endpoint)

    def _note_place(self, call: _Call, now: datetime) -> PlaceRequest:
        """Enters a place request into the ledger before anything can happen to it."""
        names = attempt_of(call.body)
        request = PlaceRequest(
            at=iso(now), client_order_id=names.client_order_id, preview_id=names.preview_id, outcome=""
        )
        self._place_requests.append(request)
        return request

    def _suffer(self, found: Route, call: _Call, now: datetime, attempt: PlaceRequest | None) -> Answer:
        """The answer, or what an injected fault makes of it; the ledger learns the outcome before a reset."""
        fault = self._faults.take(found.endpoint)
        acts = fault is None or fault.after_effect
        answer, outcome = self._answer(found, call, now) if acts else (nothing_found(), "fault")
        if attempt is not None:
            attempt["outcome"] = outcome
        return answer if fault is None else faulty_answer(fault)

    def _answer(self, found: Route, call: _Call, now: datetime) -> tuple[Answer, str]:
        """The answer without faults, and how it went (`placed`, `throttled`, `refused 1021`, ...)."""
        module = _MODULES.get(found.endpoint)
        if module is None:
            return self._sign_in(found, call, now), found.endpoint
        try:
            self._provider.authenticate(call.signed(), now)
        except AuthRefused as error:
            return xml_error(error), "unauthorized"
        if not self._limiters[module].admit(now):
            self._throttled += 1
            return refusal(Refused(THROTTLED, code=None)), "throttled"
        query = dict(parse_qsl(call.query, keep_blank_values=True)) if call.query else {}
        request = Request(method=call.method, query=query, body=call.body, suffix=found.suffix)
        try:
            return self._broker.answer(found, request, now), "placed"
        except Refused as error:
            return refusal(error), f"refused {error.code}"

    def _sign_in(self, found: Route, call: _Call, now: datetime) -> Answer:
        """What needs no access token: the OAuth endpoints, the page between them, and the one at the root."""
        if found.endpoint == "index":
            return index_page(self._settings, self._broker.symbols, now, self._broker.session(now))
        if found.endpoint == "authorize":
            return self._authorize(call, now)
        steps = {
            "request_token": self._provider.request_token,
            "access_token": self._provider.access_token,
            "renew": self._provider.renew,
            "revoke": self._provider.revoke,
        }
        try:
            return steps[found.endpoint](call.signed(), now)
        except AuthRefused as error:
            return tomcat_page(error)

    def _authorize(self, call: _Call, now: datetime) -> Answer:
        """The page a person clicks: asks on GET (auto_approve: tells the verifier), decides on POST."""
        sent = dict(parse_qsl(call.query if call.method == "GET" else call.body.decode("utf-8", "replace")))
        key, token, answer = sent.get("key", ""), sent.get("token", ""), sent.get("answer")
        if not self._provider.approvable(key, token, now):
            return pages.unknown_page()
        if (call.method == "POST" and answer == "accept") or self._settings.auto_approve:
            return pages.verifier_page(self._provider.approve(token))
        if call.method == "POST" and answer == "decline":
            self._provider.decline(token)
            return pages.declined_page()
        return pages.question_page(key, token)
