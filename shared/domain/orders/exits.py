"""Exits: what to do with one open position at one tick.

What can go wrong: two decisions sell the same shares, a level falls back, an exit never ends. What this
promises: while an exit is decided (the watch's `exit`) nothing else is, except the same exit at a better chance of
filling once `reprice_s` have passed, and a market order in the session's last minutes; a stop level only moves up. A
position is judged by the bid, which is what it can be sold for, and by a sound quote alone. Without one no price is
guessed and no level moves: the stop at the broker protects, and only time sells, at the market (the flatten, the end of
the longest hold). An exit that was decided before is ended so, too, while its limit order rests where the stop was: it
would protect nothing. What the broker shows as halted keeps its stop even then. Source: strategy.md, Exits.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession
from shared.domain.base.ids import intent_id
from shared.domain.base.values import PriceType
from shared.domain.control.config import Exits, StrategyConfig
from shared.domain.market.quality import Sound
from shared.domain.orders import pricing
from shared.domain.orders.orders import Kind
from shared.domain.orders.positions import Position
from shared.domain.orders.watches import EXIT_LIFE, ExitDecision, PositionWatch
from shared.frozen import frozen

OWNER = "owner"
"""The reason of an exit that the owner asked for: it lasts until nothing is held."""
_FLATTEN, _MAX_HOLD = "flatten", "max_hold"
_PERCENT = Decimal(100)


@frozen
class Unquoted:
    """There has been no sound quote for so long; `halted` says that the broker shows the symbol as halted."""

    lasts: timedelta
    halted: bool = False


@frozen
class Hold:
    """Nothing to do; `high_water` is the best bid so far, for the caller to carry to the next tick."""

    high_water: Decimal


@frozen
class MoveStop:
    """Write these into the watch; settlement moves the stop. Prices in USD."""

    level: Decimal
    high_water: Decimal
    breakeven: bool


@frozen
class ExitNow:
    """Sell the whole position now; `limit_price` in USD, None for a market order."""

    reason: str
    price_type: PriceType
    limit_price: Decimal | None


Judgement = Hold | MoveStop | ExitNow


def judge(
    position: Position,
    watch: PositionWatch,
    quote: Sound | Unquoted,
    *,
    rsi: float | None,
    now: datetime,
    session: TradingSession | None,
    config: StrategyConfig,
    exit_live: bool = False,
) -> Judgement:
    """Judge a position and what is wanted of it at one tick.

    `watch.high_water` is the one that the caller carried on from the last Hold. `exit_live` tells whether
    the order of the watch's exit still rests at the broker or is on its way there.
    """
    high = watch.high_water if isinstance(quote, Unquoted) else max(watch.high_water, quote.bid)
    hold = Hold(high_water=high)
    if not position.is_open or session is None or not session.opens_at <= now < session.closes_at:
        return hold
    if isinstance(quote, Unquoted) and quote.halted:
        return hold
    left, exits = session.closes_at - now, config.exits
    market = left <= timedelta(minutes=exits.market_minutes)
    flatten = left <= timedelta(minutes=exits.flatten_minutes)
    if watch.exit is not None:
        again = _again(
            watch.exit,
            quote,
            now=now,
            market=market,
            flatten=flatten,
            live=exit_live,
            config=config,
        )
        return again or hold
    if market:
        return _at_market(_FLATTEN)
    if isinstance(quote, Unquoted):
        return _timed(position, quote, flatten=flatten, now=now, config=config) or hold
    armed = _armed(position, watch, high, config)
    level = _level(position, watch, high, config) if armed else watch.stop_wanted
    reason = _FLATTEN if flatten else _reason(position, watch, quote.bid, level=level, rsi=rsi, now=now, config=config)
    if reason is not None:
        return _sell(reason, quote.bid, flatten=flatten, config=config)
    if quote.bid > level and _worth_moving(watch, level, now, exits):
        return MoveStop(level=level, high_water=high, breakeven=armed)
    return hold


def decided(position: Position, watch: PositionWatch, sell: ExitNow, *, at: datetime) -> ExitDecision:
    """Give the decision that the watch keeps, named after the second in which it was made; a row of them goes on."""
    second = int((at - position.opened_at).total_seconds())
    name = intent_id(kind=Kind.EXIT, cause=position.position_id, session=position.session, attempt=second)
    return ExitDecision(
        exit_id=name, reason=sell.reason, price_type=sell.price_type, limit_price=sell.limit_price, decided_at=at,
        first_at=at if watch.exit is None else watch.exit.first_at,
    )  # fmt: skip


def is_over(decision: ExitDecision, position: Position, *, at: datetime, begun: bool) -> bool:
    """Tell whether nothing more comes of a decision without a live order: it ended in the book, or never began."""
    pending = position.pending_exit
    if pending is not None and pending.exit_id == decision.exit_id:
        return False
    return begun or at - decision.decided_at > EXIT_LIFE


def stop_passed(watch: PositionWatch, quote: Sound, *, at: datetime, config: StrategyConfig) -> bool:
    """Tell whether the bid has reached a level that has stood for a while: without a sell nothing there sees it."""
    settled = at - watch.stop_set_at >= timedelta(seconds=config.exits.stop_move_every_s)
    return settled and quote.bid <= watch.stop_wanted


def _again(
    pending: ExitDecision,
    quote: Sound | Unquoted,
    *,
    now: datetime,
    market: bool,
    flatten: bool,
    live: bool,
    config: StrategyConfig,
) -> ExitNow | None:
    """Ask once more for an exit that has not ended: at the market at the end, else at today's bid."""
    if market and pending.price_type is not PriceType.MARKET:
        return _at_market(pending.reason)
    if now - pending.decided_at < timedelta(seconds=config.exits.reprice_s):
        return None
    if pending.price_type is PriceType.MARKET:
        return None if live else _at_market(pending.reason)
    if isinstance(quote, Unquoted):
        acts = live or flatten or pending.reason == _MAX_HOLD
        return _at_market(pending.reason) if acts and _missing(quote, config) else None
    sell = _sell(pending.reason, quote.bid, flatten=flatten, config=config)
    return None if live and sell.limit_price == pending.limit_price else sell


