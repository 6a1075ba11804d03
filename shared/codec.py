"""Between domain values and JSON: one strict way in and out for messages and documents.

Decoding refuses what encoding would not have written: after a value is read it is encoded again and compared, so an
unknown field, a float for a price or a second spelling of an instant is refused at any depth. So are decimals that are
no number and instants that are not in UTC, which would come back as they went in.
"""

import re
from typing import Any, TypeVar

import msgspec

from shared.errors import Malformed

T = TypeVar("T")
Json = dict[str, Any]

# A whole JSON text that a decimal or an instant may become, and that none of ours does.
_UNSOUND = re.compile(
    rb'"(?:-?(?:s?NaN[0-9]*|Infinity)|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]+)?(?:[+-][0-9:]{5})?)"'
)
# What each of those has inside it and next to nothing else has: a quote is everywhere, and to look behind each takes
# longer than all the rest of decoding.
_SUSPECT = re.compile(rb'NaN|Infinity"|T[0-9:]{8}(?:\.[0-9]+)?[^Z.0-9]')


def encode(value: object) -> Json:
    """Give the plain JSON form of a domain value: decimals and instants as text, enums by value."""
    plain: Json = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def decode(kind: type[T], data: object) -> T:
    """Read a domain value of `kind` from its plain JSON form; raises Malformed with the place of the first mistake."""
    try:
        value: T = msgspec.convert(data, type=kind)
    except (msgspec.ValidationError, ValueError, ArithmeticError) as problem:
        raise Malformed(f"not a {kind.__name__}: {problem}") from None
    raw = msgspec.json.encode(value)
    if msgspec.json.decode(raw) != data:
        raise Malformed(f"not a {kind.__name__}: unknown or non-canonical fields")
    if _SUSPECT.search(raw) is not None and _UNSOUND.search(raw) is not None:
        raise Malformed(f"not a {kind.__name__}: a decimal that is no number, or an instant that is not in UTC")
    return value


def dumps(data: object) -> bytes:
    """Write canonical JSON bytes: keys sorted, no blanks, so that equal data has equal bytes."""
    return msgspec.json.encode(data, order="sorted")


def loads(raw: bytes | str) -> Any:
    """Read JSON; raises Malformed when it is none."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Malformed(f"not JSON: {problem}") from None
