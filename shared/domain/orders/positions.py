"""Positions of ours: what we hold, what protects it and what is about to end it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from shared.domain.base.values import Venue
from shared.domain.control.config import Exits
from shared.domain.orders.backoff import Refusal
from shared.frozen import frozen


@frozen
class PendingExit:
    """The exit that is under way, written by the commit that creates its order, and named as that one.

    Every sell is born in a commit that changes its position, so that whoever decided on an older copy of the position
    is too late. `first_at` is when the first decision of its row was made: an exit that was decided anew at another
    price carries it on, and with it `told`: whether the owner knows that it waits for sight of the orders.
    """

    exit_id: str
    first_at: datetime
    told: bool = False


@frozen
class Missing:
    """Shares of a position that a complete portfolio did not hold at an instant, and nothing of ours explains."""

    quantity: int
    since: datetime

    def without(self, quantity: int) -> "Missing | None":
        """Give what is missing still when so many shares are explained."""
        return replace(self, quantity=self.quantity - quantity) if quantity < self.quantity else None


@frozen
class Position:
    """One holding from first fill to flat; prices and money in USD.

    `venue` is where it was bought, and the only place where it may be protected and sold; `is_open` is false once the
    quantity is back to 0. `stop_wanted` is the level of its own, set at `stop_set_at` by a fill, or taken over from the
    scan's watch (shared.domain.orders.watches) once the broker took a stop at it; `stops_asked` numbers the stops.
    `move_refused_at` is when the broker last refused a stop at the watch's level. `closing` says that the owner
    wants it sold, which is a reason to leave until it is flat. `stop_refused` and `exit_refused` say how often the
    broker has refused a stop or an exit of late, and so when it is asked again. `shown` is the most shares of it that a
    portfolio has shown; `taken_out` are those that the owner took out so far, `unpriced` those of them without a price.
    `lost_at` is when shares of the symbol were last sold at a loss, in this position or in one before. `exits` are the
    rules that it was opened under: later ones count only where they are tighter.
    """

    position_id: str
    symbol: str
    venue: Venue
    strategy: str
    session: date
    quantity: int
    average_cost: Decimal
    opened_at: datetime
    stop_distance: Decimal
    spread_paid: Decimal
    stop_wanted: Decimal
    stop_set_at: datetime
    stops_asked: int = 0
    pending_exit: PendingExit | None = None
    closing: bool = False
    stop_refused: Refusal | None = None
    exit_refused: Refusal | None = None
    move_refused_at: datetime | None = None
    realized: Decimal = Decimal(0)
    shown: int = 0
    missing: Missing | None = None
    taken_out: int = 0
    unpriced: int = 0
    is_open: bool = True
    closed_at: datetime | None = None
    lost_at: datetime | None = None
    exits: Exits | None = None
    schema_version: int = 1

    @property
    def present(self) -> int:
        """The shares that are not missed in the account: what can be protected and sold."""
        return self.quantity if self.missing is None else max(self.quantity - self.missing.quantity, 0)


@frozen
class Fill:
    """Shares that changed hands: `price` the average of these shares in USD, `at` when we learned of it.

    A fill is never changed. One with a `provisional` price, our guess while the broker says none, is followed by two
    when the price comes: one with the shares negative, which takes the guess back, and one at the price. `realized` of
    a purchase is 0, or what a price that came late made of shares that were sold by then.
    """

    intent_id: str
    broker_order_id: int
    position_id: str
    symbol: str
    side: str
    quantity: int
    price: Decimal
    cumulative: int
    realized: Decimal
    reason: str
    at: datetime
    provisional: bool = False
    schema_version: int = 1


def standing(fills: Iterable[Fill]) -> list[Fill]:
    """Give the fills that count: without guesses that were taken back, and without what took them back."""
    found = list(fills)
    guessed = Counter[tuple[int, int]]()
    for fill in found:
        guessed[fill.broker_order_id, fill.cumulative] += fill.quantity if fill.provisional else 0
    return [fill for fill in found if not fill.provisional or guessed[fill.broker_order_id, fill.cumulative]]


@frozen
class Ledger:
    """What one session has used of its limits: money in USD, `reserved` is cash held for live entries.

    `unpriced` are shares that the owner took out at a price nobody knows: their profit is not in `realized`.
    """

    session: date
    reserved: Decimal = Decimal(0)
    entries: int = 0
    realized: Decimal = Decimal(0)
    unpriced: int = 0
    losses_in_a_row: int = 0
    cooldown_until: datetime | None = None
    last_fill_at: datetime | None = None
    schema_version: int = 1
