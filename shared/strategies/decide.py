"""The decision for one symbol at one tick: filters, votes and gates, the cheap ones first.

Votes count as independent opinions: together they are as confident as one minus the product of their doubts,
so two votes of 0.70 give 0.91, and a single vote at its threshold (0.70) is not enough. Which strategies are asked the
caller says (`registry.bound`); a reason of theirs is named with its strategy, `momentum:RISE_TOO_SMALL`, so that two
may use one code. Source: strategy.md, Signals.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal

from shared.domain.base.ids import signal_id
from shared.domain.base.values import Side
from shared.domain.control.config import Exits, StrategyConfig, target_pays
from shared.domain.market import halts, ranking
from shared.domain.market.daybook import MINUTE, watched_since
from shared.domain.market.same_share import disagree, is_of_another
from shared.domain.orders.signals import Signal, Vote
from shared.frozen import frozen
from shared.strategies.form import Bound, asked
from shared.strategies.indicators import RSI_BARS
from shared.strategies.verdict import BARS, DAYS, QUOTE, VOTES, Reason, Verdict
from shared.strategies.view import View

SLOT = 5 * MINUTE
OF = ":"
"""Stands between the name of a strategy and the code of its reason."""
Ask = Callable[[Bound, View], Verdict]
"""Asks a strategy for its vote, as `form.asked` does."""

CLOSED = Reason(code="SESSION_CLOSED", words="The regular session is not open.")
LATE = Reason(code="LATE_ENTRY", words="The session ends too soon for a new entry.")
PRICE = Reason(code="PRICE_OUT_OF_RANGE", words="The price is outside the universe's range.", source=QUOTE)
JUMP = Reason(
    code="PRICE_JUMP", words="The price is too far from those of the days before to be of the same share.", source=DAYS
)
DIFFER = Reason(
    code="SOURCES_DIFFER",
    words="E*TRADE's previous close and the stored close of that session lie too far apart: one of them is wrong.",
    source=DAYS,
)
HALTED = Reason(code=halts.HALTED, words="E*TRADE says that trading in it is halted.", source=QUOTE)
ONE_SIDED = Reason(
    code=halts.ONE_SIDED, words="Nothing is bid or nothing offered: trading may be halted.", source=QUOTE
)
FROZEN = Reason(
    code=halts.FROZEN, words="The book stands still, and did not before: trading may be halted.", source=QUOTE
)
UNTRADED = Reason(code=halts.UNTRADED, words="The last trade is long ago: trading may be halted.", source=QUOTE)
PAUSE = Reason(code=halts.PAUSE, words="It looked halted, and moves again for too short a time.", source=QUOTE)
NEWCOMER = Reason(
    code="LATE_START", words="The scan began to see it too short a time ago, or sees it again after a gap.", source=BARS
)
VOLUME = Reason(code="DAY_VOLUME_LOW", words="Too few shares have traded today.", source=QUOTE)
SPREAD = Reason(code="SPREAD_TOO_WIDE", words="Bid and ask lie too far apart.", source=QUOTE)
QUALITY = Reason(code="QUALITY_LOW", words="Too little history is known.", source=DAYS)
DOUBT = Reason(code="CONFIDENCE_LOW", words="The votes together are not confident enough.", source=VOTES)
NO_RSI = Reason(code="RSI_UNKNOWN", words="There are too few bars for the RSI.", source=BARS)
COOL = Reason(code="RSI_TOO_LOW", words="The RSI is below the entry gate.", source=BARS)
HOT = Reason(code="RSI_TOO_HIGH", words="The RSI is above the entry gate.", source=BARS)
FEW = Reason(code="FEW_STRATEGIES", words="Fewer strategies can be asked than votes are needed.", source=VOTES)
THIN = Reason(
    code="TARGET_DOES_NOT_PAY", words="The target would not pay for the stop and twice the spread.", source=QUOTE
)
OUTRANKED = Reason(
    code=ranking.RANKED_OUT, words="Its place in the watch list's rank is behind those that are looked at.",
    source="the rank made before the open",
)  # fmt: skip
UNLISTED = Reason(
    code=ranking.LISTED_OUT,
    words="No rank was made before the open, and its place in the watch list is behind those that are looked at.",
    source="the watch list",
)

RULES = {
    one.code: one
    for one in (
        CLOSED, LATE, PRICE, JUMP, DIFFER, HALTED, ONE_SIDED, FROZEN, UNTRADED, PAUSE, NEWCOMER, VOLUME,
        SPREAD, QUALITY, FEW, DOUBT, NO_RSI, COOL, HOT, THIN, OUTRANKED, UNLISTED,
    )
}  # fmt: skip
"""Every reason of ours for which nothing is bought, by its code; a strategy's own are in its file."""

