"""One attempt of one broker call: wait for its turn, sign, send, journal one line, and say what failed.

The journal line is the only trace of a call: `waited_ms` is how long it waited for its turn, `ms` how long the broker
took, with the way there and back. It names the endpoint, never the path: the account key is in the path.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from requests.adapters import BaseAdapter

from shared.domain.broker.turns import Purpose, Turn
from shared.errors import BrokerError, NotSent, OutcomeUnknown, TokenDead, TokenIdle, Unreadable
from shared.etrade.faults import Fault, Unavailable, error, fault
from shared.etrade.limits import Limits, Module
from shared.etrade.retry import Retry
from shared.etrade.session import Answer, Call, Credentials, Wire
from shared.etrade.signing import Signer
from shared.etrade.skew import BrokerClock
from shared.frozen import frozen
from shared.ports import Chance, Clock, Journal, Scalar, Severity

Fields = dict[str, Scalar]
_MILLISECOND = timedelta(milliseconds=1)
_SILENCES: dict[type[BrokerError], str] = {
    NotSent: "not_sent", OutcomeUnknown: "no_answer", Unreadable: "unreadable",
}  # fmt: skip


class Endpoint(StrEnum):
    """The kinds of broker calls, as the journal and the day's summary count them."""

    REQUEST_TOKEN = "request_token"  # noqa: S105 - the name of an endpoint
    ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of an endpoint
    RENEW = "renew"
    REVOKE = "revoke"
    ACCOUNTS = "accounts"
    BALANCE = "balance"
    PORTFOLIO = "portfolio"
    QUOTES = "quotes"
    PREVIEW = "preview"
    PLACE = "place"
    ORDERS = "orders"
    ORDER = "order"
    CANCEL = "cancel"


