"""How a document lies in Firestore, and how much of a query Firestore can answer.

Firestore forbids a list directly inside a list, keeps no integer beyond 64 bits, cuts what it indexes at 1,500 bytes,
and asks for a composite index as soon as an equality meets a range or an order. A document is therefore kept as

    json    its canonical text, which is what a read gives back: to the byte what the other stores give
    fields  a copy of its top-level scalars, which is what a query looks at: truths and nulls as they are, numbers as
            doubles, texts cut to 300 characters
    commit  the nonce of the commit that wrote it
    expires_at  in collections that the database may forget (topology, `lifetimes`): from when on

No query asks for any but `fields`, so the database may leave the others out of its indexes (UNINDEXED, EXPIRES).

The copies are coarser than the values but keep their order (a <= b implies copy(a) <= copy(b)), so the condition with
the copied value and a relaxed operator finds all that match, and perhaps more; `documents.select` then decides. Only
equalities are asked together, else one range alone: single-field indexes, which Firestore makes by itself, answer
that, so no composite index has to be provisioned or can be forgotten. Every query of ours is one or two equalities.

`commit` makes every write change its document. Firestore keeps the `update_time`, our version, of a document that is
written with equal content (measured on the emulator, and documented for `WriteResult`).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp

from shared import documents
from shared.codec import loads
from shared.errors import Conflict, InvariantBroken
from shared.frozen import frozen
from shared.ports import Check, Create, Data, Delete, Document, Put, Update, Where, Write

UNINDEXED = ("json", "commit")
"""Fields that no query names: provisioning exempts them from indexing."""

EXPIRES = "expires_at"
"""The instant after which the database may delete a document: provisioning makes it the collection's TTL field."""

MAX_STORED_BYTES = 1_040_000  # Firestore's limit is 1,048,576 with the names of document and fields
MAX_COPIES = 10_000  # Firestore keeps 40,000 index entries of a document, two or more of each copy
CUT = 300  # characters, at most 1,200 bytes

_VERSION = re.compile(r"(?P<seconds>[0-9]{1,10})[.](?P<nanos>[0-9]{9})")
_RELAXED = {
    "==": types.StructuredQuery.FieldFilter.Operator.EQUAL,
    "<": types.StructuredQuery.FieldFilter.Operator.LESS_THAN_OR_EQUAL,
    "<=": types.StructuredQuery.FieldFilter.Operator.LESS_THAN_OR_EQUAL,
    ">": types.StructuredQuery.FieldFilter.Operator.GREATER_THAN_OR_EQUAL,
    ">=": types.StructuredQuery.FieldFilter.Operator.GREATER_THAN_OR_EQUAL,
}


@frozen
class Names:
    """The names of a database's documents, as the API wants them."""

    database: str

    @property
    def root(self) -> str:
        """The parent of every collection."""
        return f"{self.database}/documents"

    def full(self, path: str) -> str:
        """Give the name of a document."""
        return f"{self.root}/{path}"

    def path(self, name: str) -> str:
        """Give the path of a document's name."""
        return name.removeprefix(f"{self.root}/")


def to_write(names: Names, write: Write, nonce: str, *, expires_at: datetime | None = None) -> types.Write:
    """Give a write with its precondition; raises InvariantBroken for bad data, Conflict for no version of ours."""
    name = names.full(write.path)
    match write:
        case Create(path, data):
            must = types.Precondition(exists=False)
            return types.Write(update=_stored(name, path, data, nonce, expires_at), current_document=must)
        case Update(path, data, version):
            must = types.Precondition(update_time=_instant(path, version))
            return types.Write(update=_stored(name, path, data, nonce, expires_at), current_document=must)
        case Put(path, data):
            return types.Write(update=_stored(name, path, data, nonce, expires_at))
        case Check(path, version):
            # An empty mask writes nothing, and the precondition holds all the same (google-cloud.md 9.10).
            return types.Write(
                update=types.Document(name=name), update_mask=types.DocumentMask(field_paths=[]),
                current_document=types.Precondition(update_time=_instant(path, version)),
            )  # fmt: skip
        case Delete():
            return types.Write(delete=name)


