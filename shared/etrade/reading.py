"""Reading what E*TRADE sends: tolerant about form, strict about meaning.

Tolerant: the case of keys, null or missing, a number as text, one object where a list belongs, unknown
fields. Strict: a number is finite, of a sane size and exact (never a float); an id or a count is whole; one
key has one value. What cannot be read so is Unreadable, never a guess (etrade-api.md 0).
"""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from shared.errors import Unreadable

T = TypeVar("T")
Node = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_EXPONENT = 15
_SMALLEST_EXPONENT = -30
_LONGEST = 100
_NO_NUMBER = object()
_SYMBOL = re.compile(r"[!-~]{1,40}")


def tree(raw: bytes, what: str) -> Node:
    """Decode a JSON object; all keys in lower case, all fractions as Decimal."""
    try:
        value = _JSON.decode(raw.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Unreadable(f"{what}: the body is not a JSON object that can be read")
    return value


def root(raw: bytes, name: str) -> Node:
    """Give the object that a whole answer is wrapped in; raises Unreadable when the body has another one."""
    value = tree(raw, name).get(name)
    if not isinstance(value, dict):
        raise Unreadable(f"{name}: the body holds something else")
    return value


def _number(written: str) -> object:
    """Give a JSON number; one that no computer should work with is no number, and spoils its own field alone."""
    if len(written) > _LONGEST:
        return _NO_NUMBER
    try:
        return Decimal(written) if set(written) & set(".eE") else int(written)
    except InvalidOperation:
        return _NO_NUMBER


def _folded(pairs: list[tuple[str, Any]]) -> Node:
    node: Node = {}
    for key, value in pairs:
        name = key.lower()
        if name in node and node[name] != value:
            raise ValueError("one key with two values")
        node[name] = value
    return node


_JSON = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=lambda _: _NO_NUMBER, object_pairs_hook=_folded
)


def child(node: Node, *names: str) -> Node:
    """Give the object under the first of these keys that has one; an absent object is empty."""
    value = _first(node, names)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"{names[0]} is not an object")
    return value


def items(node: Node, *names: str) -> list[object]:
    """Give whatever is in a list; one object alone is a list of one, an absent list is empty."""
    value = _first(node, names)
    if value is None or value == "":
        return []
    if not isinstance(value, list | dict):
        raise Unreadable(f"{names[0]} is not a list")
    return value if isinstance(value, list) else [value]


def children(node: Node, *names: str) -> list[Node]:
    """Give the objects of a list; one object alone is a list of one, an absent list is empty."""
    found = items(node, *names)
    nodes = [item for item in found if isinstance(item, dict)]
    if len(nodes) != len(found):
        raise Unreadable(f"{names[0]} is not a list of objects")
    return nodes


def text(node: Node, *names: str) -> str | None:
    """Give a text or a number as text; empty is None."""
    value = _first(node, names)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return str(value).strip() or None


def symbol(node: Node) -> str | None:
    """Give a product's symbol in capitals, None when there is none that can be written."""
    found = (text(node, "symbol") or "").upper()
    return found if _SYMBOL.fullmatch(found) else None


def number(node: Node, *names: str) -> Decimal | None:
    """Give an exact decimal, whether it came as number or text; raises Unreadable for anything else."""
    value = _first(node, names)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"{names[0]} is not a number")
    try:
        found = _decimal(value) if isinstance(value, str) else Decimal(value)
    except InvalidOperation:
        raise Unreadable(f"{names[0]} is not a number") from None
    if not sane(found):
        raise Unreadable(f"{names[0]} is not a usable number")
    return found


def whole(node: Node, *names: str) -> int | None:
    """Give a whole number, also when it is written 53.0; raises Unreadable for a fraction."""
    found = number(node, *names)
    if found is None:
        return None
    if found != int(found):
        raise Unreadable(f"{names[0]} is not whole")
    return int(found)


def milliseconds(node: Node, *names: str) -> datetime | None:
    """Give the instant of an epoch in milliseconds; zero means none."""
    return _instant(whole(node, *names), 1, names[0])


def seconds(node: Node, *names: str) -> datetime | None:
    """Give the instant of an epoch in seconds; zero means none."""
    return _instant(whole(node, *names), 1000, names[0])


def need(value: T | None, what: str) -> T:
    """Give a value that must be there; raises Unreadable when it is not."""
    if value is None:
        raise Unreadable(f"{what} is missing")
    return value


def sane(value: Decimal) -> bool:
    """Tell whether a number is finite and of a size that money, shares and ids have."""
    if value.is_finite() and value.adjusted() <= _LARGEST_EXPONENT:
        exponent = value.as_tuple().exponent
        return isinstance(exponent, int) and exponent >= _SMALLEST_EXPONENT
    return False


def _decimal(written: str) -> Decimal:
    # Decimal would also read 1_000 and digits of other scripts.
    if "_" in written or not written.isascii():
        raise InvalidOperation
    return Decimal(written.strip())


def _instant(value: int | None, to_ms: int, what: str) -> datetime | None:
    if not value:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value * to_ms)
    except OverflowError:
        raise Unreadable(f"{what} is not a valid timestamp") from None


def _first(node: Node, names: tuple[str, ...]) -> object:
    for name in names:
        value = node.get(name)
        if value is not None:
            return value
    return None
