"""The one-machine cloud around real processes: bus, scheduler, vault and broker here, each function in its own.

What can go wrong: a function dies, this process is killed, the disk is full, two desks want one folder. What this
promises: what was committed and what was published is on the disk before anybody is told so; a killed desk goes on
where it was with its next start; a function that dies or hangs is started again and its messages come again; at the
end every process is gone. The parts are opened one after another and closed in the opposite order, whatever fails on
the way.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Self

from infra.brokersim.market import Market, daily_bars
from infra.brokersim.network import Network, OwnTime
from infra.brokersim.server import RunningSimulator, serve, slowly
from infra.one_machine.folder import FolderLock
from infra.one_machine.history import MarketHistory
from infra.one_machine.journal import FileJournal
from infra.one_machine.live import LiveKernel
from infra.one_machine.processes import LONGEST_ANSWER_S, MARGIN_S
from infra.one_machine.scheduler import Lateness, LocalScheduler
from infra.one_machine.services import OWNER
from infra.one_machine.timeline import AnyTimeline, HeldTimeline, PacedClock, Timeline
from infra.one_machine.vault import vault_key
from infra.one_machine.world_file import WorldFile
from infra.running.broker import KeptSimulator, jitter_of, last_call, own_settings
from infra.running.checked import require_checked
from infra.running.chores import Chores
from infra.running.clouds import CloudSide, embedded, emulated
from infra.running.ended import DayIsOver, begins_too_late
from infra.running.fleet import PUBLIC, Fleet, function_ports
from infra.running.folder import Folder, nothing_left
from infra.running.instant import EVERY_S, KeptInstant
from infra.running.outside import REAL, Outside
from infra.running.plan import Plan
from infra.running.registry import forget_ended, note_held, register
from infra.running.settings import addresses, consumer, settings_of
from infra.running.status import Status, standing
from infra.simulated_day import environment
from infra.simulated_day.book import read_book
from infra.simulated_day.chosen import write
from infra.simulated_day.files import write_atomically
from infra.simulated_day.hours import NEW_YORK, Hours, hours
from infra.simulated_day.ledger import BrokerLedger, read_ledger
from infra.simulated_day.machine import lacks, scheduled_body, simulator_settings
from infra.simulated_day.paper import account_ledger, starting_cash
from infra.simulated_day.problems import UserError
from infra.simulated_day.run import open_checked
from infra.simulated_day.violations import violations
from shared import settings
from shared.codec import dumps, encode
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.gcp.chance import SystemChance
from shared.ports import Severity, Store, Vault
from shared.settings import OWN_STRATEGIES
from shared.topology import CONSUMER, HALT_KEY, NOTIFY_ADDRESSES, SIGN_IN_KEY, TOPOLOGY
from shared.usecases.base.links import LOGIN_LINK_LIFE, MIN_KEY_BYTES, sign_in_key

_LOOK_S = 0.2
_PROTECTING_MS = 500
# The emulator delivers past us, any number at once: there a question may wait behind many requests.
_MARGINS_S = {"local": MARGIN_S, "emulators": LONGEST_ANSWER_S}
_FOREVER = datetime(9000, 1, 1, tzinfo=UTC)


@frozen
class _Day:
    """What is simulated: nothing of it for E*TRADE itself."""

    market: Market
    hours: Hours


class Station:
    """A desk that lives between `Station(plan)` and `close`; `run` waits while it does.

    `outside` is what it meets where nothing is simulated; `starting` is called once nothing of it is refused any more,
    before the first function starts. Raises UserError and ConfigError for what cannot be run: bad
    settings, a folder in use or of another desk, a missing emulator, a day that is over, a function that does not
    start. Nothing runs then.
    """

    def __init__(self, plan: Plan, outside: Outside = REAL, *, starting: Callable[[], object] = lambda: None) -> None:
        day = self._day = _day(plan)
        self.plan, self._outside = plan, outside
        given = settings_of(plan, day.market if day else None)
        self.settings = settings.load(given)
        self.operator = self.settings.operator
        self.folder = Folder(path=plan.state.resolve())  # the processes work in folders of their own
        self.broker: RunningSimulator | None = None
        self.known_before: tuple[str, ...] = ()
        with nothing_left(self.folder.path), ExitStack() as opened:
            opened.callback(FolderLock(self.folder.path).release)
            self.folder.path.chmod(0o700)  # documents, calls and logs are nobody else's business
            opened.callback(register(plan, self.folder.path))
            self.folder.require_same(plan)
            if plan.cloud == "local" and self.folder.card() is not None:  # without a card nothing ever ran here
                self.folder.require_book()
            for left in (self.folder.world, self.folder.status, *self.folder.worlds.glob("*")):
                left.unlink(missing_ok=True)  # of another run: nobody is to be sent there or told so meanwhile
            if plan.cloud == "emulators":
                self.folder.forget()  # what the emulators held is gone, and with it the book of these calls
            self.folder.logs.mkdir(exist_ok=True)
            self._instant = KeptInstant(self.folder.path)
            self.timeline = self._time(day)
            opened.callback(self._note_instant)
            self.ends_at = day.hours.ends if day else _FOREVER
            self.kernel = LiveKernel(timeline=self.timeline, seed=plan.seed)
            self._journal = opened.enter_context(
                closing(FileJournal(self.folder.log("desk"), self.kernel, flush_every=1))
            ).of("desk")
            self._life = Thread(target=self._live, name="kernel", daemon=True)
            self._failure: BaseException | None = None
            self._told_to_stop = Event()
            self._chores = Chores(kernel=self.kernel, journal=self._journal)
            self.cloud = opened.enter_context(self._cloud())
            opened.callback(note_held, plan, self.folder.path, self.store)
            self._prepare()  # what is wrong with the owner's files is told first, whoever has the port
            self.fleet = Fleet(opened.enter_context(function_ports(public=plan.port)), outside.launcher)
            if day is not None:
                self.broker = opened.enter_context(self._open_broker(day))
                self._write_history(day)
            self._describe_world()
            opened.callback(self._end_time)
            opened.callback(self.fleet.end)  # while messages still flow: what a function says at its end is heard
            starting()
            own_page = {"STRATEGY_SIGN_IN_URL": self.sign_in_address}
            self.fleet.start(self.folder, {**given, **own_page, **self.cloud.environ})
            self.folder.remember(plan)
            self._begin_work()
            self._life.start()
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sign_in_address(self) -> str:
        """Where the owner's browser begins."""
        return f"http://{self.fleet.addresses[PUBLIC]}/start"

    def link(self) -> str:
        """Give the owner a new link to sign in with."""
        key, now = sign_in_key(self.cloud.vault, self.operator), self.timeline.now()
        return key.mint(SystemChance(), now=now, lasts=LOGIN_LINK_LIFE * self.plan.speed, page=self.sign_in_address)

    @property
    def store(self) -> Store:
        """The desk's documents, from outside."""
        return self.cloud.store

    def run(self, until: datetime | None = None) -> None:
        """Wait until an instant, the end of the simulated day, or `stop`; raises what broke the desk meanwhile."""
        end = min(until or self.ends_at, self.ends_at)
        while self._life.is_alive() and (left := end - self.timeline.now()) > timedelta(0):
            if self._told_to_stop.wait(min(self.timeline.real_s(left), _LOOK_S)):
                break
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End `run` soon; any thread may call it. The desk lives on until `close`."""
        self._told_to_stop.set()

    def rest(self) -> None:
        """End every function and all messages: nothing is traded any more, and book and ledger can still be read."""
        self.fleet.end()
        self._end_time()

    def close(self) -> None:
        """End every process, then what they used; a second time is no error."""
        self._opened.close()

    def status(self) -> Status:
        """Ask every process whether it answers, and the book how trading stands."""
        now = self.timeline.now()
        return Status(
            at=now, wall=datetime.now(UTC), desk=os.getpid(), **standing(self.store, now),
            pending=self.cloud.pending(), given_up=self.cloud.given_up(),
            functions=self.fleet.status(), refused=self._chores.refused,
        )  # fmt: skip

    def ledger(self) -> BrokerLedger:
        """Give the simulated broker's books of this moment; raises UserError where the broker is not simulated."""
        if self.broker is None:
            raise UserError("only the simulated broker opens its books", remedy="use --broker simulator")
        with self.broker.lock:
            return read_ledger(self.broker.simulator.ledger(self.settings.account_id))

    def verdict(self) -> list[str]:
        """Give what must never be true of a simulated day that is over, one sentence each (see `violations`)."""
        if self._day is None:
            return []
        return violations(
            ledger=account_ledger(self.settings, self.store, self.ledger()), book=read_book(self.store),
            undeclared=(), starting_cash=starting_cash(self.settings), hours=self._day.hours,
            machine=allowance(self.plan.speed),
        )  # fmt: skip

    def _time(self, day: _Day | None) -> AnyTimeline:
        if day is None:
            return self._held(self._outside.begins) if self._outside.begins is not None else Timeline.real()
        first = datetime.combine(day.market.day, self.plan.starts, NEW_YORK).astimezone(UTC)
        known = [at for at in (self._instant.read(), last_call(self.folder.calls)) if at is not None]
        at = max(known, default=first)
        if at >= day.hours.ends:
            raise DayIsOver(self.plan.state) if known else begins_too_late(self.plan.starts, day.hours.ends)
        return self._held(at)

    def _held(self, at: datetime) -> HeldTimeline:
        self.folder.time.unlink(missing_ok=True)
        return HeldTimeline(self.folder.time, at=at)

    def _cloud(self) -> AbstractContextManager[CloudSide]:
        if self.plan.cloud == "emulators":
            return emulated(self.folder, self.plan.environ, lambda one: self.fleet.endpoint(one))  # noqa: PLW0108
        plan, locked = self.plan, self.folder.locked()
        key = environment.vault_key(plan.seed) if self._day else vault_key(plan.environ, locked=locked)
        return embedded(self.folder, self.kernel, self._deliver, key, self._journal)

    def _prepare(self) -> None:
        """Put what the functions begin with into vault and store."""
        self._store_consumer()
        self._store_addresses()
        self._store_link_keys()
        if self.plan.own is not None:
            write(self.plan.own, self.cloud.store, PacedClock(self.timeline), self.settings)
        require_checked(self.cloud.store, self.settings.config, self.plan.environ.get(OWN_STRATEGIES, ""))

    def _store_consumer(self) -> None:
        """Put the consumer pair into the vault, unless the vault's own is the one."""
        if self.plan.broker == "simulator":
            _, pair = environment.consumer(self.plan.seed)
        elif (given := consumer(self.plan)) is not None:
            pair = dumps({"key": given[0], "secret": given[1]})
        elif self.cloud.vault.versions(CONSUMER):
            return
        else:
            what = "there is no consumer key: set ETRADE_CONSUMER_KEY and ETRADE_CONSUMER_SECRET for the first start; "
            what += "the vault keeps it, and `strategy secrets set etrade-consumer` replaces it there"
            raise ConfigError((what,))
        _store(self.cloud.vault, CONSUMER, pair)

    def _store_addresses(self) -> None:
        """Put the addresses for notices into the vault, where a person's environment has any."""
        if given := addresses(self.plan):
            _store(self.cloud.vault, NOTIFY_ADDRESSES, "\n".join(given).encode())

    def _store_link_keys(self) -> None:
        """Put a new key for sign-in links, and one for halt links, into the vault that has none."""
        for name in (SIGN_IN_KEY, HALT_KEY):
            if not self.cloud.vault.versions(name):
                self.cloud.vault.add(name, secrets.token_bytes(MIN_KEY_BYTES))

    @contextmanager
    def _open_broker(self, day: _Day) -> Iterator[RunningSimulator]:
        own_time, travel = self._network()
        simulator = KeptSimulator(
            path=self.folder.calls, market=day.market, now=self.timeline.now,
            settings=own_settings(simulator_settings(self.plan.seed, day.hours), self.plan.speed), seed=self.plan.seed,
            jitter=jitter_of(self.plan.speed), own_time=own_time,
        )  # fmt: skip
        with closing(simulator), serve(simulator, 0, travel) as running:
            yield running

    def _network(self) -> tuple[OwnTime | None, Callable[[], object] | None]:
        """Give what makes the simulated broker as slow as a real one, in the desk's time."""
        if self.plan.network is Network.FAST:
            return None, None
        return slowly(self.plan.seed, lambda seconds: time.sleep(self.timeline.real_s(timedelta(seconds=seconds))))

    def _write_history(self, day: _Day) -> None:
        """Write the simulated day's daily bars down, and remember what its market lacks."""
        bars = daily_bars(self.plan.market, seed=self.plan.seed)
        _, self.known_before = lacks(day.market, bars, self.settings.watch_list, day.hours)
        MarketHistory.of(bars).write(self.folder.history)

    def _describe_world(self) -> None:
        """Write down what the owner's commands must know, and for each function's process its own keys alone."""
        broker = self.broker
        owners = WorldFile(
            time=str(self.folder.time) if isinstance(self.timeline, HeldTimeline) else "",
            at=self.timeline.now().isoformat(),
            sign_in=self.sign_in_address, operator=self.operator,
            account_id=self.settings.account_id, broker=self._outside.broker if broker is None else broker.url,
            history=None if broker is None else str(self.folder.history), push_key="",
            looks=str(self.folder.looks),
            speed=self.plan.speed, key=self.cloud.key_of(OWNER),
            **self.cloud.world,
        )  # fmt: skip
        owners.write(self.folder.world)
        self.folder.worlds.mkdir(exist_ok=True)
        for name, push_key in self.fleet.push_keys.items():
            own = replace(owners, key=self.cloud.key_of(name), push_key=push_key)
            own.write(self.folder.world_of(name))

    def _live(self) -> None:
        """Run the kernel from its first invocation to its last, all on one thread."""
        try:
            self.kernel.run(self.ends_at)
        except BaseException as failure:  # noqa: BLE001 - raised again where the desk is waited for
            self._failure = failure
        finally:
            self.kernel.close()  # here: what waits in it belongs to this thread

    def _end_time(self) -> None:
        self.kernel.stop()
        if self._life.is_alive():
            self._life.join()
        self.kernel.close()

    def _begin_work(self) -> None:
        """Let time, messages, schedules and the watch begin."""
        if isinstance(self.timeline, HeldTimeline):
            self.timeline.begin(self.plan.speed)
        self.cloud.begin()
        forget_ended(self.folder.path)
        late = Lateness(self.plan.seed) if self.broker is not None and self.plan.network is Network.SLOW else None
        scheduler = LocalScheduler(kernel=self.kernel, bus=self.cloud.bus, body_of=scheduled_body, lateness=late)
        scheduler.start(TOPOLOGY.schedules, until=self.ends_at)
        pause = timedelta(seconds=EVERY_S * self.timeline.speed)
        for name, chore in (("time", self._lease), ("watch", self._look_after), ("status", self._write_status)):
            self._chores.start(name, chore, pause=pause)
        self._journal.line(
            "up", speed=self.timeline.speed, cloud=self.plan.cloud, broker=self.plan.broker, mode=self.plan.mode
        )

    def _look_after(self) -> None:
        """End what hangs, and start again what died; the chore that writes the status asks who answers."""
        for name, silent_s in self.fleet.end_hung(_MARGINS_S[self.plan.cloud], speed=self.timeline.speed).items():
            detail = f"it answered nothing for {silent_s:.0f} s, longer than a request may last: ended"
            self._journal.line("hung", Severity.ERROR, what=name, detail=detail)
        for name, code in self.fleet.look_after().items():
            self._journal.line("restarted", Severity.ERROR, what=name, code=code)

    def _lease(self) -> None:
        """Write an instant down for the next start, beside the kernel: a slow disk must not hold up the messages."""
        if self.broker is not None:
            self.kernel.outside(lambda: self._instant.lease(self.timeline))

    def _write_status(self) -> None:
        """Write the status down; it is no loss when a power cut takes it."""

        def write() -> None:
            content = dumps(encode(self.status())) + b"\n"
            write_atomically(self.folder.status, content, durable=False)

        self.kernel.outside(write)

    def _deliver(self, function: str, body: bytes) -> int:
        return self.fleet.deliver(function, body, self.kernel.outside)

    def _note_instant(self) -> None:
        if self.broker is not None:
            self._instant.write(self.timeline.now())


def allowance(speed: float) -> timedelta:
    """Give what protecting a fill may take beyond its ten seconds: half a real second in scaled time, 0 at speed 1."""
    return timedelta(milliseconds=_PROTECTING_MS * speed) if speed > 1 else timedelta(0)


def _store(vault: Vault, secret: str, value: bytes) -> None:
    versions = vault.versions(secret)
    if not versions or vault.read(secret, versions[-1]) != value:
        vault.add(secret, value)


def _day(plan: Plan) -> _Day | None:
    """Open what is simulated; raises UserError."""
    if plan.broker != "simulator":
        return None
    market = open_checked(plan.market, plan.seed)
    return _Day(market=market, hours=hours(market.day))
