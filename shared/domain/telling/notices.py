"""What the owner is told, as facts: each kind once, with the name of the event that it tells about.

A notice is promised in the commit of what it tells about, so that it is neither lost nor told of what did not happen.
Two notices with one event are told once. What is said of each is in `notice_words`. None holds a secret but
`SignInNeeded.signed`, for the owner's addresses alone, and none brings an address (`wording.unlinked`).
"""

import hashlib
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from shared.domain.base.calendar import new_york_day
from shared.domain.control.control import Control, TradingState
from shared.domain.orders.orders import Order, State
from shared.domain.telling.barred import Barred, ClockOff, EntriesBarred, HistoryMissing, SourceKeyBad, SymbolsUnknown
from shared.domain.telling.doubted import Doubted, HeldHalted, SourcesDiffer
from shared.domain.telling.forged import OrderForged
from shared.domain.telling.hand_notices import OrderAmbiguous, OrderCameLate, SharesTaken
from shared.domain.telling.left_out import StrategyLeftOut
from shared.domain.telling.recording import RecordingEnded
from shared.domain.telling.row_notices import OddRow, OwnRowOdd
from shared.domain.telling.sign_in_notices import (
    AccountRefused,
    LinkUsed,
    SignedIn,
    SignInFailed,
    SignInNeeded,
    SignInRefused,
)
from shared.domain.telling.sign_out import SignedOut
from shared.domain.telling.unseen import AnswerUnread, EntryNotJudged, MessageRetried, PricesElsewhere, StaysHeld
from shared.frozen import frozen

FOREIGN = "FOREIGN_ORDER"
LONGEST_REASON = 1000


@frozen
class TokenEnded:
    """The day's token is ended; `left_open` names orders and positions that nobody looks after until the next one."""

    left_open: tuple[str, ...]
    at: datetime


@frozen
class TradingHalted:
    """Nothing enters and entries are cancelled; with `exits_too` no exit is sent either; stops are kept."""

    exits_too: bool
    reason: str
    by: str
    epoch: int
    at: datetime


@frozen
class TradingReduced:
    """Nothing enters."""

    reason: str
    by: str
    epoch: int
    at: datetime


@frozen
class TradingResumed:
    """Entries are allowed again."""

    reason: str
    by: str
    epoch: int
    at: datetime


@frozen
class OrderUnknown:
    """An order was sent and nobody knows whether the broker has it."""

    intent_id: str
    symbol: str
    side: str
    quantity: int
    at: datetime


@frozen
class PositionUnprotected:
    """Shares have been held without a working sell order `since` an instant."""

    position_id: str
    symbol: str
    quantity: int
    since: datetime
    at: datetime


@frozen
class ExitUnseen:
    """Shares should be sold since `since`, their stop cannot be seen and so is left in place; `why` says what fails."""

    position_id: str
    symbol: str
    quantity: int
    reason: str
    why: str
    since: datetime
    at: datetime


@frozen
class CancelUnconfirmed:
    """A sell was to be cancelled and nobody knows whether it is: its shares may be without a stop, and are not sold."""

    intent_id: str
    symbol: str
    quantity: int
    order_id: int
    why: str
    at: datetime


@frozen
class StopRefused:
    """E*TRADE has refused a stop over held shares again and again `since` an instant; `why` is its reason."""

    position_id: str
    symbol: str
    quantity: int
    why: str
    since: datetime
    at: datetime


@frozen
class ExitRefused:
    """E*TRADE refused to sell shares that should be sold; `why` is its reason."""

    position_id: str
    symbol: str
    quantity: int
    why: str
    since: datetime
    at: datetime


@frozen
class ForeignOrder:
    """The account has an order of this session in a symbol that is not ours, and so the symbol is not entered."""

    symbol: str
    session: date
    at: datetime

    @property
    def what(self) -> str:
        """One a session and symbol."""
        return f"{self.session.isoformat()}:{self.symbol}"


