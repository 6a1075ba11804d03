"""The place-answer table, one test per row of order-safety.md 1.6 and per code that was considered."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.broker.outcomes import Accepted, PlaceAnswer, Rejected, UnknownOutcome
from shared.etrade.place_answers import REFUSALS, ROWS, judge
from shared.etrade.session import Answer
from tests.etrade import samples
from tests.etrade.world import START, error_reply

PLACED_AT = datetime.fromtimestamp(samples.NOW_S, UTC) + timedelta(milliseconds=165)
SEEN = (33, 100, 102, 1021, 1037, 3010)
NOT_LISTED = (
    *(101, 163, 167, 900, 1005, 1008, 1019, 1026, 1027, 1028, 1033, 1036, 1040, 1042, 1043, 1045, 1064),
    *(3041, 5001, 5003, 7084, 9011, 9999, 123456),
)


def meaning(status: int, body: object) -> PlaceAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(Answer(status, raw), received_at=START)


def test_an_order_id_is_accepted() -> None:
    """A 200 with one order id is accepted at the broker's own instant."""
    assert meaning(200, samples.placed(673)) == Accepted(order_id=673, at=PLACED_AT)


def test_a_queued_order_is_accepted() -> None:
    """A 200 that says the market was closed is accepted, too."""
    body = samples.placed("673", Order=[{"messages": {"Message": [{"code": 1027, "description": "200|Closed."}]}}])
    assert meaning(200, body) == Accepted(order_id=673, at=PLACED_AT)


def test_an_acceptance_without_a_time_is_dated_by_us() -> None:
    """Without the broker's time of placing, the instant of its answer stands in."""
    assert meaning(200, samples.placed(673, placedTime=None)) == Accepted(order_id=673, at=START)


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": 673, "OrderIds": None},
        {"orderId": "673", "OrderIds": []},
        {"orderId": 673},
        {"ORDERID": 673, "OrderIds": {"orderId": 673}},
    ],
)
def test_an_order_id_at_the_top_level_is_accepted(changes: dict[str, object]) -> None:
    """The id beside the list of ids, or in its place, is accepted when it is the only one."""
    assert meaning(200, samples.placed(673, **changes)) == Accepted(order_id=673, at=PLACED_AT)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>accepted</html>",
        b"<PlaceOrderResponse><OrderIds><orderId>673</orderId></OrderIds></PlaceOrderResponse>",
        json.dumps(samples.placed(673)).encode()[:-20],
        samples.placed(),
        samples.placed(0),
        samples.placed(-5),
        samples.placed(1.5),
        samples.placed("x"),
        samples.placed(None),
        samples.placed(True),
        samples.placed(673, 674),
        samples.placed(673, orderId=674),
        samples.placed(673, orderId="x"),
        samples.placed(673, orderId=0),
        samples.placed(orderId=1.5),
        samples.placed(orderId=[673]),
        samples.placed(673, Error={"code": 101}),
        samples.placed(orderId=673, Order=[{"Error": {"code": 101}}]),
        {"orderId": 673},
        samples.placed(673) | {"Error": {"code": 101}},
        {"PreviewOrderResponse": {"OrderIds": [{"orderId": 673}]}},
        b'{"PlaceOrderResponse":{"OrderIds":[{"orderId":673,"orderId":674}]}}',
        b'{"PlaceOrderResponse":{"OrderIds":[{"orderId":1e400}]}}',
        b'{"PlaceOrderResponse":{"OrderIds":[{"orderId":NaN}]}}',
    ],
)
def test_a_success_without_one_clear_id_is_unknown(body: object) -> None:
    """A 200 that does not name exactly one order id is unknown, never accepted."""
    assert isinstance(meaning(200, body), UnknownOutcome)


@pytest.mark.parametrize("code", SEEN)
def test_a_listed_code_is_rejected(code: int) -> None:
    """A 400 with a code on the list is rejected under that code, with the broker's cleaned text."""
    assert meaning(*error_reply(code, "200|no")) == Rejected(code=str(code), message="no")


