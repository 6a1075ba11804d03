"""The figures of a run, each with its definition: pure, exact, the same for a day, a running system and a back-test.

What can go wrong: a figure looks good because it is of few trades; two reports count differently; a ratio has nothing
to divide by. What this promises: each figure is what DEFINITIONS says, which every report shows; what cannot be known
is None and never 0; the sum over any group is the whole; a Sharpe ratio is given of `LEAST_TRADES` trades on
`LEAST_SESSIONS` sessions at least.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from statistics import mean, stdev

from infra.results.facts import Facts, Mark, Point, Skipped, Trade
from shared.domain.base.calendar import NEW_YORK, new_york_day
from shared.frozen import frozen

LEAST_TRADES = 100
LEAST_SESSIONS = 60
SESSIONS_A_YEAR = 252
_PERCENT, _BASIS = Decimal(100), Decimal(10_000)
_PLACES = Decimal("0.01")

DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "return_pct": (
        "Return",
        (
            "What the equity gained from the first instant to the last, open positions at their last price and fees "
            "taken off, in percent of the starting equity."
        ),
    ),
    "hold_pct": (
        "Buy and hold",
        (
            "What the watched symbols would have gained: the starting equity in equal parts, each bought at the first "
            "price that the run saw of it, on bars of a minute the close of its first bar, and valued at its last, "
            "without costs. Symbols without a price are left out."
        ),
    ),
    "drawdown": (
        "Largest drawdown",
        (
            "The furthest that the equity fell below its highest value until then, starting equity included, in USD "
            "and in percent of that highest value; measured at the points of the equity curve."
        ),
    ),
    "win_rate_pct": (
        "Win rate",
        (
            "Trades that ended with a profit after fees, in percent of all trades that ended. A trade is one position "
            "from its first purchase until no share is held."
        ),
    ),
    "profit_factor": (
        "Profit factor",
        "The sum of all winning trades divided by the sum of all losing ones, after fees; none without a losing trade.",
    ),
    "expectancy": ("Expectancy", "The mean profit of a trade that ended, after fees, in USD."),
    "average_win": ("Average win", "The mean profit of the winning trades, after fees, in USD."),
    "average_loss": ("Average loss", "The mean profit of the losing trades, after fees, in USD."),
    "exposure_pct": (
        "Exposure",
        "The mean over the points of the equity curve of what is in shares, in percent of the equity at that point.",
    ),
    "fees": (
        "Fees",
        (
            "Commissions and regulatory fees that were charged, in USD. Where they are not modelled, or not known, no "
            "figure of the report has them, and each profit is before fees."
        ),
    ),
    "entry_slippage": (
        "Slippage of entries",
        (
            "What the purchased shares cost more than at the price at which the strategy decided, in USD and in "
            "percent of that price; negative where they cost less."
        ),
    ),
    "stop_slippage": (
        "Slippage of stops",
        (
            "What the shares that a protective stop sold brought less than at the stop's level, in USD. Of other exits "
            "the price at the decision is not kept, and their slippage is not known."
        ),
    ),
    "open_profit": ("Open profit", "The profit of what is still held, at its last price, in USD."),
    "sharpe": (
        "Sharpe ratio",
        (
            f"The mean of the sessions' returns divided by their standard deviation, times the root of "
            f"{SESSIONS_A_YEAR}, without interest; given from {LEAST_TRADES} trades and {LEAST_SESSIONS} sessions on."
        ),
    ),
    "groups": (
        "By symbol, strategy, exit reason and hour",
        (
            "The same trades sorted otherwise, those still open with what they realised so far; the hour is that of "
            "the entry, New York time."
        ),
    ),
    "reasons": (
        "Exit reasons",
        (
            "Protective stop: the stop order sold, which had waited at its level. Trailing exit: the bid fell to the "
            "level that follows the highest bid while the stop order still lay below it, and the system sold with a "
            "limit near the bid. Stop level missed: the bid lay below the stop's level, no stop order had sold, and "
            "the system sold in the same way."
        ),
    ),
    "skipped": (
        "Skipped signals",
        (
            "Signals of the strategies that bought nothing, by the first reason that applied. Each signal bought "
            "shares, in whole or in part, or is one of them."
        ),
    ),
}


@frozen
class Drawdown:
    """The furthest fall below a highest value: never positive, from the instant of that value to the lowest point."""

    usd: Decimal
    pct: Decimal
    since: datetime
    until: datetime


@frozen
class Group:
    """Trades with something in common: how many, how many of them ended, won; profit after fees, and fees, in USD."""

    name: str
    trades: int
    over: int
    wins: int
    profit: Decimal
    fees: Decimal | None
    win_rate_pct: Decimal | None


@frozen
class SkippedGroup:
    """Skipped signals with one first reason: how many, of how many symbols, and one of them in full."""

    code: str
    count: int
    symbols: int
    example: str


def defined(found: "Figures") -> list[tuple[str, str]]:
    """Give each figure's name and what it means here: profits are before fees where no fees are known."""
    fees = "after fees" if found.fees is not None else "before fees"
    of = {name: sentence.replace("after fees", fees) for name, (_, sentence) in DEFINITIONS.items()}
    if found.fees is None:
        of["return_pct"] = of["return_pct"].replace(" and fees taken off", ", before fees")
    return [(title, of[name]) for name, (title, _) in DEFINITIONS.items()]


