"""The ports: everything the use cases need from the world, as protocols and the plain values that pass through them.

Adapters: `shared.gcp` in the cloud, `infra.one_machine` on one machine, `shared.etrade` for the broker. One contract
suite per port runs over all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from shared.domain.broker.brokerage import Account, Balance, BrokerOrder, Holding, Ticket
from shared.domain.broker.outcomes import CancelAnswer, PlaceAnswer, PreviewAnswer
from shared.domain.broker.tokens import AccessToken, RequestToken
from shared.domain.market.quotes import Quotes
from shared.domain.market.series import Series
from shared.frozen import frozen

T = TypeVar("T")
Data = dict[str, Any]
Scalar = str | int | float | bool | None


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Give the present instant, aware, in UTC."""
        ...

    def sleep_until(self, at: datetime) -> None:
        """Wait until `at`; return at once when it has passed."""
        ...


class SideBySide(Protocol):
    """How several pieces of work of one function are done at the same time, each in the context of the caller."""

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        """Start each `apart` after the one before it, wait for all, and give what each gave or raised, in their order.

        The first one is the caller's own: a single one is a plain call. None of them outlives the call.
        """
        ...


class Chance(Protocol):
    """The only source of chance."""

    def uniform(self, low: float, high: float) -> float:
        """Draw evenly between low and high."""
        ...

    def token(self, length: int) -> str:
        """Draw `length` characters of [a-zA-Z0-9]; unguessable in the cloud, seeded in a simulated day."""
        ...


@frozen
class Document:
    """One document as it was read; `version` is opaque and changes with every write of it."""

    path: str
    data: Data
    version: str


@frozen(kw_only=False)
class Create:
    """Write a document that must not exist."""

    path: str
    data: Data


@frozen(kw_only=False)
class Update:
    """Replace a document that must still have this version."""

    path: str
    data: Data
    version: str


@frozen(kw_only=False)
class Check:
    """Write nothing, but fail the commit unless the document still has this version."""

    path: str
    version: str


@frozen(kw_only=False)
class Put:
    """Write a document whatever is there."""

    path: str
    data: Data


@frozen(kw_only=False)
class Delete:
    """Remove a document; one that is not there is no error."""

    path: str


Write = Create | Update | Check | Put | Delete


@frozen(kw_only=False)
class Where:
    """One condition of a query: `op` is one of == < <= > >=; documents without the field do not match."""

    name: str
    op: str
    value: str | int | bool


class Store(Protocol):
    """Documents at paths `collection/id`; JSON data without floats for money."""

    def get(self, path: str) -> Document | None:
        """Read one document, or None; raises StoreDown."""
        ...

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions in their order ("" for a delete).

        Raises Conflict when a precondition fails, StoreDown when the outcome is open.
        """
        ...

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents, by `order_by` ascending, else by path; raises StoreDown."""
        ...


