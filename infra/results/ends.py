"""Why an order came to nothing, and a signal bought nothing, in sentences.

What can go wrong: a person reads a code; two pages say another thing of the same code. What this promises: every page
and every command takes the words from here; where the judgement kept a sentence with its figures, that is what is said,
and a code is told in general words only where there is none.
"""

from collections.abc import Mapping

from infra.results.facts import Skipped
from infra.results.receipts import Decision
from infra.results.words import words
from shared.domain.base.values import Side, Term
from shared.domain.orders.explain import WORDS, at_venue
from shared.domain.orders.orders import STOPS, TERMINAL, Order, State
from shared.domain.telling.notices import FOREIGN

NOT_TAKEN_UP = "NOT_TAKEN_UP"
UNFILLED = "UNFILLED"
NOT_OVER = "NOT_OVER"
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
    "LEDGER_MISMATCH": "blocked: the account holds fewer shares than the books",
    "UNKNOWN_PRESENT": "blocked: an order with unknown state",
    "SYMBOL_HELD_BY_OWNER": "blocked: you hold the symbol yourself",
    "CLOCK_SKEW": "blocked: the clock is off",
    "DAY_TRADES": "blocked: day trades used up",
    "TOKEN_DEAD": "blocked: nobody was signed in",
    UNFILLED: "not filled: the price was above the limit, or no shares were for sale",
    NOT_OVER: "not over yet: the order may still buy",
    State.REJECTED: "rejected",
    State.VOIDED: "cancelled before it was sent",
    State.NOT_PLACED: "not received",
    State.DENIED: "blocked: a limit of the system",
}
"""The reason of a skipped signal in a few words, by its first code or its state."""
ENDS: Mapping[str, str] = {
    "SIGNAL_STALE": "the decision was too old before it could be sent",
    "NO_QUOTE": "E*TRADE gave no quote of it",
    FOREIGN: "an order in the symbol that is not the system's is at the broker",
    "CONFIGURATION_UNREAD": "the configuration in force could not be read, so no limit was known",
    "LEDGER_UNREADABLE": "the ledger of a session could not be read, and the limits rest on it",
    "TOKEN_DEAD": "nobody was signed in, or E*TRADE no longer accepted the sign-in",
    "BY_OWNER": "you ended it",
    "OUTDATED": "what it was to sell changed after it was decided",
    "REPLACED": "another sale took its place",
    "SWEPT": "it was left over, and not sent",
    "TAKEN_OUT": "you took its shares out by hand",
    "CAME_LATE": "a sale that turned up late covers its shares",
    "ENDED_BY_HAND": "somebody ended it at the broker",
    "ABSENT": "the complete order lists of the broker show no trace of it",
    "OTHER_VENUE": "it was made for another broker or mode than the system has now",
    "OTHER_ACCOUNT": "another account was chosen before it was sent",
    "PREVIEW_STALE": "the broker's preview was too old, or was asked for too often",
    "R33_PREVIEW_MISMATCH": "the broker's preview costs more than was reserved for it",
    "UNSENT": "it could not be sent in time",
    "ACCOUNT_RESTRICTED": "the broker refuses orders because the account is restricted",
    "HALTED": "E*TRADE says that trading in it is halted",
    "FACTS_MISSING": "a held symbol has no recent price, so the equity is not known",
}
"""What ended an order before the broker had it, by the codes of which no judgement keeps a sentence."""
_BLOCKED = "blocked: "
_OF_BROKER = ("preview:", "place:")
_PLACES = {State.DENIED, State.VOIDED}
_UNFILLED = {State.CANCELLED, State.EXPIRED}


def skipped(decisions: list[Decision]) -> tuple[Skipped, ...]:
    """Give the signals that bought nothing, each with its first reason and all that is known of it.

    Every signal either bought shares, in whole or in part, or is among them.
    """
    return tuple(
        Skipped(symbol=one.signal.symbol, at=one.at, code=_code(one), sentence=_sentence(one))
        for one in decisions
        if not one.shares
    )


def why_skipped(code: str) -> str:
    """Say the reason of a skipped signal in a few words."""
    return SKIPPED.get(code) or words(code)


def came_to(order: Order) -> str:
    """Say in sentences why an order came to nothing, with the figures where they were kept; "" where no code says it.

    What is at the broker beside the system's orders is the one reason that no kept sentence has. On paper the broker
    is the paper account.
    """
    untold = [code for code in order.codes if not order.note or code == FOREIGN]
    said = " ".join(part for part in (_full(order.note), *map(of_code, dict.fromkeys(untold))) if part)
    return at_venue(said, order.venue)


def cut_short(order: Order) -> str:
    """Say of an order that ended at the broker before all of it was filled what came of it; "" for any other.

    A stop that was cancelled is none: another order took its place.
    """
    if order.state not in _UNFILLED or order.kind in STOPS:
        return ""
    done = "bought" if order.side is Side.BUY else "sold"
    rest = f"the rest {WORDS[order.state]}" if order.filled else WORDS[order.state]
    if order.term is Term.IMMEDIATE_OR_CANCEL:
        rest += " at once (immediate or cancel)"
    return f"{done} {order.filled:,} of {order.quantity:,}, {rest}"


def of_code(code: str) -> str:
    """Say in a general sentence what a code means that ended an order."""
    for step in _OF_BROKER:
        if code.startswith(step):
            return f"The broker refused it with its code {code.removeprefix(step)}."
    return _full(ENDS.get(code) or SKIPPED.get(code, "").removeprefix(_BLOCKED) or words(code))


def _code(decision: Decision) -> str:
    entry = decision.entry
    if entry is None:
        return NOT_TAKEN_UP
    if entry.state in _UNFILLED:
        return UNFILLED
    if entry.state not in TERMINAL:
        return NOT_OVER
    return entry.codes[0] if entry.codes and entry.state in _PLACES else entry.state


def _sentence(decision: Decision) -> str:
    entry, code = decision.entry, _code(decision)
    if entry is None or code == NOT_OVER:
        return _full(why_skipped(code))
    if code == UNFILLED and entry.limit_price is not None:
        limit = f"the limit of ${entry.limit_price:,.2f}"
        return f"Not filled: until the order ended the price was above {limit}, or no shares were for sale."
    return came_to(entry) or _full(why_skipped(code))


def _full(text: str) -> str:
    """Write a clause as a sentence."""
    return text and f"{text[0].upper()}{text[1:].rstrip('.')}."
