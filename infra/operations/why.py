"""Why a symbol was or was not traded at an instant, from the scan's receipts, for its owner.

What can go wrong: nobody looked at that instant, or not at this symbol. What this promises: then that is said, and what
the scan did instead; what is told of a rule is what it compared at that tick, never what would be compared now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.operations.profiles import Hand
from infra.simulated_day.hours import clock, day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.market.quality import FAULTS
from shared.domain.market.receipts import at_second, marks, path_of
from shared.strategies import registry
from shared.strategies.decide import RULES

_UNSEEN = {
    "NO_QUOTE": "E*TRADE gave no quote",
    "OUT_OF_ORDER": "the quote was of an earlier instant than one before it",
    "NO_TOKEN": "nobody was signed in",
}
_STATES = {
    "signal": "a signal was given: `strategy explain` tells what became of it",
    "held": "it was held, and nothing was to be done",
    "stop": "it was held, and its stop was to move up",
    "exit": "it was held, and was to be sold",
    "exit halted": "it was held, and a halt kept it from being sold",
    "exit refused": "it was held, and waited because E*TRADE had refused its sale",
}
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule's answer: what it says, what it found and asked, both "" where it compares nothing, and from where."""

    code: str
    words: str
    found: str
    asked: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The verdict on a symbol that held at `at`, since `since`; `age_s` is the quote's age then.

    `configuration` is the version of the configuration that it was judged by.
    """

    symbol: str
    at: datetime
    since: datetime
    rules: tuple[Rule, ...]
    age_s: float | None
    configuration: int


def why(hand: Hand, symbol: str, at: datetime | None, folder: str = "") -> Why:
    """Give the verdict on a symbol at an instant, or the last one; raises UserError where nobody looked.

    `folder` has the owner's own strategies, whose reasons are told in the words of their files.
    """
    when = hand.desk.clock.now() if at is None else at
    begins = when.replace(second=0, microsecond=0)
    scanned = False
    for begin in (begins, begins - MINUTE):  # a minute's first look may come late, and until then the last one holds
        document = hand.desk.store.get(path_of(begin))
        if document is None and at is not None and not scanned:
            break
        if document is None:
            continue
        scanned = True
        line = at_second(marks(document.data, symbol), when.second if begin == begins else 59)
        if line is None:
            continue
        return Why(
            symbol=symbol, at=when, since=begin + timedelta(seconds=line.second),
            rules=_rules(line.code, line.found, line.asked, folder),
            age_s=None if line.age_ms is None else line.age_ms / 1000,
            configuration=int(document.data.get("configuration", 0)),
        )  # fmt: skip
    if not scanned:
        what = f"no minute at {day_and_time(when)} New York was scanned to its end"
        raise UserError(what, remedy="a minute is written down as it ends; `strategy status` says how the scan is")
    what = f"{symbol} was not looked at by {clock(when)} in that minute, nor in the one before"
    raise UserError(what, remedy="see that the watch list names it, or ask for another time with --at")


def _rules(codes: str, found: str, asked: str, folder: str) -> tuple[Rule, ...]:
    names = codes.split("+")
    values, limits = (text.split("; ") if text else [] for text in (found, asked))
    padded = [*values, *[""] * len(names)], [*limits, *[""] * len(names)]
    return tuple(_rule(name, padded[0][n], padded[1][n], folder) for n, name in enumerate(names))


def _rule(code: str, found: str, asked: str, folder: str) -> Rule:
    state, _, rest = code.partition(":")
    known = RULES.get(code) or registry.reason_of(state, rest, folder)
    if known is not None:
        return Rule(code=code, words=known.words, found=found, asked=asked, source=known.source)
    unknown = f"strategy {state} said {rest}, and its file is not here" if rest else f"the scan could not look: {code}"
    words = FAULTS.get(code) or _UNSEEN.get(code) or _STATES.get(state) or unknown
    return Rule(code=code, words=f"{words[0].upper()}{words[1:]}.", found=found, asked=asked, source="")
