"""What the scan sees of a long watch list through a slow network: `python -m tests.benchmarks.wide_scan`.

A part of a generated day in the one-machine world, from the open on, with as many of its symbols as `--symbols` says.
Nothing is taken from the scan's own account of itself: which symbols were asked for and when is what a tap on the way
to the broker saw, what was held follows from the broker's fills, and what was near a decision from the receipts.

A second counts as looked at when everything that was held or hot in it was asked for in it and answered. The age of a
quote is counted from its request, up to 45 ms before the broker priced it, to the last answer of its tick, on which the
decisions follow.
"""

import argparse
import statistics
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from rich.table import Table

from infra.brokersim.generated import SYMBOL_COUNT
from infra.brokersim.market import open_market
from infra.brokersim.network import WORDS, Network
from infra.brokersim.tape import new_york
from infra.one_machine.kernel import Kernel
from infra.simulated_day import environment
from infra.simulated_day.hours import hours
from infra.simulated_day.ledger import read_ledger
from infra.simulated_day.machine import Machine, Surroundings
from shared.domain.market.receipts import marks
from shared.domain.market.rounds import HOT_MOST
from shared.settings import Mode
from shared.strategies.config import load
from shared.strategies.decide import voted
from tests.benchmarks import wide_market
from tests.benchmarks.report import machine as told_machine
from tests.benchmarks.report import tell
from tests.between import Between

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
STARTS, SIGNS_IN, OPENS = time(9, 20), time(9, 22), time(9, 30)
SEED = 8
_P99 = 98  # of the cuts between a hundred parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One call for the quotes of several symbols, and whether it was answered with them."""

    sent_at: datetime
    answered_at: datetime
    symbols: frozenset[str]
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a scan saw: `looked` of so many `seconds`, the longest time that something held was unseen, and the rest.

    `seen_every_s` is the time from one look at a symbol to the next, of any symbol: its p50 and p99.
    """

    seconds: int
    looked: int
    held: int
    most_due: int
    held_unseen_s: float
    seen_every_s: tuple[float, float]
    throttled: int
    age_p50_ms: float
    age_p99_ms: float
    signals: int

    @property
    def share_pct(self) -> float:
        """The seconds looked at, in percent."""
        return 100 * self.looked / self.seconds


class Tap(Between):
    """Notes each call for quotes of several symbols on its way to the broker."""

    def __init__(self, way: BaseAdapter, kernel: Kernel, looks: list[Look]) -> None:
        super().__init__(way)
        self._kernel = kernel
        self._looks = looks

    def carry(self, request: PreparedRequest) -> Response:
        """Carry a call, and note it when its answer is there."""
        _, found, rest = str(request.url).partition("/market/quote/")
        if not found or "," not in rest:
            return super().carry(request)
        sent_at = self._kernel.now()
        answer = super().carry(request)
        symbols = frozenset(rest.partition(".json")[0].split(","))
        good = answer.status_code == 200
        self._looks.append(Look(sent_at=sent_at, answered_at=self._kernel.now(), symbols=symbols, good=good))
        return answer


def measure(
    folder: Path, *, symbols: int = SYMBOL_COUNT, minutes: int = 30, mode: Mode = Mode.LIVE,
    network: Network = Network.SLOW, seed: int = SEED, config: str = "demo",
    over: Callable[[Kernel, BaseAdapter], BaseAdapter] = lambda _, way: way,
) -> Figures:  # fmt: skip
    """Play the first minutes of a session and give what the scan saw in them; `over` may make the way to it worse."""
    path = wide_market.write(folder, symbols=symbols, seed=seed, starts=STARTS, minutes=minutes + 15)
    market, looks = open_market(str(path), seed=seed), list[Look]()
    begins, opens = new_york(market.day, STARTS), new_york(market.day, OPENS)
    ends = opens + minutes * MINUTE
    when = replace(hours(market.day), starts=begins, signs_in=new_york(market.day, SIGNS_IN), ends=ends)
    kernel = Kernel(start=begins, seed=seed)
    made = Machine(
        market=market, market_spec=str(path), kernel=kernel, hours=when, seed=seed, folder=folder,
        environ=environment.environ({}, config=config, market_spec=str(path), symbols=market.symbols, mode=mode),
        around=Surroundings(mode=mode, network=network, http=lambda way: Tap(over(kernel, way), kernel, looks)),
    )  # fmt: skip
    with closing(made):
        kernel.spawn(made.sign_in, at=when.signs_in, name="owner")
        made.world.start_schedules(ends)
        made.world.run(ends)
        return _figures(made, [one for one in looks if one.sent_at >= opens], opens=opens, ends=ends)


def _figures(made: Machine, looks: Sequence[Look], *, opens: datetime, ends: datetime) -> Figures:
    holding, near = _holdings(made), _near(made)
    ticks = _ticks(looks)
    seconds = [opens + number * SECOND for number in range(int((ends - opens) / SECOND))]
    by_second: dict[datetime, set[str]] = {}
    for one in looks:
        if one.good:
            by_second.setdefault(one.sent_at.replace(microsecond=0), set()).update(one.symbols)
    due = {at: _due(at, holding, near, ahead=by_second.get(at, set())) for at in seconds}
    looked = [at for at in seconds if at in by_second and due[at] <= by_second[at]]
    ages = sorted((tick[-1] - sent_at) / timedelta(milliseconds=1) for tick in ticks for sent_at in tick[:-1])
    every = [gap for one in made.settings.watch_list for gap in _gaps(looks, one, opens, ends)]
    return Figures(
        seconds=len(seconds), looked=len(looked), held=len(holding), most_due=max(map(len, due.values())),
        held_unseen_s=max((max(_gaps(looks, *one)) for one in holding), default=0.0),
        seen_every_s=(statistics.median(every), statistics.quantiles(every, n=100, method="inclusive")[_P99]),
        throttled=read_ledger(made.simulator.ledger()).throttled, age_p50_ms=statistics.median(ages),
        age_p99_ms=statistics.quantiles(ages, n=100, method="inclusive")[_P99],
        signals=len(made.world.store.query("signals")),
    )  # fmt: skip


def _ticks(looks: Sequence[Look]) -> list[list[datetime]]:
    """Give each tick's instants: when its calls were sent, and last when its last answer came."""
    ticks: list[list[datetime]] = []
    for one in sorted(looks, key=lambda look: look.sent_at):
        if ticks and one.sent_at < ticks[-1][-1]:
            *sent, last = ticks[-1]
            ticks[-1] = [*sent, one.sent_at, max(last, one.answered_at)]
        else:
            ticks.append([one.sent_at, one.answered_at])
    return ticks


