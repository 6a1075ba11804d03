"""Transactions: one for each fill, in pages."""

from __future__ import annotations

from typing import Any

import pytest

from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from tests.infra.brokersim.world import World, world

PATH = f"/v1/accounts/{CASH_ACCOUNT_KEY}/transactions.json"


def traded() -> World:
    """Buy and sell, so that there are two fills."""
    one = world()
    one.buy(quantity="100")
    one.clock.forward(5)
    one.buy(clientOrderId="order2", orderAction="SELL", limitPrice="10", quantity="40")
    one.clock.forward(5)
    return one


def listed(one: World, **params: str) -> dict[str, Any]:
    """Give one page."""
    answer: dict[str, Any] = one.get(PATH, **params).json()["TransactionListResponse"]
    return answer


def test_each_fill_is_a_transaction_newest_first() -> None:
    """Each fill is a transaction, newest first; a sell has negative shares and a positive amount."""
    page = listed(traded())
    seen = [
        (one["transactionType"], one["brokerage"]["quantity"], one["brokerage"]["price"], one["amount"])
        for one in page["Transaction"]
    ]
    assert seen == [("Sold", -40, 10.0, 400.0), ("Bought", 100, 10.02, -1002.0)]
    assert (page["moreTransactions"], page["transactionCount"], page["totalCount"]) == (False, 2, 2)
    assert (
        page["Transaction"][0]["brokerage"]["settlementDate"] - page["Transaction"][0]["postDate"] == 24 * 3600 * 1000
    )


def test_without_any_the_answer_is_empty() -> None:
    """Nothing found is 204 without a body."""
    answer = world().get(PATH)
    assert (answer.status_code, answer.text) == (204, "")


def test_pages_go_on_from_the_row_of_the_marker() -> None:
    """A page of one says that there are more, and the next one begins with the row that its marker names."""
    one = traded()
    first = listed(one, count="1")
    assert first["moreTransactions"] is True
    assert first["marker"].startswith(f"{first['Transaction'][0]['transactionId']}_")
    second = listed(one, marker=first["marker"])
    assert [row["transactionType"] for row in second["Transaction"]] == ["Sold", "Bought"]
    assert listed(one, sortOrder="ASC")["Transaction"][0]["transactionType"] == "Bought"


def test_a_transaction_is_found_by_its_id_and_by_its_address() -> None:
    """One transaction has its id as a number, and is there also under the address that the list gives."""
    one = traded()
    row = listed(one)["Transaction"][0]
    number = row["transactionId"]
    assert row["detailsURI"].endswith(f"/transactions.json/{number}?storeId=0")
    base = f"/v1/accounts/{CASH_ACCOUNT_KEY}"
    for path in (f"{base}/transactions/{number}.json", f"{base}/transactions.json/{number}"):
        found = one.get(path, storeId="0").json()["TransactionDetailsResponse"]
        assert (found["transactionId"], found["Brokerage"]["orderNo"]) == (int(number), "402")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"count": "51"}, 2005),
        ({"count": "0"}, 2005),
        ({"sortOrder": "UP"}, 2007),
        ({"marker": "1_1"}, 101),
        ({"startDate": "2013-10-07"}, 2004),
    ],
)
def test_what_cannot_be_asked_is_refused(params: dict[str, str], code: int) -> None:
    """A count, an order, a marker or a date that cannot be is refused with its number."""
    answer = traded().get(PATH, **params)
    assert (answer.status_code, answer.json()["Error"]["code"]) == (400, code)


def test_days_bound_what_is_listed() -> None:
    """Only the days that are asked for are listed."""
    one = traded()
    assert listed(one, startDate="10072013", endDate="10072013")["totalCount"] == 2
    assert one.get(PATH, startDate="10082013", endDate="10092013").status_code == 204


def test_an_unknown_transaction_is_refused() -> None:
    """An id of none is refused with 1001."""
    answer = world().get(f"/v1/accounts/{CASH_ACCOUNT_KEY}/transactions/7.json")
    assert (answer.status_code, answer.json()["Error"]["code"]) == (400, 1001)
