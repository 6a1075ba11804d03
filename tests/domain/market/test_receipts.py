"""A receipt's line says what a rule compared, and holds until the next line."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codec import dumps, loads
from shared.domain.market.receipts import Mark, at_second, marks, said
from shared.errors import Malformed

LINES = st.builds(
    Mark, second=st.integers(0, 59), code=st.text(max_size=20), found=st.text(max_size=9), asked=st.text(max_size=9),
    age_ms=st.none() | st.integers(0, 10**6),
)  # fmt: skip


@given(st.lists(LINES, max_size=9))
def test_a_line_comes_back_as_it_was(lines: list[Mark]) -> None:
    """What is stored of a minute is read back, through bytes."""
    stored = loads(dumps({"symbols": {"IBM": [one.row for one in lines]}}))
    assert marks(stored, "IBM") == tuple(lines)
    assert marks(stored, "AIG") == ()


@pytest.mark.parametrize("row", [[1, "CODE"], "CODE", [1, "CODE", "", "", None, 7], {"second": 1}])
def test_what_is_no_line_is_refused(row: object) -> None:
    """A line of another form is not guessed at."""
    with pytest.raises(Malformed):
        marks({"symbols": {"IBM": [row]}}, "IBM")


def test_a_verdict_holds_until_the_next_one() -> None:
    """Between two lines the first one holds, and before the first nobody had looked."""
    lines = [Mark(second=3, code="A"), Mark(second=10, code="B")]
    found = [at_second(lines, second) for second in (2, 3, 9, 10, 59)]
    assert [one and one.code for one in found] == [None, "A", "A", "B", "B"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (Decimal("1.50"), "1.5"), (Decimal("12345.678912"), "12345.6789"), (55.25, "55.25"), (100, "100"),
        (Decimal("NaN"), "NaN"), ("5 to 10", "5 to 10"), (Decimal(100), "100"),
    ],
)  # fmt: skip
def test_figures_are_written_for_people(value: object, text: str) -> None:
    """A figure has four decimals at the most, and no more digits than it needs."""
    assert said(value) == text


def test_a_minute_of_two_hundred_restless_symbols_fits_a_document() -> None:
    """Also when every verdict changes at every tick, a minute's receipt stays below what Firestore takes."""
    line = Mark(second=58, code="RISE_TOO_SMALL+NO_RISING_BAR", found="1.2345; ", asked="2 % or more; ", age_ms=1234)
    rows = [line.row] * 59
    assert len(dumps({"symbols": {f"SYMB.{n}": rows for n in range(200)}})) < 1_048_576


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Decimal("12.34567"), "12.3457"), (Decimal("1E+30"), "1E+30"), (1e25, "1e+25"), (float("inf"), "inf"),
        (Decimal("1E+20"), "1" + "0" * 20), (-1e300, "-1e+300"), (Decimal("1E-500000"), "0"),
    ],
)  # fmt: skip
def test_every_figure_can_be_written(figure: object, expected: str) -> None:
    """A figure that a rule compared is written, however large a strategy's division made it."""
    assert said(figure) == expected
