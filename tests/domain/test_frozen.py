"""A value is to everybody what a frozen dataclass of the same fields would be, and refuses what it cannot be."""

import pickle
from copy import copy
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
import pytest
from rich.pretty import pretty_repr

from shared.codec import decode, encode
from shared.domain.broker.tokens import AccessToken
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.quotes import Quote
from shared.domain.orders.orders import Order
from shared.frozen import frozen
from shared.strategies.verdict import Reason
from shared.strategies.view import View

T = TypeVar("T")


@frozen
class Value:
    """Three fields, a constant of the kind, and a figure that is worked out."""

    DIGITS: ClassVar[int] = 2

    price: Decimal
    shares: int = 0
    note: str | None = None

    @property
    def worth(self) -> Decimal:
        """Price times shares."""
        return self.price * self.shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Likewise:
    """The same as the standard library makes it."""

    DIGITS: ClassVar[int] = 2

    price: Decimal
    shares: int = 0
    note: str | None = None

    @property
    def worth(self) -> Decimal:
        """Price times shares."""
        return self.price * self.shares


@frozen(kw_only=False, gc=False)
class Pair(Generic[T]):
    """Two fields in their order, of any kind."""

    first: T
    second: T


@pytest.mark.parametrize("kind", [Value, Likewise])
def test_it_is_what_a_frozen_dataclass_is(kind: type[Value]) -> None:
    """It is replaced, compared, copied, shown, kept and written by its fields, and changed never."""
    one = kind(price=Decimal("1.50"), shares=3)
    other = replace(one, shares=4)
    assert (other.price, other.shares, one.shares, one.worth) == (Decimal("1.50"), 4, 3, Decimal("4.50"))
    assert one != other
    assert one == kind(price=Decimal("1.5"), shares=3)
    assert repr(one) == f"{kind.__name__}(price=Decimal('1.50'), shares=3, note=None)"
    assert encode(one) == {"price": "1.50", "shares": 3, "note": None}
    assert decode(kind, encode(one)) == one == copy(one) == pickle.loads(pickle.dumps(one))  # noqa: S301 - our own
    with pytest.raises(AttributeError):
        one.shares = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        kind(shares=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        kind(Decimal(1))  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [Value, Likewise])
def test_its_fields_can_be_asked_for(kind: type[Value]) -> None:
    """The standard library names its fields in their order, with what each is and is without being given."""
    assert [(one.name, one.type, one.default) for one in fields(kind)] == [
        ("price", Decimal, MISSING), ("shares", int, 0), ("note", str | None, None)
    ]  # fmt: skip
    assert kind.DIGITS == 2


def test_of_any_kind_and_in_order() -> None:
    """A kind may be generic, and take its fields in their order where it says so; equal ones are one in a set."""
    one = Pair(1, 2)
    assert (one.first, replace(one, second=3)) == (1, Pair(1, 3))
    assert len({one, Pair(1, 2), Pair(2, 1)}) == 2
    assert Pair[int](1, 2) == one


@pytest.mark.parametrize("option", ["repr", "compare", "init"])
def test_what_says_more_of_a_field_is_refused(option: str) -> None:
    """A kind with a field that is not shown, compared or given is refused, because a struct would do all three."""
    options: dict[str, Any] = {option: False}
    with pytest.raises(TypeError, match="make it a dataclass"):

        @frozen
        class Secret:
            """One hidden field."""

            value: str = field(default="", **options)


def test_what_hides_itself_is_hidden_everywhere() -> None:
    """A token's secret stands in no text of it, neither in Python's nor in the one that rich makes."""
    one = AccessToken(token="abc", secret="def")
    for text in (repr(one), str(one), pretty_repr(one), pretty_repr([one])):
        assert "def" not in text
        assert "AccessToken" in text


def test_what_extends_another_is_refused() -> None:
    """A kind that adds fields to another is refused, because their order would be a surprise."""
    with pytest.raises(TypeError, match="extends"):

        @frozen
        class Longer(Value):
            """One field more."""

            more: int = 0


def test_a_struct_that_is_not_said_to_be_one_is_none() -> None:
    """Seeded mistake: without `frozen` nobody could replace a field."""

    class Plain(msgspec.Struct, frozen=True, kw_only=True):
        """One field."""

        shares: int

    with pytest.raises(TypeError):
        replace(Plain(shares=1), shares=2)


@pytest.mark.parametrize("kind", [Quote, Bar, DailyBar, View, Reason, Order])
def test_our_values_are_made_so(kind: type[object]) -> None:
    """Each of the values that a tick or an order makes is such a struct, and known as a dataclass."""
    assert issubclass(kind, msgspec.Struct)
    assert is_dataclass(kind)