def test_the_list_of_codes_is_the_tested_one() -> None:
    """No code is on the list that has no test here."""
    assert set(SEEN) == REFUSALS


@pytest.mark.parametrize("code", NOT_LISTED)
def test_any_other_code_is_unknown(code: int) -> None:
    """A 400 with a code that is not on the list is unknown."""
    assert isinstance(meaning(*error_reply(code, "no")), UnknownOutcome)


@pytest.mark.parametrize("code", [101, 1033, 1021, None])
@pytest.mark.parametrize(
    "text",
    [samples.TIMED_OUT, samples.NOT_AVAILABLE, "We are currently processing your previous request"],
)
def test_a_doubtful_text_beats_every_code(code: int | None, text: str) -> None:
    """A 400 that speaks of a time-out, of work in progress or of an outage is unknown under any code."""
    assert isinstance(meaning(*error_reply(code, text)), UnknownOutcome)


@pytest.mark.parametrize(
    "reply",
    [
        *((status, samples.RATE_HTML) for status in (400, 401, 403, 404, 429)),
        error_reply(None, "Number of requests exceeded the rate limit set"),
        error_reply(1021, "Number of requests exceeded the rate limit set"),
    ],
)
def test_a_throttle_answer_is_unknown(reply: tuple[int, bytes]) -> None:
    """The rate limit's answer, HTML or JSON, under any status and code, is unknown: only a list may tell."""
    assert isinstance(meaning(*reply), UnknownOutcome)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [samples.oauth_xml("token_expired"), samples.oauth_html("token_rejected"), b""])
def test_a_refused_token_is_rejected(status: int, body: bytes) -> None:
    """A 401 or 403 is rejected as auth."""
    answer = meaning(status, body)
    assert isinstance(answer, Rejected)
    assert answer.code == "auth"


def test_an_oauth_problem_under_400_is_rejected() -> None:
    """An OAuth problem that comes with status 400 is rejected as auth, too."""
    answer = meaning(400, samples.oauth_xml("token_expired"))
    assert isinstance(answer, Rejected)
    assert answer.code == "auth"


@pytest.mark.parametrize("status", [400, 401])
def test_a_used_nonce_is_unknown(status: int) -> None:
    """A used nonce is unknown: an earlier copy of the same request may have got through."""
    assert isinstance(meaning(status, samples.oauth_xml("nonce_used")), UnknownOutcome)


@pytest.mark.parametrize("status", [404, 405, 415])
def test_a_wrong_address_is_our_bug(status: int) -> None:
    """A wrong path, verb or media type is rejected as a bug of ours."""
    answer = meaning(status, b"<html/>")
    assert isinstance(answer, Rejected)
    assert answer.code == f"bug-{status}"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html/>", error_reply(1021, "no")[1], samples.RATE_HTML])
def test_a_server_failure_is_unknown(status: int, body: bytes) -> None:
    """A conflict, a 429 or a server failure is unknown, whatever its body says."""
    assert isinstance(meaning(status, body), UnknownOutcome)


@pytest.mark.parametrize("status", [100, 201, 202, 204, 206, 301, 302, 307, 308, 402, 406, 410, 418, 422, 499])
def test_any_other_status_is_unknown(status: int) -> None:
    """A redirect, another success or any status without a row is unknown."""
    assert isinstance(meaning(status, samples.placed(673)), UnknownOutcome)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Request</html>", b"{}", b'{"Error":{"code":0}}'])
def test_a_bare_refusal_is_unknown(body: bytes) -> None:
    """A 400 without code and without a known text is unknown."""
    assert isinstance(meaning(400, body), UnknownOutcome)


def test_no_row_rejects_a_success_or_a_server_failure() -> None:
    """No rejecting row of the table covers a status below 400 or above 499."""
    rejecting = [row for row in ROWS if row.verdict is not None]
    assert all(400 <= status < 500 for row in rejecting for status in row.statuses)
