"""The figures of one day: exactly the promised keys, of which only two may differ from run to run."""

import re
import resource
import sys
from pathlib import Path
from typing import Any

from infra.simulated_day.book import Book
from infra.simulated_day.journal import Counts
from infra.simulated_day.ledger import BrokerLedger
from shared.domain.base.values import cents
from shared.domain.market.sight import Looks
from shared.frozen import frozen

_STATUS = Path("/proc/self/status")
VARYING = frozenset({"wall_s", "peak_rss_mb"})


@frozen
class Summary:
    """What a day came to: counts, `realized_pnl` in USD as text, wall time in seconds, memory in MB.

    `network` says of which network every figure about time is; `blind_s` are the seconds of the session that were not
    looked at, `unquoted_s` those of minutes without one usable quote, `unseen_s` the most from one look to the next
    while something was held.
    """

    ticks: int
    quotes: int
    signals: int
    intents: int
    orders: int
    fills: int
    open_positions: int
    blind_s: int
    unquoted_s: int
    unseen_s: int
    network: str
    realized_pnl: str
    broker_calls: dict[str, int]
    cache: dict[str, int]
    violations: tuple[str, ...]
    wall_s: float
    peak_rss_mb: float

    def plain(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "ticks": self.ticks,
            "quotes": self.quotes,
            "signals": self.signals,
            "intents": self.intents,
            "orders": self.orders,
            "fills": self.fills,
            "open_positions": self.open_positions,
            "blind_s": self.blind_s,
            "unquoted_s": self.unquoted_s,
            "unseen_s": self.unseen_s,
            "network": self.network,
            "realized_pnl": self.realized_pnl,
            "broker_calls": dict(sorted(self.broker_calls.items())),
            "cache": self.cache,
            "violations": list(self.violations),
            "wall_s": self.wall_s,
            "peak_rss_mb": self.peak_rss_mb,
        }


def summarise(
    *, ledger: BrokerLedger, book: Book, counts: Counts, violations: list[str], wall_s: float, looks: Looks,
    network: str,
) -> Summary:  # fmt: skip
    """Count a day: orders, fills, profit and calls as the simulator has them, the rest as we do."""
    return Summary(
        ticks=counts.ticks,
        quotes=counts.quotes,
        signals=len(book.signals),
        intents=len(book.orders),
        orders=len(ledger.orders),
        fills=len(ledger.fills),
        open_positions=sum(1 for shares in ledger.positions.values() if shares),
        blind_s=looks.blind,
        unquoted_s=looks.unquoted,
        unseen_s=looks.unseen_s,
        network=network,
        realized_pnl=str(cents(ledger.realized_pnl)),
        broker_calls=dict(ledger.calls),
        cache={"asked": counts.asked, "served": counts.served},
        violations=tuple(violations),
        wall_s=round(wall_s, 2),
        peak_rss_mb=peak_rss_mb(),
    )


def peak_rss_mb() -> float:
    """Give the most memory in MB that this process ever had resident.

    Linux tells it as VmHWM (proc(5)); its getrusage also counts what the parent had before it became this program.
    """
    if sys.platform == "linux" and (own := re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))):
        return round(int(own.group(1)) / 1024, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
