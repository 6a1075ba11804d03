"""The rate limits are exact, and faults happen where and as often as they were asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.brokersim.faults import ConnectionDropped, Fault, FaultKind
from infra.brokersim.limiter import Limiter
from infra.brokersim.settings import Limit
from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from tests.infra.brokersim.world import URL, world

QUOTE = f"{URL}/v1/market/quote/ZXAA.json"
LIST = f"{URL}/v1/accounts/list.json"
START = datetime(2013, 10, 7, 16, tzinfo=UTC)


def test_no_window_of_one_second_holds_more_than_the_rate() -> None:
    """No window of one second holds more than the rate."""
    limiter = Limiter(Limit(per_second=4, per_hour=10_000))
    asked = [START + timedelta(milliseconds=10 * step) for step in range(1_000)]
    admitted = [at for at in asked if limiter.admit(at)]
    assert len(admitted) == 40
    for first, fifth in zip(admitted, admitted[4:], strict=False):
        assert fifth - first >= timedelta(seconds=1)


def test_the_hour_is_counted_from_its_top() -> None:
    """The hour is counted from its top."""
    limiter = Limiter(Limit(per_second=10, per_hour=3))
    late = START + timedelta(minutes=59, seconds=59)
    assert [limiter.admit(late) for _ in range(4)] == [True, True, True, False]
    assert limiter.admit(START + timedelta(hours=1))


def test_a_throttled_call_is_a_400_without_code_and_modules_count_apart() -> None:
    """A throttled call is a 400 without code and modules count apart."""
    one = world()
    answers = [one.api.get(QUOTE) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [400]
    assert answers[4].json() == {"Error": {"message": "Number of requests exceeded the rate limit set"}}
    assert [one.api.get(LIST).status_code for _ in range(3)] == [200, 200, 400]
    ledger = one.simulator.ledger()
    assert (ledger["throttled"], ledger["calls"]["quotes"], ledger["calls"]["accounts"]) == (2, 5, 3)
    assert ledger["calls"]["place"] == 0
    one.clock.forward(0.999)
    assert one.api.get(QUOTE).status_code == 400
    one.clock.forward(0.001)
    assert one.api.get(QUOTE).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("server-error-500-100", 500, '"code":100'),
        ("html-502", 502, "<html>"),
        ("throttle", 400, "exceeded the rate limit"),
        ("empty-200", 200, ""),
    ],
)
def test_a_fault_hits_its_endpoint_as_often_as_asked(kind: FaultKind, status: int, text: str) -> None:
    """A fault hits its endpoint as often as asked."""
    one = world()
    one.simulator.inject(Fault(endpoint="quotes", kind=kind, count=2))
    assert one.get("/v1/accounts/list.json").status_code == 200
    for _ in range(2):
        answer = one.get("/v1/market/quote/ZXAA.json")
        assert answer.status_code == status
        assert text in answer.text
        assert "QuoteData" not in answer.text
    assert "QuoteData" in one.get("/v1/market/quote/ZXAA.json").text


@pytest.mark.parametrize(("after_effect", "orders", "outcome"), [(True, 1, "placed"), (False, 0, "fault")])
def test_a_connection_drops_before_or_after_the_effect(after_effect: bool, orders: int, outcome: str) -> None:
    """A connection drops before or after the effect."""
    one = world()
    preview = one.preview().json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
    one.clock.forward(1)
    one.simulator.inject(Fault(endpoint="place", kind="reset", after_effect=after_effect))
    with pytest.raises(ConnectionDropped):
        one.place(preview)
    ledger = one.simulator.ledger()
    assert len(ledger["orders"]) == orders
    assert [asked["outcome"] for asked in ledger["place_requests"]] == [outcome]


def test_a_server_error_may_hide_an_accepted_order() -> None:
    """A server error may hide an accepted order."""
    one = world()
    preview = one.preview().json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
    one.clock.forward(1)
    one.simulator.inject(Fault(endpoint="place", kind="server-error-500-100", after_effect=True))
    assert one.place(preview).status_code == 500
    one.clock.forward(1)
    listed = one.api.get(f"{URL}/v1/accounts/{CASH_ACCOUNT_KEY}/orders.json").json()
    assert listed["OrdersResponse"]["Order"][0]["orderId"] == 401


def test_throttled_place_requests_are_in_the_ledger() -> None:
    """Throttled place requests are in the ledger."""
    one = world()
    for _ in range(3):
        one.place(1)
    outcomes = [asked["outcome"] for asked in one.simulator.ledger()["place_requests"]]
    assert outcomes == ["refused 900", "refused 900", "throttled"]
