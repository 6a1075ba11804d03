"""A desk of real processes from outside: signs in, publishes signals as the scan does, reads book and journals."""

import json
import os
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from infra.brokersim.market import Market
from infra.one_machine.bus import LocalBus
from infra.one_machine.emulators import DEAD_LETTERS
from infra.running.plan import Plan, plan
from infra.running.station import Station
from infra.simulated_day.environment import watch_list
from infra.simulated_day.ledger import BrokerLedger, PlaceRequest
from infra.simulated_day.run import open_checked
from shared.codec import decode
from shared.domain.base.ids import intent_id, signal_id
from shared.domain.base.values import Side
from shared.domain.market.quality import BROKER
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.domain.orders.orders import Kind, Order
from shared.domain.orders.signals import Signal, Vote
from shared.domain.telling.messages import EnterPosition
from shared.ports import Bus, Where, Write
from shared.settings import Mode
from shared.usecases.base.desk import create, put, read
from shared.usecases.base.outbox import pack
from shared.usecases.orders.moves import order_path
from tests.running.browser import sign_in_at

T = TypeVar("T")

STARTS = time_of_day(10, 0)
AT_THE_ASK = Decimal(1)
UNFILLABLE = Decimal("0.994")
"""Of the ask: the limit then lies 0.4 % below it, inside the collar, and nobody sells at it."""
_A_COMMIT = 100


def at_work(cloud: str, work: "Callable[[Outside], T]", *, speed: float = 1.0) -> T:
    """Run a fresh desk while `work` is done with it, and give what that gives.

    What it raises carries the last words of the order function, whose log is gone with its folder.
    """
    with TemporaryDirectory(prefix="desk-") as folder, Station(_fresh(cloud, Path(folder), speed)) as station:
        desk = Outside(station)
        try:
            return work(desk)
        except Exception as problem:
            problem.add_note("\n".join(str(line) for line in desk.journal("order_placement")[-12:]))
            raise
        finally:
            station.fleet["market_scan"].kill()  # the end would wait for its minute


def _fresh(cloud: str, folder: Path, speed: float) -> Plan:
    return plan(
        broker="simulator", mode=Mode.LIVE, cloud=cloud, state=folder, environ=os.environ, speed=speed,
        config="default", starts=STARTS,
    )  # fmt: skip


def asked(prog: str, *, cloud: str, signals: int) -> ArgumentParser:
    """Give the words of a command that sends so many signals to a desk over a cloud."""
    words = ArgumentParser(prog=prog)
    words.add_argument("--cloud", choices=("local", "emulators"), default=cloud)
    words.add_argument("--signals", type=int, default=signals)
    return words


