"""The simulator's own ledger as typed values: the independent witness of a day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import msgspec

from shared.frozen import frozen


@frozen
class BrokerEvent:
    """One thing that happened to an order at the broker; `quantity` and `price` only for a fill."""

    at: datetime
    event: str
    quantity: int | None = None
    price: Decimal | None = None


@frozen
class LedgerOrder:
    """One order as the simulator knows it; prices in USD."""

    order_id: int
    client_order_id: str
    symbol: str
    action: str
    quantity: int
    filled: int
    price_type: str
    term: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: str
    placed_at: datetime
    history: tuple[BrokerEvent, ...] = ()


@frozen
class LedgerFill:
    """Shares that changed hands at the simulator, price in USD."""

    at: datetime
    order_id: int
    client_order_id: str
    symbol: str
    action: str
    quantity: int
    price: Decimal


@frozen
class PlaceRequest:
    """One place request that reached the simulator; `client_order_id` is None when it could not be read."""

    at: datetime
    client_order_id: str | None
    outcome: str
    preview_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLedger:
    """Everything the simulator counted; money in USD, `withdrawn` are shares that were moved to another broker."""

    cash: Decimal
    settled_cash: Decimal
    positions: dict[str, int]
    orders: tuple[LedgerOrder, ...]
    fills: tuple[LedgerFill, ...]
    calls: dict[str, int]
    throttled: int
    place_requests: tuple[PlaceRequest, ...]
    realized_pnl: Decimal = field(default=Decimal(0))
    withdrawn: dict[str, int] = field(default_factory=dict)


def read_ledger(plain: Mapping[str, object]) -> BrokerLedger:
    """Type what `Simulator.ledger()` gives; raises msgspec.ValidationError when it drifted."""
    return msgspec.convert(plain, BrokerLedger, strict=False)