class Bus(Protocol):
    """Topics that deliver at least once."""

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish one message and give its id; raises StoreDown-like NotSent when it surely was not taken."""
        ...


class Vault(Protocol):
    """Secrets with numbered versions."""

    def add(self, secret: str, value: bytes) -> str:
        """Store a new version and give its number."""
        ...

    def read(self, secret: str, version: str) -> bytes:
        """Read one version; raises StoreDown, or KeyError when it is missing or destroyed."""
        ...

    def versions(self, secret: str) -> tuple[str, ...]:
        """List the usable versions, oldest first."""
        ...

    def destroy(self, secret: str, version: str) -> None:
        """Make one version unreadable for ever; twice is no error."""
        ...


class Broker(Protocol):
    """The broker as we use it; every method waits for its turn in the limiter and journals one line.

    Reads raise AuthError and BrokerError; `preview`, `place` and `cancel` answer with values.
    """

    def accounts(self) -> tuple[Account, ...]:
        """List the owner's accounts."""
        ...

    def balance(self, account_key: str) -> Balance:
        """Read what the account can spend."""
        ...

    def portfolio(self, account_key: str) -> tuple[Holding, ...]:
        """List everything that the account holds, all pages."""
        ...

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote any number of symbols, 50 a call, side by side; a symbol that the broker does not know is absent.

        `others` come after them, in their order: all of them, or, where somebody will ask again at `next_at`, as many
        as fit into calls that do not delay that. A call that fails fails for its own symbols alone. Raises AuthError.
        """
        ...

    def preview(self, account_key: str, ticket: Ticket) -> PreviewAnswer:
        """Ask whether the broker would take the order; no effect on the account."""
        ...

    def place(self, account_key: str, ticket: Ticket, preview_ids: Sequence[int], *, deadline: datetime) -> PlaceAnswer:
        """Send the order once, before `deadline` or never; never repeated by anything below this line."""
        ...

    def orders(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """List every order since a New York day, all pages, no status filter, newest first."""
        ...

    def order(self, account_key: str, order_id: int) -> BrokerOrder | None:
        """Read one order."""
        ...

    def cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        """Ask to cancel; only a later list tells how it ended."""
        ...


class Authority(Protocol):
    """E*TRADE's OAuth 1.0a side; raises AuthError and BrokerError."""

    def request_token(self) -> RequestToken:
        """Open a sign-in; lives five minutes."""
        ...

    def authorize_url(self, token: str) -> str:
        """Give the page on which the owner accepts."""
        ...

    def access_token(self, request: RequestToken, verifier: str) -> AccessToken:
        """Trade a verifier for an access token; never repeated, a verifier counts once."""
        ...

    def accounts(self, token: AccessToken) -> tuple[Account, ...]:
        """List the accounts of a token that does not count yet."""
        ...

    def renew(self) -> None:
        """Wake the current access token."""
        ...

    def revoke(self, token: AccessToken | None = None) -> None:
        """End the current access token, or the one given."""
        ...


class HistorySource(Protocol):
    """One source of daily bars, asked in the order of the setting STRATEGY_HISTORY_SOURCES."""

    @property
    def name(self) -> str:
        """Its name in that setting, "own", "file", "alpaca" or "yahoo"; a simulated market's own is "market"."""
        ...

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Give the bars from `start` on and strictly before a day, as they were traded; None where it knows nothing.

        Raises SourceDown, SourceRefused, or Unreadable for an answer whose form is not the known one.
        """
        ...


@runtime_checkable
class LastPrices(Protocol):
    """A source of last prices other than the broker: shown while the broker gives none, never traded on."""

    @property
    def name(self) -> str:
        """Its name in the setting STRATEGY_HISTORY_SOURCES."""
        ...

    def last(self, symbol: str) -> tuple[Decimal, datetime] | None:
        """Give a symbol's last price in USD and when it was traded, None where it knows none.

        Raises as `HistorySource.daily` does.
        """
        ...


class Looks(Protocol):
    """Where the lines of a recording are kept (`shared.usecases.scanning.record`); each call raises NotKept."""

    def open(self, day: date) -> int:
        """Give the number of the run of lines that goes on now, another one after each gap; 0 where none is wanted."""
        ...

    def keep(self, line: bytes) -> None:
        """Keep a line behind the others; a process that dies afterwards does not take it away."""
        ...

    def turn(self) -> None:
        """Take it that a minute is over."""
        ...


class Notifier(Protocol):
    """The owner's phone, mail or chat; nothing that it raises, journals or shows holds an address."""

    def tell(self, *, title: str, text: str, urgent: bool) -> int:
        """Send to every address and give how many took it, 0 where there is none; raises Undelivered if none did."""
        ...


class Pulse(Protocol):
    """Somebody outside who raises the alarm when nothing is heard for a while."""

    def beat(self) -> None:
        """Be heard once; takes a few seconds at most and raises nothing."""
        ...


class Severity(StrEnum):
    """Google Cloud's log severities, as far as we use them."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Journal(Protocol):
    """One JSON line per thing that happened; nothing secret, ever."""

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Write one line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the bus says about a message; `published_at` is a tick's time."""

    message_id: str
    published_at: datetime
    subscription: str
    attempt: int
    attributes: Mapping[str, str] = field(default_factory=dict)
