"""The moving parts of one run, wired to each other: kernel, simulated broker, functions, owner."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from requests.adapters import BaseAdapter

from infra.brokersim.market import DailyBar, Market, daily_bars, without_bars
from infra.brokersim.network import TRAVEL_S, Network, OwnTime
from infra.brokersim.recorded import RecordedMarket
from infra.brokersim.settings import Limit, SimulatorSettings
from infra.brokersim.simulator import ConnectionDropped, Simulator
from infra.one_machine.clock import SeededChance
from infra.one_machine.history import MarketHistory
from infra.one_machine.kernel import Kernel
from infra.one_machine.scheduler import Lateness
from infra.one_machine.stated import Stated
from infra.one_machine.timed import Latency
from infra.one_machine.transport import WsgiAdapter
from infra.one_machine.world import JOURNAL_FILE, World
from infra.results.data_end import End, end_of
from infra.results.data_holes import OF_QUOTES, Gaps, Hole, around, holes_of
from infra.simulated_day import environment
from infra.simulated_day.facts import known_before
from infra.simulated_day.hours import NEW_YORK, Hours
from infra.simulated_day.journal import JournalTail
from infra.simulated_day.ledger import BrokerLedger, read_ledger
from infra.simulated_day.owner import sign_in
from infra.simulated_day.paper import account_ledger
from infra.simulated_day.result import OnProgress, Progress
from shared import settings
from shared.domain.base.calendar import session_of
from shared.domain.base.settlement import settles_on
from shared.domain.telling.messages import NAMES, CloseTick, Message, PrepareTick, RefreshTick, ScanTick, SettleTick
from shared.frozen import frozen
from shared.ports import HistorySource, Looks
from shared.settings import Mode
from shared.topology import TOPOLOGY, Topology
from shared.usecases.base.links import LOGIN_LINK_LIFE, sign_in_key
from shared.usecases.base.outbox import pack

_SCHEDULED: dict[str, Message] = {
    NAMES[type(message)]: message
    for message in (ScanTick(), PrepareTick(reason="schedule"), SettleTick(), CloseTick(), RefreshTick())
}
_QUIET = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)
_UNCOUNTED = Limit(per_second=1_000_000, per_hour=1_000_000_000)


@frozen
class Surroundings:
    """What lies around the functions of a day and may be otherwise than usual; the functions never are.

    `hours`, `simulator` and `http` get the usual instants, settings and connection and give those to use; `ready`
    gets the machine before the day begins; `history` gets the market's own daily bars and gives the source that stands
    for all, None for those of the settings; `mode` says who takes the orders; `network` says how slow the way to the
    broker is, and with it whether the scheduler is late; with `stated` every time is a constant instead. `looks` keeps
    a recording of the scan.
    """

    hours: Callable[[Hours], Hours] = lambda usual: usual
    topology: Topology = TOPOLOGY
    mode: Mode = Mode.LIVE
    network: Network = Network.SLOW
    stated: Stated | None = None
    simulator: Callable[[SimulatorSettings], SimulatorSettings] = lambda usual: usual
    http: Callable[[BaseAdapter], BaseAdapter] = lambda usual: usual
    looks: Looks | None = None
    history: Callable[[HistorySource], HistorySource | None] = lambda usual: usual
    ready: Callable[["Machine"], object] = lambda machine: machine


class Machine:
    """One market day ready to be played in `folder`; nothing of it reads the wall clock or the network."""

    def __init__(
        self,
        *,
        market: Market,
        market_spec: str,
        environ: Mapping[str, str],
        hours: Hours,
        kernel: Kernel,
        seed: int,
        folder: Path,
        around: Surroundings,
    ) -> None:
        self.kernel = kernel
        self.hours = hours
        self.settings = settings.load(environ)
        simulated = around.simulator(simulator_settings(seed, hours, around.stated))
        slow = around.network is Network.SLOW and around.stated is None
        own_time = OwnTime(seed=seed, wait=kernel.sleep) if slow else None
        self.simulator = Simulator(market=market, now=kernel.now, settings=simulated, seed=seed, own_time=own_time)
        latency = None if around.stated else Latency(SeededChance(seed=seed, name="network"), *TRAVEL_S)
        self.http = around.http(WsgiAdapter(self.simulator, kernel=kernel, latency=latency, dropped=ConnectionDropped))
        bars = daily_bars(market_spec, seed=seed)
        self.end, self.known_before = lacks(market, bars, self.settings.watch_list, hours)
        self.world = World(
            kernel=kernel,
            topology=around.topology,
            state=folder,
            environ=environ,
            http=self.http,
            history=around.history(MarketHistory.of(bars)),
            vault_key=environment.vault_key(seed),
            seed=seed,
            body_of=scheduled_body,
            lateness=Lateness(seed) if slow else None,
            stated=around.stated,
            looks=around.looks,
        )
        self.world.vault.add(*environment.consumer(seed))
        self.world.vault.add(*environment.sign_in_key(seed))
        self.world.vault.add(*environment.halt_key(seed))
        self._chance = SeededChance(seed=seed, name="owner")
        self.journal = JournalTail(folder / JOURNAL_FILE)
        around.ready(self)

    def play(self, on_progress: OnProgress, *, step: timedelta) -> None:
        """Let the day pass, telling `on_progress` once a step, and then what is still under way."""
        self.kernel.spawn(self.sign_in, at=self.hours.signs_in, name="owner")
        self.world.start_schedules(self.hours.ends)
        while self.kernel.now() < self.hours.ends:
            self.world.run(min(self.kernel.now() + step, self.hours.ends))
            on_progress(self._progress())
        quiet_by = self.hours.ends + _QUIET
        while not self.kernel.idle and self.kernel.now() < quiet_by:
            self.world.run(self.kernel.now() + _MINUTE)

    def sign_in(self) -> None:
        """Let the owner sign in with a new link; raises SignInFailed."""
        sign_in(self.world, self.http, self.link())

    def link(self) -> str:
        """Give the owner a link, as a command line with the world's own key does."""
        key = sign_in_key(self.world.vault, environment.OPERATOR)
        page, now = environment.START_PAGE, self.kernel.now()
        return key.mint(self._chance, now=now, lasts=LOGIN_LINK_LIFE, page=page)

    def ledger(self) -> BrokerLedger:
        """Give the books of this moment of whoever takes the orders: the simulator, or the paper account."""
        return account_ledger(
            self.settings, self.world.store, read_ledger(self.simulator.ledger(self.settings.account_id))
        )

    def close(self) -> None:
        """Close the world."""
        self.world.close()

    def _progress(self) -> Progress:
        counts, ledger = self.journal.read(), self.ledger()
        whole = self.hours.ends - self.hours.starts
        return Progress(
            at=self.kernel.now(),
            done=(self.kernel.now() - self.hours.starts) / whole,
            ticks=counts.ticks,
            orders=len(ledger.orders),
            fills=len(ledger.fills),
            realized=ledger.realized_pnl,
        )


