"""The graph as data: functions, triggers, topics, schedules, secrets, collections, and who may use what.

Everything else is derived from here: the one-machine world wires and enforces it, Pulumi provisions it, tests check
it. A right that is not written here does not exist (PermissionDenied).

What can go wrong: a function is taken over, by a hole in a library that it uses or by whoever sends it something. What
this promises: what it can do then is bounded by more than our own code. Every collection lies in one trust domain, and
each domain is a database of its own, for which Google asks the function's identity; a function writes in one domain
alone, its home, and nobody but the owner's commands writes in the owner's. A commit lies within one domain: no store
can apply half of it, and none of ours sends one that spans two (`shared/divided.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, auto

from shared.stored import COLLECTIONS, LIFETIMES, Collection, Domain

NEW_YORK = "America/New_York"

CONSUMER = "etrade-consumer"
REQUEST_TOKEN = "etrade-request-token"  # noqa: S105 - the name of a secret, not its value
ACCESS_TOKEN = "etrade-access-token"  # noqa: S105 - the same
NOTIFY_ADDRESSES = "notify-addresses"
SIGN_IN_KEY = "sign-in-key"
HALT_KEY = "halt-key"
ALPACA_KEY = "alpaca-key"


class Right(Flag):
    """What may be done with a collection or a secret. CREATE never overwrites; WRITE changes and deletes."""

    READ = auto()
    CREATE = auto()
    WRITE = auto()


R = Right.READ
C = Right.CREATE
W = Right.WRITE
RC = Right.READ | Right.CREATE
RW = Right.READ | Right.CREATE | Right.WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """How a function receives a topic: times in seconds, dead letter after `max_attempts` deliveries."""

    topic: str
    ack_deadline_s: int = 75
    min_backoff_s: int = 10
    max_backoff_s: int = 600
    max_attempts: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One deployed function, with exactly the rights that it needs.

    `home` is the domain that it writes in; there lie its outbox and its dead letters. `public` answers any browser;
    others answer only Google.
    """

    name: str
    purpose: str
    home: Domain
    public: bool = False
    subscriptions: tuple[Subscription, ...] = ()
    publishes: frozenset[str] = frozenset()
    collections: Mapping[str, Right] = field(default_factory=dict)
    secrets: Mapping[str, Right] = field(default_factory=dict)
    memory_mib: int = 256
    cpu: float = 0.333
    concurrency: int = 1
    max_instances: int = 1
    timeout_s: int = 60

    @property
    def places(self) -> int:
        """How many requests all its instances serve at once."""
        return self.concurrency * self.max_instances

    @property
    def adds_only(self) -> frozenset[str]:
        """The secrets to which it may add, and of which it may see nothing, not even their versions."""
        return frozenset(name for name, rights in self.secrets.items() if rights is Right.CREATE)

    @property
    def environ(self) -> dict[str, str]:
        """What its process is told in every world: a thread for each request at once, one for linear algebra.

        Without the second, numpy starts a thread for each core, and all of them use up the function's share of one.
        """
        return {"THREADS": str(self.concurrency), "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A job of Cloud Scheduler: publishes one fixed message to a topic, New York time; `body` has its fields."""

    name: str
    cron: str
    topic: str
    message: str
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A composite index of a collection: the copied fields that one query asks about together, in their order."""

    collection: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The whole graph. `lifetimes` are the days after which a database may forget a document, by collection."""

    functions: tuple[Function, ...]
    topics: Mapping[str, str]
    schedules: tuple[Schedule, ...]
    secrets: Mapping[str, str]
    collections: Mapping[str, Collection]
    lifetimes: Mapping[str, int] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()

    def function(self, name: str) -> Function:
        """Give a function by name; raises KeyError."""
        for function in self.functions:
            if function.name == name:
                return function
        raise KeyError(name)

    def domain_of(self, path: str) -> Domain:
        """Give the domain in which a document lies; raises KeyError for a collection that is not declared.

        What a function leaves behind lies in its home, what the owner's commands leave for others in the book.
        """
        name, _, document = path.partition("/")
        domain = self.collections[name].domain
        if domain is not None:
            return domain
        writer = document.partition(":")[0]
        return next((one.home for one in self.functions if one.name == writer), Domain.BOOK)

    def within(self, domain: Domain) -> frozenset[str]:
        """Give the collections of which documents may lie in a domain."""
        everywhere = domain in self.homes()
        return frozenset(
            name
            for name, one in self.collections.items()
            if one.domain is domain or (one.domain is None and everywhere)
        )

    def homes(self) -> tuple[Domain, ...]:
        """Give the domains that functions write in."""
        return tuple(domain for domain in Domain if any(one.home is domain for one in self.functions))

    def access(self, function: Function) -> Mapping[Domain, bool]:
        """Give the domains that a function may use, each with whether it may write there."""
        found: dict[Domain, bool] = {}
        for name, rights in function.collections.items():
            domain = self.collections[name].domain or function.home
            found[domain] = found.get(domain, False) or rights is not Right.READ
        return {domain: found[domain] for domain in Domain if domain in found}


_EVERYBODY = {"dead_letters": C, "outbox": RW}
_BOOK = {
    "orders": RW, "audit": C, "ledger": RW, "locks": RW, "positions": RW, "broker_orders": RC, "fills": RC,
    "account": RW, "pins": R, "token": R, "paper": RW, "reads": RW, "turns": RW,
}  # fmt: skip

TOPOLOGY = Topology(
    functions=(
        Function(
            name="oauth_callback",
            purpose="signs the owner in: start, callback and PIN page; asks for a halt by a signed link",
            home=Domain.SIGN_IN,
            # Anybody can send it a slow body, for 2.5 s each (shared/pages/body.py): one instance has places for 200 of
            # them beside the owner, without waiting for another to start. Its state is in the store alone.
            public=True,
            publishes=frozenset({"prepare-ticks", "notices", "halt-asks"}),
            collections={**_EVERYBODY, "flows": RW, "links": RW, "pins": R, "sign_in": RW, "token": RW},
            secrets={CONSUMER: R, REQUEST_TOKEN: RW, ACCESS_TOKEN: C, SIGN_IN_KEY: R, HALT_KEY: R},
            cpu=1.0,
            concurrency=250,
            max_instances=2,
        ),
        Function(
            name="token_refresh",
            purpose="keeps the access token awake, says early when the owner must sign in, ends it with its day",
            home=Domain.SIGN_IN,
            subscriptions=(
                Subscription(topic="refresh-ticks"),
                # Who asked waits for three seconds.
                Subscription(topic="renew-asks", min_backoff_s=1, max_backoff_s=10),
            ),
            # The message of a sign-in that the owner made by command, which has no bus.
            publishes=frozenset({"notices", "prepare-ticks"}),
            collections={**_EVERYBODY, "orders": R, "positions": R, "seals": R, "token": RW},
            secrets={CONSUMER: R, ACCESS_TOKEN: R | W, SIGN_IN_KEY: R},
        ),
        Function(
            name="market_scan",
            purpose="looks at the market each second of its minute: signals, stop levels, exits",
            home=Domain.MARKET,
            subscriptions=(
                Subscription(topic="scan-ticks", ack_deadline_s=200),
                Subscription(topic="prepare-ticks", ack_deadline_s=200),
            ),
            publishes=frozenset({"signals", "exits", "notices", "renew-asks", "history-asks"}),
            collections={
                **_EVERYBODY,
                "configs": R,
                "control": R,
                "restrictions": R,
                "positions": R,
                "orders": R,
                "signals": RC,
                "minutes": RW,
                "watches": RW,
                "receipts": RW,
                "left_out": RW,
                "bars": RW,
                "quotes": RW,
                "history": R,
                "mornings": RW,
                "prepared": R,
                "token": R,
            },
            secrets={CONSUMER: R, ACCESS_TOKEN: R},
            memory_mib=512,
            # One goes on until the other holds the next minute, and through a minute whose tick was lost.
            max_instances=2,
            timeout_s=180,
        ),
        Function(
            name="market_history",
            purpose="gathers daily bars from their sources before the session, and keeps the bars that the scan built",
            home=Domain.MARKET,
            subscriptions=(
                # A slow source costs several deliveries, each of which goes on where the last one ended.
                Subscription(topic="prepare-ticks", ack_deadline_s=330, max_attempts=20),
                Subscription(topic="history-asks", ack_deadline_s=330, max_attempts=20),
            ),
            publishes=frozenset({"notices"}),
            collections={
                **_EVERYBODY,
                "bars": R,
                "fallback_quotes": RW,
                "gathered": RW,
                "history": RW,
                "imports": R,
                "mornings": R,
                "own_days": RW,
                "own_minutes": RW,
                "prepared": RW,
            },
            secrets={ALPACA_KEY: R},
            memory_mib=1024,
            cpu=0.583,
            timeout_s=300,
        ),
        Function(
            name="order_placement",
            purpose="turns a signal or an exit into at most one order: size, risk, preview, place once",
            home=Domain.BOOK,
            subscriptions=(
                Subscription(topic="exits", min_backoff_s=1, max_backoff_s=10, max_attempts=20),
                Subscription(topic="signals", min_backoff_s=1, max_backoff_s=10, max_attempts=20),
            ),
            publishes=frozenset({"orders-placed", "notices", "renew-asks"}),
            collections={
                **_EVERYBODY,
                **_BOOK,
                "configs": R,
                "control": R,
                "restrictions": RW,
                "signals": R,
                "quotes": R,
                "watches": R,
            },
            secrets={CONSUMER: R, ACCESS_TOKEN: R},
            memory_mib=512,
            cpu=1.0,
            concurrency=16,
        ),
        Function(
            name="order_settlement",
            purpose="brings the book in line with the broker: fills, protective stops, unknown outcomes",
            home=Domain.BOOK,
            subscriptions=(
                Subscription(
                    topic="orders-placed", ack_deadline_s=90, min_backoff_s=1, max_backoff_s=10, max_attempts=20
                ),
                Subscription(topic="settle-ticks", ack_deadline_s=90),
                Subscription(topic="halt-asks", ack_deadline_s=90, min_backoff_s=1, max_backoff_s=10, max_attempts=20),
                # Settlement gives way to the close; where its turn does not come all the same, it is brought again for
                # a quarter of an hour.
                Subscription(topic="close-ticks", ack_deadline_s=90, max_backoff_s=60, max_attempts=20),
            ),
            publishes=frozenset({"notices", "renew-asks"}),
            collections={
                **_EVERYBODY,
                **_BOOK,
                "asks": RW,
                "audit": RC,
                "configs": R,
                "control": R,
                "restrictions": RW,
                "leases": RW,
                "minutes": R,
                "quotes": R,
                "seals": RW,
                "taken": RC,
                "watches": R,
            },
            secrets={CONSUMER: R, ACCESS_TOKEN: R},
            memory_mib=512,
            concurrency=1,
            max_instances=3,
            timeout_s=75,
        ),
        Function(
            name="notify",
            purpose="tells the owner: phone, mail, chat",
            home=Domain.NOTICES,
            # Five addresses that answer nothing take 75 s; twenty attempts go on for two hours.
            subscriptions=(Subscription(topic="notices", ack_deadline_s=135, max_attempts=20),),
            collections={**_EVERYBODY, "notices": RC, "paces": RW, "untold": RW},
            secrets={NOTIFY_ADDRESSES: R, HALT_KEY: R},
            memory_mib=512,
            timeout_s=120,
        ),
    ),
    topics={
        "scan-ticks": "each minute of the regular session",
        "prepare-ticks": "before the session, and again when the owner has signed in",
        "settle-ticks": "each minute of the regular session and a little beyond",
        "close-ticks": "once after the close",
        "refresh-ticks": "through the day: the token stays awake, the owner is reminded, the token ends with its day",
        "signals": "market_scan asks for an entry",
        "exits": "market_scan asks for an exit; served before signals",
        "orders-placed": "an order reached the broker, or may have",
        "notices": "what the owner is told",
        "halt-asks": "the owner confirmed a halt on the page of a signed link",
        "history-asks": "market_scan asks for daily bars or a price from elsewhere, or has heard closes",
        "renew-asks": "a function that trades was refused with the access token: it may be asleep",
    },
    schedules=(
        Schedule(name="scan", cron="* 9-15 * * 1-5", topic="scan-ticks", message="scan_tick"),
        Schedule(
            name="prepare",
            cron="0 7 * * 1-5",
            topic="prepare-ticks",
            message="prepare_tick",
            body={"reason": "schedule"},
        ),
        Schedule(name="settle", cron="* 9-16 * * 1-5", topic="settle-ticks", message="settle_tick"),
        Schedule(name="close", cron="5 16 * * 1-5", topic="close-ticks", message="close_tick"),
        Schedule(name="refresh", cron="*/5 7-18 * * *", topic="refresh-ticks", message="refresh_tick"),
    ),
    secrets={
        CONSUMER: "the consumer key and secret that E*TRADE gave the owner",
        REQUEST_TOKEN: "the secret half of a sign-in that is under way",
        ACCESS_TOKEN: "the day's access token",
        NOTIFY_ADDRESSES: "where the owner is told, one apprise address a line",
        SIGN_IN_KEY: "signs the links with which the owner begins a sign-in: 32 random bytes or more",
        HALT_KEY: "signs the links with which the owner halts: 32 random bytes or more",
        ALPACA_KEY: "the two parts of the owner's free key of Alpaca's bars; without it Alpaca is not asked",
    },
    collections=COLLECTIONS,
    lifetimes=LIFETIMES,
)
