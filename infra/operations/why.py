"""Why a symbol was or was not traded at an instant, from the scan's receipts, for its owner.

What can go wrong: nobody looked at that instant, or not at this symbol; a symbol that was bought is told with a reason
why not. What this promises: then that is said, and what the scan did instead; what is told of a rule is what it
compared at that tick, never what would be compared now; beside the rules stands what the day's signals became.
"""

from collections.abc import Set
from datetime import datetime, timedelta

from infra.operations.profiles import Hand
from infra.operations.purchases import Bought, purchases
from infra.results.reasons import Rule, of_line, rules
from infra.results.receipts import why_not
from infra.simulated_day.book import receipts_on
from infra.simulated_day.hours import clock, day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.domain.market.receipts import at_second, marks, path_of
from shared.domain.telling.wording import few
from shared.frozen import frozen
from shared.usecases.market.warmth import prepared

MINUTE = timedelta(minutes=1)
MOST_NAMED = 10


@frozen
class Why:
    """The verdict on a symbol that held at `at`, since `since`; `age_s` is the quote's age then.

    `configuration` is the version of the configuration that it was judged by; `stops` are the rules that keep every
    purchase out now, in a sentence each, where no other instant was asked for. `bought` is what the signals of that day
    became by then, None where there was none and nothing is held.
    """

    symbol: str
    at: datetime
    since: datetime
    rules: tuple[Rule, ...]
    age_s: float | None
    configuration: int
    bought: Bought | None
    stops: tuple[str, ...] = ()


@frozen
class Kept:
    """One reason that kept a symbol from being bought, with what it found and asked last, and for how many seconds."""

    rule: Rule
    seconds: int


@frozen
class Today:
    """A symbol's day: what its signals became, None without one, and what kept it from being bought, longest first.

    Several reasons hold at once; there is none where the symbol was held or bought whenever it was looked at.
    """

    symbol: str
    bought: Bought | None
    reasons: tuple[Kept, ...]


def why_today(hand: Hand, folder: str, unread: list[str]) -> list[Today]:
    """Give this New York day of each symbol that was looked at, is held or had a signal, by name.

    `folder` as for `why`; a document that cannot be read is added to `unread`. Raises UserError without a receipt.
    """
    day = new_york_day(hand.desk.clock.now())
    read = list(receipts_on(hand.desk.store, day, unread))
    if not read and not unread:
        remedy = "a minute is recorded as it ends; `strategy why SYMBOL --at` tells of another day"
        raise UserError(f"no minute was scanned on {day}", remedy=remedy)
    kept = {
        line.symbol: tuple(Kept(rule=rule, seconds=seconds) for rule, seconds in of_line(line, folder))
        for line in why_not(read, ())
    }
    bought = purchases(hand.desk.store, day, unread)
    return [
        Today(symbol=symbol, bought=bought.get(symbol), reasons=kept.get(symbol, ()))
        for symbol in sorted({*kept, *bought})
    ]


def why(hand: Hand, symbol: str, at: datetime | None, folder: str = "") -> Why:
    """Give the verdict on a symbol at an instant, or the last one; raises UserError where nobody looked.

    `folder` has the owner's own strategies, whose reasons are told in the words of their files.
    """
    when = hand.desk.clock.now() if at is None else at
    begins = when.replace(second=0, microsecond=0)
    scanned, watched = False, set[str]()
    for begin in (begins, begins - MINUTE):  # a minute's first look may come late, and until then the last one holds
        document = hand.desk.store.get(path_of(begin))
        if document is None and at is not None and not scanned:
            break
        if document is None:
            continue
        scanned = True
        watched |= set(document.data.get("symbols", {}))
        line = at_second(marks(document.data, symbol), when.second if begin == begins else 59)
        if line is None:
            continue
        return Why(
            symbol=symbol, at=when, since=begin + timedelta(seconds=line.second),
            rules=rules(line.code, line.found, line.asked, folder),
            age_s=None if line.age_ms is None else line.age_ms / 1000,
            configuration=int(document.data.get("configuration", 0)),
            bought=purchases(hand.desk.store, new_york_day(when), [], until=at).get(symbol),
        )  # fmt: skip
    if not scanned:
        what = f"no minute at {day_and_time(when)} New York was scanned to its end"
        raise UserError(what, remedy="a minute is recorded as it ends; `strategy status` says how the scan is")
    gathered = prepared(hand.desk)
    watched |= set() if gathered is None else set(gathered.value.days)
    raise _not_looked_at(symbol, when, watched)


def _not_looked_at(symbol: str, when: datetime, watched: Set[str]) -> UserError:
    """Say of a symbol that has no line whether it is on the watch list, and which are."""
    if watched and symbol not in watched:
        what = f"{symbol} is not on the watch list: {few(sorted(watched), MOST_NAMED)}"
        return UserError(what, remedy="ask for one of these; `strategy init` and STRATEGY_WATCH_LIST change the list")
    what = f"{symbol} was not looked at by {clock(when)} in that minute, nor in the one before"
    return UserError(what, remedy="ask for another time with --at")
