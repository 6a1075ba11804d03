"""The words of a report: reasons, exits and amounts as a person reads them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from infra.results.facts import Skipped
from infra.results.receipts import Decision
from shared.domain.base.calendar import NEW_YORK, new_york_day
from shared.domain.base.values import cents
from shared.domain.market.sight import Looks
from shared.domain.orders.orders import Kind, State

NOT_TAKEN_UP = "NOT_TAKEN_UP"
KINDS = {Kind.ENTRY: "Entry", Kind.PROTECT: "Protective stop", Kind.MOVE: "Stop moved", Kind.EXIT: "Exit"}
EXITS: Mapping[str, str] = {
    "flatten": "end-of-day exit",
    "max_hold": "held for the longest time",
    "target": "profit target",
    "stop": "stop loss",
    "trail": "trailing stop",
    "rsi": "RSI too low",
    "stop_missed": "stop level missed",
    "owner": "sold on your word",
}
SKIPPED: Mapping[str, str] = {
    NOT_TAKEN_UP: "never reached the order function",
    "SIZE_ZERO": "blocked: not enough cash",
    "SIZE_TOO_SMALL": "blocked: not enough cash for a useful size",
    "PRICE_UNKNOWN": "blocked: no price",
    "KILL_SWITCH": "blocked: trading was halted",
    "SESSION_CLOSED": "blocked: outside of the session",
    "LATE_ENTRY": "blocked: too late in the session",
    "SIGNAL_STALE": "blocked: the signal was too old",
    "QUOTE_STALE": "blocked: the quote was too old",
    "QUOTE_BAD": "blocked: the quote was faulty",
    "PRICE_COLLAR": "blocked: the price had moved too far",
    "SPREAD_TOO_WIDE": "blocked: the spread was too wide",
    "PRICE_JUMP": "blocked: too far from the last close",
    "QTY": "blocked: too many shares",
    "NOTIONAL_MAX_ORDER": "blocked: the order was too large",
    "NOTIONAL_MAX_SYMBOL": "blocked: too much in one symbol",
    "EXPOSURE_MAX_ACCOUNT": "blocked: the cash reserve",
    "MAX_OPEN_POSITIONS": "blocked: too many positions",
    "MAX_OPEN_ORDERS": "blocked: too many live orders",
    "ONE_LIVE_INTENT_PER_SYMBOL": "blocked: already held or ordered",
    "ENTRIES_PER_DAY": "blocked: entries of the day used up",
    "BUYING_POWER": "blocked: not enough cash",
    "BALANCE_STALE": "blocked: the balance was too old",
    "DAILY_LOSS": "blocked: daily loss limit",
    "DRAWDOWN": "blocked: drawdown limit",
    "CONSECUTIVE_LOSSES": "blocked: losses in a row",
    "COOLDOWN_SYMBOL": "blocked: the symbol was left a short time ago",
    "LEDGER_MISMATCH": "blocked: the account holds fewer shares than the book",
    "UNKNOWN_PRESENT": "blocked: an order with unknown state",
    "SYMBOL_HELD_BY_OWNER": "blocked: you hold the symbol yourself",
    "CLOCK_SKEW": "blocked: the clock is off",
    "DAY_TRADES": "blocked: day trades used up",
    "TOKEN_DEAD": "blocked: nobody was signed in",
    State.EXPIRED: "sent, expired unfilled",
    State.CANCELLED: "sent, cancelled unfilled",
    State.REJECTED: "rejected by the broker",
    State.VOIDED: "given up before it was sent",
    State.NOT_PLACED: "never reached the broker",
    State.DENIED: "blocked by our own rules",
}
_PLACES = {State.DENIED, State.VOIDED}


def skipped(decisions: list[Decision]) -> tuple[Skipped, ...]:
    """Give the signals that bought nothing, each with its first reason and all that is known of it."""
    return tuple(
        Skipped(symbol=one.signal.symbol, at=one.at, code=_code(one), sentence=_sentence(one))
        for one in decisions
        if not one.shares
    )


def why_skipped(code: str) -> str:
    """Say the reason of a skipped signal in a few words."""
    return SKIPPED.get(code) or words(code)


def why_left(reason: str) -> str:
    """Say why a position was sold in a few words; several reasons have a comma between them."""
    return ", ".join(EXITS.get(one, words(one)) for one in reason.split(", ")) if reason else ""


def words(code: str) -> str:
    """Write a code as words."""
    return code.replace("_", " ").replace(":", ": ").replace("+", ", ").lower()


def dollars(amount: Decimal | str) -> str:
    """Write a gain or loss with its sign: +$1,234.50; nothing gained is $0.00."""
    value = cents(Decimal(amount))
    sign = "" if not value else "-" if value < 0 else "+"
    return f"{sign}${abs(value):,.2f}"


def tone(amount: Decimal | str) -> str:
    """Give the style class of an amount."""
    return dollars(amount)[0].translate({ord("+"): "gain", ord("-"): "loss", ord("$"): "even"})


def percent(value: Decimal) -> str:
    """Write a percent with its sign: +0.39 %; nothing gained is 0.00 %."""
    return f"{value:+.2f} %" if round(value, 2) else "0.00 %"


def moment(at: datetime, begins: datetime, ends: datetime) -> str:
    """Write an instant of a span: its hour within a day, its date with it in a longer one; New York time."""
    if new_york_day(begins) == new_york_day(ends):
        return clock(at)
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """Write an instant of a known day as a person in New York reads it: 10:31:02."""
    return f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def span(seconds: int) -> str:
    """Write a length of time in its largest unit or two: 9 s, 12 min, 5 h 50 min."""
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def looked(of: Looks) -> str:
    """Say how many seconds of a session were looked at, and the longest time without a look at what was held."""
    share = f" ({100 * of.looked / of.seconds:.1f} %)" if of.seconds else ""
    held = f"; what was held was never without a look for more than {of.unseen_s} s" if of.unseen_s else ""
    return f"{of.looked:,} of {of.seconds:,}{share}, {of.blind:,} blind{held}"


def _code(decision: Decision) -> str:
    entry = decision.entry
    if entry is None:
        return NOT_TAKEN_UP
    return entry.codes[0] if entry.codes and entry.state in _PLACES else entry.state


def _sentence(decision: Decision) -> str:
    entry = decision.entry
    if entry is None:
        return why_skipped(NOT_TAKEN_UP)
    return entry.note or ", ".join(why_skipped(code) for code in entry.codes) or why_skipped(entry.state)
