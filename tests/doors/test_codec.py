"""The codec: everything comes back as it was, and what we would not have written is refused."""

import dataclasses
import typing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.codec import _SUSPECT, _UNSOUND, decode, dumps, encode, loads
from shared.domain.base.audit import AuditEvent
from shared.domain.base.values import Side
from shared.domain.broker.brokerage import AccountRecord, LastBalance
from shared.domain.broker.reads import Unread
from shared.domain.broker.token_day import Reminders
from shared.domain.broker.tokens import AccessToken, RequestToken, TokenRecord
from shared.domain.control.asks import Ask
from shared.domain.control.config import StrategyConfig
from shared.domain.control.control import Control
from shared.domain.control.pins import Pin
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.quotes import Quote
from shared.domain.market.series import Series
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Ledger, Position
from shared.domain.orders.signals import Signal, Vote
from shared.domain.orders.taken import Taken
from shared.domain.orders.versions import Version, Versions
from shared.domain.orders.watches import PositionWatch
from shared.domain.telling.messages import KINDS, EnterPosition, ExitPosition, misnamed
from shared.domain.telling.pacing import Pace
from shared.errors import Malformed
from shared.usecases.base.leases import Lease
from shared.usecases.base.outbox import Row, pack, unpack
from shared.usecases.market.gather import Gathered
from shared.usecases.market.minutes import Minute
from shared.usecases.market.mornings import Morning
from shared.usecases.market.ranking import Measured
from shared.usecases.market.warmth import Prepared, Warmth
from shared.usecases.sign_in.flows import Flow, UsedLink
from shared.usecases.sign_in.refusals import Refusals
from shared.usecases.sign_in.renew import Asked
from shared.usecases.sign_in.token import Coming
from shared.usecases.telling.deliver import Told, Untold

DOCUMENTS: list[type[Any]] = [
    AuditEvent, AccountRecord, Control, Order, Fill, Ledger, Position, Quote, Signal, TokenRecord, Flow, Lease, Row,
    Asked, Minute, PositionWatch, Coming, Pin, Refusals, Reminders, UsedLink,
    Warmth, Series, Gathered, Morning, Prepared, AccessToken, RequestToken, Pace, Told, Untold, Taken, Ask, Unread,
    StrategyConfig, Version, Versions, FallbackQuote, LastBalance, Measured,
]  # fmt: skip

st.register_type_strategy(
    Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(int, st.integers(min_value=-(2**53), max_value=2**53))
# A text that reads as a whole like a decimal that is no number or like an instant is refused on purpose.
st.register_type_strategy(str, st.text().filter(lambda text: _UNSOUND.search(f'"{text}"'.encode()) is None))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))

SIGNAL = Signal(
    signal_id="S1", strategy="momentum", symbol="AIG", side=Side.BUY, session=date(2013, 10, 7), slot=3,
    decided_at=datetime(2013, 10, 7, 14, 1, tzinfo=UTC), decision_price=Decimal("51.25"), stop_distance=Decimal("0.5"),
    confidence=Decimal("0.91"), quality=Decimal("1.0"),
    votes=(Vote(strategy="momentum", confidence=Decimal("0.7"), reasons=("up",)),),
)  # fmt: skip


