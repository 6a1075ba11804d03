"""The strategy's settings: every figure of strategy.md that today's code uses, typed, with its range.

Every value is required: a default that hides in code is a figure that nobody sees. Percent and basis points
(`_pct`, `_bps`) are decimals as people write them: 2 is two percent. Only the table of the strategies is open: it names
those that are used, with the parameters that were given. What a strategy's parameters are, with their ranges and
defaults, its own file says (`strategies.registry`), which is read by who scans and by the owner's commands alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, get_args, get_origin, get_type_hints

from shared.domain.broker.day_trades import DayTradeRule
from shared.domain.control import tables
from shared.errors import ConfigError
from shared.frozen import frozen


class Tighter(Enum):
    """Which way a setting takes less risk; of EITHER nobody can say, so a change waits for the next session."""

    DOWN = "down"
    UP = "up"
    EITHER = "either"


DOWN, UP, EITHER = Tighter
_WHOLE = 100


class Span:
    """The range, ends included, that a setting may have, and which way it is tighter."""

    __slots__ = ("high", "low", "tighter")

    def __init__(self, low: int | str, high: int | str, tighter: Tighter = Tighter.EITHER) -> None:
        self.low = Decimal(low)
        self.high = Decimal(high)
        self.tighter = tighter


@frozen
class Universe:
    """Which symbols are looked at: prices in USD, volume in shares of the day.

    `jump_max_pct` is how far today's price and those of the days before may lie apart and still be of the same share.
    Of a watch list the first `scanned_max` of its rank are looked at, and what is held; the `rank_` settings weigh the
    parts of that rank.
    """

    price_min: Annotated[Decimal, Span("1", "10000", UP)]
    price_max: Annotated[Decimal, Span("1", "100000", DOWN)]
    day_volume_min: Annotated[int, Span(0, 1_000_000_000, UP)]
    spread_max_bps: Annotated[Decimal, Span("1", "200", DOWN)]
    jump_max_pct: Annotated[Decimal, Span("5", "300", DOWN)]
    scanned_max: Annotated[int, Span(1, 200, DOWN)]
    rank_liquidity_pct: Annotated[Decimal, Span("0", "100", EITHER)]
    rank_volatility_pct: Annotated[Decimal, Span("0", "100", EITHER)]
    rank_momentum_pct: Annotated[Decimal, Span("0", "100", EITHER)]
    rank_spread_pct: Annotated[Decimal, Span("0", "100", EITHER)]

    @property
    def weights(self) -> Mapping[str, Decimal]:
        """What each part of a symbol's rank weighs, in percent (`domain.market.ranking`)."""
        return {
            "liquidity": self.rank_liquidity_pct, "volatility": self.rank_volatility_pct,
            "momentum": self.rank_momentum_pct, "spread": self.rank_spread_pct,
        }  # fmt: skip


@frozen
class Signals:
    """What turns votes into a signal; quality and confidence run from 0 to 1."""

    min_votes: Annotated[int, Span(1, 20, UP)]
    rsi_min: Annotated[Decimal, Span("0", "100", UP)]
    rsi_max: Annotated[Decimal, Span("0", "100", DOWN)]
    quality_min: Annotated[Decimal, Span("0.5", "1", UP)]
    confidence_min: Annotated[Decimal, Span("0", "1", UP)]


@frozen
class Entry:
    """The entry order: how far its limit may chase, and how fresh what it rests on must be."""

    ask_cushion_bps: Annotated[Decimal, Span("0", "50", DOWN)]
    chase_max_bps: Annotated[Decimal, Span("0", "100", DOWN)]
    collar_pct: Annotated[Decimal, Span("0.1", "2.5", DOWN)]
    signal_age_max_s: Annotated[int, Span(1, 300, DOWN)]
    quote_age_max_s: Annotated[int, Span(1, 60, DOWN)]
    balance_age_max_s: Annotated[int, Span(1, 600, DOWN)]
    cancel_after_s: Annotated[int, Span(1, 300, DOWN)]
    late_minutes: Annotated[int, Span(10, 240, UP)]


@frozen
class Quotes:
    """When quotes are doubted: nothing is bought on them (`halts`, `daybook`, `same_share`).

    A time exit waits `missing_after_s` for a quote to price it by. A symbol whose figures were not seen to stand still
    for `lively_gap_s` in `lively_for_s` is frozen when they then do for `frozen_after_s`. After more than
    `gap_minutes` missing minutes a symbol is seen anew. `disagree_max_pct` is how far the broker's previous close may
    lie from the daily bar's.
    """

    missing_after_s: Annotated[int, Span(5, 600, EITHER)]
    frozen_after_s: Annotated[int, Span(5, 300, DOWN)]
    lively_gap_s: Annotated[int, Span(1, 60, UP)]
    lively_for_s: Annotated[int, Span(10, 3600, DOWN)]
    last_trade_age_max_s: Annotated[int, Span(30, 3600, DOWN)]
    halt_pause_minutes: Annotated[int, Span(1, 120, UP)]
    late_start_minutes: Annotated[int, Span(0, 120, UP)]
    gap_minutes: Annotated[int, Span(1, 30, DOWN)]
    disagree_max_pct: Annotated[Decimal, Span("0.1", "20", DOWN)]


