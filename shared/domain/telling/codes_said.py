"""What the codes in a notice mean, for an owner who knows no name of our code: faults, errors, functions, halts.

What can go wrong: somebody reads `Malformed`, `DELAYED` or `order_settlement` on a phone. What this promises: each code
of the code's own has its words; what comes from outside, or is new, is said as it stands and hides nothing.
"""

from collections.abc import Iterable, Mapping

from shared.domain.market import halts
from shared.domain.market.quality import FAULTS

ERRORS: Mapping[str, str] = {
    "AnotherVenue": "what is open belongs to another broker or mode",
    "Asleep": "the sign-in is idle, and could not be woken in time",
    "Busy": "the same work is being done already",
    "ConfigError": "a setting or a secret is missing or wrong",
    "Conflict": "another part of the system wrote first",
    "InvariantBroken": "a fault of this program",
    "KeyRefused": "E*TRADE refuses the consumer key",
    "Malformed": "its content cannot be read",
    "NotKept": "it could not be recorded",
    "NotSent": "E*TRADE could not be reached",
    "OutcomeUnknown": "E*TRADE gave no clear answer",
    "PermissionDenied": "a function asked for what it has no right to",
    "Refused": "E*TRADE refused the call",
    "StoreDown": "the database does not answer",
    "Throttled": "E*TRADE refused a call as one too many",
    "TokenDead": "nobody is signed in",
    "TokenIdle": "the sign-in is idle",
    "Undelivered": "no address took it",
    "UnknownVersion": "its format is of another version of this program",
    "Unreadable": "the answer cannot be read",
    "Unseen": "E*TRADE does not show the order",
}
"""The kinds of our errors (`shared.errors`), by name."""
UNSEEN: Mapping[str, str] = {
    "NO_QUOTE": "E*TRADE gave no quote",
    "OUT_OF_ORDER": "the quote was of an earlier instant than one before it",
    "NO_TOKEN": "nobody was signed in",
}
"""What else keeps a symbol from being judged, beside the faults of its quote."""
HALTS: Mapping[str, str] = {
    halts.HALTED: "E*TRADE says so",
    halts.ONE_SIDED: "nothing is bid or nothing offered",
    halts.FROZEN: "bid and ask stand still",
    halts.UNTRADED: "the last trade is long ago",
    halts.PAUSE: "it moves again for too short a time",
}


def named(function: str) -> str:
    """Say which function, or who else, did something."""
    return function.replace("_", " ")


def why(reason: str) -> str:
    """Say a reason that begins with the name of an error, as `Busy: two at work`, in words."""
    kind, colon, rest = reason.partition(":")
    if kind not in ERRORS:
        return reason
    return f"{ERRORS[kind]}{colon}{rest}"


def quote_faults(codes: Iterable[str]) -> str:
    """Say what is wrong with quotes, or why there are none."""
    return ", ".join(FAULTS.get(code) or UNSEEN.get(code) or ERRORS.get(code) or code for code in codes)


def halt_signs(codes: Iterable[str]) -> str:
    """Say what makes trading in a symbol look halted."""
    return ", ".join(HALTS.get(code, code) for code in codes)