@frozen
class ScanSilent:
    """The session trades and no minute of it has been scanned `since` an instant."""

    since: datetime
    at: datetime


@frozen
class ScanBlind:
    """The market is scanned, and `since` an instant no symbol has had a usable quote; `held` are those that we hold.

    `faults` are what is wrong with the quotes (`quality.faults`), the most frequent first.
    """

    faults: tuple[str, ...]
    held: tuple[str, ...]
    since: datetime
    at: datetime


@frozen
class HeldUnseen:
    """A held symbol has had no usable quote `since` an instant, while others have; `faults` as in ScanBlind."""

    symbol: str
    faults: tuple[str, ...]
    since: datetime
    at: datetime


@frozen
class MessageBuried:
    """A function got a message that no retry can help."""

    function: str
    reason: str
    letter: str
    at: datetime


@frozen
class DayResult:
    """The session is over: `realized` in USD without the `unpriced` shares, `orders` those that reached the broker.

    `unknown` says what is not known of it, `since` an instant where there is one: then the figures are the last known.
    """

    session: date
    realized: Decimal
    orders: int
    fills: int
    open_positions: tuple[str, ...]
    live_orders: int
    at: datetime
    unknown: tuple[str, ...] = ()
    since: datetime | None = None
    unpriced: int = 0

    @property
    def event(self) -> str:
        """The session and what is said of it: another result is news, whatever was told before."""
        said = tuple(getattr(self, one.name) for one in fields(self) if one.name != "at")
        return f"{self.session.isoformat()}:{hashlib.sha256(repr(said).encode()).hexdigest()[:16]}"


Notice = (
    SignInNeeded
    | SignedIn
    | SignInFailed
    | SignInRefused
    | LinkUsed
    | AccountRefused
    | SignedOut
    | TokenEnded
    | TradingHalted
    | TradingReduced
    | TradingResumed
    | OrderUnknown
    | OrderAmbiguous
    | OrderCameLate
    | OrderForged
    | PositionUnprotected
    | ExitUnseen
    | CancelUnconfirmed
    | StopRefused
    | ExitRefused
    | SharesTaken
    | ForeignOrder
    | OddRow
    | OwnRowOdd
    | Barred
    | ScanSilent
    | ScanBlind
    | HeldUnseen
    | Doubted
    | StrategyLeftOut
    | RecordingEnded
    | MessageBuried
    | AnswerUnread
    | EntryNotJudged
    | StaysHeld
    | MessageRetried
    | PricesElsewhere
    | DayResult
)
NOTICES: dict[str, type[Notice]] = {
    "sign_in_needed": SignInNeeded,
    "signed_in": SignedIn,
    "sign_in_failed": SignInFailed,
    "sign_in_refused": SignInRefused,
    "link_used": LinkUsed,
    "account_refused": AccountRefused,
    "signed_out": SignedOut,
    "token_ended": TokenEnded,
    "trading_halted": TradingHalted,
    "trading_reduced": TradingReduced,
    "trading_resumed": TradingResumed,
    "order_unknown": OrderUnknown,
    "order_ambiguous": OrderAmbiguous,
    "order_came_late": OrderCameLate,
    "order_forged": OrderForged,
    "position_unprotected": PositionUnprotected,
    "exit_unseen": ExitUnseen,
    "cancel_unconfirmed": CancelUnconfirmed,
    "stop_refused": StopRefused,
    "exit_refused": ExitRefused,
    "shares_taken": SharesTaken,
    "foreign_order": ForeignOrder,
    "odd_row": OddRow,
    "own_row_odd": OwnRowOdd,
    "entries_barred": EntriesBarred,
    "clock_off": ClockOff,
    "symbols_unknown": SymbolsUnknown,
    "history_missing": HistoryMissing,
    "source_key_bad": SourceKeyBad,
    "scan_silent": ScanSilent,
    "scan_blind": ScanBlind,
    "held_unseen": HeldUnseen,
    "held_halted": HeldHalted,
    "sources_differ": SourcesDiffer,
    "strategy_left_out": StrategyLeftOut,
    "recording_ended": RecordingEnded,
    "message_buried": MessageBuried,
    "answer_unread": AnswerUnread,
    "entry_not_judged": EntryNotJudged,
    "stays_held": StaysHeld,
    "message_retried": MessageRetried,
    "prices_elsewhere": PricesElsewhere,
    "day_result": DayResult,
}
_KIND: dict[type[Notice], str] = {notice: kind for kind, notice in NOTICES.items()}


