"""Reading what a source answered: each field by its name, so that a changed format says where it changed."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from shared.domain.base.calendar import new_york_day
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Dividend, Split
from shared.errors import Unreadable

E = TypeVar("E", Split, Dividend)

_PREFERRED = re.compile(r"\.PR\.?(?P<line>[A-Z])$")


def for_yahoo(symbol: str) -> str:
    """Spell a ticket's symbol as Yahoo does: BRK.B is BRK-B, JPM.PR.D is JPM-PD."""
    return _PREFERRED.sub(r"-P\g<line>", symbol).replace(".", "-")


def for_alpaca(symbol: str) -> str:
    """Spell a ticket's symbol as Alpaca does: BRK.B is itself, JPM.PR.D is JPM.PRD."""
    return _PREFERRED.sub(r".PR\g<line>", symbol)


def over_before(before: date, now: datetime) -> date:
    """Give the first day that is no bar: `before`, or today in New York, for a day under way has no daily bar."""
    return min(before, new_york_day(now))


def in_order(happened: Iterable[E]) -> tuple[E, ...]:
    """Give splits or dividends oldest first, each once: what a source says twice happened once."""
    return tuple(sorted(dict.fromkeys(happened), key=lambda one: one.day))


def each_day(bars: Iterable[DailyBar]) -> tuple[DailyBar, ...]:
    """Give bars oldest first; a day that is there twice counts as it was given last."""
    by_day = {bar.day: bar for bar in bars}
    return tuple(by_day[day] for day in sorted(by_day))


def part(data: object, name: str, kind: type, *, where: str) -> Any:
    """Give a field of the kind that it must have; raises Unreadable that names it."""
    if not isinstance(data, Mapping):
        raise Unreadable(f"{where} is no object")
    if name not in data:
        raise Unreadable(f"{where}.{name} is missing")
    if not isinstance(data[name], kind):
        raise Unreadable(f"{where}.{name} is {_kind(data[name])}")
    return data[name]


def number(data: Mapping[str, Any], name: str, *, where: str) -> Decimal:
    """Give a positive number as its digits were printed; raises Unreadable that names the field."""
    if name not in data:
        raise Unreadable(f"{where}.{name} is missing")
    return printed(data[name], f"{where}.{name}")


def printed(value: object, field: str) -> Decimal:
    """Give a positive number as its digits were printed: a float's shortest digits are those that it was read from."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unreadable(f"{field} is {_kind(value)}")
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or exact <= 0:
        raise Unreadable(f"{field} is no positive number")
    return exact


def shares(value: object, field: str) -> int:
    """Give a whole number of shares, none included; raises Unreadable that names the field."""
    if value == 0 and not isinstance(value, bool):
        return 0
    return int(printed(value, field).to_integral_value())


def day_in(data: Mapping[str, Any], name: str, *, where: str) -> date:
    """Give a day that is written as YYYY-MM-DD; raises Unreadable that names the field."""
    text = part(data, name, str, where=where)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"{where}.{name} is no day") from None


def _kind(value: object) -> str:
    return "null" if value is None else f"of the kind {type(value).__name__}"
