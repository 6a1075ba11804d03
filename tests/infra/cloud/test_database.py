"""The database has every index that a query of the code needs, none that it does not, and forgets only what it may."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from google.cloud.firestore_v1 import types

from infra.components import data
from shared.gcp import encoding
from shared.ports import Where
from shared.topology import TOPOLOGY, Index
from shared.usecases.desk import not_before
from tests.architecture.files import ROOT
from tests.infra.cloud.capture import Graph, capture, config_of

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


SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "shared" / "usecases").glob("*.py")}


def test_every_query_has_its_index() -> None:
    """The composite indexes of the topology are exactly those that the code's queries need."""
    found = _asked(SOURCES)
    asked = {collection for collection, _ in found}
    assert {"orders", "positions", "outbox", "flows", "bars", "ledger"} <= asked <= set(TOPOLOGY.collections)
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


def test_what_no_query_asks_is_not_indexed(graphs: Mapping[str, Graph]) -> None:
    """In every collection the text, the nonce and the end of a document are in no index, and nothing else is."""
    assert (data.UNINDEXED, data.EXPIRES) == (encoding.UNINDEXED, encoding.EXPIRES)
    for graph in graphs.values():
        fields = {(one.inputs["collection"], one.inputs["field"]): one.inputs for one in graph.of("Field")}
        plain = {(collection, field) for collection in TOPOLOGY.collections for field in encoding.UNINDEXED}
        ends = {(collection, encoding.EXPIRES) for collection in TOPOLOGY.lifetimes}
        assert set(fields) == plain | ends
        assert all(one["indexConfig"] == {} and one["database"] == "desk-1" for one in fields.values())
        assert {place for place, one in fields.items() if "ttlConfig" in one} == ends


def test_only_what_nobody_misses_is_forgotten() -> None:
    """The book, the chain, promises and what destroys a token have no lifetime; what has one keeps it for a week."""
    assert set(TOPOLOGY.lifetimes) <= set(TOPOLOGY.collections)
    assert not NEVER_FORGOTTEN & set(TOPOLOGY.lifetimes)
    assert all(days >= 7 for days in TOPOLOGY.lifetimes.values())


def test_an_index_of_the_topology_is_made(tmp_path: Path) -> None:
    """An index that the topology names is made over the copied fields, in its order."""
    index = Index(collection="orders", fields=("live", "updated_at"))
    graph = capture(config_of("sandbox"), "sandbox", tmp_path, replace(TOPOLOGY, indexes=(index,)))
    (made,) = graph.of("Index")
    assert [field["fieldPath"] for field in made.inputs["fields"]] == ["fields.live", "fields.updated_at"]
    assert (made.inputs["collection"], made.inputs["database"]) == ("orders", "desk-1")


@pytest.mark.parametrize("lost", [lambda one: one.inputs["field"] == "json", lambda one: "ttlConfig" in one.inputs])
def test_a_seeded_missing_field_is_found(graphs: Mapping[str, Graph], lost: Callable[[Any], bool]) -> None:
    """A graph without its exemptions or lifetimes is not the one that is asked for."""
    graph = graphs["sandbox"]
    rest = {urn: one for urn, one in graph.resources.items() if one.typ.rpartition(":")[2] != "Field" or not lost(one)}
    with pytest.raises(AssertionError):
        test_what_no_query_asks_is_not_indexed({"seeded": Graph(resources=rest, outputs={})})


def test_secrets_are_those_of_the_topology(graphs: Mapping[str, Graph]) -> None:
    """Every secret exists in the stack's own region, and every grant on a secret is on one that exists."""
    for graph in graphs.values():
        made = {one.inputs["secretId"]: one.inputs["replication"] for one in graph.of("Secret")}
        assert set(made) == set(TOPOLOGY.secrets)
        assert {one.inputs["secretId"] for one in graph.of("SecretIamMember")} == set(made)
        for replication in made.values():
            assert [one["location"] for one in replication["userManaged"]["replicas"]] == ["us-east4"]


def test_customer_keys_reach_all_that_lasts(graphs: Mapping[str, Graph]) -> None:
    """With keys of the owner's own, database, secrets and topics are kept with one that turns; else there is none."""
    graph = graphs["keys"]
    (key,) = graph.of("CryptoKey")
    assert key.inputs["rotationPeriod"] == "7776000s"
    (database,) = graph.of("Database")
    kept = [database.inputs["cmekConfig"]["kmsKeyName"], *(one.inputs["kmsKeyName"] for one in graph.of("Topic"))]
    for secret in graph.of("Secret"):
        (replica,) = secret.inputs["replication"]["userManaged"]["replicas"]
        kept.append(replica["customerManagedEncryption"]["kmsKeyName"])
    assert set(kept) == {"projects/example-project/key"}
    for stack in ("sandbox", "production"):
        assert "kmsKeyName" not in str([one.inputs for one in graphs[stack].custom])


def test_production_can_be_restored(graphs: Mapping[str, Graph]) -> None:
    """Production has a backup a day for four weeks beside the last week's every second."""
    (backup,) = graphs["production"].of("BackupSchedule")
    assert (backup.inputs["retention"], backup.inputs["dailyRecurrence"]) == ("2419200s", {})
    assert graphs["sandbox"].of("BackupSchedule") == []
