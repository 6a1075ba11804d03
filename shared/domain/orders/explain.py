"""Each state of an order in plain words, and what happens next without anybody's doing."""

from collections.abc import Mapping

from shared.domain.orders.orders import State

WASH_SALE = "possible wash sale: shares of the symbol were sold at a loss in the thirty days before"

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
_SAYS_IT_ALL = frozenset({State.RESERVED, State.PREVIEWED, State.PLACING, State.WORKING})
EXITS: Mapping[str, str] = {
    "flatten": "end-of-day exit",
    "max_hold": "held for the longest time",
    "target": "profit target",
    "stop": "stop loss",
    "trail": "trailing stop",
    "rsi": "RSI too low",
    "stop_missed": "stop level missed",
    "owner": "sold at your request",
    "data_end": "at the last price, the data had ended",
}


def why_left(reason: str) -> str:
    """Say why a position is sold in a few words; several reasons have a comma between them."""
    return ", ".join(EXITS.get(one, one.replace("_", " ")) for one in reason.split(", "))


def step(after: str, cause: str) -> str:
    """Say one step of an order in words, with its cause where the step alone does not tell it."""
    try:
        state = State(after)
    except ValueError:
        return cause
    return _DONE[state] if state in _SAYS_IT_ALL else f"{_DONE[state]} ({cause})"
