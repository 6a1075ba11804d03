"""What the broker tells us and what we ask of it, in our words; `shared.etrade` translates to and from the wire."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.values import PriceType, Side, Term

FIRST_PAPER_ORDER = 9_000_000_001
"""Paper orders are numbered from here on: far above what an account counts to, so that none has a real one's number."""


class BrokerStatus(StrEnum):
    """The broker's word for an order's state (etrade-api.md 4.12); PARTIAL and INDIVIDUAL_FILLS are read as OPEN."""

    OPEN = "OPEN"
    EXECUTED = "EXECUTED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of the signed-in owner; `key` is what every path needs, `number` is never logged."""

    key: str
    number: str
    mode: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the account can spend, in USD, at an instant."""

    at: datetime
    account_mode: str
    settled_cash: Decimal
    cash_buying_power: Decimal
    account_value: Decimal

    @property
    def usable(self) -> Decimal:
        """Settled cash in a cash account, cash buying power otherwise (strategy.md, Sizing)."""
        return self.settled_cash if self.account_mode == "CASH" else self.cash_buying_power


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Shares that the account holds, whoever bought them; negative quantity is a short."""

    symbol: str
    quantity: int
    cost_per_share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """Which account is ours, as it was asked for a session."""

    key: str
    session: date
    schema_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order as it is asked for: whole shares, prices in USD on their tick."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    price_type: PriceType
    term: Term
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """One order as the broker lists it; average price in USD, absent while nothing is filled."""

    order_id: int
    symbol: str
    side: Side
    quantity: int
    filled: int
    average_price: Decimal | None
    price_type: PriceType | None
    term: Term | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: BrokerStatus
    placed_at: datetime