SIGNAL = "signal:"
"""How the verdict of a tick that gave a signal begins."""
_GATES = frozenset(one.code for one in (DOUBT, NO_RSI, COOL, HOT, THIN))
_CENT_OF_CENT = Decimal("0.0001")
_BPS = Decimal(10_000)
_DEAR = frozenset({"trend_confirmation"})


@frozen(kw_only=False)
class NoSignal:
    """No entry now: the first blocking rule, or each strategy's reason when too few voted."""

    reasons: tuple[Reason, ...]


Decision = Signal | NoSignal


def decide(view: View, config: StrategyConfig, strategies: tuple[Bound, ...], ask: Ask = asked) -> Decision:
    """Give a signal, or why there is none; raises StrategyFault, and then says nothing of the symbol."""
    if blocked := _blocked(view, config):
        return NoSignal(blocked)
    if len(strategies) < config.signals.min_votes:
        return NoSignal((FEW.on(len(strategies), f"{config.signals.min_votes} or more"),))
    votes: list[Vote] = []
    refusals: list[Reason] = []
    for strategy in strategies:
        verdict = ask(strategy, view)
        if isinstance(verdict, Vote):
            votes.append(verdict)
        else:
            refusals.append(verdict.by(f"{strategy.name}{OF}{verdict.code}"))
    return NoSignal(tuple(refusals)) if len(votes) < config.signals.min_votes else _voted(view, config, votes)


def signal_of(view: View, config: StrategyConfig, strategies: tuple[Bound, ...], ask: Ask = asked) -> Signal | None:
    """Give the signal that `decide` gives, None where it gives none; raises StrategyFault as that does.

    For whoever reads no reasons, as a back-test: where too few votes can still come, or no vote opens a gate,
    strategies that ship are not asked, for nothing but their answer comes of asking them. They come `in_turn`.
    """
    closed = _is_closed(view, config)
    if closed and all(map(_ships, strategies)):
        return None
    least, votes, left = config.signals.min_votes, list[Vote](), len(strategies)
    if left < least or _blocked(view, config):
        return None
    for strategy in strategies:
        if not strategy.ships or (not closed and len(votes) + left >= least):
            verdict = ask(strategy, view)
            if isinstance(verdict, Vote):
                votes.append(verdict)
        left -= 1
    if closed or len(votes) < least:
        return None
    found = _voted(view, config, sorted(votes, key=_name))
    return found if isinstance(found, Signal) else None


def in_turn(strategies: tuple[Bound, ...]) -> tuple[Bound, ...]:
    """Give strategies in the order in which `signal_of` asks them: the dearest last, which so is seldom asked."""
    return tuple(sorted(strategies, key=_is_dear))


def _is_dear(strategy: Bound) -> bool:
    return strategy.name in _DEAR


def _ships(strategy: Bound) -> bool:
    return strategy.ships


def _name(vote: Vote) -> str:
    return vote.strategy


def _voted(view: View, config: StrategyConfig, votes: list[Vote]) -> Decision:
    """Decide on enough votes, in the order of their strategies' names."""
    together = joint_confidence(votes)
    distance = stop_distance(config.exits, view.quote.last, view.indicators.atr)
    gated = _gated(view, config, together, distance)
    return _signal(view, votes, together, distance) if gated is None else NoSignal((gated,))


def is_open(view: View, config: StrategyConfig) -> bool:
    """Tell whether strategies are asked about a symbol: neither a sign of a halt nor a filter is in the way."""
    return not _blocked(view, config)


def _is_closed(view: View, config: StrategyConfig) -> bool:
    """Tell whether a rule that changes once a minute at the most forbids an entry, whatever else is seen or voted."""
    signals, rsi = config.signals, view.indicators.rsi
    return rsi is None or rsi < signals.rsi_min or rsi > signals.rsi_max or view.quality < signals.quality_min


def _blocked(view: View, config: StrategyConfig) -> tuple[Reason, ...]:
    if view.signs:
        return tuple(RULES[sign.code].on(sign.found, sign.asked) for sign in view.signs)
    found = _filtered(view, config)
    return () if found is None else (found,)


def voted(code: str, names: Collection[str]) -> bool:
    """Tell by a tick's verdict, as a receipt has it, whether any of the strategies that were asked voted.

    Then a gate or another vote was missing. A verdict that is no decision, such as a fault of the quote, says that none
    did.
    """
    if code.startswith(SIGNAL) or code in _GATES:
        return True
    refused = {one.partition(OF)[0] for one in code.split("+") if OF in one}
    return bool(refused) and refused < set(names)