def _timed(
    position: Position, quote: Unquoted, *, flatten: bool, now: datetime, config: StrategyConfig
) -> ExitNow | None:
    """Decide what time alone decides, at the market: no limit price is known."""
    if not _missing(quote, config):
        return None
    if flatten:
        return _at_market(_FLATTEN)
    return _at_market(_MAX_HOLD) if _held_too_long(position, now, config) else None


def _missing(quote: Unquoted, config: StrategyConfig) -> bool:
    return quote.lasts >= timedelta(seconds=config.quotes.missing_after_s)


def _held_too_long(position: Position, now: datetime, config: StrategyConfig) -> bool:
    return now - position.opened_at >= timedelta(minutes=config.exits.hold_max_minutes)


def _at_market(reason: str) -> ExitNow:
    return ExitNow(reason=reason, price_type=PriceType.MARKET, limit_price=None)


def _sell(reason: str, bid: Decimal, *, flatten: bool, config: StrategyConfig) -> ExitNow:
    limit = pricing.flatten_limit(bid=bid) if flatten else pricing.sell_limit(bid=bid, config=config)
    return ExitNow(reason=reason, price_type=PriceType.LIMIT, limit_price=limit)


def _reason(
    position: Position,
    watch: PositionWatch,
    bid: Decimal,
    *,
    level: Decimal,
    rsi: float | None,
    now: datetime,
    config: StrategyConfig,
) -> str | None:
    exits = config.exits
    average, distance = position.average_cost, position.stop_distance
    if position.closing:
        return OWNER
    if bid >= pricing.target(average_cost=average, stop_distance=distance, config=config):
        return "target"
    if _held_too_long(position, now, config):
        return _MAX_HOLD
    if rsi is not None and bid < average and rsi < exits.rsi_min:
        return "rsi"
    if watch.stop_wanted < bid <= level:
        return "trail"
    settled = now - watch.stop_set_at >= timedelta(seconds=exits.stop_move_every_s)
    missed = (watch.stop_wanted - bid) * _PERCENT >= exits.stop_move_min_pct * watch.stop_wanted
    return "stop_missed" if settled and missed else None


def _armed(position: Position, watch: PositionWatch, high: Decimal, config: StrategyConfig) -> bool:
    average, distance = position.average_cost, position.stop_distance
    return watch.breakeven or high >= pricing.arms_breakeven(
        average_cost=average, stop_distance=distance, config=config
    )


def _level(position: Position, watch: PositionWatch, high: Decimal, config: StrategyConfig) -> Decimal:
    """Give the stop level that this high water mark asks for once it protects; never below what is wanted already."""
    even = pricing.breakeven_level(average_cost=position.average_cost, spread_paid=position.spread_paid)
    return max(watch.stop_wanted, even, pricing.trail_level(high_water=high, config=config))


def _worth_moving(watch: PositionWatch, level: Decimal, now: datetime, exits: Exits) -> bool:
    rise = level - watch.stop_wanted
    rested = now - watch.stop_set_at >= timedelta(seconds=exits.stop_move_every_s)
    return rested and rise > 0 and rise * _PERCENT >= exits.stop_move_min_pct * watch.stop_wanted
