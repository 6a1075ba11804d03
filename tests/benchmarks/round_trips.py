"""Every call that the order path makes on store and bus for one signal, and why it is made.

    python -m tests.benchmarks.round_trips

The list is what the use cases do on the bench of tests/usecases, for a desk that has traded before and holds something;
a test holds the two against each other. Each of the signal's calls to the broker needs a turn besides, which is told
apart, because a turn is mostly waited for: what its calls take is in the limits' time, not in ours.
Quotes need none: each function has its share of them. A stop's and an exit's last check makes two reads of its own,
position and sells. Beside it the store is asked once a minute which token counts and twice a minute what was left in
the outbox, and the vault only when the token has changed: none of it belongs to a signal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from infra.one_machine.memory_store import MemoryStore
from shared.domain.broker.turns import Purpose
from shared.etrade.turns import AccountTurns
from shared.ports import Write
from shared.usecases.base.desk import put
from tests.domain.made import position
from tests.etrade.world import KeptLines, SeededChance, SteadyClock
from tests.usecases.bench import SYMBOL, Bench
from tests.usecases.gate import GatedStore

T = TypeVar("T")
OTHER = "MSFT"


@dataclass(frozen=True, slots=True)
class Trip:
    """One call on the path: the phase that it belongs to, what is called, and what would be wrong without it."""

    phase: str
    call: str
    why: str


PATH: tuple[Trip, ...] = (
    Trip("arrival", "get signals", "the store's own copy counts: a forged or altered message is refused"),
    Trip("intent", "commit Create:orders+Create:audit", "one intent per signal: the create refuses every repetition"),
    Trip("facts", "get account", "which account is ours, asked of the broker once a session"),
    Trip("facts", "get pins", "which account the owner chose: another choice counts at once"),
    Trip("judgement", "query ledger", "the session's limits, and the profit of the sessions before, in one"),
    Trip("judgement", "get restrictions", "the half of the trading state that the approval will hold fast"),
    Trip("judgement", "get control", "the owner's word, which no function may write"),
    Trip("judgement", "query positions", "what is held: exposure, number, open profit"),
    Trip("judgement", "get positions", "the symbol's last position, closed or not: the pause after it"),
    Trip("judgement", "query orders", "live and unknown orders: reservations, the symbol's one intent, in-doubt ones"),
    Trip("judgement", "query quotes", "the scan's last bids of what is held: open profit, equity"),
    Trip(
        "judgement", "commit Update:orders+Create:audit+Update:ledger+Create:locks+Check:restrictions",
        "approval, reservation and symbol lock in one, refused if state or ledger changed meanwhile",
    ),
    Trip("preview", "commit Update:orders+Create:audit", "what the broker would take, and the hash of what was asked"),
    Trip("last check", "get account", "the account that the entry was begun for"),
    Trip("last check", "get pins", "is still the one that the owner chose"),
    Trip("last check", "query positions", "what is held, whoever wrote the order: the capital bounds it with this one"),
    Trip("last check", "query orders", "what live entries reserve: the same"),
    Trip("licence", "get restrictions", "the half of the trading state that the licence will hold fast"),
    Trip("licence", "get control", "a halt since the approval ends the order here, with its reason"),
    Trip(
        "licence", "commit Update:orders+Create:audit+Check:restrictions",
        "the write-ahead licence to send once, refused if the owner has halted meanwhile",
    ),
)  # fmt: skip
AFTER: tuple[Trip, ...] = (
    Trip(
        "outcome", "commit Update:orders+Create:audit+Create:broker_orders+Create:outbox",
        "the outcome, the claim of the broker's order and the promise to wake settlement, in one",
    ),
    Trip("outcome", "publish orders-placed", "settlement is woken"),
    Trip("outcome", "commit Delete:outbox", "the promise is kept: the row goes"),
    Trip("notices", "query outbox", "what the owner is to be told and nobody has published goes out after the work"),
)  # fmt: skip

TURN: tuple[Trip, ...] = (
    Trip("each turn", "get turns", "which lane is free, and whether somebody more urgent waits"),
    Trip("each turn", "commit Update:turns", "the turn is ours: refused if another instance was first"),
)
QUOTES = 1
"""A signal's own quotes: the one that it is judged on serves the last check, which asks again after five seconds."""
TURNS = ("portfolio", "orders", "balance", "preview", "place")
"""A signal's calls that need one; the list is spared where there is one of the last seconds."""


def turn() -> list[str]:
    """Take a free turn and give the calls."""
    names: list[str] = []

    def note(name: str, effect: Callable[[], T], writes: Sequence[Write] = ()) -> T:
        names.append(name)
        return effect()

    clock = SteadyClock()
    turns = AccountTurns(
        store=GatedStore(MemoryStore(), note), clock=clock, chance=SeededChance(), journal=KeptLines()
    )  # fmt: skip
    turns.take("orders", Purpose.ENTER)
    clock.at += timedelta(minutes=1)
    names.clear()
    turns.take("orders", Purpose.ENTER)
    return names


def calls() -> tuple[list[str], list[str]]:
    """Work two signals on a bench and give the second one's calls before and after its place request."""
    bench = Bench()
    bench.looking = False
    bench.bus.muted.add("orders-placed")
    bench.exchange.set_price(OTHER, "99.99", "100.01")
    bench.send(bench.signal(1))
    bench.kernel.run(bench.kernel.now() + timedelta(seconds=10))
    owned = position(quantity=bench.exchange.shares[SYMBOL])
    bench.store.commit([put(f"quotes/{SYMBOL}", bench.exchange.quote(SYMBOL)), put(f"positions/{SYMBOL}", owned)])
    before = len(bench.gate.names)
    bench.send(bench.signal(2, OTHER))
    bench.kernel.run(bench.kernel.now() + timedelta(seconds=10))
    names = bench.gate.names[before:]
    sent = names.index("place")
    return names[:sent], names[sent + 1 :]


def main() -> None:
    """Print the list."""
    laid = Table(title=f"{len(PATH)} round trips before the place request, {len(AFTER)} after it", title_justify="left")
    for name in ("phase", "call", "why"):
        laid.add_column(name)
    _rows(laid, PATH)
    laid.add_section()
    _rows(laid, AFTER)
    laid.add_section()
    _rows(laid, TURN)
    out = Console()
    out.print(laid)
    out.print(f"turns of a signal: {len(TURNS)}, {', '.join(TURNS)}; one that has to wait is read once more")


def _rows(laid: Table, trips: Sequence[Trip]) -> None:
    for trip in trips:
        laid.add_row(trip.phase, trip.call, trip.why)


if __name__ == "__main__":
    main()