def from_stored(names: Names, stored: types.Document) -> Document:
    """Read a document; raises InvariantBroken for one that this store did not write."""
    path = names.path(stored.name)
    text = stored.fields.get("json")
    data = loads(text.string_value) if text is not None else None
    if not isinstance(data, dict):
        raise InvariantBroken(f"{path}: something else wrote this document")
    return Document(path=path, data=data, version=version_of(types.Document.pb(stored).update_time))


def nonce_of(stored: types.Document) -> str:
    """Give the nonce of the commit that wrote a document last."""
    held = stored.fields.get("commit")
    return held.string_value if held is not None else ""


def version_of(instant: Timestamp) -> str:
    """Give an update time as a version, to the nanosecond."""
    return f"{instant.seconds}.{instant.nanos:09d}"


def narrowed(collection: str, where: Sequence[Where]) -> types.StructuredQuery:
    """Give the query that finds at least the matching documents, and that no composite index is needed for."""
    asked = [one for one in where if _copied(one.name)]
    equalities = [one for one in asked if one.op == "=="]
    filters = [
        types.StructuredQuery.Filter(
            field_filter=types.StructuredQuery.FieldFilter(
                field=types.StructuredQuery.FieldReference(field_path=f"fields.{one.name}"),
                op=_RELAXED[one.op],
                value=_copy(one.value),
            )
        )
        for one in equalities or asked[:1]
    ]
    every = types.StructuredQuery.CompositeFilter(
        op=types.StructuredQuery.CompositeFilter.Operator.AND, filters=filters
    )
    selector = types.StructuredQuery.CollectionSelector(collection_id=collection)
    if not filters:
        return types.StructuredQuery(from_=[selector])
    return types.StructuredQuery(from_=[selector], where=types.StructuredQuery.Filter(composite_filter=every))


def _stored(name: str, path: str, data: Data, nonce: str, expires_at: datetime | None) -> types.Document:
    text = documents.freeze(path, data)
    copies = {
        key: _copy(value)
        for key, value in data.items()
        if _copied(key) and (value is None or isinstance(value, str | int | float))
    }
    size = len(text.encode()) + sum(len(key) + _size(copy) for key, copy in copies.items())
    if size > MAX_STORED_BYTES or len(copies) > MAX_COPIES:
        raise InvariantBroken(f"{path}: {size} bytes, {len(copies)} fields: more than Firestore keeps in a document")
    fields = types.MapValue(fields=copies)
    kept = {"json": types.Value(string_value=text), "commit": types.Value(string_value=nonce)}
    if expires_at is not None:
        kept[EXPIRES] = types.Value(timestamp_value=expires_at)
    return types.Document(name=name, fields={**kept, "fields": types.Value(map_value=fields)})


def _copied(name: str) -> bool:
    """Tell whether a field has a copy: Firestore keeps names of the form `__x__` for itself."""
    return documents.is_field(name) and not (name.startswith("__") and name.endswith("__")) and len(name) <= CUT


def _copy(value: Any) -> types.Value:
    match value:
        case None:
            return types.Value(null_value=0)
        case bool():
            return types.Value(boolean_value=value)
        case int() | float():
            return types.Value(double_value=float(value) + 0.0)  # turns -0.0 into 0.0
        case _:
            return types.Value(string_value=value[:CUT])


def _size(copy: types.Value) -> int:
    return len(copy.string_value.encode()) + 9


def _instant(path: str, version: str) -> Timestamp:
    parts = _VERSION.fullmatch(version)
    if parts is None:
        raise Conflict(f"{path} was changed by somebody else")
    return Timestamp(seconds=int(parts["seconds"]), nanos=int(parts["nanos"]))
