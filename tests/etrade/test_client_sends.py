"""The client sends previews, places and cancels: once, in time, and with an honest answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from requests import PreparedRequest
from requests.exceptions import ConnectTimeout, ReadTimeout

from shared.domain.broker.outcomes import (
    Accepted,
    CancelTaken,
    NeverSent,
    Previewed,
    Rejected,
    UnknownOutcome,
)
from shared.errors import (
    DeskError,
    NotSent,
    Refused,
    StoreDown,
    Throttled,
    TokenIdle,
    Unreadable,
)
from shared.etrade.faults import ServerFailure, Unavailable
from shared.etrade.session import Credentials
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import (
    ACCOUNT_KEY,
    CREDENTIALS,
    DEADLINE,
    START,
    Reply,
    ScriptedBroker,
    World,
    error_reply,
    json_reply,
    world,
)

BASE = f"https://api.etrade.com/v1/accounts/{ACCOUNT_KEY}"
TODAY = date(2026, 11, 23)
GOOD = json_reply(samples.ACCOUNTS)


def test_a_preview_is_asked_with_our_order() -> None:
    """A preview posts the order as JSON and gives its ids, its total, its messages' codes and the instant of asking."""
    made = world(json_reply(samples.preview()))
    answer = made.broker().preview(ACCOUNT_KEY, TICKET)
    total = Decimal("1323.1")
    assert answer == Previewed(preview_ids=(266606056106,), at=START, estimated_total=total, codes=("7084",))
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
    ticket = replace(TICKET, symbol="MSFT")
    assert isinstance(made.broker().preview(ACCOUNT_KEY, ticket), Previewed)


def test_a_place_is_sent_and_accepted() -> None:
    """A place posts the previewed order with its ids, waits 10 s at most, and gives the order id."""
    made = world(json_reply(samples.placed(673)))
    answer = made.broker().place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE)
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
        ((400, samples.RATE_HTML), UnknownOutcome),
        ((401, samples.oauth_xml("token_expired")), Rejected),
        (error_reply(1021, "no"), Rejected),
        (error_reply(101, samples.TIMED_OUT), UnknownOutcome),
    ],
)
def test_a_place_leaves_once(reply: Reply, kind: type[object]) -> None:
    """Whatever comes back, a place is sent exactly once and answers with a value."""
    made = world(reply)
    assert type(made.broker().place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE)) is kind
    assert len(made.broker_side.requests) == len(made.journal.lines) == 1


def no_vault() -> Credentials:
    raise StoreDown("the vault cannot be reached")


def no_token() -> Credentials:
    return Credentials(consumer_key="invented-consumer-key", consumer_secret="invented-consumer-secret")


@pytest.mark.parametrize("credentials", [no_vault, no_token])
def test_a_place_without_credentials_is_never_sent(credentials: Callable[[], Credentials]) -> None:
    """Without vault or token a place is NeverSent and a cancel unknown, and nothing leaves."""
    made = world(json_reply(samples.placed(673)))
    broker = made.broker(credentials=credentials)
    assert isinstance(broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE), NeverSent)
    assert isinstance(broker.cancel(ACCOUNT_KEY, 7), UnknownOutcome)
    assert made.broker_side.requests == []


def test_a_place_that_would_wait_long_is_never_sent() -> None:
    """A place whose turn is more than 3 s away, after throttle answers, does not wait and does not leave."""
    made = world((400, samples.RATE_HTML))
    broker = made.broker()
    for _ in range(3):
        broker.cancel(ACCOUNT_KEY, 1)
    answer = broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE)
    assert isinstance(answer, NeverSent)
    assert len(made.broker_side.requests) == 3


def test_a_place_that_froze_on_the_way_is_never_sent() -> None:
    """A place whose process froze while it waited for its turn does not leave when it wakes."""
    made = world(json_reply(samples.preview()))
    broker = made.broker()
    for _ in range(2):
        broker.preview(ACCOUNT_KEY, TICKET)
    wake = made.clock.sleep_until

    def freeze(at: datetime) -> None:
        wake(at + timedelta(seconds=400))

    made.clock.sleep_until = freeze  # type: ignore[method-assign]
    assert isinstance(broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE), NeverSent)
    assert len(made.broker_side.requests) == 2


def test_a_cancel_is_put_once() -> None:
    """A cancel is one PUT with the order id, and a time-out of it is unknown."""
    made = world(json_reply(samples.cancelled(403)), ReadTimeout())
    broker = made.broker()
    assert broker.cancel(ACCOUNT_KEY, 403) == CancelTaken()
    assert isinstance(broker.cancel(ACCOUNT_KEY, 403), UnknownOutcome)
    assert [request.method for request in made.broker_side.requests] == ["PUT", "PUT"]
    assert made.broker_side.urls[0] == f"{BASE}/orders/cancel.json"


def test_one_journal_line_per_call() -> None:
    """Each call leaves one line with its kind, status, code, milliseconds, waiting, attempt, caller and ids."""

    def slow(_: PreparedRequest) -> tuple[int, bytes]:
        made.clock.at += timedelta(milliseconds=120)
        return json_reply(samples.placed(673))

    made = world(slow, error_reply(5001, "no"), ConnectTimeout())
    broker = made.broker()
    broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE)
    broker.cancel(ACCOUNT_KEY, 673)
    broker.cancel(ACCOUNT_KEY, 673)
    common = {"event": "broker_call", "attempt": 1, "caller": "a_function"}
    assert made.journal.lines == [
        common
        | {
            "severity": "INFO", "endpoint": "place", "status": 200, "code": None, "ms": 120, "waited_ms": 0,
            "client_order_id": TICKET.client_order_id, "order_id": 673,
        },
        common
        | {
            "severity": "WARNING", "endpoint": "cancel", "status": 400, "code": 5001, "ms": 0, "waited_ms": 0,
            "order_id": 673,
        },
        common
        | {
            "severity": "WARNING", "endpoint": "cancel", "status": None, "code": "not_sent", "ms": 0, "waited_ms": 940,
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
    assert len(made.broker(credentials=credentials).accounts()) == 1
    assert len(asked) == 2
