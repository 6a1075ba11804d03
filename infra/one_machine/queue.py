"""What the bus still owes: messages, the deliveries that are not yet acknowledged, and the dead letters.

They live in the state file beside the documents, so that a killed process delivers again when it comes back.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from infra.one_machine.database import Database
from shared.codec import dumps, loads
from shared.frozen import frozen


@frozen
class QueuedMessage:
    """One published message, as its publisher gave it."""

    message_id: int
    topic: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    published_at: datetime


@frozen
class QueuedDelivery:
    """A message that one subscription has not acknowledged after so many attempts, or a dead letter."""

    subscription: str
    message: QueuedMessage
    attempts: int


_SELECT = (
    "SELECT subscription, attempts, id, topic, data, attributes, ordering_key, published_at"
    " FROM {table} JOIN messages ON id = message ORDER BY id, subscription"
)


class SqliteQueue:
    """The bus's tables in a state file; every method raises StoreDown when the disk refuses.

    A published message is on the disk. A power cut may take what is known of its deliveries: then it comes once more.
    """

    def __init__(self, path: Path | None, *, durable: bool = False) -> None:
        self._database = Database(path, durable=durable)

    def add(
        self,
        *,
        topic: str,
        data: bytes,
        attributes: Mapping[str, str],
        ordering_key: str,
        published_at: datetime,
        subscriptions: tuple[str, ...],
    ) -> QueuedMessage:
        """Keep a message until each subscription has acknowledged it, and number it."""
        columns = (topic, data, dumps(dict(attributes)).decode(), ordering_key, published_at.isoformat())
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO messages (topic, data, attributes, ordering_key, published_at) VALUES (?, ?, ?, ?, ?)",
                columns,
            )
            message_id = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO deliveries (message, subscription, attempts) VALUES (?, ?, 0)",
                [(message_id, subscription) for subscription in subscriptions],
            )
        return QueuedMessage(
            message_id=message_id,
            topic=topic,
            data=data,
            attributes=dict(attributes),
            ordering_key=ordering_key,
            published_at=published_at,
        )

    def attempted(self, subscription: str, message_id: int, attempts: int) -> None:
        """Note that a delivery was tried, before it is."""
        with self._database.transaction(lasting=False) as connection:
            connection.execute(
                "UPDATE deliveries SET attempts = ? WHERE message = ? AND subscription = ?",
                (attempts, message_id, subscription),
            )

    def acknowledged(self, subscription: str, message_id: int) -> None:
        """Forget a delivery, and its message when no other subscription waits for it."""
        with self._database.transaction(lasting=False) as connection:
            connection.execute(
                "DELETE FROM deliveries WHERE message = ? AND subscription = ?", (message_id, subscription)
            )
            connection.execute(
                "DELETE FROM messages WHERE id = ?1"
                " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)"
                " AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE message = ?1)",
                (message_id,),
            )

    def bury(self, subscription: str, message_id: int, attempts: int) -> None:
        """Make a delivery a dead letter."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM deliveries WHERE message = ? AND subscription = ?", (message_id, subscription)
            )
            connection.execute(
                "INSERT INTO dead_letters (message, subscription, attempts) VALUES (?, ?, ?)",
                (message_id, subscription, attempts),
            )

    def pending(self) -> list[QueuedDelivery]:
        """List what is not acknowledged, in the order of publishing."""
        return self._list("deliveries")

    def dead_letters(self) -> list[QueuedDelivery]:
        """List what was given up, in the order of publishing."""
        return self._list("dead_letters")

    def close(self) -> None:
        """Close the file; a second time is no error."""
        self._database.close()

    def _list(self, table: str) -> list[QueuedDelivery]:
        with self._database.reading() as connection:
            rows = connection.execute(_SELECT.format(table=table)).fetchall()
        return [QueuedDelivery(subscription=row[0], attempts=row[1], message=_message(row[2:])) for row in rows]


def _message(columns: tuple[int, str, bytes, str, str, str]) -> QueuedMessage:
    message_id, topic, data, attributes, ordering_key, published_at = columns
    return QueuedMessage(
        message_id=message_id,
        topic=topic,
        data=data,
        attributes=loads(attributes),
        ordering_key=ordering_key,
        published_at=datetime.fromisoformat(published_at),
    )
