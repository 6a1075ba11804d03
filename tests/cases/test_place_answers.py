"""Case place answer with orderId at the top level: an order that surely was accepted is no order in doubt."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cases.answers import Answers, Rule, edited
from tests.cases.short_day import as_every_day, play

SHAPES: dict[str, Callable[[dict[str, Any], int], object]] = {
    "at the top": lambda said, number: said.update(OrderIds=None, orderId=number),
    "as text": lambda said, number: said.update(OrderIds=[], orderId=str(number)),
    "in both places": lambda said, number: said.update(orderId=number),
    "as an object": lambda said, number: said.update(OrderIds={"orderId": number}),
}
DOUBTFUL: dict[str, Callable[[dict[str, Any], int], object]] = {
    "no number": lambda said, _number: said.update(OrderIds=[]),
    "zero": lambda said, _number: said.update(OrderIds=None, orderId=0),
}


def placed(edit: Callable[[dict[str, Any], int], object]) -> Answers:
    """Change what a place says."""

    def change(body: Any) -> None:
        said = body["PlaceOrderResponse"]
        edit(said, said["OrderIds"][0]["orderId"])

    return Answers(Rule(endpoint="place", change=edited(change)))


@pytest.mark.parametrize("shape", ["at the top", pytest.param("as text", marks=pytest.mark.long),
                                   pytest.param("in both places", marks=pytest.mark.long),
                                   pytest.param("as an object", marks=pytest.mark.long)])  # fmt: skip
def test_an_order_number_at_another_place_is_an_acceptance(market: Path, tmp_path: Path, shape: str) -> None:
    """The day is as every day, and nobody is alarmed."""
    day = play(market, tmp_path, answers=placed(SHAPES[shape]))
    as_every_day(day)
    assert day.of("order_unknown") == []


@pytest.mark.parametrize("shape", ["no number", pytest.param("zero", marks=pytest.mark.long)])
def test_an_answer_without_one_sure_number_is_looked_up(market: Path, tmp_path: Path, shape: str) -> None:
    """What does not surely say which order it is is found in the list, once; the day ends flat all the same."""
    day = play(market, tmp_path, answers=placed(DOUBTFUL[shape]))
    assert day.of("order_unknown")
    assert day.result.summary.violations == ()
    assert [fill.action for fill in day.result.ledger.fills] == ["BUY", "SELL"]