MODULES = {
    Endpoint.ACCOUNTS: Module.ACCOUNTS,
    Endpoint.BALANCE: Module.ACCOUNTS,
    Endpoint.PORTFOLIO: Module.ACCOUNTS,
    Endpoint.QUOTES: Module.MARKET,
    Endpoint.PREVIEW: Module.ORDERS,
    Endpoint.PLACE: Module.ORDERS,
    Endpoint.ORDERS: Module.ORDERS,
    Endpoint.ORDER: Module.ORDERS,
    Endpoint.CANCEL: Module.ORDERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call and what the journal may know about it; `learn` reads what only the answer tells.

    A call whose turn comes at or after `deadline` is not sent. With
    `keep_refusal` a business refusal comes back as a reply instead of an error.
    """

    endpoint: Endpoint
    call: Call
    fields: Fields = field(default_factory=dict)
    learn: Callable[[Answer], Fields] | None = None
    deadline: datetime | None = None
    keep_refusal: bool = False
    sign: Callable[[Credentials], Signer] = Credentials.signer


@frozen
class Reply:
    """An answer with the instants around it; `fault` is there unless it is a 200 or an empty 204."""

    answer: Answer
    sent_at: datetime
    received_at: datetime
    fault: Fault | None
    token_dies_at: datetime | None


def _good(answer: Answer) -> bool:
    # A 204 means "nothing found"; one with a body contradicts itself, and absence must never be a misreading.
    return answer.status == 200 or (answer.status == 204 and not answer.body)


class Exchange:
    """All calls of one function to one consumer key; safe for any number of threads or greenlets.

    `purpose` is what its calls are for, which decides who goes first at the limits. `mend` looks after a token that
    was refused in a read asked at an instant, and says whether to ask once more. `broker_clock` hears of each answer.
    """

    def __init__(
        self,
        *,
        credentials: Callable[[], Credentials],
        clock: Clock,
        chance: Chance,
        journal: Journal,
        limits: Limits | None,
        caller: str,
        http: BaseAdapter | None,
        purpose: Purpose = Purpose.SETTLE,
        mend: Callable[[datetime], bool] | None = None,
        broker_clock: BrokerClock | None = None,
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._journal = journal
        self._limits = limits
        self._purpose = purpose
        self._caller = caller
        self._mend = mend
        self._broker_clock = broker_clock
        self._wire = Wire(clock=clock, chance=chance, http=http)
        self._retry = Retry(clock=clock, chance=chance)

    def read(self, ask: Ask, *, attempts: int, on: tuple[type[BrokerError], ...]) -> Reply:
        """Give a good answer, trying again `on` these failures, and once with a token that was mended meanwhile.

        Raises AuthError, BrokerError. `once` never mends: an order is not sent again because a token was refused.
        """
        asked_at = self._clock.now()

        def ask_it() -> Reply:
            return self._retry.run(lambda attempt: self._checked(ask, attempt), attempts=attempts, on=on)

        try:
            return ask_it()
        except (TokenIdle, TokenDead):
            if self._mend is None or not self._mend(asked_at):
                raise
        return ask_it()

    def once(self, ask: Ask, *, attempt: int = 1) -> Reply:
        """Give whatever comes back from exactly one attempt.

        Raises NotSent, OutcomeUnknown and Unreadable as `Wire.send` does, and what reading the credentials raises.
        """
        credentials = self._credentials()  # before the turn: what takes time here must not move the sending
        signer = ask.sign(credentials)
        asked_at = self._clock.now()
        turn = self._turn(ask, asked_at)
        sent_at = self._clock.now()
        waited = sent_at - asked_at
        if ask.deadline is not None and sent_at >= ask.deadline:
            raise NotSent(f"{ask.endpoint}: its turn came too late")
        self._tell_sent(ask, turn)
        try:
            answer = self._wire.send(ask.call, signer)
        except (NotSent, OutcomeUnknown, Unreadable) as problem:
            self._note(ask, attempt, waited, sent_at, self._clock.now(), code=_SILENCES[type(problem)])
            raise
        received_at = self._clock.now()
        if self._broker_clock is not None:
            self._broker_clock.heard(answer.date, sent_at=sent_at, received_at=received_at)
        failed = None if _good(answer) else fault(answer)
        self._note(ask, attempt, waited, sent_at, received_at, answer=answer, failed=failed)
        self._tell_limits(ask, failed)
        return Reply(
            answer=answer,
            sent_at=sent_at,
            received_at=received_at,
            fault=failed,
            token_dies_at=credentials.token_dies_at,
        )

    def _checked(self, ask: Ask, attempt: int) -> Reply:
        try:
            reply = self.once(ask, attempt=attempt)
        except OutcomeUnknown as problem:
            silence = Unavailable(f"{ask.endpoint}: {problem.detail}")
        else:
            failed = reply.fault
            if failed is None or (ask.keep_refusal and failed.refusal):
                return reply
            raise error(failed, endpoint=ask.endpoint, token_dies_at=reply.token_dies_at, now=reply.received_at)
        raise silence

    def _turn(self, ask: Ask, now: datetime) -> Turn | None:
        """Wait for the call's turn and give it; a call that no limit counts has none."""
        module = MODULES.get(ask.endpoint)
        if self._limits is None or module is None:
            return None
        turn = self._limits.take(module, self._purpose, within=None if ask.deadline is None else ask.deadline - now)
        if turn is None:
            raise NotSent(f"{ask.endpoint}: its turn is too far away")
        return turn

    def _tell_sent(self, ask: Ask, turn: Turn | None) -> None:
        module = MODULES.get(ask.endpoint)
        if self._limits is not None and module is not None and turn is not None:
            self._limits.sent(module, turn)

    def _tell_limits(self, ask: Ask, failed: Fault | None) -> None:
        module = MODULES.get(ask.endpoint)
        if self._limits is None or module is None:
            return
        if failed is not None and failed.throttled:
            self._limits.throttled(module)
        elif failed is None:
            self._limits.answered(module)

    def _note(
        self,
        ask: Ask,
        attempt: int,
        waited: timedelta,
        sent_at: datetime,
        at: datetime,
        *,
        answer: Answer | None = None,
        failed: Fault | None = None,
        code: str | None = None,
    ) -> None:
        learned = ask.learn(answer) if ask.learn is not None and answer is not None else {}
        fields: Fields = {
            "endpoint": ask.endpoint.value,
            "status": answer.status if answer is not None else None,
            "code": failed.label if failed is not None else code,
            "ms": (at - sent_at) // _MILLISECOND,
            "waited_ms": waited // _MILLISECOND,
            "attempt": attempt,
            "caller": self._caller,
            **ask.fields,
            **learned,
        }
        good = answer is not None and failed is None
        self._journal.line("broker_call", Severity.INFO if good else Severity.WARNING, **fields)