@frozen
class Figures:
    """What DEFINITIONS defines; money in USD, percents of two decimals, None for what cannot be known.

    `realized` is the profit of what was sold, after fees; `trades` counts positions, `over` those that ended.
    """

    starting_equity: Decimal
    ending_equity: Decimal | None
    profit: Decimal | None
    realized: Decimal
    open_profit: Decimal | None
    return_pct: Decimal | None
    hold_pct: Decimal | None
    drawdown: Drawdown | None
    sessions: int
    trades: int
    over: int
    wins: int
    losses: int
    win_rate_pct: Decimal | None
    profit_factor: Decimal | None
    expectancy: Decimal | None
    average_win: Decimal | None
    average_loss: Decimal | None
    exposure_pct: Decimal | None
    fees: Decimal | None
    entry_slippage: Decimal | None
    entry_slippage_bps: Decimal | None
    stop_slippage: Decimal | None
    sharpe: Decimal | None
    by_symbol: tuple[Group, ...]
    by_strategy: tuple[Group, ...]
    by_reason: tuple[Group, ...]
    by_hour: tuple[Group, ...]
    signals: int
    skipped: int
    skipped_by: tuple[SkippedGroup, ...]


def figures(facts: Facts) -> Figures:
    """Work the figures of a run out."""
    over = [trade for trade in facts.trades if trade.is_over]
    won = [trade.net for trade in over if trade.net > 0]
    lost = [trade.net for trade in over if trade.net < 0]
    realized = sum((trade.net for trade in facts.trades), Decimal(0))
    ending = facts.equity[-1].equity if facts.equity else None
    profit = None if ending is None else ending - facts.starting_equity
    bought = _known(trade.entry_slippage for trade in facts.trades)
    return Figures(
        starting_equity=facts.starting_equity, ending_equity=ending, profit=profit, realized=realized,
        open_profit=None if profit is None else profit - realized,
        return_pct=_percent(profit, facts.starting_equity), hold_pct=hold_pct(facts.prices),
        drawdown=drawdown(facts.equity, facts.starting_equity), sessions=len(closes(facts.equity)),
        trades=len(facts.trades), over=len(over), wins=len(won), losses=len(lost),
        win_rate_pct=_percent(Decimal(len(won)), Decimal(len(over))),
        profit_factor=_ratio(sum(won, Decimal(0)), -sum(lost, Decimal(0))),
        expectancy=_mean([trade.net for trade in over]), average_win=_mean(won), average_loss=_mean(lost),
        exposure_pct=exposure_pct(facts.equity), fees=_fees(facts),
        entry_slippage=bought, entry_slippage_bps=_basis_points(facts.trades, bought),
        stop_slippage=_known(trade.stop_slippage for trade in facts.trades),
        sharpe=sharpe(facts.equity, facts.starting_equity, trades=len(over)),
        by_symbol=grouped(facts.trades, lambda trade: trade.symbol),
        by_strategy=grouped(facts.trades, lambda trade: trade.strategy),
        by_reason=grouped(facts.trades, lambda trade: trade.exit_reason or "still held"),
        by_hour=grouped(facts.trades, _hour, by_name=True),
        signals=facts.signals, skipped=len(facts.skipped), skipped_by=by_first_reason(facts.skipped),
    )  # fmt: skip


def drawdown(points: Sequence[Point], starting: Decimal) -> Drawdown | None:
    """Give the largest drawdown in USD of the highest equity until then, None without a point."""
    if not points:
        return None
    top, low = fallen((replace(points[0], equity=max(starting, points[0].equity)), *points))
    usd = low.equity - top.equity
    return Drawdown(usd=usd, pct=_percent(usd, top.equity) or Decimal(0), since=top.at, until=low.at)


def fallen(points: Iterable[Point]) -> tuple[Point, Point]:
    """Give the points between which the equity fell most from its highest until then, twice the first without a fall.

    The points are in the order of time, one at least.
    """
    each = iter(points)
    top = next(each)
    found = top, top
    for point in each:
        if point.equity >= top.equity:
            top = point
        elif point.equity - top.equity < found[1].equity - found[0].equity:
            found = top, point
    return found


