"""The order path in real processes: from a signal that is published to its place request at the simulated broker.

    python -m tests.benchmarks.order_path [--cloud local|emulators] [--signals N] [--share 0.333]

One signal is in flight at a time, in real time, while the scan ticks beside it. What the broker's calls took and what
was waited for the rate limits' turns is told apart; the rest is ours. Each limit lies below the market, so that no
position is left and the day's limits do not end the run; the order is sent all the same, immediate or cancel. The
first signal of a desk meets functions that have never traded: it is told beside the others.
"""

import statistics
from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Console
from rich.table import Table

from tests.benchmarks.function_share import limited_function
from tests.benchmarks.outside import UNFILLABLE, Outside, asked, at_work, intent_of, spread_over
from tests.benchmarks.passage import SENT, STEPS, Passage, passage

PLACEMENT = "order_placement"
A_ROUND = 38
"""Signals through one desk: the default configuration lets a session enter 40 times."""
P50_MS, P99_MS = 250, 1_000


def main() -> None:
    """Measure and print."""
    words = asked("order_path", cloud="emulators", signals=45)
    words.add_argument("--share", type=float, help="what part of a CPU order_placement gets; all of it without")
    given = words.parse_args()
    rounds = measure(given.cloud, given.signals, share=given.share)
    where = given.cloud if given.share is None else f"{given.cloud}, {given.share} CPU"
    Console().print(table(where, [one[0] for one in rounds], [one for lap in rounds for one in lap[1:]]))


def measure(cloud: str, signals: int, *, share: float | None = None) -> list[list[Passage]]:
    """Send signals one at a time, through a fresh desk for each round of `A_ROUND`; `share` is order_placement's."""
    counts = (min(A_ROUND, signals - sent) for sent in range(0, signals, A_ROUND))
    return [at_work(cloud, partial(_one_by_one, count=count, share=share)) for count in counts]


def table(cloud: str, first: Sequence[Passage], rest: Sequence[Passage]) -> Table:
    """Lay the figures out: p50, p99 and the first of a desk, ours and what is not ours, then our own step by step."""
    title = f"Signal published to place request, {cloud}, {len(rest)} signals and {len(first)} first ones, ms"
    laid = Table(title=title, title_justify="left")
    for name in ("", "p50", "p99", "the first"):
        laid.add_column(name, justify="right" if name else "left")
    parts: list[tuple[str, Callable[[Passage], float]]] = [
        (f"ours (p50 <= {P50_MS}, p99 <= {P99_MS})", lambda one: one.ours),
        ("the broker's time", lambda one: one.broker),
        ("the limits' turns", lambda one: one.waited),
        ("whole", lambda one: one.whole),
        *((f"  ours, to {step}", partial(_step, name=step)) for step in (*(one.value for one in STEPS), SENT)),
    ]
    for name, part in parts:
        values = [part(one) for one in rest]
        met = statistics.median(part(one) for one in first)
        laid.add_row(name, *(f"{percentile(values, share):.0f}" for share in (50, 99)), f"{met:.0f}")
    return laid


def percentile(values: Sequence[float], share: int) -> float:
    """Give the smallest value that `share` percent of the values do not exceed."""
    return sorted(values)[-(-len(values) * share // 100) - 1]


def _step(one: Passage, *, name: str) -> float:
    return one.steps[name]


def _one_by_one(desk: Outside, *, count: int, share: float | None) -> list[Passage]:
    with limited_function(desk.station, PLACEMENT, share):
        return _in_turn(desk, count)


def _in_turn(desk: Outside, count: int) -> list[Passage]:
    desk.sign_in()
    sent = []
    for symbol, slot in spread_over(desk.unwatched, count):
        (signal,) = desk.signals([(symbol, slot)], price=UNFILLABLE)
        intent = intent_of(signal)
        published = desk.publish(signal)
        desk.wait(2)
        desk.wait_for(partial(desk.ended, intent), within_s=60)
        request = desk.placed(intent)
        if request is None:
            raise RuntimeError(f"{symbol} was not placed: {desk.ended(intent)}")
        sent.append((intent, published, request.at))
        desk.wait(0.5)
    lines = desk.journal(PLACEMENT)
    return [passage(lines, intent, published=published, arrived=arrived) for intent, published, arrived in sent]


if __name__ == "__main__":
    main()