@pytest.mark.parametrize("examples", [25, pytest.param(250, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", [*KINDS.values(), *DOCUMENTS], ids=lambda kind: kind.__name__)
def test_every_type_comes_back_as_it_was(kind: type[Any], examples: int) -> None:
    """Every message and document type is read back equal from what was written, through bytes of equal content."""

    @settings(max_examples=examples)
    @given(value=st.from_type(kind))
    def holds(value: Any) -> None:
        raw = dumps(encode(value))
        assert decode(kind, loads(raw)) == value
        assert dumps(loads(raw)) == raw

    holds()


@settings(max_examples=300)
@given(message=st.one_of([st.from_type(kind) for kind in KINDS.values()]))
def test_every_message_travels(message: Any) -> None:
    """Every message is unpacked equal to what was packed, of the same kind, or refused for a name of no document."""
    if misnamed(message) is None:
        assert unpack(pack(message)) == message
        assert type(unpack(pack(message))) is type(message)
    else:
        with pytest.raises(Malformed, match="can be no document's name"):
            unpack(pack(message))


@pytest.mark.parametrize("field", ["symbol", "position_id", "exit_id"])
@pytest.mark.parametrize("name", ["a/b", "", "..", "x" * 129, "a b"])
def test_a_name_that_can_be_no_document_is_the_senders_mistake(field: str, name: str) -> None:
    """A message whose names could leave their collection is malformed, and never a broken invariant that halts."""
    sound = ExitPosition(symbol="BRK.B", position_id="P1", exit_id="P1:2", session=date(2013, 10, 7))
    assert unpack(pack(sound)) == sound
    with pytest.raises(Malformed, match=field):
        unpack(pack(replace(sound, **{field: name})))  # type: ignore[arg-type]


def test_every_document_type_is_known_here() -> None:
    """Each dataclass that the use cases read from the store is in this file's list."""
    import ast
    from pathlib import Path

    read = set()
    for path in (Path(__file__).resolve().parents[2] / "shared" / "usecases").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("read", "decode"):
                place = node.args[1] if node.func.id == "read" else node.args[0]
                read |= {place.id} if isinstance(place, ast.Name) else set()
    assert read - {"kind"} <= {kind.__name__ for kind in DOCUMENTS}


def _places(plain: Any, path: tuple[Any, ...] = ()) -> typing.Iterator[tuple[Any, ...]]:
    if isinstance(plain, dict):
        yield path
        for name, inner in plain.items():
            yield from _places(inner, (*path, name))
    if isinstance(plain, list):
        for place, inner in enumerate(plain):
            yield from _places(inner, (*path, place))


def _changed(path: tuple[Any, ...], **fields: object) -> Any:
    plain = loads(dumps(encode(EnterPosition(signal=SIGNAL))))
    inner = plain
    for step in path:
        inner = inner[step]
    inner.update(fields)
    return plain


def test_an_unknown_field_is_refused_at_any_depth() -> None:
    """A field more than the schema has is Malformed in the message, in its signal and in the signal's votes."""
    places = list(_places(encode(EnterPosition(signal=SIGNAL))))
    assert len(places) == 3
    for place in places:
        with pytest.raises(Malformed):
            decode(EnterPosition, _changed(place, extra=1))
        with pytest.raises(Malformed):
            decode(EnterPosition, _changed(place, quantity=None))


_WRONG: list[tuple[str, object]] = [
    ("decision_price", 51.25), ("decision_price", 51), ("decision_price", "51.25 "), ("decision_price", "051.25"),
    ("decision_price", "5_1"), ("decision_price", "NaN"), ("decision_price", "sNaN"), ("decision_price", "-Infinity"),
    ("decision_price", "NaN12"), ("decision_price", "Infinity"), ("decision_price", "\u0665"), ("decision_price", None),
    ("decided_at", "2013-10-07T14:01:00+00:00"), ("decided_at", "2013-10-07 14:01:00Z"), ("decided_at", 1381154460),
    ("decided_at", "2013-10-07T14:01:00.000Z"), ("decided_at", "2013-10-07T10:01:00-04:00"),
    ("decided_at", "2013-10-07T14:01:00"), ("session", "2013-10-7"), ("session", "2013-10-07T00:00:00Z"),
    ("slot", 3.0), ("slot", "3"), ("slot", True), ("side", "HOLD"), ("side", "buy"), ("votes", {}), ("votes", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), _WRONG)
def test_another_spelling_is_refused(name: str, value: object) -> None:
    """Floats and numbers for prices, prices that are none, and second spellings of instants, dates and numbers fail."""
    with pytest.raises(Malformed):
        decode(EnterPosition, _changed(("signal",), **{name: value}))


def test_a_missing_field_is_refused() -> None:
    """Every field of a signal has to be there."""
    for field in dataclasses.fields(Signal):
        plain = encode(SIGNAL)
        del plain[field.name]
        with pytest.raises(Malformed):
            decode(Signal, plain)


@settings(max_examples=300)
@given(raw=st.from_regex(_UNSOUND))
def test_the_quick_look_lets_nothing_unsound_pass(raw: bytes) -> None:
    """Whatever holds a decimal that is no number, or an instant that is not in UTC, is looked at closely."""
    assert _SUSPECT.search(raw) is not None


def test_words_that_look_like_no_number_are_words() -> None:
    """A symbol or reason that spells NAN, INF or the like is text and passes."""
    vote = Vote(strategy="INF", confidence=Decimal("0.7"), reasons=("a NaN was seen", "NAN", '"NaN"'))
    assert decode(Vote, encode(vote)) == vote


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"NaN", b"1e999", b'"\\ud800"', b"[" * 50_000, b'{"a":1,}'])
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    """Bytes that are no JSON are Malformed, whatever is wrong with them."""
    with pytest.raises(Malformed):
        loads(raw)
