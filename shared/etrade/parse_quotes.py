"""Quotes from the wire: exact, fast, and never a placeholder.

A scan reads one answer a second all day, so the usual shape is decoded straight into typed fields (msgspec
reads a JSON number's own digits into Decimal, no float in between). An entry of another shape goes through
the tolerant reading; an entry that cannot be used, or is for another symbol than was asked, is left out
(etrade-api.md 2.1). A previous close that is missing is 0 and makes no quote unusable: what is held is looked after.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from shared.domain.quotes import Quote, QuoteStatus
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.reading import Node

_SOURCE = "etrade"
_PRICES = ("bid", "ask", "lasttrade")
_SIZES = ("bidsize", "asksize", "totalvolume")
_ZERO = Decimal(0)
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


class _Product(msgspec.Struct):
    symbol: str


class _Entry(msgspec.Struct):
    at: int = msgspec.field(name="dateTimeUTC")
    status: str = msgspec.field(name="quoteStatus")
    all: _All = msgspec.field(name="All")
    product: _Product = msgspec.field(name="Product")


class _Data(msgspec.Struct):
    entries: list[msgspec.Raw] = msgspec.field(name="QuoteData")


class _Body(msgspec.Struct):
    response: _Data = msgspec.field(name="QuoteResponse")


_BODY = msgspec.json.Decoder(_Body)
_ENTRY = msgspec.json.Decoder(_Entry)


def quotes(raw: bytes, *, symbols: Collection[str], received_at: datetime) -> dict[str, Quote]:
    """Read the quotes of these symbols, in their order; raises Unreadable when the body is no quote answer.

    Prices in USD, sizes and volume in shares; a symbol without a usable entry is absent.
    """
    try:
        entries: list[msgspec.Raw] | None = _BODY.decode(raw).response.entries
    except (msgspec.MsgspecError, ValueError, RecursionError):
        entries = None
    if entries is None:
        found = [_tolerant(entry, received_at) for entry in _nodes(raw)]
    else:
        found = [_usual(entry, received_at) for entry in entries]
    known = {quote.symbol: quote for quote in found if quote is not None}
    return {symbol: known[symbol] for symbol in symbols if symbol in known}


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
        previous_close=numbers.previous_close if _price(numbers.previous_close) else _ZERO,
        at=at,
        received_at=received_at,
        status=_STATUSES.get(entry.status, QuoteStatus.UNKNOWN),
        source=_SOURCE,
        adjusted=numbers.adjusted,
    )


def _nodes(raw: bytes) -> list[Node]:
    entries = reading.items(reading.root(raw, "quoteresponse"), "quotedata")
    return [entry for entry in entries if isinstance(entry, dict)]


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
        previous_close=_previous_close(numbers),
        at=at,
        received_at=received_at,
        status=status,
        source=_SOURCE,
        adjusted=numbers.get("adjustedflag") not in _NOT_ADJUSTED,
    )


def _previous_close(numbers: Node) -> Decimal:
    """Give the previous close, 0 where it cannot be read: only an entry rests on it, and none does on 0."""
    try:
        found = reading.number(numbers, "previousclose")
    except Unreadable:
        return _ZERO
    return found if found is not None and found > 0 else _ZERO


def _price(price: Decimal) -> bool:
    return price >= 0 if reading.sane(price) else False


def _instant(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
