"""What the owner reads: for each kind of notice a title, one sentence that says what happened, and what to do.

A link is not part of the words: these are journalled, a link is not. What a notice says was said by whoever published
it, an error or a broker, so no word of it leads anywhere. Times are New York's, money is USD.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.domain.orders.explain import why_left
from shared.domain.telling.barred import ClockOff, EntriesBarred, HistoryMissing, SourceKeyBad, SymbolsUnknown
from shared.domain.telling.barred_words import (
    clock_off,
    entries_barred,
    history_missing,
    source_key_bad,
    symbols_unknown,
)
from shared.domain.telling.codes_said import named, quote_faults, why
from shared.domain.telling.doubted import HeldHalted, SourcesDiffer, held_halted, sources_differ
from shared.domain.telling.forged import OrderForged, order_forged
from shared.domain.telling.hand_notices import OrderAmbiguous, OrderCameLate, SharesTaken
from shared.domain.telling.hand_words import ambiguous, came_late, taken
from shared.domain.telling.left_out import StrategyLeftOut, strategy_left_out
from shared.domain.telling.notices import (
    CancelUnconfirmed,
    DayResult,
    ExitRefused,
    ExitUnseen,
    ForeignOrder,
    HeldUnseen,
    MessageBuried,
    Notice,
    OrderUnknown,
    PositionUnprotected,
    ScanBlind,
    ScanSilent,
    StopRefused,
    TokenEnded,
    TradingHalted,
    TradingReduced,
    TradingResumed,
)
from shared.domain.telling.recording import RecordingEnded, recording_ended
from shared.domain.telling.row_notices import OddRow, OwnRowOdd
from shared.domain.telling.row_words import odd_row, own_row
from shared.domain.telling.sign_in_notices import (
    AccountRefused,
    LinkUsed,
    SignedIn,
    SignInFailed,
    SignInNeeded,
    SignInRefused,
)
from shared.domain.telling.sign_in_words import (
    account_refused,
    link_used,
    sign_in_failed,
    sign_in_needed,
    sign_in_refused,
    signed_in,
)
from shared.domain.telling.sign_out import SignedOut, signed_out
from shared.domain.telling.unseen import AnswerUnread, EntryNotJudged, MessageRetried, PricesElsewhere, StaysHeld
from shared.domain.telling.unseen_words import (
    answer_unread,
    entry_not_judged,
    message_retried,
    prices_elsewhere,
    stays_held,
)
from shared.domain.telling.wording import ETRADE, Words, called, capital
from shared.domain.telling.wording import ago as _ago
from shared.domain.telling.wording import clock as _clock
from shared.domain.telling.wording import count as _count
from shared.domain.telling.wording import short as _short
from shared.domain.telling.wording import unlinked as _unlinked


def words(notice: Notice, broker: str = ETRADE) -> Words:
    """Put a notice into words about this `broker`, none of which can be tapped, whatever its fields hold."""
    said = _WORDS[type(notice)](notice)
    title, sentence, advice = (_said(part, broker) for part in (said.title, said.sentence, said.advice))
    return replace(said, title=title, sentence=sentence, advice=advice)


def _said(text: str, broker: str) -> str:
    return _unlinked(text if broker == ETRADE else capital(called(text, broker)))


def _token_ended(notice: TokenEnded) -> Words:
    left = f"{', '.join(notice.left_open)} stay as they are" if notice.left_open else "nothing is left open"
    advice = "Look at them on E*TRADE's own page: nothing manages them until you sign in again."
    return Words(
        title="The day's sign-in has ended",
        sentence=f"The sign-in at E*TRADE was ended at {_clock(notice.at)}, and {left}.",
        advice=advice if notice.left_open else "Nothing to do before the next sign-in.",
        urgent=bool(notice.left_open),
    )


def _halted(notice: TradingHalted) -> Words:
    exits, advice = "stops stay and positions may still be sold", "Find the cause before you resume"
    if notice.exits_too:
        exits = "and no sale is decided any more: only stops, and sells that E*TRADE has already, may still sell"
        advice = "What is held stays held, overnight too, until you resume or sell it on E*TRADE's own page"
    return Words(
        title="Trading is HALTED",
        sentence=f"Nothing is bought, open buy orders are cancelled unless they fill first, {exits}; set by "
        f"{named(notice.by)}: {_short(notice.reason)}.",
        advice=f"{advice}; nothing resumes by itself.",
        urgent=True,
    )


def _reduced(notice: TradingReduced) -> Words:
    return Words(
        title="Trading is REDUCE_ONLY",
        sentence="Nothing new is bought, open positions are managed until closed; "
        f"set by {named(notice.by)}: {_short(notice.reason)}.",
        advice="Find the cause before you resume; nothing resumes by itself.",
        urgent=True,
    )


def _resumed(notice: TradingResumed) -> Words:
    return Words(
        title="Trading is ACTIVE",
        sentence=f"Purchases are allowed again; set by {named(notice.by)}: {_short(notice.reason)}.",
        advice="If this was not you, halt trading.",
        urgent=True,
    )


def _unknown(notice: OrderUnknown) -> Words:
    what = f"{notice.side} {notice.quantity} {notice.symbol}"
    return Words(
        title=f"Order unknown: {notice.symbol}",
        sentence=f"The order {what} ({notice.intent_id}) was sent and not answered: E*TRADE may or may not have it.",
        advice="It is not sent again, and is looked for in each order list; do nothing unless you are asked.",
        urgent=True,
    )


def _unprotected(notice: PositionUnprotected) -> Words:
    seconds = int((notice.at - notice.since).total_seconds())
    shares = _count(notice.quantity, "share")
    return Words(
        title=f"No stop: {notice.symbol}",
        sentence=f"For {seconds} s no stop at E*TRADE has covered the whole position of {shares} of {notice.symbol}.",
        advice="The system goes on asking for one; place a stop or sell on E*TRADE's own page if it stays so.",
        urgent=True,
    )


def _exit_unseen(notice: ExitUnseen) -> Words:
    shares = _count(notice.quantity, "share")
    return Words(
        title=f"Not sold: {notice.symbol}",
        sentence=f"{shares} of {notice.symbol} should be sold since {_clock(notice.since)} "
        f"({why_left(notice.reason)}), but "
        f"E*TRADE does not show our orders ({_short(notice.why)}), so the stop was not cancelled.",
        advice="The system goes on trying; to sell at once, cancel the stop in E*TRADE's app and sell there.",
        urgent=True,
    )


def _cancel_unconfirmed(notice: CancelUnconfirmed) -> Words:
    shares = _count(notice.quantity, "share")
    return Words(
        title=f"Perhaps no stop: {notice.symbol}",
        sentence=f"The cancel of order {notice.order_id} over {shares} of {notice.symbol} is not confirmed "
        f"({_short(notice.why)}); until it is, nothing is sold and no other stop is placed.",
        advice=f"Look for order {notice.order_id} in E*TRADE's app: cancel it if it is open, and the system goes on; "
        "if it is gone and nothing follows, sell the shares there.",
        urgent=True,
    )


_HELD_ELSEWHERE = "1037"


def _refused_cure(why: str) -> str:
    if _HELD_ELSEWHERE in why:
        return "if other sell orders in this symbol are open in E*TRADE's app, cancel those that are yours"
    return "look at the symbol and the account in E*TRADE's app"


def _stop_refused(notice: StopRefused) -> Words:
    shares = _count(notice.quantity, "share")
    return Words(
        title=f"Stop refused: {notice.symbol}",
        sentence=f"E*TRADE refuses a stop over {shares} of {notice.symbol} since {_clock(notice.since)}: "
        f"{_short(notice.why)}.",
        advice=f"It is asked again, each minute at least while the market is open; {_refused_cure(notice.why)}.",
        urgent=True,
    )


def _exit_refused(notice: ExitRefused) -> Words:
    shares = _count(notice.quantity, "share")
    return Words(
        title=f"Sale refused: {notice.symbol}",
        sentence=f"E*TRADE refused to sell {shares} of {notice.symbol}: {_short(notice.why)}.",
        advice=f"A stop is put back and the sale is tried again soon; {_refused_cure(notice.why)}.",
        urgent=True,
    )


def _foreign(notice: ForeignOrder) -> Words:
    return Words(
        title=f"An order that is not ours: {notice.symbol}",
        sentence=f"The account has an order of today in {notice.symbol} that this system did not place.",
        advice="The system does not buy this symbol today; nothing is to be done if the order is yours.",
        urgent=False,
    )


def _silent(notice: ScanSilent) -> Words:
    return Words(
        title="The market is not being watched",
        sentence=f"The symbols have not been looked at since {_ago(notice.since, notice.at)}.",
        advice="Stops at E*TRADE stay in force, but nothing else is sold: see what `strategy status` says of the "
        "function "
        "market_scan, and its log.",
        urgent=True,
    )


def _blind(notice: ScanBlind) -> Words:
    held = f", also none of what is held: {', '.join(notice.held)}" if notice.held else ""
    return Words(
        title="No quote can be used",
        sentence=f"Not one quote could be used since {_ago(notice.since, notice.at)} "
        f"({quote_faults(notice.faults)}){held}.",
        advice=f"Stops at E*TRADE stay in force, nothing is bought and nothing else is sold: {_cure(notice.faults)}.",
        urgent=bool(notice.held),
    )


def _unseen(notice: HeldUnseen) -> Words:
    return Words(
        title=f"No quote can be used: {notice.symbol}",
        sentence=f"{notice.symbol} is held and not one quote of it could be used since "
        f"{_ago(notice.since, notice.at)} ({quote_faults(notice.faults)}).",
        advice="A stop at E*TRADE stays in force, but nothing else sells it: see whether its trading is halted, and "
        "sell on"
        " E*TRADE's own page if you want it sold.",
        urgent=True,
    )


_CURES = {
    "DELAYED": "sign E*TRADE's agreement on real-time quotes for this account",
    "FUTURE": "correct the clock of the machine: it is slow",
    "STALE": "if the market is not halted, correct the clock of the machine: it is fast",
}


def _cure(faults: tuple[str, ...]) -> str:
    """Say what to do about quotes that are all unusable: of several faults about the one that explains the others."""
    known = [cure for fault, cure in _CURES.items() if fault in faults]
    return known[0] if known else "look at E*TRADE's own page, and at the log of the function market_scan"


def _buried(notice: MessageBuried) -> Words:
    return Words(
        title="A message could not be handled",
        sentence=f"The function {named(notice.function)} got a message that it cannot handle ({why(notice.reason)}) "
        "and set it aside.",
        advice=f"It is not tried again: see `strategy dead-letters`, where it is {notice.function}:{notice.letter}.",
        urgent=False,
    )


def _day_result(notice: DayResult) -> Words:
    left = f"still holds {', '.join(notice.open_positions)}" if notice.open_positions else "holds nothing"
    live = f" and has {_count(notice.live_orders, 'open order')}" if notice.live_orders else ""
    advice = "Nothing to do."
    if notice.open_positions or notice.live_orders:
        advice = "Look at what is left on E*TRADE's own page."
    sign = "-" if notice.realized < 0 else "+"
    result = f"{sign}${abs(notice.realized):,.2f}"
    profit = f"{result} realised"
    if notice.unpriced:
        profit += f", not counting {_count(notice.unpriced, 'share')} taken out by hand at a price that is not known"
    counted = f"{_count(notice.orders, 'order')} and {_count(notice.fills, 'fill')}"
    if notice.unknown:
        return _day_unknown(notice, f"{profit}, {counted}, {_count(notice.live_orders, 'open order')}")
    return Words(
        title=f"{notice.session.isoformat()}: {result}",
        sentence=f"The session ended with {profit}, {counted}; the system {left}{live}.",
        advice=advice,
        urgent=bool(notice.open_positions or notice.live_orders),
    )


def _day_unknown(notice: DayResult, figures: str) -> Words:
    since = "" if notice.since is None else f" since {_clock(notice.since)}"
    held = f"holding {', '.join(notice.open_positions)}" if notice.open_positions else "no shares in the books"
    return Words(
        title=f"{notice.session.isoformat()}: the result is not known",
        sentence=f"The session's result is not known{since} ({'; '.join(notice.unknown)}); last known were {figures} "
        f"and {held}.",
        advice="Look at orders and positions in E*TRADE's app: what is held there may have no stop, and the audit "
        "trail is closed as far as it is known.",
        urgent=True,
    )


_WORDS: dict[type[Notice], Callable[[Any], Words]] = {
    SignInNeeded: sign_in_needed,
    SignedIn: signed_in,
    SignInFailed: sign_in_failed,
    SignInRefused: sign_in_refused,
    LinkUsed: link_used,
    AccountRefused: account_refused,
    SignedOut: signed_out,
    TokenEnded: _token_ended,
    TradingHalted: _halted,
    TradingReduced: _reduced,
    TradingResumed: _resumed,
    OrderUnknown: _unknown,
    OrderAmbiguous: ambiguous,
    OrderCameLate: came_late,
    OrderForged: order_forged,
    PositionUnprotected: _unprotected,
    ExitUnseen: _exit_unseen,
    CancelUnconfirmed: _cancel_unconfirmed,
    StopRefused: _stop_refused,
    ExitRefused: _exit_refused,
    SharesTaken: taken,
    ForeignOrder: _foreign,
    OddRow: odd_row,
    OwnRowOdd: own_row,
    EntriesBarred: entries_barred,
    ClockOff: clock_off,
    SymbolsUnknown: symbols_unknown,
    HistoryMissing: history_missing,
    SourceKeyBad: source_key_bad,
    ScanSilent: _silent,
    ScanBlind: _blind,
    HeldUnseen: _unseen,
    HeldHalted: held_halted,
    SourcesDiffer: sources_differ,
    StrategyLeftOut: strategy_left_out,
    RecordingEnded: recording_ended,
    MessageBuried: _buried,
    AnswerUnread: answer_unread,
    EntryNotJudged: entry_not_judged,
    StaysHeld: stays_held,
    MessageRetried: message_retried,
    PricesElsewhere: prices_elsewhere,
    DayResult: _day_result,
}
