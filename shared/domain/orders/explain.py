"""Each state of an order in plain words, and what happens next without anybody's doing."""

from shared.domain.orders.orders import State

WASH_SALE = "possible wash sale: shares of the symbol were sold at a loss in the thirty days before"

PLAIN: dict[State, tuple[str, str]] = {
    State.NEW: ("The decision is written down; nothing was sent.", "It is sized and checked against every limit."),
    State.RESERVED: ("It passed every limit and its cash is set aside.", "The broker is asked for a preview."),
    State.PREVIEWED: ("The broker said what it would do.", "The licence to send once is written, then it is sent."),
    State.PLACING: (
        "The licence to send is written; it is being sent, or its sender died.",
        "Settlement takes it for unknown once the licence has run out, and looks for it at the broker.",
    ),
    State.UNKNOWN: (
        "It was sent and no clear answer came; cash and symbol stay reserved.",
        "Settlement looks for it in the broker's lists every minute; it is never sent again.",
    ),
    State.WORKING: ("It is live at the broker.", "Settlement applies its fills and its end."),
    State.CANCEL_REQ: (
        "It is live, and the broker was asked to cancel it.",
        "Settlement waits for the list to say so.",
    ),
    State.MANUAL: (
        "More than one order at the broker could be this one; only a person can tell.",
        "Nothing, until you say which one: `strategy resolve ORDER --is BROKER_ORDER`, or `--none`.",
    ),
    State.DENIED: ("Our own limits refused it; it was never sent.", "Nothing: this is its end."),
    State.VOIDED: ("It was given up before it was sent.", "Nothing: this is its end."),
    State.REJECTED: ("The broker refused it.", "Nothing: this is its end."),
    State.NOT_PLACED: (
        "It was sent, and given up because no order at the broker is this one; it counts again if one turns up.",
        "Nothing: this is its end.",
    ),
    State.FILLED: ("All its shares changed hands.", "Nothing: this is its end."),
    State.CANCELLED: ("It was cancelled; what had filled before counts.", "Nothing: this is its end."),
    State.EXPIRED: ("Its time ran out at the broker.", "Nothing: this is its end."),
}
