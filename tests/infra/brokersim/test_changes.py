"""Changing an order: the old one ends and a new one begins, in one instant."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from infra.brokersim.settings import Limit
from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from tests.infra.brokersim.world import URL, ListedMarket, World, order_body, row, world

ORDERS = f"{URL}/v1/accounts/{CASH_ACCOUNT_KEY}/orders"
RESTS = {"limitPrice": "9"}


def preview(one: World, order_id: int, **changes: Any) -> requests.Response:
    """Preview a change to 50 shares at 9.50, or as told."""
    one.clock.forward(1.5)
    wanted = {"clientOrderId": "order2", "limitPrice": "9.5", "quantity": "50", **changes}
    body = {"PreviewOrderRequest": order_body(**wanted)}
    return one.api.put(f"{ORDERS}/{order_id}/change/preview.json", json=body)


def place(one: World, order_id: int, preview_id: int, **changes: Any) -> requests.Response:
    """Place that change."""
    one.clock.forward(1.5)
    wanted = {"clientOrderId": "order2", "limitPrice": "9.5", "quantity": "50", **changes}
    body = {"PlaceOrderRequest": {**order_body(**wanted), "PreviewIds": [{"previewId": preview_id}]}}
    return one.api.put(f"{ORDERS}/{order_id}/change/place.json", json=body)


def preview_id_of(answer: requests.Response) -> int:
    """Give the id of an accepted preview."""
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
    return number


def code(answer: requests.Response) -> Any:
    """Give the number of a refusal."""
    assert answer.status_code == 400, answer.text
    return answer.json()["Error"]["code"]


def test_a_change_ends_one_order_and_begins_another() -> None:
    """The old order is cancelled and names the new one, which names the old one, and only the new one may fill."""
    one = world(ListedMarket({"ZXAA": [row(-7200, "10.00", "10.02"), row(60, "8.00", "8.02")]}))
    old = one.buy(**RESTS)
    new = place(one, old, preview_id_of(preview(one, old))).json()["PlaceOrderResponse"]["OrderIds"][0]["orderId"]
    rows = {each["orderId"]: each["OrderDetail"][0] for each in one.get(ORDERS.removeprefix(URL) + ".json").json()[
        "OrdersResponse"]["Order"]}  # fmt: skip
    assert (rows[old]["status"], rows[old]["replacedByOrderId"]) == ("CANCELLED", new)
    assert (rows[new]["status"], rows[new]["replacesOrderId"]) == ("OPEN", old)
    one.clock.forward(60)
    assert [(order["status"], order["filled"]) for order in one.simulator.ledger()["orders"]] == [
        ("CANCELLED", 0), ("EXECUTED", 50)]  # fmt: skip
    assert [asked["outcome"] for asked in one.simulator.ledger()["place_requests"]] == ["placed", "placed"]


def test_an_order_that_was_never_changed_names_no_other() -> None:
    """The row of an ordinary order has neither name."""
    one = world()
    one.buy(**RESTS)
    (found,) = one.get(ORDERS.removeprefix(URL) + ".json").json()["OrdersResponse"]["Order"]
    assert not {"replacesOrderId", "replacedByOrderId"} & set(found["OrderDetail"][0])


def test_what_the_old_order_holds_back_is_free_for_the_new_one() -> None:
    """An order over nearly all cash can be changed to one over nearly all cash; over more it is refused with 1021."""
    one = world()
    old = one.buy(limitPrice="9", quantity="11000")
    assert preview_id_of(preview(one, old, limitPrice="9.05", quantity="11000"))
    assert code(preview(one, old, limitPrice="9.5", quantity="11000")) == 1021
    assert code(one.preview(clientOrderId="order3", limitPrice="9.05", quantity="11000")) == 1021


def test_a_preview_of_a_change_is_of_that_change_alone() -> None:
    """A preview of a change places no order of its own, no other change, and an ordinary one places no change."""
    one = world()
    old, other = one.buy(**RESTS), one.buy(clientOrderId="other", **RESTS)
    wanted = {"clientOrderId": "order2", "limitPrice": "9.5", "quantity": "50"}
    change, ordinary = preview_id_of(preview(one, old)), preview_id_of(one.preview(**wanted))
    one.clock.forward(1.5)
    assert code(one.place(change, **wanted)) == 101
    assert code(place(one, other, change)) == 101
    assert code(place(one, old, ordinary)) == 101
    assert [order["status"] for order in one.simulator.ledger()["orders"]] == ["OPEN", "OPEN"]
    assert place(one, old, change).status_code == 200
    assert code(place(one, old, change)) == 5001


def test_an_order_that_is_over_or_on_its_way_out_is_not_changed() -> None:
    """One that filled gives 5001, one whose cancel is pending 5003, an unknown one 1005."""
    one = world(orders_limit=Limit(per_second=9, per_hour=99))
    filled, rests = one.buy(), one.buy(clientOrderId="rests", **RESTS)
    one.clock.forward(5)
    assert code(preview(one, filled)) == 5001
    assert one.cancel(rests).status_code == 200
    body = {"PreviewOrderRequest": order_body(clientOrderId="order2", limitPrice="9.5")}
    assert code(one.api.put(f"{ORDERS}/{rests}/change/preview.json", json=body)) == 5003
    assert code(preview(one, 999)) == 1005


def test_an_order_that_filled_in_part_is_not_changed() -> None:
    """What filled in part gives 167."""
    one = world(ListedMarket({"ZXAA": [row(-7200, "10.00", "10.02", size=30)]}))
    old = one.buy(quantity="100")
    one.clock.forward(5)
    assert code(preview(one, old)) == 167


@pytest.mark.parametrize("changes", [{"symbol": "ZXAB"}, {"orderAction": "SELL"}])
def test_symbol_and_side_stay(changes: dict[str, str]) -> None:
    """Another symbol or side is another order, and refused."""
    one = world(ListedMarket({name: [row(-7200, "10.00", "10.02")] for name in ("ZXAA", "ZXAB")}))
    assert code(preview(one, one.buy(**RESTS), **changes)) == 101


def test_a_change_is_put_and_never_posted() -> None:
    """The wrong verb gives 405 with 9999."""
    one = world()
    answer = one.api.post(f"{ORDERS}/{one.buy(**RESTS)}/change/preview.json", json={})
    assert (answer.status_code, answer.json()["Error"]["code"]) == (405, 9999)
