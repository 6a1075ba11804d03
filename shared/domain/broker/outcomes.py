"""Answers that are values: what the broker said to a preview, a place or a cancel (order-safety.md 1.6)."""

from datetime import datetime
from decimal import Decimal

from shared.frozen import frozen


@frozen
class Previewed:
    """The broker would take the order: `estimated_total` in USD, positive for a purchase; `codes` of its messages."""

    preview_ids: tuple[int, ...]
    at: datetime
    estimated_total: Decimal
    codes: tuple[str, ...] = ()


@frozen
class Accepted:
    """The broker has the order under this id."""

    order_id: int
    at: datetime


@frozen
class Rejected:
    """The broker surely has no such order: an allow-listed refusal."""

    code: str
    message: str


@frozen
class NeverSent:
    """The request surely never left us."""

    why: str


@frozen
class UnknownOutcome:
    """The request may have arrived; only the order list can tell. `code` is the broker's, where it sent one."""

    why: str
    code: str | None = None


@frozen
class CancelTaken:
    """The broker works on the cancel; the order list tells how it ended."""


@frozen
class CancelRefused:
    """The order is filled, ended or already being cancelled (codes 5001, 5003); the order list tells which."""

    code: str


PreviewAnswer = Previewed | Rejected
PlaceAnswer = Accepted | Rejected | NeverSent | UnknownOutcome
CancelAnswer = CancelTaken | CancelRefused | UnknownOutcome
