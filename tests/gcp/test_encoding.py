"""How documents lie in Firestore, and what of a query is asked there."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.cloud.firestore_v1 import types
from hypothesis import given
from hypothesis import strategies as st

from shared.codec import dumps, loads
from shared.errors import Conflict, InvariantBroken
from shared.gcp.encoding import EXPIRES, Names, from_stored, narrowed, nonce_of, to_write, version_of
from shared.ports import Check, Create, Data, Put, Update, Where

NAMES = Names(database="projects/p/databases/(default)")
EQUAL = types.StructuredQuery.FieldFilter.Operator.EQUAL


def _stored(data: Data) -> types.Document:
    stored: types.Document = to_write(NAMES, Put("a/1", data), "nonce").update
    return stored


def _asked(*where: Where) -> list[tuple[str, Any]]:
    filters = narrowed("a", where).where.composite_filter.filters
    return [(one.field_filter.field.field_path, one.field_filter.op) for one in filters]


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(data=st.dictionaries(st.text(max_size=8) | st.sampled_from(["n", "__n__", "_"]), _JSON, max_size=5))
def test_what_is_stored_is_read(data: Data) -> None:
    """Any JSON comes back with its types, and what is copied beside it is only what queries can name."""
    stored = _stored(data)
    read = from_stored(NAMES, stored)
    assert (read.path, repr(read.data), nonce_of(stored)) == ("a/1", repr(loads(dumps(data))), "nonce")


def test_a_document_lies_there_readable() -> None:
    """Top-level scalars have their copies; lists, mappings and names that Firestore keeps for itself have none."""
    stored = _stored(
        {"t": "x" * 500, "n": 3, "yes": True, "no": None, "l": [[1]], "m": {"x": 1}, "__id__": 1, "a-b": 1}
    )
    copies = stored.fields["fields"].map_value.fields
    assert set(copies) == {"t", "n", "yes", "no"}
    assert str(_stored({"n": -0.0}).fields["fields"].map_value.fields["n"].double_value) == "0.0"
    assert (copies["t"].string_value, copies["n"].double_value, copies["yes"].boolean_value) == ("x" * 300, 3.0, True)


def test_an_end_is_written_beside_the_document() -> None:
    """A document that may be forgotten carries the instant in a field of its own, and reads as if it did not."""
    ends = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    for write in (Create("a/1", {"n": 1}), Put("a/1", {"n": 1}), Update("a/1", {"n": 1}, "1795347690.000000001")):
        stored = to_write(NAMES, write, "x", expires_at=ends).update
        assert stored.fields[EXPIRES].timestamp_value == ends
        assert from_stored(NAMES, stored).data == {"n": 1}
        assert EXPIRES not in to_write(NAMES, write, "x").update.fields


def test_preconditions_are_those_of_the_writes() -> None:
    """A creation must find nothing, an update its version, and a check writes nothing at all."""
    version = "1795347690.000000001"
    create = to_write(NAMES, Create("a/1", {}), "x")
    update = to_write(NAMES, Update("a/1", {}, version), "x")
    check = to_write(NAMES, Check("a/1", version), "x")
    assert "exists" in create.current_document
    assert create.current_document.exists is False
    for write in (update, check):
        assert version_of(types.Precondition.pb(write.current_document).update_time) == version
    assert "update_mask" not in update
    assert "update_mask" in check
    assert (list(check.update_mask.field_paths), dict(check.update.fields)) == ([], {})


@pytest.mark.parametrize("version", ["", "1", "1.0", "-1.000000000", "1.0000000000", "1.00000000x", "٣.000000000"])
def test_what_is_no_version_is_a_conflict(version: str) -> None:
    """A version that this store never gave belongs to no document."""
    with pytest.raises(Conflict):
        to_write(NAMES, Update("a/1", {}, version), "x")


def test_no_composite_index_is_ever_needed() -> None:
    """Equalities are asked together, a range only alone, and what has no copy is left to the caller."""
    session, live, old = Where("session", "==", "x"), Where("live", "==", True), Where("n", ">", 1)
    assert _asked(session, live, old) == [("fields.session", EQUAL), ("fields.live", EQUAL)]
    assert [field for field, _ in _asked(old, Where("m", "<", 2))] == ["fields.n"]
    assert _asked(Where("__n__", "==", 1)) == []


@pytest.mark.parametrize("data", [{"x": Decimal(1)}, {f"n{n}": n for n in range(10_001)}, {"x": "x" * 1_000_001}])
def test_what_firestore_cannot_keep_is_our_bug(data: Data) -> None:
    """Data that is no JSON, too many fields and too many bytes are refused before anything is sent."""
    with pytest.raises(InvariantBroken):
        _stored(data)
    texts = {f"t{n}": "x" * 300 for n in range(2_000)}
    with pytest.raises(InvariantBroken, match="more than Firestore keeps"):
        _stored(texts)


def test_a_strangers_document_is_not_read() -> None:
    """A document that something else wrote into the database is our bug to look into, not data."""
    with pytest.raises(InvariantBroken):
        from_stored(NAMES, types.Document(name=NAMES.full("a/1"), fields={"n": types.Value(integer_value=1)}))