@frozen
class Sizing:
    """How much of the equity a position takes; the bonuses are percent on top of the base.

    `least_pct` is the part of the intended size below which nothing is bought: at most half, because whole shares alone
    may halve a size.
    """

    reserve_pct: Annotated[Decimal, Span("0", "90", UP)]
    base_pct: Annotated[Decimal, Span("0.5", "50", DOWN)]
    max_pct: Annotated[Decimal, Span("0.5", "100", DOWN)]
    min_usd: Annotated[Decimal, Span("1", "10000", UP)]
    least_pct: Annotated[Decimal, Span("0", "50", UP)]
    three_votes_bonus_pct: Annotated[Decimal, Span("0", "100", DOWN)]
    four_votes_bonus_pct: Annotated[Decimal, Span("0", "100", DOWN)]


@frozen
class Limits:
    """What stops new risk."""

    order_usd_max: Annotated[Decimal, Span("50", "10000000", DOWN)]
    order_shares_max: Annotated[int, Span(1, 1_000_000, DOWN)]
    positions_max: Annotated[int, Span(1, 100, DOWN)]
    live_orders_max: Annotated[int, Span(1, 200, DOWN)]
    entries_per_day: Annotated[int, Span(1, 1000, DOWN)]
    daily_loss_pct: Annotated[Decimal, Span("0.1", "20", DOWN)]
    drawdown_pct: Annotated[Decimal, Span("0.5", "50", DOWN)]
    losses_in_a_row: Annotated[int, Span(1, 50, DOWN)]
    cooldown_minutes: Annotated[int, Span(1, 390, UP)]
    symbol_cooldown_minutes: Annotated[int, Span(0, 390, UP)]


@frozen
class Exits:
    """When and how a position is left."""

    atr_factor: Annotated[Decimal, Span("0.5", "10", DOWN)]
    stop_min_pct: Annotated[Decimal, Span("0.2", "10", DOWN)]
    stop_max_pct: Annotated[Decimal, Span("0.2", "20", DOWN)]
    stop_fallback_pct: Annotated[Decimal, Span("0.2", "20", DOWN)]
    target_factor: Annotated[Decimal, Span("2", "10", EITHER)]
    breakeven_factor: Annotated[Decimal, Span("0.25", "5", DOWN)]
    trail_pct: Annotated[Decimal, Span("0.2", "4", DOWN)]
    stop_move_every_s: Annotated[int, Span(1, 300, DOWN)]
    stop_move_min_pct: Annotated[Decimal, Span("0.05", "2", DOWN)]
    rsi_min: Annotated[Decimal, Span("0", "100", UP)]
    hold_max_minutes: Annotated[int, Span(1, 390, DOWN)]
    sell_cushion_bps: Annotated[Decimal, Span("0", "50", EITHER)]
    reprice_s: Annotated[int, Span(5, 120, DOWN)]
    flatten_minutes: Annotated[int, Span(2, 60, UP)]
    market_minutes: Annotated[int, Span(1, 30, UP)]


@frozen
class AccountRules:
    """The rules of the owner's own account that no answer of the broker names."""

    day_trade_rule: DayTradeRule


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyConfig:
    """All settings of the strategy; only `parse` makes one that is known to be sound.

    `strategies` are those that are used, by name, each with the parameters that were given.
    """

    universe: Universe
    signals: Signals
    strategies: Mapping[str, tables.Given]
    entry: Entry
    quotes: Quotes
    sizing: Sizing
    limits: Limits
    exits: Exits
    account: AccountRules

    def __post_init__(self) -> None:
        """Fix the open table, whoever made it."""
        object.__setattr__(self, "strategies", tables.strategies_of(self.strategies))


def parse(data: Mapping[str, object]) -> StrategyConfig:
    """Read settings from a table, fractions as Decimal; raises ConfigError with all problems at once."""
    problems: list[str] = []
    config = _group(StrategyConfig, data, "", problems)
    if isinstance(config, StrategyConfig):
        problems += contradictions(config)
        if not problems:
            return config
    raise ConfigError(tuple(problems))


