"""The stated timing model of a graph: every time in it is a constant of this table, and no call takes any.

A back-test that decides in one process can be compared with the graph only where both have the same times. Here a call
of the store, the vault, the bus and the broker takes none, the broker counts no calls, the scheduler is punctual, and a
message arrives so long after its publishing as its topic says. What is due at one instant goes in the order in which it
was scheduled. The topics' times differ, so that no two functions work at one instant and no order of theirs is chance.
"""

from datetime import timedelta
from typing import Final

from shared.frozen import frozen


@frozen
class Stated:
    """Constant times: from publishing to delivery by topic, from placing to working, from a cancel to its effect."""

    scan_tick: timedelta = timedelta(milliseconds=50)
    signal: timedelta = timedelta(milliseconds=200)
    exit: timedelta = timedelta(milliseconds=200)
    settle_tick: timedelta = timedelta(milliseconds=300)
    order_placed: timedelta = timedelta(milliseconds=150)
    close_tick: timedelta = timedelta(milliseconds=350)
    other: timedelta = timedelta(milliseconds=10)
    fill_latency: timedelta = timedelta(milliseconds=600)
    cancel_takes: timedelta = timedelta(milliseconds=900)

    def transit(self, topic: str) -> timedelta:
        """Give how long a message of a topic travels."""
        by_topic = {
            "scan-ticks": self.scan_tick, "signals": self.signal, "exits": self.exit,
            "settle-ticks": self.settle_tick, "orders-placed": self.order_placed, "close-ticks": self.close_tick,
        }  # fmt: skip
        return by_topic.get(topic, self.other)


STATED: Final = Stated()
"""The model that the fast path of a back-test runs in (infra/backtest/timing.py)."""
