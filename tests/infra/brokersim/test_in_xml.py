"""The simulator speaks XML unless JSON is asked for, with the same content."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from infra.brokersim.faults import Fault
from infra.brokersim.in_xml import in_xml, json_of
from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from infra.brokersim.wire import Answer, json_answer
from tests.infra.brokersim.world import URL, World, order_body, world

ACCOUNT = f"/v1/accounts/{CASH_ACCOUNT_KEY}"
XML = {"Content-Type": "application/xml"}


def tree(text: str) -> ElementTree.Element:
    """Read an answer in XML."""
    return ElementTree.fromstring(text)  # noqa: S314 - the simulator wrote it


def body(root: str, content: dict[str, Any]) -> str:
    """Write a request in XML, with the code that writes answers."""
    return in_xml(json_answer({root: content})).body.decode()


def previewed(one: World, **changes: Any) -> ElementTree.Element:
    """Preview in XML; give the answer."""
    one.clock.forward(1.5)
    sent = body("PreviewOrderRequest", order_body(**changes))
    answer = one.api.post(f"{URL}{ACCOUNT}/orders/preview", data=sent, headers=XML)
    assert answer.headers["Content-Type"] == "application/xml;charset=utf-8"
    return tree(answer.text)


@pytest.mark.parametrize(
    "path", ["/v1/market/quote/ZXAA", "/v1/accounts/list", f"{ACCOUNT}/orders", f"{ACCOUNT}/portfolio"]
)
def test_xml_says_what_json_says(path: str) -> None:
    """Each leaf of an answer in JSON stands in XML too, under the same names and digit for digit, and no other one."""
    one = world()
    one.buy()
    one.clock.forward(5)
    in_json = one.api.get(f"{URL}{path}", headers={"Accept": "application/json"})
    in_xml_too = one.api.get(f"{URL}{path}")
    assert in_xml_too.headers["Content-Type"] == "application/xml;charset=utf-8"
    assert leaves_of_xml(tree(in_xml_too.text)) == leaves_of_json(
        json.loads(in_json.text, parse_float=str, parse_int=str)
    )


def leaves_of_json(content: Any, path: str = "") -> list[tuple[str, str]]:
    """Each value with the names that lead to it."""
    if isinstance(content, dict):
        return [leaf for name, value in content.items() for leaf in leaves_of_json(value, f"{path}/{name}")]
    if isinstance(content, list):
        return [leaf for value in content for leaf in leaves_of_json(value, path)]
    return [(path, str(content).lower() if isinstance(content, bool) else str(content))]


def leaves_of_xml(element: ElementTree.Element, path: str = "") -> list[tuple[str, str]]:
    """The same of XML."""
    here = f"{path}/{element.tag}"
    return (
        [leaf for child in element for leaf in leaves_of_xml(child, here)]
        if len(element)
        else [(here, element.text or "")]
    )


def test_an_order_is_previewed_placed_and_cancelled_in_xml() -> None:
    """An order goes its whole way in XML, and its answers are as captured ones."""
    one = world()
    preview_id = previewed(one, limitPrice="9").findtext("PreviewIds/previewId")
    assert preview_id is not None
    content = {**order_body(limitPrice="9"), "PreviewIds": {"previewId": preview_id}}
    one.clock.forward(1.5)
    placed = one.api.post(f"{URL}{ACCOUNT}/orders/place", data=body("PlaceOrderRequest", content), headers=XML)
    number = tree(placed.text).findtext("OrderIds/orderId")
    assert tree(placed.text).findtext("Order/messages/Message/code") == "1026"
    assert tree(placed.text).findtext("Order/Instrument/Product/symbol") == "ZXAA"
    one.clock.forward(1.5)
    sent = body("CancelOrderRequest", {"orderId": number})
    assert tree(one.api.put(f"{URL}{ACCOUNT}/orders/cancel", data=sent, headers=XML).text).findtext("orderId") == number
    (asked,) = one.simulator.ledger()["place_requests"]
    assert (asked["preview_id"], asked["outcome"]) == (int(preview_id), "placed")


def test_a_body_in_xml_may_be_answered_in_json() -> None:
    """The form of an answer follows the path, not the body."""
    one = world()
    sent = body("PreviewOrderRequest", order_body())
    answer = one.api.post(f"{URL}{ACCOUNT}/orders/preview.json", data=sent, headers=XML)
    assert answer.json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]


def test_a_refusal_is_in_the_form_that_was_asked_for() -> None:
    """A refusal is XML with its code where nobody asked for JSON, also one that was injected, or of an unknown path."""
    one = world()
    refused = previewed(one, quantity="0")
    assert (refused.tag, refused.findtext("code")) == ("Error", "101")
    one.simulator.inject(Fault(endpoint="accounts", kind="server-error-500-100"))
    assert tree(one.get("/v1/accounts/list").text).findtext("code") == "100"
    assert tree(one.get("/v1/nothing").text).tag == "Error"
    assert "Error" in one.get("/v1/nothing.json").json()


def test_in_json_a_list_stays_a_list() -> None:
    """What XML cannot tell apart JSON must: an object in the place of a list is refused, as before."""
    one = world()
    loose = order_body()
    loose["Order"] = loose["Order"][0]
    answer = one.api.post(f"{URL}{ACCOUNT}/orders/preview.json", json={"PreviewOrderRequest": loose})
    assert (answer.status_code, answer.json()["Error"]["code"]) == (400, 101)


@pytest.mark.parametrize("sent", ["", "<a>", '{"PreviewOrderRequest": {}}', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_xml_is_a_body_that_cannot_be_read(sent: str) -> None:
    """A body that calls itself XML and is none, or defines entities, gets the answer of any that cannot be read."""
    one = world()
    answer = one.api.post(f"{URL}{ACCOUNT}/orders/preview", data=sent or "x", headers=XML)
    assert (answer.status_code, tree(answer.text).findtext("code")) == (500, "100")
    assert json_of(sent.encode()) == b""


def test_only_json_becomes_xml() -> None:
    """A page, a text and an empty answer stay what they are."""
    for kind, content in (("text/html", b"<p>"), ("text/plain", b"1"), ("application/json;charset=utf-8", b"")):
        answer = Answer(200, kind, content)
        assert in_xml(answer) is answer
