"""The Broker port of a function that trades, with a note in `reads` of each kind of answer that it cannot read.

What can go wrong: an answer cannot be read for half an hour, every poll fails, and nobody is told, because each failure
alone is only tried again; an answer is read and lacks what a decision rests on, which only its user can tell. So a
`Judge` looks at each answer where it comes in, and one that lacks something is noted as one that could not be read:
nobody takes its arrival for a success. What this promises: the first failure writes `reads/{actor}:{what}`, later ones
renew it at most every `RENEW`, and the first success removes it; an instance that does not know whether there is a note
looks once. A store that fails is journalled and never fails the read. A refused login is no blindness: the owner is
told of it by other means. Answers to orders and cancels are values and pass as they are, and so do quotes: the scan
tells of those.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from shared.domain.broker.brokerage import Account, Balance, BrokerOrder, Holding, Ticket
from shared.domain.broker.outcomes import CancelAnswer, PlaceAnswer, PreviewAnswer
from shared.domain.broker.reads import LONGEST_WHY, Answer, Unread, again
from shared.domain.market.quotes import Quotes
from shared.errors import BrokerError, Conflict, MessageError, Refused, StoreError
from shared.ports import Broker, Delete, Severity
from shared.usecases.base.desk import Desk, held_rows, read, replaced

T = TypeVar("T")
RENEW = timedelta(seconds=20)
Judge = Callable[[Answer, object], str | None]
"""Says what an answer lacks of what a decision rests on, or None; may raise StoreError."""


def unread(desk: Desk) -> list[Unread]:
    """Read every note, whoever wrote it; raises StoreDown."""
    return [held.value for held in held_rows(desk, Unread, desk.store.query("reads"))]


@dataclass(slots=True)
class _Known:
    """What an instance knows of its notes: which there are, None before it looked, and when and how often it tried."""

    open: set[Answer] | None = None
    written: dict[Answer, datetime] = field(default_factory=dict)
    tries: Counter[Answer] = field(default_factory=Counter)


def _renew(desk: Desk, note: Unread) -> None:
    path = _path(desk, note.what)
    held = read(desk.store, Unread, path)
    desk.store.commit([replaced(path, held, again(None if held is None else held.value, note))])


def _write(desk: Desk, what: Answer, work: Callable[[], None]) -> None:
    """Do it; another instance that was first is as good, and a store that fails is journalled."""
    try:
        work()
    except Conflict:
        return
    except (StoreError, MessageError) as problem:
        kind = type(problem).__name__
        desk.journal.line("read_not_noted", Severity.WARNING, what=what, kind=kind, detail=problem.detail)


def _path(desk: Desk, what: Answer) -> str:
    return f"reads/{desk.actor}:{what}"


class NotedBroker:
    """A Broker that notes what it cannot read; safe for any number of threads, as each note is a compare-and-set."""

    def __init__(
        self, broker: Broker, desk: Desk, *, judge: Judge = lambda _what, _answer: None, known: _Known | None = None
    ) -> None:
        self._broker = broker
        self._desk = desk
        self._judge = judge
        self._known = known or _Known()

    def through(self, broker: Broker) -> "NotedBroker":
        """Give another broker object with the same notes: what either can read is read."""
        return NotedBroker(broker, self._desk, judge=self._judge, known=self._known)

    def accounts(self) -> tuple[Account, ...]:
        """List the owner's accounts."""
        return self._noted(Answer.ACCOUNTS, self._broker.accounts)

    def balance(self, account_key: str) -> Balance:
        """Read what the account can spend."""
        return self._noted(Answer.BALANCE, lambda: self._broker.balance(account_key))

    def portfolio(self, account_key: str) -> tuple[Holding, ...]:
        """List everything held."""
        return self._noted(Answer.PORTFOLIO, lambda: self._broker.portfolio(account_key))

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote the symbols."""
        return self._broker.quotes(symbols, others=others, next_at=next_at)

    def preview(self, account_key: str, ticket: Ticket) -> PreviewAnswer:
        """Ask whether an order would be taken."""
        return self._broker.preview(account_key, ticket)

    def place(self, account_key: str, ticket: Ticket, preview_ids: Sequence[int], *, deadline: datetime) -> PlaceAnswer:
        """Send an order."""
        return self._broker.place(account_key, ticket, preview_ids, deadline=deadline)

    def orders(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """List the orders."""
        return self._noted(Answer.ORDERS, lambda: self._broker.orders(account_key, since=since))

    def order(self, account_key: str, order_id: int) -> BrokerOrder | None:
        """Read one order."""
        return self._noted(Answer.ORDER, lambda: self._broker.order(account_key, order_id))

    def cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        """Ask to cancel."""
        return self._broker.cancel(account_key, order_id)

    def _noted(self, what: Answer, ask: Callable[[], T]) -> T:
        began = self._desk.clock.now()
        try:
            answer = ask()
        except BrokerError as problem:
            # That one order is refused to us says nothing about the others.
            if not (what is Answer.ORDER and isinstance(problem, Refused)):
                self._failed(what, began, problem.detail or type(problem).__name__)
            raise
        _write(self._desk, what, lambda: self._came(what, began, answer))
        return answer

    def _came(self, what: Answer, began: datetime, answer: object) -> None:
        """Forget what was noted, unless the answer lacks what a decision rests on."""
        why = self._judge(what, answer)
        if why is not None:
            self._failed(what, began, why)
        elif self._known.open is None or what in self._known.open:
            self._succeeded(what)

    def _failed(self, what: Answer, began: datetime, why: str) -> None:
        self._known.tries[what] += 1
        now = self._desk.clock.now()
        written = self._known.written.get(what)
        if written is not None and now - written < RENEW:
            return
        tries = self._known.tries[what]
        failed = Unread(
            actor=self._desk.actor, what=what, since=began, last_at=now, times=tries, why=why[:LONGEST_WHY]
        )  # fmt: skip

        def note() -> None:
            if self._known.open is not None:
                self._known.open.add(what)
            _renew(self._desk, failed)
            self._known.written[what] = now
            self._known.tries[what] -= tries

        _write(self._desk, what, note)

    def _succeeded(self, what: Answer) -> None:
        self._known.written.pop(what, None)
        self._known.tries.pop(what, None)

        def forget() -> None:
            if self._known.open is None:
                self._known.open = {note.what for note in unread(self._desk) if note.actor == self._desk.actor}
            if what in self._known.open:
                self._desk.store.commit([Delete(_path(self._desk, what))])
                self._known.open.discard(what)
                self._desk.journal.line("read_again", what=what)

        _write(self._desk, what, forget)
