"""The Broker port: what is asked, how often, what is journaled, and what an order call answers."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from requests import PreparedRequest
from requests.exceptions import ConnectTimeout, ReadTimeout

from shared.domain.outcomes import (
    Accepted,
    CancelTaken,
    NeverSent,
    Previewed,
    Rejected,
    UnknownOutcome,
)
from shared.errors import (
    AuthError,
    DeskError,
    NotSent,
    Refused,
    StoreDown,
    Throttled,
    TokenDead,
    TokenIdle,
    Unreadable,
)
from shared.etrade.client import EtradeBroker
from shared.etrade.faults import ServerFailure, Unavailable
from shared.etrade.limits import Limits, Role
from shared.etrade.session import Credentials
from shared.ports import Broker
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import (
    ACCOUNT_KEY,
    CREDENTIALS,
    START,
    Reply,
    ScriptedBroker,
    SeededChance,
    World,
    error_reply,
    json_reply,
    world,
)

BASE = f"https://api.etrade.com/v1/accounts/{ACCOUNT_KEY}"
TODAY = date(2026, 11, 23)
GOOD = json_reply(samples.ACCOUNTS)


def test_the_client_is_a_broker() -> None:
    """The client has every method of the Broker port with its types."""
    broker: Broker = world(GOOD).broker()
    assert len(broker.accounts()) == 1


def test_each_read_asks_the_documented_address() -> None:
    """Accounts, balance, portfolio, orders and one order are asked at their documented addresses."""
    made = world(
        GOOD,
        json_reply(samples.BALANCE),
        json_reply(samples.portfolio()),
        json_reply(samples.orders()),
        json_reply(samples.orders(samples.order(674))),
    )
    broker = made.broker()
    broker.accounts()
    assert broker.balance(ACCOUNT_KEY).at == made.clock.now()
    broker.portfolio(ACCOUNT_KEY)
    broker.orders(ACCOUNT_KEY, since=date(2026, 11, 20))
    assert broker.order(ACCOUNT_KEY, 674) is not None
    assert made.broker_side.urls == [
        "https://api.etrade.com/v1/accounts/list.json",
        f"{BASE}/balance.json?instType=BROKERAGE&realTimeNAV=true",
        f"{BASE}/portfolio.json?count=100&pageNumber=1",
        f"{BASE}/orders.json?count=100&fromDate=11202026&toDate=11242026",
        f"{BASE}/orders/674.json",
    ]


def test_nothing_found_is_empty() -> None:
    """A 204 without body is an empty list, no order, or no quotes."""
    broker = world((204, b"")).broker()
    assert broker.accounts() == ()
    assert broker.portfolio(ACCOUNT_KEY) == ()
    assert broker.orders(ACCOUNT_KEY, since=TODAY) == ()
    assert broker.order(ACCOUNT_KEY, 1) is None
    assert broker.quotes(["AAPL"]) == {}


def test_a_204_with_a_body_is_unreadable() -> None:
    """A 204 that has a body all the same is neither an empty list nor a success of any call."""
    broker = world((204, json_reply(samples.preview())[1])).broker()
    with pytest.raises(Unreadable):
        broker.orders(ACCOUNT_KEY, since=TODAY)
    with pytest.raises(Unreadable):
        broker.preview(ACCOUNT_KEY, TICKET)


def test_a_balance_of_nothing_is_unreadable() -> None:
    """A 204 to a balance is Unreadable, never zero money."""
    with pytest.raises(Unreadable):
        world((204, b"")).broker().balance(ACCOUNT_KEY)


@pytest.mark.parametrize("at_utc_hour", [-12, 0])
def test_the_day_of_a_list_is_new_yorks(at_utc_hour: int) -> None:
    """Just after midnight UTC the list still runs to New York's today and one day more."""
    made = world((204, b""))
    made.clock.at = START.replace(hour=3) if at_utc_hour else START
    made.broker().orders(ACCOUNT_KEY, since=date(2026, 11, 22))
    last = "11232026" if at_utc_hour else "11242026"
    assert made.broker_side.urls[0].endswith(f"fromDate=11222026&toDate={last}")


def test_quotes_are_asked_fifty_a_call() -> None:
    """Any number of symbols is asked 50 a call, each once, and none makes no call."""

    def answer(request: PreparedRequest) -> tuple[int, bytes]:
        listed = str(request.url).split("/quote/")[1].split(".json")[0].split(",")
        return json_reply(samples.quote_body(*(samples.quote_entry(symbol) for symbol in listed)))

    made = world(answer, role=Role.SCAN)
    symbols = [f"S{n}" for n in range(118)]
    found = made.broker().quotes([*symbols, *symbols])
    assert list(found) == symbols
    assert [line["symbols"] for line in made.journal.lines] == [50, 50, 18]
    assert all(
        url.endswith(".json?overrideSymbolCount=true&skipMiniOptionsCheck=true&detailFlag=ALL")
        for url in made.broker_side.urls
    )
    assert made.broker().quotes([]) == {}
    assert len(made.broker_side.requests) == 3