def _holdings(made: Machine) -> list[tuple[str, datetime, datetime]]:
    """Give each symbol with the instants from and to which the broker's own book held it, the last one's end open."""
    held: dict[str, tuple[int, datetime]] = {}
    found = []
    for fill in made.ledger().fills:
        shares, since = held.get(fill.symbol, (0, fill.at))
        shares += fill.quantity if fill.action == "BUY" else -fill.quantity
        held[fill.symbol] = (shares, since)
        if shares <= 0:
            found.append((fill.symbol, since, fill.at))
            del held[fill.symbol]
    return found + [(symbol, since, made.kernel.now()) for symbol, (_, since) in held.items()]


def _near(made: Machine) -> Mapping[str, tuple[list[datetime], list[bool]]]:
    """Give for each symbol the instants of its verdicts, and whether a strategy voted in each."""
    found: dict[str, tuple[list[datetime], list[bool]]] = {}
    for row in made.world.store.query("receipts"):
        begins = datetime.fromisoformat(row.data["minute"])
        for symbol in row.data["symbols"]:
            instants, votes = found.setdefault(symbol, ([], []))
            for line in marks(row.data, symbol):
                instants.append(begins + line.second * SECOND)
                votes.append(voted(line.code, load("demo").strategies))
    return found


def _due(
    at: datetime, holding: Sequence[tuple[str, datetime, datetime]],
    near: Mapping[str, tuple[list[datetime], list[bool]]], *, ahead: set[str],
) -> set[str]:  # fmt: skip
    """Give what had to be asked for in a second: what was held some seconds before and still is, and what was hot.

    Positions are read every other second. Where more are hot than may count, those that were asked for count first.
    """
    held = {symbol for symbol, since, until in holding if since + 4 * SECOND <= at < until}
    hot = [symbol for symbol, (instants, votes) in near.items() if _last(instants, votes, at)]
    hot.sort(key=lambda symbol: symbol not in ahead)
    return held | set(hot[: max(0, HOT_MOST - len(held))])


def _last(instants: list[datetime], votes: list[bool], at: datetime) -> bool:
    place = bisect_right(instants, at - SECOND)
    return place > 0 and votes[place - 1]


def _gaps(looks: Sequence[Look], symbol: str, since: datetime, until: datetime) -> list[float]:
    """Give the seconds from one answer about a symbol to the next, from an instant to another."""
    seen = [one.answered_at for one in looks if one.good and symbol in one.symbols and since <= one.answered_at < until]
    instants = [since, *sorted(seen), until]
    return [(later - earlier) / SECOND for earlier, later in pairwise(instants)]


def table(rows: Sequence[tuple[Mode, Network, Figures]]) -> Table:
    """Lay the figures out."""
    made = Table(title="A long watch list through the network", title_justify="left")
    for title in (
        "mode", "network", "seconds", "looked at %", "held", "due at most", "held unseen s", "seen every s",
        "throttled", "age p50 ms", "p99", "signals",
    ):  # fmt: skip
        made.add_column(title, justify="right", no_wrap=True)
    for mode, network, one in rows:
        made.add_row(
            mode.value, network.value, f"{one.seconds}", f"{one.share_pct:.1f}", f"{one.held}", f"{one.most_due}",
            f"{one.held_unseen_s:.1f}", "{:.1f}, {:.1f}".format(*one.seen_every_s), f"{one.throttled}",
            f"{one.age_p50_ms:.0f}", f"{one.age_p99_ms:.0f}", f"{one.signals}",
        )  # fmt: skip
    return made


def _notes(symbols: int, network: Network, seed: int) -> Iterator[str]:
    yield told_machine()
    yield f"{symbols} symbols, seed {seed}, simulated time: {WORDS[network]}."
    yield "Looked at: all that was held or hot was asked for in that second and answered."
    yield "Age: from a quote's request to the last answer of its tick."


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.wide_scan", description="A long watch list.")
    parser.add_argument("--symbols", type=int, default=SYMBOL_COUNT, help=f"watched, up to {SYMBOL_COUNT}")
    parser.add_argument("--minutes", type=int, default=30, help="of the session, from its open on")
    parser.add_argument("--mode", choices=[one.value for one in Mode], default=Mode.LIVE.value)
    parser.add_argument("--network", choices=[one.value for one in Network], default=Network.SLOW.value)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    mode, network = Mode(given.mode), Network(given.network)
    with TemporaryDirectory(prefix="wide-") as folder:
        found = measure(
            Path(folder), symbols=given.symbols, minutes=given.minutes, mode=mode, network=network, seed=given.seed
        )
    tell(table([(mode, network, found)]), list(_notes(given.symbols, network, given.seed)), [found], None)


if __name__ == "__main__":
    main()