def lacks(
    market: Market, bars: Mapping[str, Sequence[DailyBar]], symbols: Sequence[str], hours: Hours
) -> tuple[End | None, tuple[str, ...]]:
    """Give where a market's data end early, and say all that it and its daily `bars` lack, before a day runs."""
    end = _end_in(market, symbols, hours)
    return end, known_before(without_bars(symbols, bars), end, _holes_in(market, symbols))


def _end_in(market: Market, symbols: Iterable[str], hours: Hours) -> End | None:
    """Give where a recorded market's data of some symbols end before the close, None where they last."""
    if not isinstance(market, RecordedMarket):
        return None
    shown = {symbol: market.quote(symbol, hours.closes) for symbol in symbols}
    last = {symbol: row.at for symbol, row in shown.items() if row is not None}
    return end_of(market.day, hours.closes, last)


def _holes_in(market: Market, symbols: Iterable[str]) -> tuple[Hole, ...]:
    """Give where a recorded market's data of some symbols have a hole or begin late, in the order of time."""
    session = session_of(market.day)
    if session is None or not isinstance(market, RecordedMarket):
        return ()
    gaps = {symbol: around(*market.times(symbol, apart=OF_QUOTES)) for symbol in symbols}
    return holes_of(session, Gaps(least=OF_QUOTES, of=gaps), gaps)


def scheduled_body(kind: str) -> bytes:
    """Give the fixed body that a schedule publishes, by the message's kind."""
    return pack(_SCHEDULED[kind])


def simulator_settings(seed: int, hours: Hours, stated: Stated | None = None) -> SimulatorSettings:
    """Give the settings of a day's simulated broker: its consumer pair, its cash, when it closes, and its times."""
    usual = SimulatorSettings(
        consumer_key=environment.CONSUMER_KEY,
        consumer_secret=environment.consumer_secret(seed),
        starting_cash=environment.STARTING_CASH,
        closes_at=hours.closes.astimezone(NEW_YORK).time(),
        settles=settles_on,
    )
    return usual if stated is None else at_stated_times(usual, stated)


def at_stated_times(usual: SimulatorSettings, stated: Stated) -> SimulatorSettings:
    """Give the settings of a simulated broker whose times are constants and that counts no calls."""
    cancel_ms = stated.cancel_takes // _MILLISECOND
    return replace(
        usual,
        fill_latency_ms=stated.fill_latency // _MILLISECOND,
        fill_latency_spread_ms=0,
        cancel_delay_min_ms=cancel_ms,
        cancel_delay_max_ms=cancel_ms,
        orders_limit=_UNCOUNTED,
        accounts_limit=_UNCOUNTED,
        market_limit=_UNCOUNTED,
    )