def kind_of(notice: Notice) -> str:
    """Give the name of a notice's kind."""
    return _KIND[type(notice)]


def event_of(notice: Notice) -> str:
    """Name what happened: the same for every message about it."""
    match notice:
        case SignInNeeded():
            what = notice.occasion
        case TradingHalted() | TradingReduced() | TradingResumed():
            what = str(notice.epoch)
        case OrderUnknown() | OrderForged() | CancelUnconfirmed():
            what = notice.intent_id
        case PositionUnprotected() | SharesTaken() | ExitUnseen() | StopRefused() | ExitRefused():
            what = f"{notice.position_id}:{notice.since.isoformat()}"
        case ForeignOrder() | OddRow() | OwnRowOdd():
            what = notice.what
        case ScanSilent() | ScanBlind():
            what = notice.since.isoformat()
        case HeldUnseen():
            what = f"{notice.symbol}:{notice.since.isoformat()}"
        case MessageBuried():
            what = f"{notice.function}:{notice.letter}"
        case (
            OrderAmbiguous()
            | OrderCameLate()
            | AnswerUnread()
            | EntryNotJudged()
            | StaysHeld()
            | MessageRetried()
            | PricesElsewhere()
            | EntriesBarred()
            | ClockOff()
            | SymbolsUnknown()
            | HistoryMissing()
            | SourceKeyBad()
            | HeldHalted()
            | SourcesDiffer()
            | StrategyLeftOut()
            | RecordingEnded()
            | LinkUsed()
            | DayResult()
        ):
            what = notice.event
        case AccountRefused() | SignedIn() | SignInFailed() | SignInRefused() | SignedOut() | TokenEnded():
            what = notice.at.isoformat()
        case _:
            assert_never(notice)
    return f"{kind_of(notice)}:{what}"


def of_control(control: Control) -> TradingHalted | TradingReduced | TradingResumed:
    """Give the notice of a trading state that was just set."""
    reason, by, epoch, at = control.reason[:LONGEST_REASON], control.by, control.epoch, control.at
    match control.state:
        case TradingState.HALTED:
            return TradingHalted(exits_too=control.exits_too, reason=reason, by=by, epoch=epoch, at=at)
        case TradingState.REDUCE_ONLY:
            return TradingReduced(reason=reason, by=by, epoch=epoch, at=at)
        case TradingState.ACTIVE:
            return TradingResumed(reason=reason, by=by, epoch=epoch, at=at)
        case _:
            assert_never(control.state)


def of_order(before: Order, after: Order) -> Notice | None:
    """Give the notice of an order's arrow, for the few that the owner has to hear of."""
    name, symbol, side, quantity, at = after.intent_id, after.symbol, after.side, after.quantity, after.updated_at
    if after.state is State.UNKNOWN and before.state is not State.UNKNOWN:
        return OrderUnknown(intent_id=name, symbol=symbol, side=side, quantity=quantity, at=at)
    if after.state is State.MANUAL:
        return OrderAmbiguous(
            intent_id=name, symbol=symbol, side=side, quantity=quantity, candidates=after.candidates, at=at
        )
    if after.state is State.DENIED and FOREIGN in after.codes:
        return ForeignOrder(symbol=symbol, session=after.session, at=at)
    if not set(before.unread).issuperset(after.unread):
        return OwnRowOdd(
            intent_id=name, symbol=symbol, side=side, quantity=quantity, fields=after.unread,
            session=new_york_day(at), at=at,
        )  # fmt: skip
    return None
