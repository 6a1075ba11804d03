"""A flood in real processes: many distinct signals, each published several times, all shuffled, each decided once.

    python -m tests.benchmarks.flood [--signals 1000] [--copies 3] [--cloud local|emulators]

No market gives so many signals; what it shows is that nothing is lost, doubled or given up when far more comes than the
broker's limits let through. Most signals die of age: a place costs two calls, and one call a second is ours. Time is
real, because a limit of calls a second cannot be kept for a hurried clock.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from rich.console import Console

from shared.domain.orders.orders import UNSENT, Kind, Order, State
from shared.domain.orders.signals import Signal
from shared.ports import Where
from tests.benchmarks.outside import Outside, asked, at_work, intent_of, spread_over

WITHIN_S = 900
QUIET_S = 25
"""Longer than the longest pause before a message is brought again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a flood: `decisions` are the audit's, `seconds` the desk's time to the last of them."""

    orders: tuple[Order, ...]
    decisions: int
    posts: tuple[str, ...]
    throttled: int
    dead_letters: tuple[str, ...]
    seconds: float

    @property
    def histogram(self) -> Counter[str]:
        """Count the orders by state and codes."""
        return Counter(" ".join((one.state.value, *one.codes)) for one in self.orders)


def main() -> None:
    """Flood a desk and print what became of it; the exit code is 1 when something was not decided just once."""
    words = asked("flood", cloud="local", signals=1_000)
    words.add_argument("--copies", type=int, default=3)
    given = words.parse_args()
    outcome = flood(given.cloud, signals=given.signals, copies=given.copies)
    out = Console(highlight=False)
    out.print(f"{given.signals} signals x {given.copies}, {given.cloud}: decided within {outcome.seconds:.0f} s")
    for name, count in outcome.histogram.most_common():
        out.print(f"{count:6} {name}")
    out.print(f"decisions {outcome.decisions}, place requests {len(outcome.posts)}, throttled {outcome.throttled}")
    out.print(f"dead letters {len(outcome.dead_letters)}", *outcome.dead_letters[:5], sep="\n  ")
    if found := wrongs(outcome, given.signals):
        raise SystemExit("\n".join(found))


def flood(cloud: str, *, signals: int, copies: int, fresh: int = 0, age_s: float = 0) -> Outcome:
    """Publish every signal `copies` times to a fresh desk and wait until all is quiet.

    All but the first `fresh` of them were decided `age_s` ago.
    """
    return at_work(cloud, partial(_flood, count=signals, copies=copies, fresh=fresh, age_s=age_s))


def wrongs(outcome: Outcome, signals: int) -> list[str]:
    """Name what may not be."""
    undecided = [one.intent_id for one in outcome.orders if one.state in UNSENT]
    found = {
        "orders": len(outcome.orders) == signals,
        "undecided": not undecided,
        "decisions": outcome.decisions == signals,
        "posted twice": len(set(outcome.posts)) == len(outcome.posts),
        "throttled": outcome.throttled == 0,
        "dead letters": not outcome.dead_letters,
    }
    return [name for name, right in found.items() if not right]


def _flood(desk: Outside, count: int, copies: int, fresh: int, age_s: float) -> Outcome:
    desk.sign_in()
    asked_for = spread_over(desk.unwatched, count)
    signals = desk.signals(asked_for[fresh:], age_s=age_s) + desk.signals(asked_for[:fresh])
    messages = [one for one in signals for _ in range(copies)]
    Random(f"flood/{count}").shuffle(messages)
    began = desk.now()
    for message in messages:
        desk.publish(message)
    desk.wait_for(partial(_all_decided, desk, signals), within_s=WITHIN_S, every_s=2)
    seconds = (desk.now() - began).total_seconds()
    desk.wait_for(partial(_acknowledged, desk), within_s=WITHIN_S)
    ours = {intent_of(one) for one in signals}
    ledger = desk.ledger()
    posts = [one.client_order_id for one in ledger.place_requests if one.client_order_id in ours]
    return Outcome(
        orders=tuple(one for name, one in desk.orders(Kind.ENTRY).items() if name in ours),
        decisions=_decisions(desk, ours), posts=tuple(name for name in posts if name), throttled=ledger.throttled,
        dead_letters=tuple(desk.dead_letters()), seconds=seconds,
    )  # fmt: skip


def _all_decided(desk: Outside, signals: Sequence[Signal]) -> bool | None:
    orders = desk.orders(Kind.ENTRY)
    names = map(intent_of, signals)
    return all(name in orders and orders[name].state not in UNSENT for name in names) or None


def _acknowledged(desk: Outside) -> bool | None:
    """Tell whether nothing of ours is on its way any more; where the bus does not tell, after a while."""
    owed = desk.owed("signals")
    if owed is None:
        desk.wait(QUIET_S)
    return not owed or None


def _decisions(desk: Outside, ours: set[str]) -> int:
    """Count the audit's events by which one of ours left NEW."""
    rows = desk.store.query("audit", Where("before", "==", State.NEW.value))
    return sum(1 for row in rows if row.data["chain"] in ours)


if __name__ == "__main__":
    main()
