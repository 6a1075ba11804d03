"""What `strategy probe` captured is a case: each file of the folder `probed` is read by the parsers that trade."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.etrade.captures import problems_of

CASES = sorted((Path(__file__).parent / "probed").glob("*.json"))


def case_of(path: Path) -> dict[str, Any]:
    """Read one capture."""
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_was_captured_is_read(path: Path) -> None:
    """Every good answer of a capture is read by its parser, with nothing missing and nothing odd."""
    case = case_of(path)
    assert case["answers"]
    assert problems_of(case) == []


@pytest.mark.parametrize(("endpoint", "field", "named"), [
    ("accounts", "accountStatus", "accountStatus"), ("balance", "settledCashForInvestment", "settledCashForInvestment"),
    ("portfolio", "positionId", "positionId"), ("orders", "orderId", "orderId"),
    ("preview", "PreviewIds", "preview id"),
])  # fmt: skip
def test_a_capture_of_another_shape_is_found(endpoint: str, field: str, named: str) -> None:
    """Seeded: an answer that lacks what our parser needs is named with its field."""
    case = case_of(CASES[0])

    def without(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: without(value) for name, value in node.items() if name != field}
        return [without(item) for item in node] if isinstance(node, list) else node

    for answer in case["answers"]:
        if answer["endpoint"] == endpoint:
            answer["body"] = without(answer.get("body"))
    assert any(endpoint in one and named in one for one in problems_of(case))
