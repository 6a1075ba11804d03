"""What the broker tells us and what we ask of it, in our words; `shared.etrade` translates to and from the wire."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.base.values import PriceType, Side, Term
from shared.frozen import frozen

_MARGIN = frozenset({"MARGIN", "PDT ACCOUNT", "PM ACCOUNT", "PORTFOLIO MARGIN", "REG T", "REGT"})
_CASH = frozenset({"CASH", "CHECKING", "IRA", "SAVINGS", "CD"})

FIRST_PAPER_ORDER = 9_000_000_001
"""Paper orders are numbered from here on: far above what an account counts to, so that none has a real one's number."""


def is_margin(mode: str) -> bool:
    """Tell whether an account of this mode may spend proceeds that are not settled; one of no known mode may not."""
    return _plain(mode) in _MARGIN


def is_cash(mode: str) -> bool:
    """Tell whether an account surely has no margin: its mode is known, and none of those that have."""
    return _plain(mode) in _CASH


def _plain(mode: str) -> str:
    return " ".join(mode.upper().replace("_", " ").split())


class BrokerStatus(StrEnum):
    """The broker's word for an order's state (etrade-api.md 4.12); PARTIAL and INDIVIDUAL_FILLS are read as OPEN."""

    OPEN = "OPEN"
    EXECUTED = "EXECUTED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@frozen
class Account:
    """One account of the signed-in owner; `key` is what every path needs, `number` is never logged.

    `odd` are E*TRADE's names of what could not be read of it: that is "" here, and an account without a status is not
    active.
    """

    key: str
    number: str
    mode: str
    active: bool
    odd: tuple[str, ...] = ()

    @property
    def may_be_active(self) -> bool:
        """Whether it is active, as far as its row can be read."""
        return self.active or "accountStatus" in self.odd


@frozen
class Balance:
    """What the account can spend, in USD, at an instant; what the broker left out is None, or "".

    `day_trader_status` is the broker's word, `calls` its names of the margin calls that are open.
    """

    at: datetime
    account_mode: str
    settled_cash: Decimal | None
    cash_buying_power: Decimal | None
    account_value: Decimal | None
    day_trader_status: str = ""
    calls: tuple[str, ...] = ()

    @property
    def usable(self) -> Decimal | None:
        """Cash buying power in a margin account, settled cash in every other (strategy.md, Sizing)."""
        return self.cash_buying_power if is_margin(self.account_mode) else self.settled_cash

    @property
    def lacks(self) -> str | None:
        """E*TRADE's name of the figure that tells what can be spent, where it is not known."""
        if self.usable is not None:
            return None
        return "cashBuyingPower" if is_margin(self.account_mode) else "settledCashForInvestment"


@frozen
class LastBalance:
    """What settlement last read of the account's money, for its owner to see: nothing is traded on it.

    `capital` in USD is what the owner let the system use at that time.
    """

    balance: Balance
    capital: Decimal
    schema_version: int = 1


@frozen
class Holding:
    """Shares that the account holds, whoever bought them; negative quantity is a short.

    `odd` names what of its row is not as a row of whole shares is, or could not be read: then the owner holds it, and
    what was not read is 0 shares, or "" for the symbol. Another instrument of a symbol is 0 shares of it. Nothing rests
    on the cost.
    """

    symbol: str
    quantity: int
    cost_per_share: Decimal | None
    odd: tuple[str, ...] = ()

    @property
    def uncounted(self) -> bool:
        """Whether the row does not tell how many whole shares of which symbol there are."""
        return not {"symbol", "quantity", "positionId"}.isdisjoint(self.odd)


@frozen
class AccountRecord:
    """Which account is ours and of which mode the account list calls it, as it was asked for a session.

    `day_trades` are those of the sessions before, once they were counted; `restricted` is the broker's code when it
    called the account restricted in its answer to an order of this session. `told` are the rules of the account that
    the minute's look at the balance has told of; `chosen` names the owner's choice that it was taken by.
    """

    key: str
    mode: str
    session: date
    day_trades: int | None = None
    restricted: str = ""
    told: tuple[str, ...] = ()
    chosen: str = ""
    schema_version: int = 1


@frozen
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


@frozen
class BrokerOrder:
    """One order as the broker lists it, as far as it can be read; average price in USD, absent while nothing is filled.

    `odd` names the fields, in the broker's words, that no order of ours can have or that could not be read; a row
    without any is plain. An odd row is somebody else's unless it carries the id of an order of ours.
    """

    order_id: int | None
    symbol: str | None
    side: Side | None
    quantity: int | None
    filled: int | None
    average_price: Decimal | None
    price_type: PriceType | None
    term: Term | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: BrokerStatus | None
    placed_at: datetime | None
    odd: tuple[str, ...] = ()
