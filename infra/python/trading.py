"""One simulated market day, with the system's functions and its broker in this process, for a program of your own.

What can go wrong: a program sends an order twice, or one that no limit has seen; it buys while it only wants to look;
it reaches a real account by a wrong setting. What this promises: an order goes the way of the scan's own, as a signal
to the order function, which alone knows the broker's word for placing: one order a key, every risk rule, a preview, the
last check. Time stands still between two calls, and nothing is scanned but by `scan`. The broker is the simulator in
this process: no setting, key or address leads from here to another one.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TypeVar

from infra.one_machine.clock import KernelClock
from infra.one_machine.greenlets import Greenlets
from infra.one_machine.kernel import Kernel
from infra.one_machine.owners_desk import owners_desk
from infra.one_machine.stated import STATED
from infra.operations import asking, login, look, tables
from infra.operations.key import reads
from infra.operations.market import market_data
from infra.operations.profiles import Hand
from infra.operations.reads import Reads
from infra.operations.tables import BalanceRow
from infra.operations.token_view import TokenView, token_view
from infra.python import by_hand
from infra.simulated_day import environment
from infra.simulated_day.hours import NEW_YORK, hours
from infra.simulated_day.machine import Machine, Surroundings, scheduled_body
from infra.simulated_day.owner import accept
from infra.simulated_day.problems import UserError
from infra.simulated_day.run import open_checked
from shared.domain.control.asks import Ask, AskKind
from shared.domain.market.bars import Interval
from shared.domain.market.intervals import Bars
from shared.domain.market.known import Glance, Known
from shared.domain.orders.orders import IN_DOUBT, UNSENT, Order
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Signal
from shared.strategies import config as strategies
from shared.topology import TOPOLOGY
from shared.usecases.base.desk import Desk, read

T = TypeVar("T")
_MARKET = "generated"
_SCAN = "scan"
SCAN = "market_scan"
_MINUTE, _STEP = timedelta(minutes=1), timedelta(milliseconds=100)
_PLACED_WITHIN, _ANSWERED_WITHIN_S = timedelta(minutes=1), 90.0
_UNDER_WAY = UNSENT | IN_DOUBT


class Trading:
    """A simulated day as its owner has it in a program; prices and money are Decimals in USD, times New York's.

    It begins at 07:20, nobody signed in. Close it, or use it in a `with`; one lives in a process at a time.
    """

    def __init__(self, *, config: str, seed: int) -> None:
        market = open_checked(_MARKET, seed)
        when, symbols = hours(market.day), market.symbols
        with ExitStack() as opened:
            folder = opened.enter_context(TemporaryDirectory(prefix="strategy-"))
            self._kernel = Kernel(start=when.starts, seed=seed, in_order=True)
            self._machine = Machine(
                market=market, market_spec=_MARKET, hours=when, kernel=self._kernel, seed=seed, folder=Path(folder),
                environ=environment.environ({}, config=config, market_spec=_MARKET, symbols=symbols),
                around=Surroundings(
                    topology=replace(TOPOLOGY, schedules=tuple(s for s in TOPOLOGY.schedules if s.name != _SCAN)),
                    stated=STATED,
                ),
            )  # fmt: skip
            opened.enter_context(closing(self._machine))
            self._config = strategies.load(config)
            self._hand = _hand(self._machine)
            self._reads: Reads | None = None
            self._data = market_data(self._hand)
            self._machine.world.start_schedules(when.ends)
            self._machine.world.run(when.signs_in)
            self._opened = opened.pop_all()

    @property
    def now(self) -> datetime:
        """The day's own time."""
        return self._kernel.now().astimezone(NEW_YORK)

    @property
    def watch_list(self) -> tuple[str, ...]:
        """The symbols that are scanned and may be bought."""
        return self._machine.settings.watch_list

    def sign_in(self, ask: Callable[[str], str]) -> TokenView:
        """Sign in: `ask` gets the address of the broker's page and gives the code that it shows; raises UserError."""
        self._do(lambda: login.by_code(self._hand, ask))
        self._reads = self._do(lambda: reads(self._hand, side_by_side=Greenlets(self._kernel)))
        self._data = market_data(self._hand, self._reads)
        return token_view(self._hand)

    def accept(self, page: str) -> str:
        """Do what a person does on the broker's page, press Accept and read the code: a simulated broker lets one."""
        return accept(page, self._machine.http)

    def wait_until(self, clock: str) -> None:
        """Let the day pass until a time such as "10:30"; raises UserError for one that has passed, or is none."""
        try:
            wanted = datetime.combine(self.now.date(), time.fromisoformat(clock), NEW_YORK)
        except ValueError:
            raise UserError(f"{clock} is not a time of day", remedy="write it like 10:30") from None
        if wanted < self.now:
            raise UserError(f"{clock} has passed: it is {self.now:%H:%M:%S}", remedy="name a later time")
        self._machine.world.run(wanted)

    def quote(self, symbol: str) -> Known[Glance]:
        """Give what is known of a symbol's market, with source, age and quality."""
        return self.quotes([symbol])[symbol.strip().upper()]

    def quotes(self, symbols: Sequence[str]) -> dict[str, Known[Glance]]:
        """Give what is known of each symbol's market, in the order asked."""
        return self._do(lambda: self._data.quotes(symbols))

    def history(self, symbol: str, start: date, end: date, interval: Interval = Interval.DAY) -> Known[Bars]:
        """Give the bars from a day to another, both included; raises ValueError for days that cannot be meant."""
        return self._do(lambda: self._data.history(symbol, start, end, interval))

    def balances(self) -> tuple[BalanceRow, ...]:
        """Give what each active account can spend; raises UserError before the sign-in."""
        key = self._signed_in()
        return self._do(lambda: tables.balances(self._hand, key).rows)

    def scan(self, *, minutes: int) -> tuple[Signal, ...]:
        """Let the system scan its watch list each second for some minutes, and give the signals that it found.

        It trades on them, as on every day: `order` tells what became of each, by the signal.
        """
        began = self._kernel.now()
        for _ in range(minutes):
            into = timedelta(seconds=self.now.second, microseconds=self.now.microsecond)
            self._machine.world.run(self._kernel.now() + (_MINUTE - into if into else timedelta(0)))
            self._machine.world.bus.publish("scan-ticks", scheduled_body("scan_tick"), attributes={})
            self._machine.world.run(self._kernel.now() + _MINUTE)
        found = look.typed(Signal, self._machine.world.store.query("signals"), [])
        return tuple(sorted((one for one in found if one.decided_at >= began), key=lambda one: one.decided_at))

    def place_order(self, symbol: str, *, key: str) -> Order:
        """Buy a symbol, under all limits, and give the order as it stands once the broker has it, or why it has not.

        Shares, limit price and stop are the system's. The same `key` gives the same order again on this day. Raises
        UserError where nothing was sent: not signed in, a closed market, no symbol of the watch list, no sound quote, a
        key of another symbol's.
        """
        desk, broker, session = self._hand.desk, self._signed_in(), by_hand.open_session(self._kernel.now())
        symbol = self._listed(symbol)
        name = by_hand.known(desk, symbol, key, session.day)
        if name is None:
            config = self._config
            quote = self._do(lambda: broker.quotes([symbol]).get(symbol))
            fit = by_hand.usable(quote, symbol, self._kernel.now(), config)
            scans = _as_scan(self._machine)
            name = self._do(lambda: by_hand.ask(scans, fit, key, session, config))
        ends = self._kernel.now() + _PLACED_WITHIN
        while (order := self._found(name)) is None or (order.state in _UNDER_WAY and self._kernel.now() < ends):
            self._machine.world.run(self._kernel.now() + _STEP)
        return order

    def order(self, wanted: str | Order | Signal) -> Order:
        """Give an order as it stands now: by its id, by itself, or by the signal that it came of; raises UserError."""
        if isinstance(wanted, Signal):
            wanted = by_hand.order_of(wanted)
        return look.find(self._hand.desk.store, wanted.intent_id if isinstance(wanted, Order) else wanted)

    def cancel(self, order: Order) -> Ask:
        """Ask for the cancel of a buy order, wait for the answer and give it; raises UserError for one that is over."""
        wish = asking.wish_of(self._hand, AskKind.CANCEL, asking.order_to_cancel(self._hand, order.intent_id))
        return self._do(
            lambda: asking.ask(
                self._hand, wish, wait_s=_ANSWERED_WITHIN_S, tell=lambda _: None, rest=self._kernel.sleep
            )
        )

    def halt_symbol(self, symbol: str) -> None:
        """Have the exchange stop trading in a symbol: quotes stand still, an order waits; raises UserError."""
        self._machine.simulator.halt(self._listed(symbol))

    def resume_symbol(self, symbol: str) -> None:
        """Have the exchange trade a symbol again; raises UserError for one that is not on the watch list."""
        self._machine.simulator.resume(self._listed(symbol))

    def positions(self) -> tuple[Position, ...]:
        """Give what is held."""
        return tuple(look.positions(self._hand.desk.store, unread=[]))

    def close(self) -> None:
        """End the day and remove what it wrote; a second time is no error."""
        self._opened.close()

    def __enter__(self) -> Self:
        """Give the day."""
        return self

    def __exit__(self, *_failure: object) -> None:
        """Close it."""
        self.close()

    def _do(self, work: Callable[[], T]) -> T:
        """Do something at the broker, while the day passes around it."""
        return self._kernel.call(work, name="owner")

    def _signed_in(self) -> Reads:
        if self._reads is None:
            raise UserError("nobody is signed in", remedy="call sign_in first")
        return self._reads

    def _listed(self, symbol: str) -> str:
        """Give a symbol as the watch list writes it; raises UserError for one that is not there."""
        wanted = symbol.strip().upper()
        if wanted not in self.watch_list:
            what = f"{wanted} is not on the watch list, and nothing was sent"
            raise UserError(what, remedy=f"choose {', '.join(self.watch_list)}")
        return wanted

    def _found(self, name: str) -> Order | None:
        held = read(self._hand.desk.store, Order, f"orders/{name}")
        return None if held is None else held.value


def simulated(*, config: str = "demo", seed: int = 1) -> Trading:
    """Begin a generated market day at a simulated broker, by a configuration that ships; equal seeds give equal days.

    No variable of the environment counts. Raises UserError for a configuration that does not exist.
    """
    return Trading(config=config, seed=seed)


def _hand(machine: Machine) -> Hand:
    """Give the owner of a day that is played here."""
    world = machine.world
    return Hand(
        name="the simulated day", desk=owners_desk(KernelClock(machine.kernel), world.store),
        open_vault=lambda: world.vault, sign_in=None, operator=environment.OPERATOR, running=True,
        mode=machine.settings.mode.value, simulated=True, account_id=machine.settings.account_id, sandbox=False,
        http=lambda: machine.http,
    )  # fmt: skip


def _as_scan(machine: Machine) -> Desk:
    """Give the ports of the scan, which alone may write a signal."""
    ports = machine.world.platform(SCAN)
    return Desk(
        actor=SCAN, clock=ports.clock, chance=ports.chance, store=ports.store, bus=ports.bus, journal=ports.journal
    )