def test_the_portfolio_is_read_to_its_last_page() -> None:
    """All pages of a portfolio are read, by the number of pages that the broker names."""
    made = world(
        json_reply(samples.portfolio(samples.position(1, "A", 1), pages=2)),
        json_reply(samples.portfolio(samples.position(2, "B", 2), pages=2)),
    )
    assert [holding.symbol for holding in made.broker().portfolio(ACCOUNT_KEY)] == ["A", "B"]
    assert "pageNumber=2" in made.broker_side.urls[1]


def test_orders_are_read_to_the_last_marker() -> None:
    """All pages of the order list are read, each order once, newest first."""
    made = world(
        json_reply(samples.orders(samples.order(9), samples.order(8), marker="88")),
        json_reply(samples.orders(samples.order(8), samples.order(7), marker="77")),
        (204, b""),
    )
    found = made.broker().orders(ACCOUNT_KEY, since=TODAY)
    assert [order.order_id for order in found] == [9, 8, 7]
    assert [url.partition("marker=")[2] for url in made.broker_side.urls] == ["", "88", "77"]


def test_a_list_without_end_is_unreadable() -> None:
    """A broker that repeats its marker for ever gives no list rather than half of one."""
    made = world(json_reply(samples.orders(samples.order(9), marker="88")))
    with pytest.raises(Unreadable):
        made.broker().orders(ACCOUNT_KEY, since=TODAY)
    assert len(made.broker_side.requests) == 2


def test_another_order_than_asked_is_unreadable() -> None:
    """An answer about another order is not passed off as this one."""
    with pytest.raises(Unreadable):
        world(json_reply(samples.orders(samples.order(9)))).broker().order(ACCOUNT_KEY, 8)


@pytest.mark.parametrize(
    ("reply", "calls", "kind"),
    [
        (ConnectTimeout(), 3, NotSent),
        (ReadTimeout(), 3, Unavailable),
        ((500, b""), 3, ServerFailure),
        ((503, b"<html/>"), 3, ServerFailure),
        ((429, b""), 3, Throttled),
        ((400, samples.RATE_HTML), 3, Throttled),
        ((401, samples.oauth_xml("nonce_used")), 3, Unavailable),
        ((401, samples.oauth_xml("token_expired")), 1, TokenIdle),
        ((401, samples.oauth_xml("token_rejected")), 1, TokenDead),
        ((403, b""), 1, AuthError),
        (error_reply(102, "no"), 1, Refused),
        ((302, b""), 1, Unreadable),
        ((200, b"<html/>"), 1, Unreadable),
        ((200, b""), 1, Unreadable),
    ],
)
def test_a_read_is_repeated_only_when_that_can_help(reply: Reply, calls: int, kind: type[DeskError]) -> None:
    """A read has three attempts at what may pass and one at what will not, and fails with the right error."""
    made = world(reply)
    with pytest.raises(kind):
        made.broker().accounts()
    assert [line["attempt"] for line in made.journal.lines] == list(range(1, calls + 1))


def test_a_read_recovers_with_a_fresh_signature() -> None:
    """A read that fails twice succeeds at the third attempt, each time under another nonce."""
    made = world((401, samples.oauth_xml("nonce_used")), ReadTimeout(), GOOD)
    assert len(made.broker().accounts()) == 1
    assert len({request.headers["Authorization"] for request in made.broker_side.requests}) == 3


def test_the_waits_between_attempts_are_jittered_and_short() -> None:
    """Between attempts a read waits at most 0.2 and then 0.4 s, besides its turn in the limiter."""
    made = world((500, b""))
    made.chance = SeededChance(high=True)
    with pytest.raises(ServerFailure):
        made.broker().quotes(["AAPL"])
    waits = [at - START for at in made.clock.woken]
    assert waits[0] == timedelta(milliseconds=200)
    assert waits[2] == timedelta(milliseconds=1400)


def test_no_attempt_begins_after_eight_seconds() -> None:
    """A slow broker gets no further attempt once 8 s have passed since the read began."""

    def slow(_: PreparedRequest) -> tuple[int, bytes]:
        made.clock.at += timedelta(seconds=7.99)
        return 500, b""

    made = world(slow)
    made.chance = SeededChance(high=True)
    with pytest.raises(ServerFailure):
        made.broker().accounts()
    assert len(made.broker_side.requests) == 1


