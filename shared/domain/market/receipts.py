"""Receipts: why a symbol was or was not traded, at each second that the scan looked at it.

A minute's receipt has a line for a symbol each time its verdict changes; a tick between two lines has the verdict of
the line before it. A line is a list, `[second, code, found, asked, age_ms]`, because a document may not exceed 1 MiB
and the verdicts of 200 symbols may change every second. `found` and `asked` are what the rule compared, as text, and ""
where it compares nothing; `age_ms` is the age of the broker's quote at the verdict, None without one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from shared.errors import Malformed
from shared.frozen import frozen

_COLUMNS = 5
_PLACES = Decimal("0.0001")
_LONGEST = 20
"""So many places before the point a figure may have to be written out; what is larger stands as it is."""


@frozen
class Mark:
    """One line: from `second` on the verdict is `code`, several with + between them."""

    second: int
    code: str
    found: str = ""
    asked: str = ""
    age_ms: int | None = None

    @property
    def row(self) -> list[object]:
        """The line as it is stored."""
        return [self.second, self.code, self.found, self.asked, self.age_ms]


def path_of(begins: datetime) -> str:
    """Give where the receipt of the minute that begins then lies."""
    return f"receipts/{begins:%Y%m%dT%H%M}"


def marks(document: Mapping[str, Any], symbol: str) -> tuple[Mark, ...]:
    """Read the lines of a symbol in a minute's receipt, none where the minute did not look at it; raises Malformed."""
    rows = document.get("symbols", {}).get(symbol, ())
    return tuple(_mark(row) for row in rows)


def at_second(lines: Sequence[Mark], second: int) -> Mark | None:
    """Give the line that holds at a second, None before the first one."""
    before = [line for line in lines if line.second <= second]
    return before[-1] if before else None


def apart(codes: str, found: str, asked: str) -> tuple[tuple[str, str, str], ...]:
    """Give each code of a line with what it found and asked, "" where the line has none for it."""
    names, values, limits = codes.split("+"), found.split("; "), asked.split("; ")
    return tuple(zip_longest(names, values[: len(names)], limits[: len(names)], fillvalue=""))


def said(value: object) -> str:
    """Write a figure that a rule compared: four decimals at the most, "" for none."""
    if value is None:
        return ""
    if isinstance(value, Decimal | float):
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
        short = exact.is_finite() and exact.adjusted() <= _LONGEST
        return f"{exact.quantize(_PLACES).normalize():f}" if short else str(value)
    return str(value)


def _mark(row: object) -> Mark:
    if not (isinstance(row, list) and len(row) == _COLUMNS):
        raise Malformed("a line of a receipt has a second, a verdict, what was found, what was asked and an age")
    second, code, found, asked, age_ms = row
    return Mark(second=int(second), code=str(code), found=str(found), asked=str(asked), age_ms=age_ms)
