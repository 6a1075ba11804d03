"""A world for the client: a clock that only sleeping moves, seeded chance, kept lines, a scripted broker."""

import json
import random
import string
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, TypeVar

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.one_machine.memory_store import MemoryStore
from shared.domain.broker.tokens import AccessToken
from shared.domain.broker.turns import Purpose
from shared.etrade.authority import EtradeAuthority
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import Limits, Role
from shared.etrade.session import Credentials
from shared.etrade.skew import BrokerClock
from shared.etrade.turns import AccountTurns
from shared.gcp.threads import outcome
from shared.ports import Scalar, Severity, Store

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ACCOUNT_KEY = "-invented_accountkey-x"
DEADLINE = START + timedelta(seconds=3)
CREDENTIALS = Credentials(
    consumer_key="invented-consumer-key",
    consumer_secret="invented-consumer-secret",
    token=AccessToken(token="invented/access+token=", secret="invented/access+secret="),
    token_dies_at=START + timedelta(hours=9),
)

T = TypeVar("T")
Reply = tuple[int, bytes] | Exception | Callable[[PreparedRequest], tuple[int, bytes]]


class SteadyClock:
    """Stands still until somebody sleeps; keeps every wake-up."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.woken: list[datetime] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self.at

    def sleep_until(self, at: datetime) -> None:
        with self._lock:
            self.woken.append(at)
            self.at = max(self.at, at)


class InTurn:
    """The SideBySide port without a second thread, for a clock that only sleeping moves: one after the other."""

    def __init__(self, clock: SteadyClock) -> None:
        self._clock = clock

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        began, outcomes = self._clock.now(), list[T | Exception]()
        for number, work in enumerate(works):
            if number:
                self._clock.sleep_until(began + number * apart)
            outcomes.append(outcome(work))
        return outcomes


class SeededChance:
    """Chance that repeats itself; `high` makes every uniform draw the highest one."""

    def __init__(self, seed: int = 1, *, high: bool = False) -> None:
        self._random = random.Random(seed)
        self._high = high

    def uniform(self, low: float, high: float) -> float:
        return high if self._high else self._random.uniform(low, high)

    def token(self, length: int) -> str:
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=length))


class KeptLines:
    """A journal that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Scalar]] = []

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        self.lines.append({"event": event, "severity": severity.value, **fields})


class ScriptedBroker(BaseAdapter):
    """Answers with the given replies in turn, the last one for ever, and keeps what it was sent."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.replies = list(replies)
        self.requests: list[PreparedRequest] = []
        self.options: list[dict[str, Any]] = []
        self.date: Callable[[], str] = str
        self._lock = threading.Lock()

    def send(  # noqa: PLR0917 - the signature of requests
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        with self._lock:
            self.requests.append(request)
            self.options.append({"timeout": timeout, "verify": verify, "proxies": proxies})
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        status, body = reply(request) if callable(reply) else reply
        answer = response(request, status, body)
        answer.headers["Date"] = self.date()
        return answer

    def close(self) -> None:
        """Hold nothing."""

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]

    def sent_json(self, index: int = -1) -> dict[str, Any]:
        body = self.requests[index].body
        assert isinstance(body, bytes)
        value = json.loads(body)
        assert isinstance(value, dict)
        return value


def response(request: PreparedRequest, status: int, body: bytes) -> Response:
    """Give the response that requests makes of a status and a body."""
    made = Response()
    made.status_code = status
    made.raw = BytesIO(body)
    made.request = request
    made.url = str(request.url)
    return made


def json_reply(value: object, status: int = 200) -> tuple[int, bytes]:
    """Give a JSON reply."""
    return status, json.dumps(value).encode()


def error_reply(code: int | None, message: str, status: int = 400) -> tuple[int, bytes]:
    """Give a JSON error envelope; without a code it has none."""
    inner = {"message": message} if code is None else {"code": code, "message": message}
    return json_reply({"Error": inner}, status)


@dataclass
class World:
    """Everything one client needs; `role` decides its limits."""

    broker_side: ScriptedBroker
    role: Role = Role.PLACEMENT
    clock: SteadyClock = field(default_factory=SteadyClock)
    chance: SeededChance = field(default_factory=SeededChance)
    journal: KeptLines = field(default_factory=KeptLines)
    credentials: Credentials = CREDENTIALS
    sandbox: bool = False
    purpose: Purpose = Purpose.PROTECT
    store: Store = field(default_factory=MemoryStore)
    broker_clock: BrokerClock | None = None

    def broker(
        self,
        mend: Callable[[datetime], bool] | None = None,
        *,
        credentials: Callable[[], Credentials] | None = None,
    ) -> EtradeBroker:
        """Make the client under test; `mend` looks after a token that was refused, `credentials` may be the test's."""
        return EtradeBroker(
            credentials=credentials or (lambda: self.credentials),
            sandbox=self.sandbox,
            clock=self.clock,
            chance=self.chance,
            journal=self.journal,
            limits=Limits(clock=self.clock, role=self.role, turns=self.turns()),
            side_by_side=InTurn(self.clock),
            caller="a_function",
            purpose=self.purpose,
            http=self.broker_side,
            mend=mend,
            broker_clock=self.broker_clock,
        )

    def turns(self) -> AccountTurns:
        """Give the account's turns, as one more instance has them."""
        return AccountTurns(store=self.store, clock=self.clock, chance=self.chance, journal=self.journal)

    def authority(self) -> EtradeAuthority:
        """Make the OAuth client under test."""
        return EtradeAuthority(
            credentials=lambda: self.credentials,
            clock=self.clock,
            chance=self.chance,
            journal=self.journal,
            caller="a_function",
            http=self.broker_side,
        )


def world(*replies: Reply, role: Role = Role.PLACEMENT) -> World:
    """Make a world whose broker answers with these replies."""
    return World(broker_side=ScriptedBroker(*replies), role=role)
