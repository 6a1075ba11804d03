"""Day trades: how many a margin account may make, and how many it made, counted from the broker's own orders.

Whoever buys and sells one security on one day makes a day trade. By FINRA's Rule 4210 in its old form (`legacy_pdt`)
the fourth within five sessions makes a margin account below 25,000 USD one that may no longer trade so. The rule was
replaced (SR-FINRA-2025-017, approved on 2026-04-14, 91 FR 20731): from 2026-06-04 on a broker may ask for margin within
the day instead (`intraday_margin`), and by 2027-10-20 it must. When E*TRADE changed over is for the owner to say.

What can go wrong: an order list does not say when an order filled, nor how buys and sells alternated. What this
promises: never fewer than there were, as far as the list shows. On earlier days each pair of a buy and a sell that
filled in one symbol counts, a row that cannot be read counts as what would make more pairs, and an order that outlived
its day as a fill of each day since. Today every purchase counts that filled or still may, for all of ours are sold
before the close; so does a buy of an earlier day that stood this morning. An order placed before the sessions that are
read is not seen.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.domain.base.calendar import new_york_day, session_of
from shared.domain.base.values import Side, Term
from shared.domain.broker.brokerage import Balance, BrokerOrder, BrokerStatus, is_cash
from shared.frozen import frozen

SESSIONS = 5
MOST = 3
SMALL_USD = Decimal(25_000)
MAINTENANCE_PCT = Decimal(25)
INTRADAY_SINCE = date(2026, 6, 4)
_OVER = frozenset({BrokerStatus.EXECUTED, BrokerStatus.CANCELLED, BrokerStatus.EXPIRED, BrokerStatus.REJECTED})
_OF_THE_DAY = frozenset({Term.GOOD_FOR_DAY, Term.IMMEDIATE_OR_CANCEL})
_FLAGGED = "PDT"


class DayTradeRule(StrEnum):
    """Which rule the owner's broker applies."""

    LEGACY_PDT = "legacy_pdt"
    INTRADAY_MARGIN = "intraday_margin"
    OFF = "off"


def rule_on(day: date, chosen: DayTradeRule) -> DayTradeRule:
    """Give the rule of a day: before the new one could apply anywhere the old one does."""
    early = chosen is DayTradeRule.INTRADAY_MARGIN and day < INTRADAY_SINCE
    return DayTradeRule.LEGACY_PDT if early else chosen


def is_counted(balance: Balance) -> bool:
    """Tell whether the old rule limits an account: it is not surely a cash account, nor surely worth enough."""
    worth = balance.account_value
    return not is_cash(balance.account_mode) and (worth is None or worth < SMALL_USD)


def is_flagged(balance: Balance) -> bool:
    """Tell whether the broker already treats the account as a pattern day trader's."""
    return balance.day_trader_status == _FLAGGED


def sessions_before(day: date) -> tuple[date, ...]:
    """Give the sessions that count with that of a day, oldest first."""
    found: list[date] = []
    while len(found) < SESSIONS - 1:
        day -= timedelta(days=1)
        if session_of(day) is not None:
            found.append(day)
    return tuple(reversed(found))


def earlier(orders: Iterable[BrokerOrder], days: Sequence[date]) -> int:
    """Count the day trades of these days, as many as there can have been."""
    buys: Counter[tuple[date, str | None]] = Counter()
    sells: Counter[tuple[date, str | None]] = Counter()
    either: Counter[tuple[date, str | None]] = Counter()
    for order in orders:
        if order.filled == 0:
            continue
        count = either if order.side is None else buys if order.side is Side.BUY else sells
        count.update((day, order.symbol) for day in days if _may_fill_on(order, day))
    return sum(_pairs(buys[at], sells[at], either[at]) for at in {*buys, *sells, *either})


def purchases(orders: Iterable[BrokerOrder], day: date) -> int:
    """Count the orders of a day that are a day trade or may become one: buys that filled or still may."""
    bought = (order for order in orders if order.side is not Side.SELL and (order.filled != 0 or _lives(order)))
    return sum(_may_fill_on(order, day) for order in bought)


def standing(orders: Iterable[BrokerOrder], day: date) -> int:
    """Count the buys of earlier days that may still fill on a day; a list of that day alone does not show them."""
    bought = (order for order in orders if order.side is not Side.SELL and _lives(order))
    return sum(_may_fill_on(order, day) and not _placed_on(order, day) for order in bought)


def _lives(order: BrokerOrder) -> bool:
    return order.status not in _OVER


def _may_fill_on(order: BrokerOrder, day: date) -> bool:
    if order.placed_at is None:
        return True
    placed = new_york_day(order.placed_at)
    return placed == day or (placed < day and order.term not in _OF_THE_DAY)


def _placed_on(order: BrokerOrder, day: date) -> bool:
    return order.placed_at is not None and new_york_day(order.placed_at) == day


def _pairs(buys: int, sells: int, either: int) -> int:
    return min((buys + sells + either) // 2, buys + either, sells + either)


@frozen
class DayTrades:
    """What was counted: day trades of the sessions before, and what today is one or may become one."""

    before: int
    today: int

    @property
    def together(self) -> int:
        """Both."""
        return self.before + self.today