def test_a_throttle_answer_stops_the_module() -> None:
    """After a throttle answer the next call to the same module waits, and one to another module does not."""
    made = world(error_reply(5001, "no"), GOOD)
    made.broker_side.replies.insert(0, (400, samples.RATE_HTML))
    broker = made.broker()
    assert broker.cancel(ACCOUNT_KEY, 1) == UnknownOutcome(why="status 400, rate")
    broker.cancel(ACCOUNT_KEY, 1)
    assert made.clock.now() == START + timedelta(seconds=1)
    broker.accounts()
    assert made.clock.now() == START + timedelta(seconds=1)


def test_a_preview_is_asked_with_our_order() -> None:
    """A preview posts the order as JSON and gives its ids, its total and the instant of asking."""
    made = world(json_reply(samples.preview()))
    answer = made.broker().preview(ACCOUNT_KEY, TICKET)
    assert answer == Previewed(preview_ids=(266606056106,), at=START, estimated_total=Decimal("1323.1"))
    request = made.broker_side.requests[0]
    assert (request.method, request.url) == ("POST", f"{BASE}/orders/preview.json")
    assert request.headers["Content-Type"] == "application/json"
    assert made.broker_side.sent_json()["PreviewOrderRequest"]["clientOrderId"] == TICKET.client_order_id


@pytest.mark.parametrize("code", [1021, 101, 9999])
def test_a_refused_preview_is_rejected(code: int) -> None:
    """A 400 with any code to a preview is a rejection, since a preview has no effect."""
    made = world(error_reply(code, "200|no funds"))
    assert made.broker().preview(ACCOUNT_KEY, TICKET) == Rejected(code=str(code), message="no funds")


@pytest.mark.parametrize(
    ("reply", "calls", "kind"),
    [
        (ConnectTimeout(), 2, NotSent),
        ((500, b""), 2, ServerFailure),
        (ReadTimeout(), 1, Unavailable),
        ((400, samples.RATE_HTML), 1, Throttled),
        ((400, b"<html/>"), 1, Refused),
        ((401, samples.oauth_xml("token_expired")), 1, TokenIdle),
        ((200, b"{}"), 1, Unreadable),
        ((204, b""), 1, Unreadable),
    ],
)
def test_a_preview_is_repeated_once(reply: Reply, calls: int, kind: type[DeskError]) -> None:
    """A preview has a second attempt after a failed connection or a server failure only."""
    made = world(reply)
    with pytest.raises(kind):
        made.broker().preview(ACCOUNT_KEY, TICKET)
    assert len(made.broker_side.requests) == calls


def test_a_sandbox_preview_may_be_canned() -> None:
    """In the sandbox a preview that shows another order than ours is taken as it is."""
    made = world(json_reply(samples.preview(PreviewIds=[{"previewId": 5}])))
    made.sandbox = True
    ticket = TICKET.__class__(
        **{name: getattr(TICKET, name) for name in TICKET.__slots__} | {"symbol": "MSFT"}
    )
    assert isinstance(made.broker().preview(ACCOUNT_KEY, ticket), Previewed)


def test_a_place_is_sent_and_accepted() -> None:
    """A place posts the previewed order with its ids, waits 10 s at most, and gives the order id."""
    made = world(json_reply(samples.placed(673)))
    answer = made.broker().place(ACCOUNT_KEY, TICKET, [7])
    assert isinstance(answer, Accepted)
    assert answer.order_id == 673
    assert made.broker_side.urls == [f"{BASE}/orders/place.json"]
    assert made.broker_side.options[0]["timeout"] == (3.0, 10.0)
    assert made.broker_side.sent_json()["PlaceOrderRequest"]["PreviewIds"] == [{"previewId": 7}]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (ConnectTimeout(), NeverSent),
        (ReadTimeout(), UnknownOutcome),
        ((500, b""), UnknownOutcome),
        ((429, b""), UnknownOutcome),
        ((302, b""), UnknownOutcome),
        ((200, b""), UnknownOutcome),
        ((204, b""), UnknownOutcome),
        ((400, samples.RATE_HTML), Rejected),
        ((401, samples.oauth_xml("token_expired")), Rejected),
        (error_reply(1021, "no"), Rejected),
        (error_reply(101, samples.TIMED_OUT), UnknownOutcome),
    ],
)
def test_a_place_leaves_once(reply: Reply, kind: type[object]) -> None:
    """Whatever comes back, a place is sent exactly once and answers with a value."""
    made = world(reply)
    assert type(made.broker().place(ACCOUNT_KEY, TICKET, [7])) is kind
    assert len(made.broker_side.requests) == len(made.journal.lines) == 1


