"""A value that is made often is to everybody what a frozen dataclass of the same fields would be."""

from copy import copy
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal

import msgspec
import pytest

from shared.codec import decode, encode
from shared.domain.base.often import often
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.quotes import Quote
from shared.strategies.verdict import Reason
from shared.strategies.view import View


@often
class Often(msgspec.Struct, frozen=True, kw_only=True):
    """Two fields."""

    price: Decimal
    shares: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seldom:
    """The same two fields."""

    price: Decimal
    shares: int = 0


@pytest.mark.parametrize("kind", [Often, Seldom])
def test_it_is_what_a_frozen_dataclass_is(kind: type[Often]) -> None:
    """It is replaced, compared, hashed, copied and written by its fields, and changed never."""
    one = kind(price=Decimal("1.50"), shares=3)
    other = replace(one, shares=4)
    assert (other.price, other.shares, one.shares) == (Decimal("1.50"), 4, 3)
    assert one != other
    assert one == kind(price=Decimal("1.5"), shares=3)
    assert len({one, replace(other, shares=3), other}) == 2
    assert [field.name for field in fields(one)] == ["price", "shares"]
    assert encode(one) == {"price": "1.50", "shares": 3}
    assert decode(kind, encode(one)) == one == copy(one)
    with pytest.raises(AttributeError):
        one.shares = 5  # type: ignore[misc]


def test_a_struct_that_is_not_said_to_be_one_is_none() -> None:
    """Seeded mistake: without `often` nobody could replace a field."""

    class Plain(msgspec.Struct, frozen=True, kw_only=True):
        """One field."""

        shares: int

    with pytest.raises(TypeError):
        replace(Plain(shares=1), shares=2)


@pytest.mark.parametrize("kind", [Quote, Bar, DailyBar, View, Reason])
def test_what_is_made_often_is_said_to_be(kind: type[object]) -> None:
    """Each of the values that a tick makes can be replaced and asked for its fields."""
    assert issubclass(kind, msgspec.Struct)
    assert is_dataclass(kind)
