"""A small market day made by hand, the machine that plays it, and a tap on every message that is delivered.

The network is the fast one and the scheduler punctual: what these tests ask is what happens, not how long it takes.
"""

import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from infra.brokersim.market import open_market
from infra.brokersim.network import Network
from infra.one_machine.kernel import Kernel
from infra.simulated_day.environment import environ
from infra.simulated_day.hours import NEW_YORK, Hours, hours
from infra.simulated_day.machine import Machine, Surroundings
from shared.domain.base.calendar import session_of
from shared.domain.telling.messages import Message
from shared.ports import HistorySource, Put
from shared.usecases.base.outbox import pack

DAY = date(2013, 10, 7)
SYMBOL, QUIET = "AIG", "BAC"
MINUTE = timedelta(minutes=1)
HEADERS = {"Content-Type": "application/json"}
SCANNED = "09:57"
"""Until then nothing happens on the made market but minutes that are scanned; three minutes later it is entered."""

_HEADER = "time_utc,symbol,bid,bid_size,ask,ask_size,last,day_volume"


def at(clock: str, day: date = DAY) -> datetime:
    """Give an instant of a New York day: `09:30`, `09:30:07`."""
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK).astimezone(UTC)


def write_market(folder: Path, *, day: date = DAY, opens: str = "09:30", minutes: int = 40, fall_at: int = 30) -> Path:
    """Write a day and its history: SYMBOL climbs in waves from the open on and falls from minute `fall_at` on."""
    rows = [_HEADER]
    for step in range(-60, minutes * 6):
        instant = at(opens, day) + timedelta(seconds=10 * step)
        volume = 100_000 + max(0, step) * 6_000
        for symbol, price in ((SYMBOL, _price(step / 6, fall_at)), (QUIET, Decimal("14.00"))):
            bid, ask = price - Decimal("0.01"), price + Decimal("0.01")
            rows.append(f"{instant.isoformat()},{symbol},{bid},5000,{ask},5000,{price},{volume}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day.isoformat()}.csv"
    path.write_text("\n".join(rows) + "\n")
    (folder / "daily.csv").write_text("\n".join(_history(day)) + "\n")
    return path


def _price(minute: float, fall_at: int) -> Decimal:
    climb, fall = min(max(minute, 0.0), fall_at), max(0.0, minute - fall_at)
    wave = 0.06 if int(climb) % 2 else 0.0
    return Decimal(round(5000 + 100 * (climb * 0.05 + wave - fall * 0.25))) / 100


def _history(day: date) -> list[str]:
    rows = ["date,symbol,open,high,low,close,volume"]
    days = [one for back in range(420, 0, -1) if (one := day - timedelta(days=back)).weekday() < 5]
    for symbol, close in ((SYMBOL, "49.90"), (QUIET, "14.00")):
        rows += [f"{one.isoformat()},{symbol},{close},{close},{close},{close},5000000" for one in days]
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One push as it went over the wire, and the answer to it."""

    function: str
    topic: str
    kind: str
    version: int
    body: dict[str, Any]
    key: str
    attributes: dict[str, str]
    message_id: str
    begun: datetime
    ended: datetime
    status: int
    raw: bytes


def _hours(day: date) -> Hours:
    """Give the instants of any day: a day of rest has none of its own, so it gets those of a whole one."""
    if session_of(day) is not None:
        return hours(day)
    opens, closes = at("09:30", day), at("16:00", day)
    return Hours(starts=at("06:55", day), signs_in=at("07:20", day), opens=opens, closes=closes, ends=at("16:20", day))


class Bench:
    """A machine on a made market, its deliveries in the order in which they were answered."""

    def __init__(
        self,
        folder: Path,
        market: Path,
        *,
        start: str = "06:55",
        seed: int = 1,
        config: str = "demo",
        addresses: str = "",
        heartbeat: str = "",
        callback: str = "",
        settings: Mapping[str, str] | None = None,
        history: Callable[[HistorySource], HistorySource | None] = lambda usual: usual,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        made = open_market(str(market), seed=seed)
        self.day = made.day
        self.folder = folder
        self.machine = Machine(
            market=made, market_spec=str(market), kernel=Kernel(start=at(start, made.day), seed=seed), seed=seed,
            environ={
                **environ({}, config=config, market_spec=str(market), symbols=made.symbols),
                "STRATEGY_NOTIFY_ADDRESSES": addresses, "STRATEGY_HEARTBEAT_URL": heartbeat,
                "ETRADE_OAUTH_CALLBACK_URL": callback, **(settings or {}),
            },
            hours=_hours(made.day), folder=folder, around=Surroundings(network=Network.FAST, history=history),
        )  # fmt: skip
        self.world, self.kernel = self.machine.world, self.machine.kernel
        self.deliveries: list[Delivery] = []
        self.world.bus._deliver = self._tap(self.world.bus._deliver)

    def _tap(self, deliver: Callable[[str, bytes], int]) -> Callable[[str, bytes], int]:
        def tapped(function: str, raw: bytes) -> int:
            begun = self.kernel.now()
            status = deliver(function, raw)
            push = json.loads(raw)
            plain = json.loads(b64decode(push["message"]["data"]))
            self.deliveries.append(
                Delivery(
                    function=function, topic=push["subscription"].rpartition(".")[2], kind=plain["kind"],
                    version=plain["schema_version"], body=plain["body"], key=push["message"].get("orderingKey", ""),
                    attributes=push["message"]["attributes"], message_id=push["message"]["messageId"], begun=begun,
                    ended=self.kernel.now(), status=status, raw=raw,
                )
            )  # fmt: skip
            return status

        return tapped

    def sign_in_at(self, clock: str) -> None:
        """Let the owner sign in at an instant."""
        self.kernel.spawn(self.machine.sign_in, at=at(clock, self.day), name="owner")

    def run(self, clock: str) -> None:
        """Let the world live until an instant of the day."""
        self.world.run(at(clock, self.day))

    def push(self, function: str, message: Message | bytes, *, published: datetime | None = None) -> int:
        """Push one message to a function from outside, as the bus would, and give the status."""
        data = message if isinstance(message, bytes) else pack(message)
        instant = (published or self.kernel.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content = {"data": b64encode(data).decode(), "messageId": "x", "publishTime": instant, "attributes": {}}
        raw = json.dumps({"subscription": "projects/local/subscriptions/x", "message": content}).encode()
        return self.post(function, raw)

    def post(self, function: str, raw: bytes) -> int:
        """Post raw bytes to a function."""
        return self.world.request(function, "POST", "/", HEADERS, raw).status

    def of(self, kind: str) -> list[Delivery]:
        """Give the deliveries of one kind of message."""
        return [delivery for delivery in self.deliveries if delivery.kind == kind]

    def documents(self, *collections: str) -> dict[str, Any]:
        """Give collections as they are now, by path."""
        return {row.path: row.data for name in collections for row in self.world.store.query(name)}

    def book(self) -> dict[str, Any]:
        """Give everything that a second effect would change."""
        return self.documents("orders", "audit", "ledger", "locks", "positions", "broker_orders", "fills", "signals")

    def calls(self) -> Counter[str]:
        """Count the broker's calls so far by endpoint."""
        return Counter(self.machine.ledger().calls)

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """Read the journal's lines of some events, or of all."""
        self.world.journal.flush()
        found = [json.loads(line) for line in (self.folder / "journal.jsonl").read_text().splitlines()]
        return [line for line in found if not events or line["event"] in events]

    def close(self) -> None:
        """Close the machine."""
        self.machine.close()


def late(folder: Path, market: Path, *, addresses: str = "", like: Path | None = None) -> Bench:
    """Give a machine whose owner signs in shortly before `SCANNED`, and that has scanned every minute until then.

    `like` is another market that is the same until then.
    """
    bench = Bench(folder, market, start="09:56:30", addresses=addresses)
    bench.world.store.commit(_scanned(like or market))
    bench.sign_in_at("09:56:35")
    return bench


@cache
def _scanned(market: Path) -> Sequence[Put]:
    """Scan from the open on, once for all that begin later: the bars, and who scanned which minute."""
    bench = Bench(market.parent / "scanned", market, start="09:28")
    bench.sign_in_at("09:29")
    bench.world.start_schedules(at(SCANNED))
    bench.run(SCANNED)
    kept = [row for name in ("bars", "minutes") for row in bench.world.store.query(name)]
    bench.close()
    return [Put(row.path, row.data) for row in kept]
