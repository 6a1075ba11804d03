"""E*TRADE behind the Broker port.

Promises: a read is repeated at most three times and then fails as an AuthError or a BrokerError; a preview is
repeated once, when the server surely did not answer it; a place or a cancel leaves at most once, and whatever
comes back, or does not, is a value that never says more than is known (order-safety.md 1.6 and section 5).
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial, reduce
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from requests.adapters import BaseAdapter

from shared.domain.broker.brokerage import Account, Balance, BrokerOrder, Holding, Ticket
from shared.domain.broker.outcomes import (
    CancelAnswer,
    NeverSent,
    PlaceAnswer,
    PreviewAnswer,
    Rejected,
    UnknownOutcome,
)
from shared.domain.broker.turns import Purpose
from shared.domain.market.quotes import Quote, Quotes
from shared.domain.market.rounds import SYMBOLS_A_CALL
from shared.errors import AuthError, BrokerError, NotSent, OutcomeUnknown, StoreError, Throttled, Unreadable
from shared.etrade import build, parse_accounts, parse_orders, parse_quotes, parse_rows, place_answers
from shared.etrade.exchange import Ask, Endpoint, Exchange, Fields, Reply
from shared.etrade.faults import ServerFailure, Unavailable
from shared.etrade.limits import APART, Limits
from shared.etrade.retry import READ_ATTEMPTS
from shared.etrade.session import (
    ANSWER_WITHIN_S,
    PLACE_WITHIN_S,
    PRODUCTION,
    SANDBOX,
    Answer,
    Call,
    Credentials,
)
from shared.etrade.skew import BrokerClock
from shared.ports import Chance, Clock, Journal, SideBySide

NEW_YORK = "America/New_York"
GOING_ROUND_WITHIN_S = 4.0
"""For a call that nothing held depends on and that is soon made anew, but that its tick waits for."""
ORDERS_A_PAGE = 100
POSITIONS_A_PAGE = 100
MOST_PAGES = 200
PREVIEW_ATTEMPTS = 2

_READ_AGAIN = (NotSent, Throttled, Unavailable)
_PREVIEW_AGAIN = (NotSent, ServerFailure)
_QUOTE_OPTIONS = "overrideSymbolCount=true&skipMiniOptionsCheck=true&detailFlag=ALL"


class EtradeBroker:
    """The Broker port over the REST API v1; one object may serve all threads of a function.

    `credentials` is asked once per attempt; `sandbox` picks the host; `limits` is shared by all brokers of a
    function, whose calls differ in their `purpose`; `side_by_side` makes the calls for many quotes at once; `caller`
    names the function in the journal; `http` replaces the network; `mend` and `broker_clock` are Exchange's.
    """

    def __init__(
        self,
        *,
        credentials: Callable[[], Credentials],
        sandbox: bool,
        clock: Clock,
        chance: Chance,
        journal: Journal,
        limits: Limits,
        side_by_side: SideBySide,
        caller: str,
        purpose: Purpose,
        http: BaseAdapter | None = None,
        mend: Callable[[datetime], bool] | None = None,
        broker_clock: BrokerClock | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._side_by_side = side_by_side
        self._sandbox = sandbox
        self._base = f"{SANDBOX if sandbox else PRODUCTION}/v1"
        self._exchange = Exchange(
            credentials=credentials,
            clock=clock,
            chance=chance,
            journal=journal,
            limits=limits,
            caller=caller,
            http=http,
            purpose=purpose,
            mend=mend,
            broker_clock=broker_clock,
        )

    def accounts(self) -> tuple[Account, ...]:
        """List the owner's accounts; raises AuthError, BrokerError (etrade-api.md 3.1)."""
        reply = self._get(Endpoint.ACCOUNTS, "accounts/list.json")
        return () if reply.answer.status == 204 else parse_accounts.accounts(reply.answer.body)

    def balance(self, account_key: str) -> Balance:
        """Read what the account can spend, in USD; raises AuthError, BrokerError (etrade-api.md 3.2)."""
        path = f"{_account(account_key)}/balance.json?instType=BROKERAGE&realTimeNAV=true"
        reply = self._get(Endpoint.BALANCE, path)
        return parse_accounts.balance(reply.answer.body, at=reply.received_at)

    def portfolio(self, account_key: str) -> tuple[Holding, ...]:
        """List all whole shares held, all pages; raises AuthError, BrokerError (etrade-api.md 3.3)."""
        positions: list[parse_accounts.Position] = []
        for number in range(1, MOST_PAGES + 1):
            options = urlencode({"count": POSITIONS_A_PAGE, "pageNumber": number})
            reply = self._get(Endpoint.PORTFOLIO, f"{_account(account_key)}/portfolio.json?{options}")
            if reply.answer.status == 204:
                break
            page = parse_accounts.portfolio(reply.answer.body)
            positions.extend(page.positions)
            if number >= page.pages:
                break
        else:
            raise Unreadable("portfolio: pages without end")
        return parse_accounts.holdings(positions)

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote any number of symbols, 50 a call, in the order asked; unknown ones are absent.

        With `next_at` a call that holds only `others` is made once, and not waited for long: they are asked for anew.
        Raises AuthError (etrade-api.md 2.1).
        """
        wanted = tuple(dict.fromkeys((*symbols, *others)))
        calls = [wanted[start : start + SYMBOLS_A_CALL] for start in range(0, len(wanted), SYMBOLS_A_CALL)]
        least = max(1, -(-len(set(symbols)) // SYMBOLS_A_CALL))
        if next_at is None:
            least = len(calls)
        elif len(calls) > least:
            calls = calls[: least + self._limits.room(besides=least, keep=next_at)]
        works = [partial(self._quoted, calls, number, least) for number in range(len(calls))]
        answers = self._side_by_side.ask(works, apart=APART)
        asked = sum(len(call) for call in calls)
        return _together(calls, answers, unasked=wanted[asked:])

    def _quoted(self, calls: Sequence[tuple[str, ...]], number: int, least: int) -> dict[str, Quote]:
        """Make one of a tick's calls; the first `least` are repeated when they fail."""
        listed = ",".join([quote(symbol, safe=":") for symbol in calls[number]])
        must = number < least
        ask = Ask(
            endpoint=Endpoint.QUOTES,
            call=Call(
                method="GET", url=f"{self._base}/market/quote/{listed}.json?{_QUOTE_OPTIONS}",
                within_s=ANSWER_WITHIN_S if must else GOING_ROUND_WITHIN_S,
            ),
            fields=_of_call(calls, number),
        )  # fmt: skip
        try:
            reply = self._exchange.read(ask, attempts=READ_ATTEMPTS if must else 1, on=_READ_AGAIN)
        except StoreError as problem:
            # It comes from reading the credentials: this call has none, and whoever asks for quotes goes on.
            raise NotSent(problem.detail) from None
        if reply.answer.status == 204:
            return {}
        return parse_quotes.quotes(reply.answer.body, symbols=calls[number], received_at=reply.received_at)

    def preview(self, account_key: str, ticket: Ticket) -> PreviewAnswer:
        """Ask whether the order would be taken: Previewed, or Rejected with the broker's code.

        Raises AuthError, and BrokerError when there is no usable answer (etrade-api.md 4.3, 4.4).
        """
        ask = Ask(
            endpoint=Endpoint.PREVIEW,
            call=self._order_call("POST", account_key, "preview", build.preview(ticket)),
            fields={"client_order_id": ticket.client_order_id},
            keep_refusal=True,
        )
        reply = self._exchange.read(ask, attempts=PREVIEW_ATTEMPTS, on=_PREVIEW_AGAIN)
        if reply.fault is not None:
            return Rejected(code=str(reply.fault.code), message=reply.fault.message)
        expected = None if self._sandbox else ticket  # the sandbox answers with canned orders
        return parse_orders.preview(reply.answer.body, ticket=expected, at=reply.sent_at)

    def place(self, account_key: str, ticket: Ticket, preview_ids: Sequence[int], *, deadline: datetime) -> PlaceAnswer:
        """Send the order at most once and give what is known of it (order-safety.md 1.6); never an AuthError.

        It is NeverSent, too, when there are no credentials or when its turn comes at or after `deadline`.
        """
        ask = Ask(
            endpoint=Endpoint.PLACE,
            call=self._order_call("POST", account_key, "place", build.place(ticket, preview_ids)),
            fields={"client_order_id": ticket.client_order_id},
            learn=_placed,
            deadline=deadline,
        )
        try:
            reply = self._exchange.once(ask)
        except (NotSent, AuthError, StoreError) as problem:
            # The last two come from reading the credentials, before anything was sent.
            return NeverSent(why=problem.detail)
        except (OutcomeUnknown, Unreadable) as problem:
            return UnknownOutcome(why=problem.detail)
        return place_answers.judge(reply.answer, received_at=reply.received_at)

    def orders(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """List every order since a New York day, newest first, each id once, all pages (etrade-api.md 4.11).

        Raises AuthError, BrokerError; a list that may have a hole is Unreadable. What is odd about a row is said in it.
        """
        found: list[BrokerOrder] = []
        markers: set[str] = set()
        marker: str | None = None
        while True:
            reply = self._get(Endpoint.ORDERS, self._orders_path(account_key, since, marker))
            if reply.answer.status == 204:
                break
            page = parse_orders.orders(reply.answer.body)
            found += page.orders
            marker = page.marker
            if marker is None:
                break
            if marker in markers or len(markers) >= MOST_PAGES:
                raise Unreadable("orders: the pages do not end")
            markers.add(marker)
        return parse_rows.joined(found)

    def order(self, account_key: str, order_id: int) -> BrokerOrder | None:
        """Read one order, None when the broker does not have it; raises AuthError, BrokerError."""
        path = f"{_account(account_key)}/orders/{order_id}.json"
        reply = self._get(Endpoint.ORDER, path, {"order_id": order_id})
        if reply.answer.status == 204:
            return None
        rows = parse_orders.orders(reply.answer.body).orders
        found = [row for row in rows if row.order_id is not None or "orderId" in row.odd]
        if any(row.order_id != order_id for row in found):
            raise Unreadable("order: another order than was asked for")
        return reduce(parse_rows.better, found) if found else None

    def cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        """Ask once to cancel; what is not clear is UnknownOutcome (etrade-api.md 4.9)."""
        ask = Ask(
            endpoint=Endpoint.CANCEL,
            call=self._order_call("PUT", account_key, "cancel", build.cancel(order_id)),
            fields={"order_id": order_id},
        )
        try:
            reply = self._exchange.once(ask)
        except (AuthError, BrokerError, StoreError) as problem:
            return UnknownOutcome(why=problem.detail)
        return parse_orders.cancel(reply.answer, order_id=order_id)

    def _orders_path(self, account_key: str, since: date, marker: str | None) -> str:
        # Both days or none, and the last one later than the first (etrade-api.md 4.11).
        last = max(self._clock.now().astimezone(ZoneInfo(NEW_YORK)).date(), since) + timedelta(days=1)
        options = {
            "count": str(ORDERS_A_PAGE),
            "fromDate": since.strftime("%m%d%Y"),
            "toDate": last.strftime("%m%d%Y"),
        }
        if marker is not None:
            options["marker"] = marker
        return f"{_account(account_key)}/orders.json?{urlencode(options)}"

    def _get(self, endpoint: Endpoint, path: str, fields: Fields | None = None) -> Reply:
        call = Call(method="GET", url=f"{self._base}/{path}")
        ask = Ask(endpoint=endpoint, call=call, fields=fields or {})
        return self._exchange.read(ask, attempts=READ_ATTEMPTS, on=_READ_AGAIN)

    def _order_call(self, method: str, account_key: str, verb: str, body: bytes) -> Call:
        within_s = PLACE_WITHIN_S if verb == "place" else ANSWER_WITHIN_S
        url = f"{self._base}/{_account(account_key)}/orders/{verb}.json"
        return Call(method=method, url=url, body=body, within_s=within_s)


def _of_call(calls: Sequence[tuple[str, ...]], number: int) -> Fields:
    """Say of which call of how many symbols a journal line is; of several calls, which of them."""
    symbols: Fields = {"symbols": len(calls[number])}
    return symbols if len(calls) == 1 else {**symbols, "call": number + 1}


def _together(
    calls: Sequence[tuple[str, ...]], answers: Sequence[dict[str, Quote] | Exception], *, unasked: Sequence[str]
) -> Quotes:
    """Put the answers of several calls together; what is no failure of one call alone is raised."""
    found: dict[str, Quote] = {}
    failed: dict[str, BrokerError] = {}
    for call, answer in zip(calls, answers, strict=True):
        if isinstance(answer, BrokerError):
            failed |= dict.fromkeys(call, answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            found |= answer
    return Quotes(found, failed=failed, unasked=unasked)


def _account(account_key: str) -> str:
    return f"accounts/{quote(account_key, safe='')}"


def _placed(answer: Answer) -> Fields:
    order_id = place_answers.order_id(answer) if answer.status == 200 else None
    return {} if order_id is None else {"order_id": order_id}
