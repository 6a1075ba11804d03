"""What a report is made of, whatever ran: a day, a running system, a back-test.

What can go wrong: two kinds of run are reported by two kinds of figures, and cannot be compared; a curve that was
put together from parts looks like one that was measured; what a reader must know stands last. What this promises: every
kind of run fills these types and nothing else reaches a report; how the equity curve was made is part of it; what must
be `said` comes first.

Money and prices are in USD, exact; instants are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from infra.results.receipts import Decision, WhyNot
from shared.domain.market.series import Split
from shared.frozen import frozen

SIMULATED = "Simulated broker, simulated money: no order left this machine."
"""What stands before every figure of a day at the simulated broker."""
NOT_MODELLED = "not modelled"
"""What is said of the fees of who has no broker that takes any: a simulated one, or the paper account."""


@frozen
class Trade:
    """One position from its first fill to its end; prices are averages, `left_at` None while shares are held.

    `realized` is its profit before `fees`, None where they are not known, `percent` that in percent of what those
    shares cost that left at a known price, None while there are none. `unpriced` shares are those that the owner took
    out at a price that is not known: they are in neither price nor profit. `held` are the shares that it still has,
    `last_price` the last one that these had, None where nothing is held or nobody looked. `entry_slippage` is what its
    shares cost more than at the price of the decision, `stop_slippage` what those that a protective stop sold brought
    less than at its level; negative where it was better, None where nothing is to be compared. `possible_wash_sale` is
    the mark of its entry: shares of the symbol were sold at a loss in the thirty days before.
    """

    position_id: str
    symbol: str
    strategy: str
    shares: int
    entered_at: datetime
    entry_price: Decimal
    left_at: datetime | None
    exit_price: Decimal | None
    exit_reason: str
    realized: Decimal
    possible_wash_sale: bool
    percent: Decimal | None = None
    unpriced: int = 0
    held: int = 0
    fees: Decimal | None = None
    entry_slippage: Decimal | None = None
    stop_slippage: Decimal | None = None
    last_price: Decimal | None = None

    @property
    def open_profit(self) -> Decimal | None:
        """The profit of the shares that are held at their last price, None where that is not known."""
        return None if self.last_price is None else self.held * (self.last_price - self.entry_price)

    @property
    def net(self) -> Decimal:
        """The profit after fees; before them where they are not known."""
        return self.realized - (self.fees or 0)

    @property
    def net_percent(self) -> Decimal | None:
        """That in percent of what the shares cost that left, None where it is not known."""
        cost = self.entry_price * (self.shares - self.held)
        return self.percent if self.percent is None or not cost else self.percent - (self.fees or 0) * 100 / cost

    @property
    def is_over(self) -> bool:
        """Whether no share of it is held any more."""
        return self.left_at is not None


@frozen
class Point:
    """The account at an instant: all that it is worth after fees, and the part of it that is in shares."""

    at: datetime
    equity: Decimal
    invested: Decimal


@frozen
class Mark:
    """What a symbol traded at, at an instant; adjusted to its last day where the span has a split."""

    at: datetime
    price: Decimal


@frozen
class Skipped:
    """A signal that bought nothing: the first reason as a stable code, and all of them in a sentence."""

    symbol: str
    at: datetime
    code: str
    sentence: str


@frozen
class StopLine:
    """A protective stop while it worked: its level from one instant to another."""

    symbol: str
    begins: datetime
    ends: datetime
    level: Decimal


@frozen
class Beside:
    """Another result that stands beside this one, such as that of the default configuration on the same day.

    What is not known of it is None, and `note` says what it is, or how to get it.
    """

    name: str
    note: str
    profit: Decimal | None = None
    return_pct: Decimal | None = None
    trades: int | None = None
    drawdown_pct: Decimal | None = None


@frozen
class Count:
    """One figure of the machine, in words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A run as its report needs it.

    `fees_unknown` says in two words why fees are in no figure, "" where they are in all of them. `configuration` names
    what was in force, of several each with since when; `watched` says how much of the span was watched, and when it was
    not, "" where that is not known.
    `said` are the sentences that stand before every figure. `begins` and `ends` are the span that was really played,
    `resolution` and `source` of which prices it really was. `equity` is in the order of time, one point a minute of a
    session or another even step, and `equity_made` says how it was made; it is empty where it cannot be known.
    `prices` are in the order of time, of every symbol that was watched: the first and the last of each are what
    buy-and-hold has. `splits` are those that are known of them; a trade is in shares of the day on which it ended, a
    stop in those of its own day. `violations` are what must never be true of a run and is, None where nobody looked.
    `machine` comes last in every report.
    """

    title: str
    begins: datetime
    ends: datetime
    resolution: str
    source: str
    configuration: str
    starting_equity: Decimal
    equity: tuple[Point, ...]
    equity_made: str
    trades: tuple[Trade, ...]
    signals: int
    skipped: tuple[Skipped, ...]
    prices: Mapping[str, tuple[Mark, ...]]
    fees_unknown: str = ""
    watched: str = ""
    said: tuple[str, ...] = ()
    stops: tuple[StopLine, ...] = ()
    splits: Mapping[str, tuple[Split, ...]] = field(default_factory=dict)
    beside: tuple[Beside, ...] = ()
    decisions: tuple[Decision, ...] = ()
    why_not: tuple[WhyNot, ...] = ()
    violations: tuple[str, ...] | None = None
    troubles: tuple[str, ...] = ()
    machine: tuple[Count, ...] = ()
