"""Each state of an order in plain words, and what happens next without anybody's doing."""

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
