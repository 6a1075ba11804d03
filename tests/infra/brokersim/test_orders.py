"""Previewing, placing, cancelling and listing orders (fact sheet, sections 4.3-4.11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from tests.infra.brokersim.world import CLOSE, NOON, URL, ListedMarket, World, order_body, quiet, row, world

ORDERS = f"/v1/accounts/{CASH_ACCOUNT_KEY}/orders"


def code_of(answer: requests.Response) -> int | None:
    assert answer.status_code == 400, answer.text
    code: int | None = answer.json()["Error"].get("code")
    return code


def preview_id(one: World, **changes: Any) -> int:
    number: int = one.preview(**changes).json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
    one.clock.forward(1.5)
    return number


def listed(one: World, **params: str) -> list[int]:
    answer = one.get(f"{ORDERS}.json", **params)
    return [order["orderId"] for order in answer.json()["OrdersResponse"]["Order"]] if answer.content else []


def test_a_preview_tells_the_cost_and_the_buying_power_left() -> None:
    """A preview tells the cost and the buying power left."""
    told = world().preview().json()["PreviewOrderResponse"]
    assert told["totalOrderValue"] == 1_002.0
    assert told["cashBpDetails"]["settled"] == {
        "currentBp": 100_000.0,
        "currentOor": 0.0,
        "currentNetBp": 100_000.0,
        "currentOrderImpact": 1_002.0,
        "netBp": 98_998.0,
    }
    assert 10 <= len(str(told["PreviewIds"][0]["previewId"])) <= 13


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"clientOrderId": "with-hyphen"}, 101),
        ({"clientOrderId": "x" * 21}, 101),
        ({"clientOrderId": ""}, 101),
        ({"symbol": "NOPE"}, 101),
        ({"quantity": "1.5"}, 101),
        ({"quantity": "0"}, 101),
        ({"quantity": "1e999999"}, 101),
        ({"quantity": ""}, 101),
        ({"limitPrice": "10.005"}, 101),
        ({"limitPrice": "0.99995"}, 101),
        ({"limitPrice": ""}, 101),
        ({"limitPrice": "-1"}, 101),
        ({"limitPrice": "NaN"}, 101),
        ({"priceType": "TRAILING_STOP_CNST"}, 101),
        ({"priceType": "MARKET"}, 101),  # with a limit price
        ({"priceType": "MARKET", "limitPrice": "", "orderTerm": "IMMEDIATE_OR_CANCEL"}, 101),
        ({"priceType": "MARKET", "limitPrice": "", "orderTerm": "FILL_OR_KILL"}, 101),
        ({"orderTerm": "GOOD_TILL_DATE"}, 101),
        ({"orderType": "OPTN"}, 101),
        ({"orderAction": "SELL_SHORT"}, 33),
        ({"quantity": "9981"}, 1021),
        ({"orderAction": "SELL"}, 1037),
        ({"priceType": "STOP", "limitPrice": "", "stopPrice": "10.00"}, 101),  # buy stop not above the market
    ],
)
def test_a_preview_refuses_what_could_not_be_placed(changes: dict[str, str], code: int) -> None:
    """A preview refuses what could not be placed."""
    assert code_of(world().preview(**changes)) == code


@pytest.mark.parametrize("limit", ["0.9999", "10.02", "10.0200"])
def test_a_preview_takes_every_price_on_the_grid(limit: str) -> None:
    """A preview takes every price on the grid."""
    assert world().preview(limitPrice=limit).status_code == 200


def test_a_sell_stop_must_be_below_the_market() -> None:
    """A sell stop must be below the market."""
    one = world()
    one.buy()
    one.clock.forward(1)
    stop = {"orderAction": "SELL", "priceType": "STOP", "limitPrice": ""}
    assert code_of(one.preview(**stop, stopPrice="10.00")) == 101
    assert one.preview(**stop, stopPrice="9.99").status_code == 200


def test_a_body_that_is_not_as_captured_gets_the_catch_all() -> None:
    """A body that is not as captured gets the catch all."""
    one = world()
    for body in (b"", b"<PreviewOrderRequest/>", b"{}", b"[1]"):
        one.clock.forward(1)
        answer = one.api.post(f"{URL}{ORDERS}/preview.json", data=body)
        assert (answer.status_code, answer.json()["Error"]["code"]) == (500, 100)


def test_an_order_that_is_not_a_list_is_refused() -> None:
    """An order that is not a list is refused."""
    one = world()
    body = order_body()
    body["Order"] = body["Order"][0]
    assert code_of(one.api.post(f"{URL}{ORDERS}/preview.json", json={"PreviewOrderRequest": body})) == 101


def test_a_placed_order_gets_a_small_increasing_number_and_message_1026() -> None:
    """A placed order gets a small increasing number and message 1026."""
    one = world()
    answer = one.place(preview_id(one)).json()["PlaceOrderResponse"]
    assert answer["OrderIds"] == [{"orderId": 401}]
    assert answer["Order"][0]["messages"]["Message"][0]["code"] == 1026
    assert one.buy(clientOrderId="order2") == 402


def test_after_hours_an_order_is_queued_with_message_1027_and_stays_open() -> None:
    """After hours an order is queued with message 1027 and stays open."""
    one = world(at=CLOSE + timedelta(minutes=5))
    answer = one.place(preview_id(one)).json()["PlaceOrderResponse"]
    assert answer["Order"][0]["messages"]["Message"][0]["code"] == 1027
    one.clock.forward(3_600)
    assert one.order(401)["status"] == "OPEN"


def test_before_the_open_an_order_waits_for_the_bell() -> None:
    """Before the open an order waits for the bell."""
    one = world(at=NOON - timedelta(hours=3))
    answer = one.place(preview_id(one)).json()["PlaceOrderResponse"]
    assert answer["Order"][0]["messages"]["Message"][0]["code"] == 1027
    one.clock.at = NOON
    assert one.order(401)["history"][-1]["at"] == "2013-10-07T13:30:00.000000+00:00"
    assert one.order(401)["status"] == "EXECUTED"


def test_a_queued_order_can_be_cancelled_before_the_open() -> None:
    """A queued order can be cancelled before the open."""
    one = world(at=NOON - timedelta(hours=3))
    order_id = one.buy()
    one.clock.forward(1)
    assert one.cancel(order_id).status_code == 200
    one.clock.forward(2)
    assert one.order(order_id)["status"] == "CANCELLED"


def test_a_preview_admits_one_place() -> None:
    """A preview admits one place."""
    one = world()
    number = preview_id(one)
    assert one.place(number).status_code == 200
    answer = one.place(number)
    assert code_of(answer) == 1033
    assert "we have timed out your original order request" in answer.json()["Error"]["message"]


def test_a_preview_grows_too_old() -> None:
    """A preview grows too old."""
    one = world()
    number = preview_id(one)
    one.clock.forward(180)
    assert code_of(one.place(number)) == 1033


def test_a_place_needs_a_known_preview_of_its_own_account() -> None:
    """A place needs a known preview of its own account."""
    one = world()
    number = preview_id(one)
    assert code_of(one.place(None)) == 101
    assert code_of(one.place(123_456_789_012)) == 900
    one.clock.forward(1)
    assert code_of(one.place(number, account="simulated_margin-key-2")) == 900


@pytest.mark.parametrize("changes", [{"quantity": "99"}, {"limitPrice": "10.01"}, {"clientOrderId": "order2"}])
def test_a_place_must_repeat_what_was_previewed(changes: dict[str, str]) -> None:
    """A place must repeat what was previewed."""
    one = world()
    answer = one.place(preview_id(one), **changes)
    assert code_of(answer) == 101
    assert "timed out your original order request" in answer.json()["Error"]["message"]
    assert one.simulator.ledger()["orders"] == []


def test_the_same_price_written_otherwise_is_the_same_order() -> None:
    """The same price written otherwise is the same order."""
    one = world()
    assert one.place(preview_id(one), limitPrice=10.02, quantity=100).status_code == 200


def test_a_client_order_id_is_used_once() -> None:
    """A client order id is used once."""
    one = world()
    one.buy()
    one.clock.forward(1)
    assert code_of(one.place(preview_id(one))) == 1042
    outcomes = [asked["outcome"] for asked in one.simulator.ledger()["place_requests"]]
    assert outcomes == ["placed", "refused 1042"]


def test_the_duplicate_refusal_can_be_switched_off() -> None:
    """The duplicate refusal can be switched off."""
    one = world(duplicate_client_order_id="ignore")
    assert [one.buy(), one.buy()] == [401, 402]


def test_funds_are_checked_again_when_placing() -> None:
    """Funds are checked again when placing."""
    one = world()
    first, second = preview_id(one, quantity="6000"), preview_id(one, quantity="6000", clientOrderId="order2")
    assert one.place(first, quantity="6000").status_code == 200
    assert code_of(one.place(second, quantity="6000", clientOrderId="order2")) == 1021


def test_shares_of_a_resting_sell_are_reserved() -> None:
    """Shares of a resting sell are reserved."""
    one = world()
    one.buy()
    one.clock.forward(1)
    one.buy(clientOrderId="order2", orderAction="SELL", limitPrice="11.00", quantity=60)
    one.clock.forward(1)
    sell = {"clientOrderId": "order3", "orderAction": "SELL", "limitPrice": "12.00"}
    answer = one.preview(**sell, quantity=41)
    assert code_of(answer) == 1037
    assert one.preview(**sell, quantity=40).status_code == 200


def test_a_cancel_is_asynchronous() -> None:
    """A cancel is asynchronous."""
    one = world()
    order_id = one.buy(limitPrice="9.00")
    one.clock.forward(1)
    answer = one.cancel(order_id).json()["CancelOrderResponse"]
    assert (answer["orderId"], answer["Messages"]["Message"][0]["code"]) == (order_id, 5011)
    assert one.order(order_id)["status"] == "CANCEL_REQUESTED"
    assert code_of(one.cancel(order_id)) == 5003
    one.clock.forward(1.5)
    assert one.order(order_id)["status"] == "CANCELLED"
    assert 0.3 <= one.seconds(order_id, "cancelled") - one.seconds(order_id, "cancel_requested") <= 1.5
    assert code_of(one.cancel(order_id)) == 5001


def test_a_cancel_may_lose_the_race_to_a_fill() -> None:
    """A cancel may lose the race to a fill."""
    rows = [row(-9_000, "10.00", "10.02"), row(6.2, "8.98", "9.00")]
    one = world(ListedMarket({"ZXAA": rows}))
    order_id = one.buy(limitPrice="9.00")
    one.clock.at = NOON + timedelta(seconds=6)
    assert one.cancel(order_id).status_code == 200
    one.clock.forward(2)
    order = one.order(order_id)
    assert order["status"] == "EXECUTED"
    assert [told["event"] for told in order["history"]] == ["placed", "working", "cancel_requested", "fill"]
    answer = one.cancel(order_id)
    assert code_of(answer) == 5001
    assert "being executed or rejected" in answer.json()["Error"]["message"]


def test_a_cancel_of_an_unknown_order_is_refused() -> None:
    """A cancel of an unknown order is refused."""
    assert code_of(world().cancel(999)) == 1005


def test_no_orders_is_an_empty_204() -> None:
    """No orders is an empty 204."""
    one = world()
    assert one.get(f"{ORDERS}.json").status_code == 204
    assert one.get(f"{ORDERS}/401.json").status_code == 204


def test_orders_come_newest_first_in_pages_that_end() -> None:
    """Orders come newest first in pages that end."""
    one = world(quiet("ZXAA", "ZXAB"))
    ids = []
    for number in range(7):
        ids.append(one.buy(clientOrderId=f"order{number}", quantity=1, symbol=("ZXAA", "ZXAB")[number % 2]))
        one.clock.forward(1)
    seen: list[int] = []
    marker = ""
    for _ in range(3):
        page = one.get(f"{ORDERS}.json", count="3", **({"marker": marker} if marker else {})).json()["OrdersResponse"]
        seen += [order["orderId"] for order in page["Order"]]
        marker = page.get("marker", "")
    assert seen == ids[::-1]
    assert marker == ""
    assert listed(one, symbol="ZXAB") == ids[5::-2]
    assert listed(one, status="OPEN") == []
    assert listed(one, status="EXECUTED") == ids[::-1]
    assert listed(one, transactionType="SELL") == []
    assert listed(one, fromDate="10072013", toDate="10072013") == ids[::-1]
    assert listed(one, fromDate="10082013", toDate="10092013") == []


def test_an_order_is_spelled_as_captured() -> None:
    """An order is spelled as captured."""
    one = world()
    resting, filled = one.buy(limitPrice="9.00", clientOrderId="order1"), one.buy(clientOrderId="order2")
    one.clock.forward(2)
    first, second = one.get(f"{ORDERS}.json").json()["OrdersResponse"]["Order"]
    assert (first["orderId"], second["orderId"]) == (filled, resting)
    assert first["details"].endswith(f"/orders/{filled}.json")
    done, open_ = first["OrderDetail"][0], second["OrderDetail"][0]
    assert (done["status"], open_["status"]) == ("EXECUTED", "OPEN")
    assert done["executedTime"] > done["placedTime"]
    assert "executedTime" not in open_
    assert done["Instrument"][0]["averageExecutionPrice"] == 10.02
    assert "averageExecutionPrice" not in open_["Instrument"][0]
    assert "clientOrderId" not in str(first)
    assert "Events" not in first


def test_a_single_order_tells_its_events() -> None:
    """A single order tells its events."""
    one = world()
    order_id = one.buy()
    one.clock.forward(2)
    order = one.get(f"{ORDERS}/{order_id}.json").json()["OrdersResponse"]["Order"][0]
    assert [event["name"] for event in order["Events"]["Event"]] == [
        "ORDER_PLACED",
        "SENT_TO_CMS",
        "ORDER_EXECUTED",
    ]


def test_the_wrong_verb_and_an_unknown_path_are_refused() -> None:
    """The wrong verb and an unknown path are refused."""
    one = world()
    wrong = one.api.get(f"{URL}{ORDERS}/place.json")
    assert (wrong.status_code, wrong.json()["Error"]["code"]) == (405, 9999)
    assert one.api.get(f"{URL}/v1/nowhere.json").status_code == 404