def _group(kind: type[object], data: object, path: str, problems: list[str]) -> object:
    if not isinstance(data, Mapping):
        problems.append(f"{path.rstrip('.')} must be a table")
        return None
    hints = get_type_hints(kind, include_extras=True)
    problems += [f"{path}{name} is not a setting" for name in data if name not in hints]
    problems += [f"{path}{name} is missing" for name in hints if name not in data]
    values = {
        name: _setting(hint, data[name], f"{path}{name}", problems) for name, hint in hints.items() if name in data
    }
    return None if problems else kind(**values)


def _setting(hint: object, raw: object, path: str, problems: list[str]) -> object:
    if isinstance(hint, type) and is_dataclass(hint):
        return _group(hint, raw, f"{path}.", problems)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _word(hint, raw, path, problems)
    if get_origin(hint) is Mapping:
        return tables.read(raw, path, problems)
    return number_of(hint, raw, path, problems)


def number_of(hint: object, raw: object, path: str, problems: list[str]) -> object:
    """Read a value of `Annotated[int or Decimal, Span]`; adds what is wrong with it to the problems."""
    number, span = get_args(hint)
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    if number is int and not whole:
        problems.append(f"{path} must be a whole number, not {raw if isinstance(raw, Decimal) else repr(raw)}")
        return None
    if number is Decimal and not (whole or (isinstance(raw, Decimal) and raw.is_finite())):
        problems.append(f"{path} must be a decimal number, not {raw if isinstance(raw, Decimal) else repr(raw)}")
        return None
    value: int | Decimal = number(raw)
    if not span.low <= value <= span.high:
        problems.append(f"{path} must lie between {span.low} and {span.high}, not {value}")
    return value


def _word(kind: type[StrEnum], raw: object, path: str, problems: list[str]) -> StrEnum | None:
    words = [word.value for word in kind]
    if isinstance(raw, str) and raw in words:
        return kind(raw)
    problems.append(f"{path} must be one of {', '.join(words)}, not {raw!r}")
    return None


def contradictions(config: StrategyConfig, *, buys: bool = True) -> Iterator[str]:
    """Name every two settings that contradict each other.

    Too few strategies for the votes that are asked are a contradiction of what is to buy, and none of what a session
    has left to work with.
    """
    signals, exits = config.signals, config.exits
    yield from _of_universe(config.universe)
    if signals.rsi_min >= signals.rsi_max:
        yield "signals.rsi_min must be below signals.rsi_max"
    if exits.rsi_min >= signals.rsi_min:
        yield "exits.rsi_min must be below signals.rsi_min, or an entry is an exit at once"
    if buys:
        yield from _too_few(config)
    if config.quotes.lively_gap_s >= config.quotes.frozen_after_s:
        yield "quotes.lively_gap_s must be shorter than quotes.frozen_after_s, or what stands still is lively"
    if config.sizing.base_pct > config.sizing.max_pct:
        yield "sizing.base_pct must not exceed sizing.max_pct"
    if config.sizing.max_pct + config.sizing.reserve_pct > 100:
        yield "sizing.max_pct and sizing.reserve_pct together must not exceed 100"
    if not exits.stop_min_pct <= exits.stop_fallback_pct <= exits.stop_max_pct:
        yield "exits.stop_fallback_pct must lie between exits.stop_min_pct and exits.stop_max_pct"
    if exits.stop_move_every_s > exits.hold_max_minutes * 60:
        yield "exits.stop_move_every_s must be shorter than exits.hold_max_minutes"
    if not exits.market_minutes < exits.flatten_minutes <= config.entry.late_minutes:
        yield "exits.market_minutes < exits.flatten_minutes <= entry.late_minutes must hold"
    if not target_pays(config, exits.stop_fallback_pct, config.universe.spread_max_bps / 100):
        yield "the target must exceed the stop plus twice the spread limit (at exits.stop_fallback_pct)"


def _too_few(config: StrategyConfig) -> Iterator[str]:
    votes, named = config.signals.min_votes, list(config.strategies)
    if votes > len(named):
        used = f"{', '.join(named)} alone" if named else "no strategy"
        yield f"signals.min_votes must not exceed the strategies that are used: {votes} votes, and {used}"


def _of_universe(universe: Universe) -> Iterator[str]:
    if universe.price_min >= universe.price_max:
        yield "universe.price_min must be below universe.price_max"
    if sum(universe.weights.values()) != _WHOLE:
        yield "universe.rank_liquidity_pct, rank_volatility_pct, rank_momentum_pct and rank_spread_pct must make 100"


def target_pays(config: StrategyConfig, stop_distance: Decimal, spread: Decimal) -> bool:
    """Tell whether a target exceeds its stop plus twice the spread, both in one unit (strategy.md, Exits).

    `parse` asks with the fallback stop and the spread limit; each entry is asked again with its own figures.
    """
    return config.exits.target_factor * stop_distance > stop_distance + 2 * spread
