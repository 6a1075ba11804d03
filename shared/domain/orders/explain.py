"""Each state of an order in plain words, and what happens next without anybody's doing.

What can go wrong: an owner on paper reads that an order is at the broker. What this promises: the words are those of
the venue that the order was made for; on paper the account is the paper account, and nothing went to E*TRADE.
"""

from collections.abc import Mapping

from shared.domain.base.values import Venue
from shared.domain.orders.orders import Order, State

WASH_SALE = "possible wash sale: shares of the symbol were sold at a loss in the thirty days before"

WORDS: Mapping[State, str] = {
    State.NEW: "pending",
    State.RESERVED: "pending",
    State.PREVIEWED: "pending",
    State.PLACING: "submitting",
    State.UNKNOWN: "unknown",
    State.WORKING: "open",
    State.CANCEL_REQ: "cancelling",
    State.MANUAL: "unclear",
    State.DENIED: "not sent",
    State.VOIDED: "not sent",
    State.REJECTED: "rejected",
    State.NOT_PLACED: "not received",
    State.FILLED: "filled",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "expired",
}
"""Each state in a word or two, wherever a person reads it; JSON has the stored name."""

PLAIN: dict[State, tuple[str, str]] = {
    State.NEW: ("The decision is recorded; nothing was sent.", "It is sized and checked against every limit."),
    State.RESERVED: ("It passed every limit and its cash is set aside.", "The broker is asked for a preview."),
    State.PREVIEWED: ("The broker said what it would do.", "It is authorised to be sent once, then sent."),
    State.PLACING: (
        "It is authorised and being sent, or the process that sends it stopped.",
        "Once the authorisation has expired, its state is unknown, and settlement looks for it at the broker.",
    ),
    State.UNKNOWN: (
        "It was sent and no clear answer came; cash and symbol stay reserved.",
        "Settlement looks for it in the broker's lists every minute; it is never sent again.",
    ),
    State.WORKING: ("It is open at the broker.", "Settlement books its fills and its end."),
    State.CANCEL_REQ: (
        "It is open, and the broker was asked to cancel it.",
        "Settlement waits until the broker's list says so.",
    ),
    State.MANUAL: (
        "More than one order at the broker could be this one; only a person can tell.",
        "Nothing, until you say which one: `strategy resolve ORDER --is BROKER_ORDER`, or `--none`.",
    ),
    State.DENIED: ("The system's own limits blocked it; it was never sent.", "Nothing more happens."),
    State.VOIDED: ("It was cancelled before it was sent.", "Nothing more happens."),
    State.REJECTED: ("The broker refused it.", "Nothing more happens."),
    State.NOT_PLACED: (
        "It was sent, and the broker has no such order; it counts again if one turns up.",
        "Nothing more happens.",
    ),
    State.FILLED: ("It is filled completely.", "Nothing more happens."),
    State.CANCELLED: ("It was cancelled; fills until then count.", "Nothing more happens."),
    State.EXPIRED: ("It expired at the broker.", "Nothing more happens."),
}
_ON_PAPER: Mapping[State, tuple[str, str]] = {
    State.PREVIEWED: (
        "The paper account said what it would do.", "It is authorised once, then given to the paper account."
    ),
    State.PLACING: (
        "It is authorised and being given to the paper account, or the process that does so stopped.",
        "Once the authorisation has expired, its state is unknown, and settlement looks for it in the paper account.",
    ),
    State.UNKNOWN: (
        "It was given to the paper account and no clear answer came; cash and symbol stay reserved.",
        "Settlement looks for it in the paper account's lists every minute; it is never given to it again.",
    ),
    State.WORKING: (
        "It is open in the paper account; no order went to E*TRADE.", "Settlement books its fills and its end."
    ),
    State.NOT_PLACED: (
        "It was given to the paper account, which has no such order; it counts again if one turns up.",
        "Nothing more happens.",
    ),
}  # fmt: skip
_DONE: dict[State, str] = {
    State.NEW: "decided, and written down",
    State.RESERVED: "passed every limit, and its cash or shares are set aside",
    State.PREVIEWED: "checked by the broker, which would take it",
    State.PLACING: "authorised to be sent once, and being sent",
    State.WORKING: "open at the broker",
    State.UNKNOWN: "sent, and not clearly answered",
    State.CANCEL_REQ: "the cancel was asked for",
    State.MANUAL: "more than one order at the broker could be it",
    State.DENIED: "blocked by the system's own limits",
    State.VOIDED: "cancelled before it was sent",
    State.REJECTED: "refused by the broker",
    State.NOT_PLACED: "the broker has no such order",
    State.FILLED: "filled completely",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "expired at the broker",
}
_DONE_ON_PAPER: Mapping[State, str] = {
    State.PREVIEWED: "checked by the paper account, which would take it",
    State.PLACING: "authorised once, and being given to the paper account",
    State.WORKING: "open in the paper account; no order went to E*TRADE",
    State.UNKNOWN: "given to the paper account, and not clearly answered",
}
_SAYS_IT_ALL = frozenset({State.RESERVED, State.PREVIEWED, State.PLACING, State.WORKING})
EXITS: Mapping[str, str] = {
    "flatten": "end-of-day exit",
    "max_hold": "held for the longest time",
    "target": "profit target",
    "protective stop": "protective stop",
    "trail": "trailing exit",
    "rsi": "RSI too low",
    "stop_missed": "stop level missed",
    "owner": "sold at your request",
    "data_end": "at the last price, the data had ended",
}
"""Why shares left, wherever a person reads it; "protective stop" is a fill of the stop order, and no other sale is."""


def why_left(reason: str) -> str:
    """Say why a position is sold in a few words; several reasons have a comma between them."""
    return ", ".join(EXITS.get(one, one.replace("_", " ")) for one in reason.split(", "))


def at_venue(text: str, venue: str) -> str:
    """Say a text about the broker of the account in which it happens: on paper of the paper account."""
    if venue != Venue.PAPER:
        return text
    inside = text.replace("at the broker", "in the paper account").replace("the broker", "the paper account")
    return inside.replace("The broker", "The paper account")


def standing(order: Order) -> tuple[str, str]:
    """Say where an order stands at its venue, and what happens next."""
    if order.venue is Venue.PAPER and order.state in _ON_PAPER:
        return _ON_PAPER[order.state]
    stands, next_step = PLAIN[order.state]
    return at_venue(stands, order.venue), at_venue(next_step, order.venue)


def step(after: str, cause: str, venue: str) -> str:
    """Say one step of an order at its venue in words, with its cause where the step alone does not tell it."""
    why = at_venue(cause, venue)
    try:
        state = State(after)
    except ValueError:
        return why
    done = at_venue(_DONE[state], venue)
    if venue == Venue.PAPER:
        done = _DONE_ON_PAPER.get(state, done)
    return done if state in _SAYS_IT_ALL else f"{done} ({why})"
