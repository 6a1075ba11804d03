"""The database has every index that a query of the code needs, none that it does not, and forgets only what it may."""

import ast
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from google.cloud.firestore_v1 import types

from shared.gcp import encoding
from shared.ports import Where
from shared.topology import TOPOLOGY, Index
from shared.usecases.base.desk import not_before
from tests.architecture.files import ROOT

Operator = types.StructuredQuery.FieldFilter.Operator
NEVER_FORGOTTEN = frozenset({
    "account", "audit", "broker_orders", "control", "fills", "flows", "ledger", "locks", "orders", "outbox", "paper",
    "positions", "seals", "sign_in", "signals", "token",
})  # fmt: skip


def queries(source: str) -> Iterator[tuple[str, tuple[Where, ...]]]:
    """Give collection and conditions of every query in a module; conditions are those of the function around it."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            for call in calls:
                if getattr(call.func, "attr", "") == "query" and isinstance(call.args[0], ast.Constant):
                    plain = not any(isinstance(part, ast.Starred | ast.Call) for part in call.args)
                    own = [part for part in call.args if isinstance(part, ast.Call)]
                    around = [one for one in calls if getattr(one.func, "id", "") == "Where"]
                    yield str(call.args[0].value), () if plain else tuple(map(_where, own or around))


def _where(call: ast.Call) -> Where:
    """Read a condition of the code: a `Where`, or the one that a range of instants has a name for."""
    name = str(cast("ast.Constant", call.args[0]).value)
    if getattr(call.func, "id", "") == not_before.__name__:
        return not_before(name, datetime.now(UTC))
    return Where(name, cast("str", cast("ast.Constant", call.args[1]).value), "a value")


def needed(collection: str, asked: types.StructuredQuery) -> Index | None:
    """Give the composite index that Firestore asks for, None when the single-field indexes answer.

    Equalities are answered together; a range is only answered alone, and so is an order.
    """
    filters = [one.field_filter for one in asked.where.composite_filter.filters]
    ranges = [one.field.field_path for one in filters if one.op != Operator.EQUAL]
    ordered = [one.field.field_path for one in asked.order_by]
    equal = [one.field.field_path for one in filters if one.op == Operator.EQUAL]
    last = list(dict.fromkeys([*ranges, *ordered]))
    if not last or (not equal and len(last) == 1):
        return None
    return Index(collection=collection, fields=tuple(path.removeprefix("fields.") for path in [*equal, *last]))


def _asked(sources: Mapping[str, str]) -> list[tuple[str, tuple[Where, ...]]]:
    return [query for source in sources.values() for query in queries(source)]


SOURCES = {str(path): path.read_text(encoding="utf-8") for path in (ROOT / "shared" / "usecases").rglob("*.py")}


def test_every_query_has_its_index() -> None:
    """The composite indexes of the topology are exactly those that the code's queries need."""
    found = _asked(SOURCES)
    asked = {collection for collection, _ in found}
    assert {"orders", "positions", "outbox", "flows", "own_minutes", "ledger"} <= asked <= set(TOPOLOGY.collections)
    assert sum(source.count(".query(") for source in SOURCES.values()) == len(found)
    indexes = {needed(collection, encoding.narrowed(collection, where)) for collection, where in found}
    assert indexes - {None} == set(TOPOLOGY.indexes)


def test_every_query_asks_what_is_indexed() -> None:
    """No query names a field that provisioning takes out of the indexes."""
    for collection, where in _asked(SOURCES):
        paths = [one.field_filter.field.field_path for one in _filters(encoding.narrowed(collection, where))]
        assert all(path.startswith("fields.") for path in paths)
        assert not {*encoding.UNINDEXED, encoding.EXPIRES} & set(paths)


def _filters(asked: types.StructuredQuery) -> list[Any]:
    return list(asked.where.composite_filter.filters)


def test_a_seeded_query_needs_an_index() -> None:
    """A query with an equality and a range, or an equality and an order, needs an index, and is read from code."""
    source = (
        'def f(store):\n    where = (Where("live", "==", True), Where("at", ">=", 1))\n'
        '    store.query("orders", *where)\n'
    )
    ((collection, where),) = queries(source)
    assert (collection, [one.name for one in where]) == ("orders", ["live", "at"])
    raw = types.StructuredQuery(
        where={
            "composite_filter": {
                "op": "AND",
                "filters": [
                    {"field_filter": {"field": {"field_path": f"fields.{one.name}"}, "op": op, "value": {}}}
                    for one, op in zip(where, (Operator.EQUAL, Operator.GREATER_THAN_OR_EQUAL), strict=True)
                ],
            }
        }
    )
    assert needed("orders", raw) == Index(collection="orders", fields=("live", "at"))
    assert needed("orders", types.StructuredQuery(order_by=[{"field": {"field_path": "fields.at"}}])) is None


def test_only_what_nobody_misses_is_forgotten() -> None:
    """The book, the chain, promises and what destroys a token have no lifetime; what has one keeps it for a week."""
    assert set(TOPOLOGY.lifetimes) <= set(TOPOLOGY.collections)
    assert not NEVER_FORGOTTEN & set(TOPOLOGY.lifetimes)
    assert all(days >= 7 for days in TOPOLOGY.lifetimes.values())
