"""One look a minute at everything that the account shows, so that blindness is noticed while nothing is open, too.

What can go wrong: nothing is asked while nothing is in motion, and the owner learns only from the next fill that the
order list cannot be read. What this promises: in the session each kind of answer is asked for once a tick, after what
protects shares was done, and what fails is left to the notes (`reads`): a look raises nothing of the broker.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from shared.domain.broker.brokerage import Balance, BrokerOrder, Holding
from shared.errors import AuthError, BrokerError
from shared.frozen import frozen
from shared.ports import Severity
from shared.usecases.base.trading import TradingDesk

T = TypeVar("T")


@frozen
class Look:
    """What the account showed: None is what could not be read, or was not asked for any more.

    `asked_at` is the instant before the holdings were asked for; `listing` is a complete list of the session, asked for
    after that or a few seconds before.
    """

    asked_at: datetime
    holdings: tuple[Holding, ...] | None
    balance: Balance | None
    listing: tuple[BrokerOrder, ...] | None

    @property
    def sighted(self) -> bool:
        """Whether the orders could be seen: without them nothing is settled."""
        return self.listing is not None


def look_around(desk: TradingDesk, account_key: str, *, session: date, go_on: Callable[[], bool]) -> Look:
    """Ask for list, holdings and balance, each only where it may `go_on`; raises StoreError alone."""

    def ask(what: str, question: Callable[[], T]) -> T | None:
        if not go_on():
            return None
        try:
            return question()
        except (AuthError, BrokerError) as problem:
            kind = type(problem).__name__
            desk.journal.line("look_failed", Severity.WARNING, what=what, kind=kind, detail=problem.detail)
            return None

    listing = ask("orders", lambda: desk.lists.recent(account_key, since=session))
    asked_at = desk.clock.now()
    holdings = ask("portfolio", lambda: desk.broker.portfolio(account_key))
    balance = ask("balance", lambda: desk.broker.balance(account_key))
    return Look(asked_at=asked_at, holdings=holdings, balance=balance, listing=listing)