def broker_with(made: World, credentials: Callable[[], Credentials]) -> EtradeBroker:
    """Make a client whose credentials come from a function of the test."""
    return EtradeBroker(
        credentials=credentials,
        sandbox=False,
        clock=made.clock,
        chance=made.chance,
        journal=made.journal,
        limits=Limits(clock=made.clock, role=made.role),
        caller="a_function",
        http=made.broker_side,
    )


def no_vault() -> Credentials:
    raise StoreDown("the vault cannot be reached")


def no_token() -> Credentials:
    return Credentials(consumer_key="invented-consumer-key", consumer_secret="invented-consumer-secret")


@pytest.mark.parametrize("credentials", [no_vault, no_token])
def test_a_place_without_credentials_is_never_sent(credentials: Callable[[], Credentials]) -> None:
    """Without vault or token a place is NeverSent and a cancel unknown, and nothing leaves."""
    made = world(json_reply(samples.placed(673)))
    broker = broker_with(made, credentials)
    assert isinstance(broker.place(ACCOUNT_KEY, TICKET, [7]), NeverSent)
    assert isinstance(broker.cancel(ACCOUNT_KEY, 7), UnknownOutcome)
    assert made.broker_side.requests == []


def test_a_place_that_would_wait_long_is_never_sent() -> None:
    """A place whose turn is more than 3 s away, after throttle answers, does not wait and does not leave."""
    made = world((400, samples.RATE_HTML))
    broker = made.broker()
    for _ in range(3):
        broker.cancel(ACCOUNT_KEY, 1)
    answer = broker.place(ACCOUNT_KEY, TICKET, [7])
    assert isinstance(answer, NeverSent)
    assert len(made.broker_side.requests) == 3


def test_a_place_that_froze_on_the_way_is_never_sent() -> None:
    """A place whose process froze while it waited for its turn does not leave when it wakes."""
    made = world(json_reply(samples.preview()))
    broker = made.broker()
    broker.preview(ACCOUNT_KEY, TICKET)
    wake = made.clock.sleep_until

    def freeze(at: datetime) -> None:
        wake(at + timedelta(seconds=400))

    made.clock.sleep_until = freeze  # type: ignore[method-assign]
    assert isinstance(broker.place(ACCOUNT_KEY, TICKET, [7]), NeverSent)
    assert len(made.broker_side.requests) == 1


def test_a_cancel_is_put_once() -> None:
    """A cancel is one PUT with the order id, and a time-out of it is unknown."""
    made = world(json_reply(samples.cancelled(403)), ReadTimeout())
    broker = made.broker()
    assert broker.cancel(ACCOUNT_KEY, 403) == CancelTaken()
    assert isinstance(broker.cancel(ACCOUNT_KEY, 403), UnknownOutcome)
    assert [request.method for request in made.broker_side.requests] == ["PUT", "PUT"]
    assert made.broker_side.urls[0] == f"{BASE}/orders/cancel.json"


def test_one_journal_line_per_call() -> None:
    """Each call leaves one line with its kind, status, code, milliseconds, attempt, caller and ids."""

    def slow(_: PreparedRequest) -> tuple[int, bytes]:
        made.clock.at += timedelta(milliseconds=120)
        return json_reply(samples.placed(673))

    made = world(slow, error_reply(5001, "no"), ConnectTimeout())
    broker = made.broker()
    broker.place(ACCOUNT_KEY, TICKET, [7])
    broker.cancel(ACCOUNT_KEY, 673)
    broker.cancel(ACCOUNT_KEY, 673)
    common = {"event": "broker_call", "attempt": 1, "caller": "a_function"}
    assert made.journal.lines == [
        common
        | {
            "severity": "INFO", "endpoint": "place", "status": 200, "code": None, "ms": 120,
            "client_order_id": TICKET.client_order_id, "order_id": 673,
        },
        common
        | {
            "severity": "WARNING", "endpoint": "cancel", "status": 400, "code": 5001, "ms": 0,
            "order_id": 673,
        },
        common
        | {
            "severity": "WARNING", "endpoint": "cancel", "status": None, "code": "not_sent", "ms": 0,
            "order_id": 673,
        },
    ]  # fmt: skip


def test_the_credentials_are_asked_at_each_attempt() -> None:
    """A token that was renewed between two attempts signs the second one."""
    asked: list[int] = []

    def credentials() -> Credentials:
        asked.append(1)
        return CREDENTIALS

    made = World(broker_side=ScriptedBroker((500, b""), GOOD))
    assert len(broker_with(made, credentials).accounts()) == 1
    assert len(asked) == 2
