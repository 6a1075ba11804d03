"""The system's own book, read back from its store once the day is over (or after a crash)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from shared.codec import decode
from shared.domain.base.audit import AuditEvent
from shared.domain.market.receipts import Mark, apart, marks
from shared.domain.market.sight import Sight
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Ledger, Position, standing
from shared.domain.orders.signals import Signal
from shared.domain.orders.taken import Taken
from shared.errors import Malformed
from shared.ports import Document, Store, Where
from shared.usecases.market.minutes import Minute


class Documents(Protocol):
    """The part of a store that a reader needs."""

    def query(self, collection: str) -> list[Document]:
        """Give every document of a collection, by path."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one scanned minute did with each symbol: pairs of a second and the code that holds from it on.

    `compared` has, for each symbol and code, what its rule found and asked when it spoke last in that minute,
    `configuration` the version that it was scanned with, 0 for what the system was started with.
    """

    session: str
    minute: str
    symbols: Mapping[str, tuple[tuple[int, str], ...]]
    compared: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    configuration: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Every document that a day is judged by; `seals` maps an audit chain to its sealed head.

    `sights` are what the scan saw in each minute that it ended.
    """

    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    positions: tuple[Position, ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    taken: tuple[Taken, ...] = ()
    signals: tuple[Signal, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    sights: tuple[Sight, ...] = ()
    events: tuple[AuditEvent, ...] = ()
    seals: Mapping[str, str] = field(default_factory=dict)
    dead_letters: int = 0


def read_book(store: Documents) -> Book:
    """Read the whole book; raises shared.errors.Malformed when a document is not what its type says."""
    return Book(
        orders=tuple(decode(Order, one.data) for one in store.query("orders")),
        fills=tuple(sorted(standing(decode(Fill, one.data) for one in store.query("fills")), key=_fill_order)),
        positions=tuple(decode(Position, one.data) for one in store.query("positions")),
        ledgers=tuple(decode(Ledger, one.data) for one in store.query("ledger")),
        taken=tuple(decode(Taken, one.data) for one in store.query("taken")),
        signals=tuple(decode(Signal, one.data) for one in store.query("signals")),
        receipts=tuple(receipt_of(one) for one in store.query("receipts")),
        sights=tuple(sight for one in store.query("minutes") if (sight := decode(Minute, one.data).sight)),
        events=tuple(decode(AuditEvent, one.data) for one in store.query("audit")),
        seals=heads(one.data for one in store.query("seals")),
        dead_letters=len(store.query("dead_letters")),
    )


def heads(seals: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Merge the heads of every session's seal."""
    return {str(chain): str(head) for seal in seals for chain, head in seal["heads"].items()}


def _fill_order(fill: Fill) -> tuple[str, int, int]:
    return fill.at.isoformat(), fill.broker_order_id, fill.cumulative


def receipt_of(document: Document) -> Receipt:
    """Read a minute's receipt; raises Malformed for one that is none."""
    lines = {str(symbol): marks(document.data, symbol) for symbol in document.data["symbols"]}
    return Receipt(
        session=str(document.data["session"]), minute=str(document.data["minute"]),
        symbols={symbol: tuple((one.second, one.code) for one in those) for symbol, those in lines.items()},
        compared={symbol: _compared(those) for symbol, those in lines.items()},
        configuration=int(document.data.get("configuration", 0)),
    )  # fmt: skip


def receipts_on(store: Store, day: date, unread: list[str]) -> Iterator[Receipt]:
    """Read the receipts of a New York day, oldest first; the path of one that cannot be read is added to `unread`."""
    for row in store.query("receipts", Where("session", "==", day.isoformat())):
        try:
            yield receipt_of(row)
        except (Malformed, LookupError, TypeError):
            unread.append(row.path)


def _compared(lines: Iterable[Mark]) -> Mapping[str, tuple[str, str]]:
    parts = (part for line in lines for part in apart(line.code, line.found, line.asked))
    return {code: (found, asked) for code, found, asked in parts if asked}
