"""Bodies that nobody should send: only values and errors of ours come out, and no success that is none."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.broker.outcomes import Accepted, CancelTaken, Previewed
from shared.errors import AuthError, BrokerError
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import ACCOUNT_KEY, DEADLINE, json_reply, world

GENUINE: tuple[object, ...] = (
    samples.ACCOUNTS,
    samples.BALANCE,
    samples.portfolio(samples.position(1, "AAPL", 10)),
    samples.quote_body(samples.quote_entry()),
    samples.preview(),
    samples.placed(673),
    samples.placed(orderId=673),
    samples.orders(samples.order(), samples.order(5, status="OPEN")),
    samples.cancelled(403),
    {"Error": {"code": 1021, "message": "no"}},
)
ODD = (
    *(
        b"null",
        b"true",
        b'""',
        b"[]",
        b"{}",
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"1e-400",
        b"-1",
        b"0.5",
        b"673.0",
    ),
    *(b"9" * 40, b"9" * 5000, b"1e999999999999999999999", b'"1_0"', b'"\xff"', b"[" * 3000, b'{"a":' * 3000),
    *(b"\xd9\xa3", b'"\\ud800"', b'"<b>"', b'{"orderId":1,"orderId":2}'),
)
PAGES = (
    *(samples.RATE_HTML, samples.oauth_html("token_expired"), samples.oauth_xml("nonce_used"), b"<html>"),
    *(b"<Error><code>1021</code></Error>", b"<PlaceOrderResponse><orderId>1</orderId></PlaceOrderResponse>"),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Take a genuine body and cut it, double a key, change the case of keys, or put something odd into it."""
    raw = json.dumps(draw(st.sampled_from(GENUINE))).encode()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.sampled_from(("cut", "odd", "double", "case", "noise"))):
            case "cut":
                raw = raw[:at]
            case "odd":
                head, colon, tail = raw[at:].partition(b": ")
                rest = tail[min((tail + b",").index(b","), (tail + b"}").index(b"}")) :]
                raw = raw[:at] + head + colon + draw(st.sampled_from(ODD)) + rest
            case "double":
                inner = raw[1:-1]
                raw = b"{" + inner + b", " + inner + b"}"
            case "case":
                raw = raw.swapcase()
            case _:
                raw = raw[:at] + draw(st.binary(max_size=4)) + raw[at:]
    return raw


BODIES = st.one_of(damaged(), st.sampled_from(PAGES), st.sampled_from(ODD), st.binary(max_size=60))
STATUSES = st.sampled_from((200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503))


def answer(call: Callable[[Any], object], status: int, body: bytes) -> object:
    """Make one call against this answer; only AuthError and BrokerError may come out."""
    try:
        return call(world((status, body)).broker())
    except (AuthError, BrokerError) as problem:
        return problem


@settings(max_examples=100, deadline=None)
@given(status=STATUSES, body=BODIES)
def test_reads_give_values_or_our_errors(status: int, body: bytes) -> None:
    """Whatever the body, every read gives a value, an AuthError or a BrokerError; nothing else escapes."""
    for call in (
        lambda broker: broker.accounts(),
        lambda broker: broker.balance(ACCOUNT_KEY),
        lambda broker: broker.portfolio(ACCOUNT_KEY),
        lambda broker: dict(broker.quotes(["AAPL"])),
        lambda broker: broker.orders(ACCOUNT_KEY, since=date(2026, 11, 23)),
        lambda broker: broker.order(ACCOUNT_KEY, 674),
    ):
        answer(call, status, body)


def whole(body: bytes, root: str) -> dict[str, Any]:
    """Read a body with the strictest reader there is: json itself, and no key twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key.lower() for key, _ in pairs}) == len(pairs) or len(dict(pairs)) < len(pairs)
        return {key.lower(): value for key, value in pairs}

    value = json.loads(body, object_pairs_hook=unique)
    assert isinstance(value[root], dict)
    return dict(value[root])


@settings(max_examples=100, deadline=None)
@given(status=STATUSES, body=BODIES)
def test_orders_give_no_false_success(status: int, body: bytes) -> None:
    """A preview, place or cancel succeeds only on a 200 whose JSON truly names the id under its own root."""
    placed = answer(lambda broker: broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE), status, body)
    if isinstance(placed, Accepted):
        assert status == 200
        answered = whole(body, "placeorderresponse")
        ids = answered.get("orderids") or []
        listed = [*(ids if isinstance(ids, list) else [ids]), *([answered] if "orderid" in answered else [])]
        assert {int(float(item["orderid"])) for item in listed} == {placed.order_id}
    previewed = answer(lambda broker: broker.preview(ACCOUNT_KEY, TICKET), status, body)
    if isinstance(previewed, Previewed):
        assert status == 200
        assert whole(body, "previeworderresponse")["previewids"]
    cancelled = answer(lambda broker: broker.cancel(ACCOUNT_KEY, 403), status, body)
    if isinstance(cancelled, CancelTaken):
        assert status == 200
        assert int(float(whole(body, "cancelorderresponse")["orderid"])) == 403


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 2000), which=st.sampled_from(GENUINE))
def test_a_cut_body_is_never_a_success(cut: int, which: object) -> None:
    """A genuine body that ends one or more bytes early is never a value of a read or of an order call."""
    whole_body = json_reply(which)[1]
    body = whole_body[: min(cut, len(whole_body) - 1)]
    calls: tuple[Callable[[Any], object], ...] = (
        lambda broker: broker.orders(ACCOUNT_KEY, since=date(2026, 11, 23)),
        lambda broker: broker.portfolio(ACCOUNT_KEY),
        lambda broker: dict(broker.quotes(["AAPL"])),
        lambda broker: broker.balance(ACCOUNT_KEY),
    )
    assert all(isinstance(answer(call, 200, body), BrokerError) for call in calls)
    assert not isinstance(
        answer(lambda broker: broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE), 200, body), Accepted
    )
