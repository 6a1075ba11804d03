"""Quotes from the wire: exact, fast, and never a placeholder.

A scan reads one answer a second all day, so the usual shape is decoded straight into typed fields (msgspec
reads a JSON number's own digits into Decimal, no float in between). An entry of another shape goes through
the tolerant reading; an entry that cannot be used, or is for another symbol than was asked, is left out
(etrade-api.md 2.1). A previous close or an instant of the last trade that is missing is None and makes no quote
unusable: what is held is looked after. Beside the quotes come messages; one of code 1043 says that trading is halted.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from shared.domain.market.quotes import Quote, QuoteStatus
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.reading import Node

Found = TypeVar("Found")
_SOURCE = "etrade"
_PRICES = ("bid", "ask", "lasttrade")
_SIZES = ("bidsize", "asksize", "totalvolume")
_HALTED = 1043
_WORD = re.compile(r"[A-Z][A-Z0-9.]*")
# E*TRADE writes some flags as text; a flag that is neither is a sign, too.
_NOT_ADJUSTED = (None, False, "", "false", "False", "FALSE")
_STATUSES = {status.value: status for status in QuoteStatus}


class _All(msgspec.Struct):
    ask: Decimal
    ask_size: int = msgspec.field(name="askSize")
    bid: Decimal
    bid_size: int = msgspec.field(name="bidSize")
    last: Decimal = msgspec.field(name="lastTrade")
    previous_close: Decimal = msgspec.field(name="previousClose")
    volume: int = msgspec.field(name="totalVolume")
    adjusted: bool = msgspec.field(name="adjustedFlag", default=False)
    traded_at: int = msgspec.field(name="timeOfLastTrade", default=0)


class _Product(msgspec.Struct):
    symbol: str


class _Entry(msgspec.Struct):
    at: int = msgspec.field(name="dateTimeUTC")
    status: str = msgspec.field(name="quoteStatus")
    all: _All = msgspec.field(name="All")
    product: _Product = msgspec.field(name="Product")


class _Data(msgspec.Struct):
    entries: list[msgspec.Raw] = msgspec.field(name="QuoteData")
    messages: msgspec.Raw | None = msgspec.field(name="Messages", default=None)


class _Body(msgspec.Struct):
    response: _Data = msgspec.field(name="QuoteResponse")


_BODY = msgspec.json.Decoder(_Body)
_ENTRY = msgspec.json.Decoder(_Entry)


def quotes(raw: bytes, *, symbols: Collection[str], received_at: datetime) -> dict[str, Quote]:
    """Read the quotes of these symbols, in their order; raises Unreadable when the body is no quote answer.

    Prices in USD, sizes and volume in shares; a symbol without a usable entry, or with two that differ, is absent.
    """
    try:
        data = _BODY.decode(raw).response
    except (msgspec.MsgspecError, ValueError, RecursionError):
        answer = reading.root(raw, "quoteresponse")
        entries = reading.items(answer, "quotedata")
        found = [_tolerant(entry, received_at) for entry in entries if isinstance(entry, dict)]
        said: object = answer.get("messages")
    else:
        found = [_usual(entry, received_at) for entry in data.entries]
        said = data.messages
    known = _unambiguous(quote for quote in found if quote is not None)
    asked = {symbol: known[symbol] for symbol in symbols if symbol in known}
    halted = _halted(said, symbols)
    return {symbol: replace(quote, halted=True) if symbol in halted else quote for symbol, quote in asked.items()}


def _unambiguous(found: Iterable[Quote]) -> dict[str, Quote]:
    known: dict[str, Quote] = {}
    doubled: set[str] = set()
    for quote in found:
        if known.setdefault(quote.symbol, quote) != quote:
            doubled.add(quote.symbol)
    return {symbol: quote for symbol, quote in known.items() if symbol not in doubled}


def _halted(said: object, asked: Collection[str]) -> Collection[str]:
    """Give the symbols of which the messages say that trading is halted: all, where such a message names none of them.

    A message has no field for its symbol, only words, and the symbol may have no quote beside it. What cannot be read
    there makes no quote unusable.
    """
    if said is None:
        return ()
    halted: set[str] = set()
    try:
        node = reading.tree(bytes(said), "messages") if isinstance(said, msgspec.Raw) else said
        messages = reading.children(node, "message") if isinstance(node, dict) else []
    except Unreadable:
        return ()
    for message in messages:
        if _optional(reading.whole, message, "code", bool) == _HALTED:
            words = {word.rstrip(".") for word in _WORD.findall(str(message.get("description")))}
            halted |= words & set(asked) or set(asked)
    return halted


def _usual(raw: msgspec.Raw, received_at: datetime) -> Quote | None:
    try:
        entry = _ENTRY.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            return _tolerant(reading.tree(bytes(raw), "quote"), received_at)
        except Unreadable:
            return None
    numbers = entry.all
    at = _instant(entry.at)
    prices = (numbers.bid, numbers.ask, numbers.last)
    sizes = (numbers.bid_size, numbers.ask_size, numbers.volume)
    if at is None or min(sizes) < 0 or not all(_price(price) for price in prices):
        return None
    return Quote(
        symbol=entry.product.symbol,
        bid=numbers.bid,
        bid_size=numbers.bid_size,
        ask=numbers.ask,
        ask_size=numbers.ask_size,
        last=numbers.last,
        day_volume=numbers.volume,
        previous_close=numbers.previous_close if _is_close(numbers.previous_close) else None,
        at=at,
        received_at=received_at,
        status=_STATUSES.get(entry.status, QuoteStatus.UNKNOWN),
        source=_SOURCE,
        adjusted=numbers.adjusted,
        traded_at=_instant(numbers.traded_at),
    )


def _tolerant(entry: Node, received_at: datetime) -> Quote | None:
    try:
        numbers = reading.child(entry, "all")
        prices = {key: reading.need(reading.number(numbers, key), key) for key in _PRICES}
        sizes = {key: reading.need(reading.whole(numbers, key), key) for key in _SIZES}
        at = _instant(reading.need(reading.whole(entry, "datetimeutc"), "dateTimeUTC"))
        symbol = reading.need(reading.text(reading.child(entry, "product"), "symbol"), "symbol")
    except Unreadable:
        return None
    if at is None or min(sizes.values()) < 0 or not all(_price(price) for price in prices.values()):
        return None
    status = _STATUSES.get(reading.text(entry, "quotestatus") or "", QuoteStatus.UNKNOWN)
    return Quote(
        symbol=symbol,
        bid=prices["bid"],
        bid_size=sizes["bidsize"],
        ask=prices["ask"],
        ask_size=sizes["asksize"],
        last=prices["lasttrade"],
        day_volume=sizes["totalvolume"],
        previous_close=_optional(reading.number, numbers, "previousclose", _is_close),
        at=at,
        received_at=received_at,
        status=status,
        source=_SOURCE,
        adjusted=numbers.get("adjustedflag") not in _NOT_ADJUSTED,
        traded_at=_instant(_optional(reading.whole, numbers, "timeoflasttrade", bool) or 0),
    )


def _optional(
    read: Callable[[Node, str], Found | None], node: Node, key: str, sound: Callable[[Found], bool]
) -> Found | None:
    """Give what makes no quote unusable, None where it is missing or cannot be read."""
    try:
        found = read(node, key)
    except Unreadable:
        return None
    return found if found is not None and sound(found) else None


def _is_close(price: Decimal) -> bool:
    return _price(price) and price > 0


def _price(price: Decimal) -> bool:
    return price >= 0 if reading.sane(price) else False


def _instant(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
