"""Accounts, balances and quotes as E*TRADE gives them now, each with its source, its age and its delay.

What can go wrong: an old or delayed price is taken for the market's; one account that fails hides the others. What this
promises: the age of a quote is that of its own `dateTimeUTC`, and its status is E*TRADE's word; what could not be read
is a row that says so, and where E*TRADE gives no quote, an older one that is stored is marked so.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from infra.operations.look import last_balance
from infra.operations.profiles import Hand
from infra.operations.reads import Reads, source_of
from shared.domain.broker.brokerage import Account, Balance
from shared.domain.market.known import Glance, Known
from shared.domain.market.quotes import QuoteStatus
from shared.errors import BrokerError
from shared.frozen import frozen
from shared.settings import Mode
from shared.usecases.base.kept import Served
from shared.usecases.market.market_data import MarketData

DELAYED = (
    "these quotes are DELAYED, and the system never trades on them: sign the market data agreement on E*TRADE's page, "
    "wait until E*TRADE has confirmed it, then sign in again"
)
_DELAYS: dict[QuoteStatus | None, str] = {
    QuoteStatus.REALTIME: "none", QuoteStatus.DELAYED: "DELAYED", QuoteStatus.CLOSING: "the session is over",
    QuoteStatus.EH_REALTIME: "none, outside the session", QuoteStatus.EH_BEFORE_OPEN: "before the open",
    QuoteStatus.EH_CLOSED: "closed", QuoteStatus.UNKNOWN: "not known",
}  # fmt: skip


@frozen
class AccountRow:
    """One account, by the last four digits of its number; `odd` is what could not be read of it."""

    ending: str
    mode: str
    active: bool
    odd: tuple[str, ...]


@frozen
class BalanceRow:
    """What one account can spend, in USD; None is what E*TRADE does not say, `problem` why nothing is known.

    The paper account has no number, and is `on_paper`: its figures are those that settlement read last.
    """

    ending: str
    mode: str
    on_paper: bool = False
    settled_cash: Decimal | None = None
    cash_buying_power: Decimal | None = None
    account_value: Decimal | None = None
    day_trader_status: str = ""
    calls: tuple[str, ...] = ()
    age_s: float | None = None
    problem: str | None = None


@frozen
class QuoteRow:
    """One symbol's market, prices in USD; `age_s` is how old its own time was when it was shown, None without a quote.

    `fresh` says that it is E*TRADE's answer of now. `quality` goes from 0 to 1, and `reasons` say what it lacks.
    """

    symbol: str
    source: str
    made: str
    fresh: bool
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    day_volume: int | None
    at: datetime | None
    age_s: float | None
    delayed: bool
    delay: str
    quality: Decimal
    reasons: tuple[str, ...]


@frozen
class Accounts:
    """The list of accounts."""

    source: str
    asked_at: datetime
    rows: tuple[AccountRow, ...]


@frozen
class Balances:
    """What the active accounts can spend."""

    source: str
    asked_at: datetime
    rows: tuple[BalanceRow, ...]


@frozen
class Quotes:
    """The market of some symbols, in the order asked; `delayed` says what to do where any of them is delayed.

    `served` counts how often so far each level has answered.
    """

    source: str
    asked_at: datetime
    rows: tuple[QuoteRow, ...]
    delayed: str | None
    served: Served


def accounts(hand: Hand, key: Reads) -> Accounts:
    """List the owner's accounts; raises AuthError, BrokerError."""
    asked_at, found = hand.desk.clock.now(), key.accounts()
    rows = (AccountRow(ending=one.number[-4:], mode=one.mode, active=one.active, odd=one.odd) for one in found)
    return Accounts(source=source_of(hand), asked_at=asked_at, rows=tuple(rows))


def balances(hand: Hand, key: Reads) -> Balances:
    """Read what each account that may be active can spend, and of a system on paper its paper account.

    Raises AuthError, and BrokerError without a list.
    """
    asked_at = hand.desk.clock.now()
    rows = [_balance(hand, key, one) for one in key.accounts() if one.may_be_active and one.key]
    if hand.mode == Mode.PAPER:
        rows.append(_on_paper(hand))
    return Balances(source=source_of(hand), asked_at=asked_at, rows=tuple(rows))


def _on_paper(hand: Hand) -> BalanceRow:
    last = last_balance(hand.desk.store, [])
    if last is None:
        return BalanceRow(ending="", mode="", on_paper=True)
    return _row(hand, last.balance, ending="", mode=last.balance.account_mode, on_paper=True)


def _balance(hand: Hand, key: Reads, account: Account) -> BalanceRow:
    ending = account.number[-4:]
    try:
        found = key.balance(account.key)
    except BrokerError as problem:
        return BalanceRow(ending=ending, mode=account.mode, problem=problem.detail)
    return _row(hand, found, ending=ending, mode=found.account_mode or account.mode)


def _row(hand: Hand, found: Balance, *, ending: str, mode: str, on_paper: bool = False) -> BalanceRow:
    return BalanceRow(
        ending=ending, mode=mode, on_paper=on_paper, settled_cash=found.settled_cash,
        cash_buying_power=found.cash_buying_power, account_value=found.account_value,
        day_trader_status=found.day_trader_status, calls=found.calls,
        age_s=(hand.desk.clock.now() - found.at).total_seconds(),
    )  # fmt: skip


def quotes(hand: Hand, data: MarketData, symbols: Sequence[str]) -> Quotes:
    """Quote symbols, small letters raised; raises AuthError, StoreDown."""
    asked_at, known = hand.desk.clock.now(), data.quotes(symbols)
    rows = tuple(_quote(symbol, one) for symbol, one in known.items())
    late = any(row.fresh and row.delayed for row in rows)
    return Quotes(
        source=source_of(hand), asked_at=asked_at, rows=rows, delayed=DELAYED if late else None,
        served=replace(data.served.quote),
    )  # fmt: skip


def _quote(symbol: str, known: Known[Glance]) -> QuoteRow:
    seen = known.value or Glance(symbol=symbol)
    return QuoteRow(
        symbol=symbol, source=known.source, made=known.made, fresh=known.fresh,
        bid=seen.bid, ask=seen.ask, last=seen.last, day_volume=seen.day_volume, at=known.at, age_s=known.age_s,
        delayed=known.delayed, delay=_DELAYS.get(seen.status, ""), quality=known.quality, reasons=known.reasons,
    )  # fmt: skip