@dataclass(frozen=True, slots=True)
class OutsideBus:
    """The desk's Bus, for a thread that is not the kernel's."""

    station: Station

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish one message and give its id."""
        bus: Bus = self.station.cloud.bus

        def send() -> str:
            return bus.publish(topic, data, attributes=attributes, ordering_key=ordering_key)

        return send() if self.station.plan.cloud == "emulators" else self.station.kernel.ask(send, name="publish")


class Outside:
    """One running desk; every method is for one thread."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.store = station.store
        self.bus = OutsideBus(station)
        self._market: Market = open_checked(station.plan.market, station.plan.seed)

    @property
    def unwatched(self) -> tuple[str, ...]:
        """The market's symbols that the scan does not look at."""
        watched = watch_list(self.station.plan.market, self._market.symbols)
        return tuple(one for one in self._market.symbols if one not in watched)

    def sign_in(self) -> None:
        """Sign the owner in through the pages."""
        sign_in_at(self.station)

    def now(self) -> datetime:
        """Give the desk's instant."""
        return self.station.timeline.now()

    def wait(self, seconds: float) -> None:
        """Let so many seconds of the desk's time pass."""
        time.sleep(self.station.timeline.real_s(timedelta(seconds=seconds)))

    def wait_for(self, seen: Callable[[], T | None], *, within_s: float, every_s: float = 0.5) -> T:
        """Look until something is there and give it; raises TimeoutError. Seconds of the desk's time."""
        end = self.now() + timedelta(seconds=within_s)
        while True:
            found = seen()
            if found is not None:
                return found
            if self.now() > end:
                raise TimeoutError(f"not seen within {within_s} s of the desk's time")
            self.wait(every_s)

    def quote(self, symbol: str) -> Quote:
        """Give the market's present quote of a symbol, as the scan would have received it now."""
        now = self.now()
        row = self._market.quote(symbol, now)
        if row is None:
            raise ValueError(f"{symbol} has no quote at {now}")
        return Quote(
            symbol=symbol, bid=row.bid, bid_size=row.bid_size, ask=row.ask, ask_size=row.ask_size, last=row.last,
            day_volume=row.day_volume, previous_close=self._market.previous_close(symbol), at=now, received_at=now,
            status=QuoteStatus.REALTIME, source=BROKER,
        )  # fmt: skip

    def signals(
        self, asked: Iterable[tuple[str, int]], *, price: Decimal = AT_THE_ASK, age_s: float = 0
    ) -> list[Signal]:
        """Store signals of (symbol, slot) with the quotes that they rest on, as the scan does, and give them.

        `price` is the price of the decision as a part of the ask, `age_s` how long ago it was taken.
        """
        pairs = list(asked)
        quotes = {symbol: self.quote(symbol) for symbol, _ in pairs}
        made = [_signal(quotes[symbol], slot, price, age_s) for symbol, slot in pairs]
        rows: list[Write] = [put(f"quotes/{symbol}", quote) for symbol, quote in quotes.items()]
        rows += [create(f"signals/{one.signal_id}", one) for one in made]
        for start in range(0, len(rows), _A_COMMIT):
            self.store.commit(rows[start : start + _A_COMMIT])
        return made

    def publish(self, signal: Signal) -> datetime:
        """Publish a stored signal and give the instant just before."""
        at = self.now()
        message = EnterPosition(signal=signal)
        self.bus.publish("signals", pack(message), attributes={}, ordering_key=signal.symbol)
        return at

    def orders(self, kind: Kind) -> dict[str, Order]:
        """Read every order of a kind, by its id."""
        found = (decode(Order, row.data) for row in self.store.query("orders", Where("kind", "==", kind.value)))
        return {one.intent_id: one for one in found}

    def dead_letters(self) -> list[str]:
        """Name the messages that were given up, by the functions and by the bus."""
        kept = [f"{row.path}: {row.data['reason']}" for row in self.store.query("dead_letters")]
        bus = self.station.cloud.bus
        if isinstance(bus, LocalBus):
            return kept + [f"{one.subscription}: {one.message.data[:80]!r}" for one in bus.dead_letters()]
        return kept + _pulled(self.station.cloud.world["project"])

    def owed(self, topic: str) -> int | None:
        """Count a topic's deliveries that are not acknowledged yet; None where the bus does not tell."""
        bus = self.station.cloud.bus
        if not isinstance(bus, LocalBus):
            return None
        return self.station.kernel.ask(
            lambda: sum(1 for one in bus._owed if one.route.subscription.topic == topic), name="count"
        )

    def order(self, intent: str) -> Order | None:
        """Read an order."""
        held = read(self.store, Order, order_path(intent))
        return None if held is None else held.value

    def ended(self, intent: str) -> Order | None:
        """Read an order that has ended, None as long as there is none."""
        order = self.order(intent)
        return None if order is None or order.live else order

    def ledger(self) -> BrokerLedger:
        """Give the simulated broker's books."""
        return self.station.ledger()

    def placed(self, intent: str) -> PlaceRequest | None:
        """Give the place request of an intent, None while the broker has received none."""
        return next((one for one in self.ledger().place_requests if one.client_order_id == intent), None)

    def journal(self, function: str) -> list[dict[str, Any]]:
        """Read the lines that a function has written so far, `at` as an instant."""
        text = self.station.folder.log(function).read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.rpartition("\n")[0].splitlines() if line.startswith("{")]
        return [{**line, "at": datetime.fromisoformat(line["at"])} for line in lines if "at" in line]


def _pulled(project: str) -> list[str]:
    """Pull what the emulator has given up."""
    from google.api_core.exceptions import DeadlineExceeded
    from google.cloud.pubsub_v1 import SubscriberClient

    with SubscriberClient() as subscriber:
        path = subscriber.subscription_path(project, DEAD_LETTERS)
        try:
            answer = subscriber.pull(subscription=path, max_messages=1_000, timeout=3)
        except DeadlineExceeded:
            return []
        return [f"given up: {one.message.data[:80]!r}" for one in answer.received_messages]


def intent_of(signal: Signal) -> str:
    """Name the entry that a signal becomes."""
    return intent_id(kind=Kind.ENTRY, cause=signal.signal_id, session=signal.session)


def spread_over(symbols: Sequence[str], count: int) -> list[tuple[str, int]]:
    """Give `count` different pairs of symbol and slot, every symbol before any comes again."""
    return [(symbols[place % len(symbols)], 1_000 + place // len(symbols)) for place in range(count)]


def _signal(quote: Quote, slot: int, part: Decimal, age_s: float) -> Signal:
    day, price = quote.at.date(), (quote.ask * part).quantize(Decimal("0.01"))
    name = signal_id(strategy="momentum", symbol=quote.symbol, side=Side.BUY, session=day, slot=slot)
    vote = Vote(strategy="momentum", confidence=Decimal("0.9"), reasons=("made for a measurement",))
    return Signal(
        signal_id=name, strategy="momentum", symbol=quote.symbol, side=Side.BUY, session=day, slot=slot,
        decided_at=quote.at - timedelta(seconds=age_s), decision_price=price,
        stop_distance=(price * Decimal("0.012")).quantize(Decimal("0.01")),
        confidence=Decimal("0.9"), quality=Decimal(1), votes=(vote,),
    )  # fmt: skip