def joint_confidence(votes: list[Vote]) -> Decimal:
    """Combine independent votes: one minus the product of their doubts, to four decimals."""
    doubt = Decimal(1)
    for vote in votes:
        doubt *= 1 - vote.confidence
    return (1 - doubt).quantize(_CENT_OF_CENT)


def stop_distance(exits: Exits, price: Decimal, atr: Decimal | None) -> Decimal:
    """Give the stop distance in USD a share: some ATRs, between its limits in percent of the price.

    The fallback stands in while the ATR is not known. Source: strategy.md, Exits.
    """
    percent = price / 100
    if atr is None:
        return (exits.stop_fallback_pct * percent).quantize(_CENT_OF_CENT)
    wanted = exits.atr_factor * atr
    return min(max(wanted, exits.stop_min_pct * percent), exits.stop_max_pct * percent).quantize(_CENT_OF_CENT)


def _filtered(view: View, config: StrategyConfig) -> Reason | None:
    universe, quote, session = config.universe, view.quote, view.session
    if not session.opens_at <= view.at < session.closes_at:
        return CLOSED
    if session.closes_at - view.at <= config.entry.late_minutes * MINUTE:
        return LATE.on(session.closes_at - view.at, f"more than {config.entry.late_minutes} minutes")
    if not universe.price_min <= quote.last <= universe.price_max:
        return PRICE.on(quote.last, f"{universe.price_min} to {universe.price_max}")
    if is_of_another(quote, daily_close=view.daily_close, jump_max_pct=universe.jump_max_pct):
        return JUMP.on(quote.last, f"within {universe.jump_max_pct} % of {view.daily_close}")
    limit = config.quotes.disagree_max_pct
    if disagree(quote, prior_close=view.prior_close, limit_pct=limit):
        return DIFFER.on(quote.previous_close, f"within {limit} % of {view.prior_close}")
    if (early := _newcomer(view, config)) is not None:
        return early
    if quote.day_volume < universe.day_volume_min:
        return VOLUME.on(quote.day_volume, f"{universe.day_volume_min} or more")
    if quote.spread * _BPS > universe.spread_max_bps * quote.mid:
        return SPREAD.on(100 * quote.spread / quote.mid, f"{universe.spread_max_bps / 100} % or less")
    least = config.signals.quality_min
    return QUALITY.on(view.quality, f"{least} or more") if view.quality < least else None


def _newcomer(view: View, config: StrategyConfig) -> Reason | None:
    """Say that the scan sees the symbol for too short a time; what it saw from the open on, it may judge at once."""
    minutes = config.quotes.late_start_minutes
    lately = view.bars[-minutes - 1 :]  # who is watched over all of these is watched for long enough
    if len(lately) > minutes and view.at - lately[0].end < (minutes + 1) * MINUTE:
        return None  # so many minutes in so short a time are all that there were
    gap, opens_at = config.quotes.gap_minutes * MINUTE, view.session.opens_at
    since, least = watched_since(lately, at=view.at, gap=gap, opens_at=opens_at), minutes * MINUTE
    if since == opens_at or view.at - since >= least:
        return None
    return NEWCOMER.on(max(view.at - since, timedelta(0)), f"{least} or more")


def _gated(view: View, config: StrategyConfig, confidence: Decimal, distance: Decimal) -> Reason | None:
    signals, rsi = config.signals, view.indicators.rsi
    if confidence < signals.confidence_min:
        return DOUBT.on(confidence, f"{signals.confidence_min} or more")
    if rsi is None:
        return NO_RSI.on(len(view.bars), f"{RSI_BARS + 1} or more")
    if rsi < signals.rsi_min:
        return COOL.on(rsi, f"{signals.rsi_min} or more")
    if rsi > signals.rsi_max:
        return HOT.on(rsi, f"{signals.rsi_max} or less")
    if target_pays(config, distance, view.quote.spread):
        return None
    target = config.exits.target_factor * distance
    return THIN.on(target, f"more than {distance + 2 * view.quote.spread}")


def _signal(view: View, votes: list[Vote], confidence: Decimal, distance: Decimal) -> Signal:
    lead = max(votes, key=lambda vote: vote.confidence).strategy
    slot = (view.at - view.session.opens_at) // SLOT
    day = view.session.day
    return Signal(
        signal_id=signal_id(strategy=lead, symbol=view.symbol, side=Side.BUY, session=day, slot=slot),
        strategy=lead, symbol=view.symbol, side=Side.BUY, session=day, slot=slot, decided_at=view.at,
        decision_price=view.quote.last, stop_distance=distance, confidence=confidence, quality=view.quality,
        votes=tuple(votes), daily_close=view.daily_close,
    )  # fmt: skip