def exposure_pct(points: Sequence[Point]) -> Decimal | None:
    """Give the mean part of the equity that was in shares, in percent; None without a point or with none left."""
    if not points or any(point.equity <= 0 for point in points):
        return None
    return (sum((point.invested * _PERCENT / point.equity for point in points), Decimal(0)) / len(points)).quantize(
        _PLACES
    )


def hold_pct(prices: Mapping[str, Sequence[Mark]]) -> Decimal | None:
    """Give what equal parts of every symbol that has a price gained from its first to its last, in percent."""
    gains = [marks[-1].price / marks[0].price - 1 for marks in prices.values() if marks and marks[0].price > 0]
    return (sum(gains, Decimal(0)) / len(gains) * _PERCENT).quantize(_PLACES) if gains else None


def closes(points: Sequence[Point]) -> list[Decimal]:
    """Give the last equity of each New York day, oldest first."""
    return list({new_york_day(point.at): point.equity for point in points}.values())


def sharpe(points: Sequence[Point], starting: Decimal, *, trades: int) -> Decimal | None:
    """Give the Sharpe ratio of the sessions' returns a year, None of too few trades or sessions, or of equal ones."""
    ends = closes(points)
    if trades < LEAST_TRADES or len(ends) < LEAST_SESSIONS or min(starting, *ends) <= 0:
        return None
    returns = [float(end / before - 1) for before, end in zip([starting, *ends], ends, strict=False)]
    spread = stdev(returns)
    return Decimal(mean(returns) / spread * SESSIONS_A_YEAR**0.5).quantize(_PLACES) if spread > 0 else None


def grouped(trades: Iterable[Trade], key: Callable[[Trade], str], *, by_name: bool = False) -> tuple[Group, ...]:
    """Sort trades into groups, the largest profit first, or by name."""
    found = defaultdict[str, list[Trade]](list)
    for trade in trades:
        found[key(trade)].append(trade)
    groups = [_group(name, those) for name, those in found.items()]
    return tuple(sorted(groups, key=lambda one: (0 if by_name else -one.profit, one.name)))


def by_first_reason(skipped: Iterable[Skipped]) -> tuple[SkippedGroup, ...]:
    """Count skipped signals by their first reason, the most frequent one first."""
    found = defaultdict[str, list[Skipped]](list)
    for one in skipped:
        found[one.code].append(one)
    groups = [
        SkippedGroup(
            code=code, count=len(those), symbols=len({one.symbol for one in those}), example=those[0].sentence
        )
        for code, those in found.items()
    ]  # fmt: skip
    return tuple(sorted(groups, key=lambda one: (-one.count, one.code)))


def fees_of(trades: Iterable[Trade]) -> Decimal | None:
    """Add the fees of trades up, None where those of one are not known."""
    total = Decimal(0)
    for trade in trades:
        if trade.fees is None:
            return None
        total += trade.fees
    return total


def _group(name: str, trades: Sequence[Trade]) -> Group:
    over = [trade for trade in trades if trade.is_over]
    wins = sum(1 for trade in over if trade.net > 0)
    return Group(
        name=name, trades=len(trades), over=len(over), wins=wins,
        profit=sum((trade.net for trade in trades), Decimal(0)),
        fees=fees_of(trades),
        win_rate_pct=_percent(Decimal(wins), Decimal(len(over))),
    )  # fmt: skip


def _fees(facts: Facts) -> Decimal | None:
    return None if facts.fees_unknown else fees_of(facts.trades)


def _hour(trade: Trade) -> str:
    hour = trade.entered_at.astimezone(NEW_YORK).hour
    return f"{hour:02}:00 to {hour + 1:02}:00"


def _basis_points(trades: Iterable[Trade], slippage: Decimal | None) -> Decimal | None:
    """Give slippage in basis points of what the same shares would have cost at the prices of their decisions."""
    if slippage is None:
        return None
    cost = sum((one.entry_price * one.shares for one in trades if one.entry_slippage is not None), Decimal(0))
    decided = cost - slippage
    return (slippage * _BASIS / decided).quantize(_PLACES) if decided > 0 else None


def _known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    found = [amount for amount in amounts if amount is not None]
    return sum(found, Decimal(0)) if found else None


def _percent(part: Decimal | None, whole: Decimal) -> Decimal | None:
    return None if part is None or whole <= 0 else (part * _PERCENT / whole).quantize(_PLACES)


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(_PLACES) if whole > 0 else None


def _mean(amounts: Sequence[Decimal]) -> Decimal | None:
    return (sum(amounts, Decimal(0)) / len(amounts)).quantize(_PLACES) if amounts else None
