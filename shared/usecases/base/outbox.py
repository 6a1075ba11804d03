"""Messages that cannot be lost: a commit writes the row, then the row is published and removed.

A crash between commit and publish leaves the row; the function's next invocation publishes it. A crash between
publish and removal publishes twice, which every consumer bears (order-safety.md 1.4, C12 and C13).
"""

from shared.codec import decode, dumps, encode, loads
from shared.domain.telling.messages import KINDS, MAX_BYTES, NAMES, SCHEMA_VERSION, Message, misnamed
from shared.errors import Malformed, PermissionDenied, UnknownVersion
from shared.frozen import frozen
from shared.ports import Create, Delete, Severity, Where
from shared.usecases.base.desk import Desk

NOTICES = "notices"


@frozen
class Row:
    """One message that is promised: `owner` is the function that publishes it."""

    owner: str
    topic: str
    key: str
    body: str


def pack(message: Message) -> bytes:
    """Write a message as it travels: kind, schema version and body in canonical JSON."""
    return dumps({"kind": NAMES[type(message)], "schema_version": SCHEMA_VERSION, "body": encode(message)})


def unpack(data: bytes) -> Message:
    """Read a message; raises Malformed, or UnknownVersion for a kind or version that this code does not know."""
    if len(data) > MAX_BYTES:
        raise Malformed(f"{len(data)} bytes are more than the {MAX_BYTES} that a message may have")
    plain = loads(data)
    if not isinstance(plain, dict) or set(plain) != {"kind", "schema_version", "body"}:
        raise Malformed("a message has exactly kind, schema_version and body")
    kind = KINDS.get(plain["kind"]) if isinstance(plain["kind"], str) else None
    version = plain["schema_version"]
    if kind is None or type(version) is not int or version != SCHEMA_VERSION:
        raise UnknownVersion(f"kind {plain['kind']!r} in schema version {version!r} is not known here")
    message = decode(kind, plain["body"])
    if (wrong := misnamed(message)) is not None:
        raise Malformed(f"{plain['kind']}: {wrong} can be no document's name")
    return message


def promise(
    desk: Desk, *, name: str, topic: str, key: str, message: Message, owner: str | None = None
) -> Create:  # fmt: skip
    """Give the write of one outbox row; `name` makes it unique, `key` orders it, `owner` is another who publishes."""
    owner = desk.actor if owner is None else owner
    row = Row(owner=owner, topic=topic, key=key, body=pack(message).decode())
    return Create(f"outbox/{owner}:{name}", encode(row))


def publish(desk: Desk, row: Create) -> None:
    """Publish a committed row and remove it."""
    send(desk, row.path, decode(Row, row.data))


def drain(desk: Desk) -> int:
    """Publish every row of this function that an earlier invocation left behind, but notices; gives how many.

    Work never waits for a notice: `notices.post` publishes those after it. A row that this code cannot read, or must
    not publish (another version wrote it, or a function of the same domain that was taken over), is reported and left:
    it must not stop the others, nor be blamed on the message that is handled next.
    """
    published = 0
    for row in desk.store.query("outbox", Where("owner", "==", desk.actor)):
        try:
            promised = decode(Row, row.data)
        except Malformed as problem:
            desk.journal.line("outbox_row_unreadable", Severity.ERROR, row=row.path, detail=problem.detail)
            continue
        if promised.topic == NOTICES:
            continue
        try:
            send(desk, row.path, promised)
        except PermissionDenied as problem:
            desk.journal.line("outbox_row_refused", Severity.ERROR, row=row.path, detail=problem.detail)
            continue
        published += 1
    return published


def send(desk: Desk, path: str, row: Row) -> None:
    """Publish one row and remove it."""
    desk.bus.publish(row.topic, row.body.encode(), attributes={"row": path}, ordering_key=row.key)
    desk.store.commit([Delete(path)])
