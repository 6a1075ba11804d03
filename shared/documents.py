"""What a document, a commit and a query mean, once for every store: memory, SQLite, Firestore.

A document is JSON at `collection/id`. Only values of one kind compare (numbers with numbers, text with text, truth
with truth); a document without the field, or with another kind in it, does not match; order is null, truth, numbers,
text (as in Firestore), ties by path. Misuse is our own bug and raises InvariantBroken. `tests/contract` holds every
store to this.
"""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from shared.codec import dumps, loads
from shared.errors import InvariantBroken, Malformed
from shared.ports import Check, Data, Delete, Document, Where, Write

MAX_BYTES = 1_000_000

_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_-]*/(?!\.{1,2}$)(?!__.*__$)[^/\x00-\x1f\x7f\ud800-\udfff]{1,400}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_NULL, _TRUTH, _NUMBER, _TEXT = range(4)


def check_path(path: str) -> str:
    """Give back a path of the form `collection/id`; raises InvariantBroken."""
    if _PATH.fullmatch(path) is None:
        raise InvariantBroken(f"not a document path: {path[:80]!r}")
    return path


def check_writes(writes: Sequence[Write]) -> None:
    """Refuse a commit with a bad path or with two writes of one document; raises InvariantBroken."""
    if len({check_path(write.path) for write in writes}) != len(writes):
        raise InvariantBroken("one commit writes a document twice")


def check_query(collection: str, where: Sequence[Where], order_by: str | None, limit: int | None) -> None:
    """Refuse a query that not every store could answer alike; raises InvariantBroken."""
    check_path(f"{collection}/x")
    for condition in where:
        if condition.op not in _COMPARE or not isinstance(condition.value, str | int):
            raise InvariantBroken(f"{collection}: no such condition: {condition}")
    for name in (*(condition.name for condition in where), *((order_by,) if order_by is not None else ())):
        if not is_field(name):
            raise InvariantBroken(f"{collection}: not a field's name: {name[:80]!r}")
    if limit is not None and limit < 0:
        raise InvariantBroken(f"{collection}: a limit below zero")


def is_field(name: str) -> bool:
    """Tell whether queries can name a field."""
    return _FIELD.fullmatch(name) is not None


def data_of(write: Write) -> Data | None:
    """Give the data that a write leaves behind, None when it leaves none."""
    return None if isinstance(write, Check | Delete) else write.data


def freeze(path: str, data: Data) -> str:
    """Give the canonical text of a document; raises InvariantBroken for data that JSON would change."""
    try:
        raw = dumps(data)
        same = loads(raw) == data
    except (TypeError, ValueError, OverflowError, RecursionError, Malformed) as problem:
        raise InvariantBroken(f"{path}: not JSON data: {problem}") from None
    if not same or not isinstance(data, dict):
        raise InvariantBroken(f"{path}: not plain JSON data (decimals, instants and keys are text; no NaN)")
    if len(raw) > MAX_BYTES:
        raise InvariantBroken(f"{path}: {len(raw)} bytes; a document holds {MAX_BYTES} at most")
    return raw.decode()


def select(
    found: Iterable[Document], where: Sequence[Where], order_by: str | None, limit: int | None
) -> list[Document]:
    """Filter, order and cut documents that come in the order of their paths.

    `order_by` leaves out documents without the field, or with a list or a mapping in it.
    """
    matching = (document for document in found if all(_matches(document.data, one) for one in where))
    if order_by is None:
        return list(islice(matching, limit))
    keyed = [(key, document) for document in matching if (key := _order_key(document.data, order_by))]
    keyed.sort(key=lambda pair: pair[0])
    return [document for _, document in keyed[:limit]]


def _matches(data: Data, condition: Where) -> bool:
    value = data.get(condition.name)
    kind = _kind(value)
    if kind is None or kind == _NULL or kind != _kind(condition.value):
        return False
    return _COMPARE[condition.op](value, condition.value)


def _kind(value: object) -> int | None:
    match value:
        case None:
            return _NULL
        case bool():
            return _TRUTH
        case int() | float():
            return _NUMBER
        case str():
            return _TEXT
        case _:
            return None


def _order_key(data: Data, name: str) -> tuple[int, Any] | None:
    value = data.get(name)
    kind = _kind(value)
    if kind is None or name not in data:
        return None
    return (kind, 0 if value is None else value)
