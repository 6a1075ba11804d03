"""Quotes: exact prices, quirks accepted, nothing made up."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.market.quotes import Quote, QuoteStatus
from shared.errors import Unreadable
from shared.etrade import parse_quotes
from tests.etrade import samples
from tests.etrade.world import START

USED = ("ask", "askSize", "bid", "bidSize", "lastTrade", "totalVolume")


def read(body: object, *symbols: str) -> dict[str, Quote]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_quotes.quotes(raw, symbols=symbols or ("AAPL",), received_at=START)


def lower(value: object) -> object:
    """Give the same JSON with every key in lower case."""
    if isinstance(value, dict):
        return {key.lower(): lower(item) for key, item in value.items()}
    return [lower(item) for item in value] if isinstance(value, list) else value


def test_a_captured_quote_is_read() -> None:
    """A quote as captured becomes exact decimals, whole shares and instants in UTC."""
    assert read(samples.quote_body(samples.quote_entry())) == {
        "AAPL": Quote(
            symbol="AAPL",
            bid=Decimal("132.29"),
            bid_size=700,
            ask=Decimal("132.31"),
            ask_size=600,
            last=Decimal("132.3"),
            day_volume=39359472,
            previous_close=Decimal("130.96"),
            at=datetime.fromtimestamp(samples.NOW_S, UTC),
            received_at=START,
            status=QuoteStatus.REALTIME,
            source="etrade",
            traded_at=datetime.fromtimestamp(samples.NOW_S, UTC),
        )
    }


def test_no_float_touches_a_price() -> None:
    """Digits that no float can hold arrive unchanged."""
    raw = json.dumps(samples.quote_body(samples.quote_entry(ask=987654))).encode()
    found = read(raw.replace(b"987654", b"0.1000000000000000055511151231"))
    assert str(found["AAPL"].ask) == "0.1000000000000000055511151231"


@pytest.mark.parametrize(
    "changes",
    [
        {"ask": "132.31", "askSize": "600"},
        {"askSize": 600.0, "totalVolume": 39359472.0},
    ],
)
def test_numbers_may_be_text_or_have_a_fraction_of_zero(changes: dict[str, Any]) -> None:
    """A number as text, or a size written 600.0, reads like the usual form."""
    assert read(samples.quote_body(samples.quote_entry(**changes))) == read(samples.quote_body(samples.quote_entry()))


@pytest.mark.parametrize("value", [None, "", "n/a", -1, True, [1], {"a": 1}, "NaN", "1e999", 1e30, 0])
def test_a_previous_close_that_cannot_be_read_is_none(value: object) -> None:
    """A quote without a previous close is a quote all the same: what is held needs it, and no entry rests on None."""
    (found,) = read(samples.quote_body(samples.quote_entry(previousClose=value))).values()
    assert (found.previous_close, found.last) == (None, Decimal("132.3"))


@pytest.mark.parametrize("value", [None, "", "n/a", -1, True, [1], "NaN", 0])
def test_an_instant_of_the_last_trade_that_cannot_be_read_is_none(value: object) -> None:
    """A quote whose last trade is not dated is a quote all the same."""
    (found,) = read(samples.quote_body(samples.quote_entry(timeOfLastTrade=value))).values()
    assert (found.traded_at, found.last) == (None, Decimal("132.3"))


def said(*descriptions: object, code: object = 1043) -> dict[str, Any]:
    """Give the answer for three symbols with messages beside the quotes."""
    body = samples.quote_body(*(samples.quote_entry(symbol) for symbol in ("AAPL", "BRK.B", "IBM")))
    messages = [{"description": one, "code": code, "type": "WARNING"} for one in descriptions]
    body["QuoteResponse"]["Messages"] = {"Message": messages}
    return body


@pytest.mark.parametrize(
    ("body", "halted"),
    [
        (said("Trading in IBM is halted."), {"IBM"}),
        (said("BRK.B: trading halted", "AAPL halted"), {"BRK.B", "AAPL"}),
        (said("Trading is halted in BRK.B.", "Halted: IBM."), {"BRK.B", "IBM"}),
        (said("Trading in MSFT is halted."), set()),
        (said("Trading is halted."), {"AAPL", "BRK.B", "IBM"}),
        (said(None), {"AAPL", "BRK.B", "IBM"}),
        (said("IBM is halted", code="1043"), {"IBM"}),
        (said("IBM is an invalid symbol.", code=1019), set()),
        (said("IBM is halted", code=None), set()),
        (said(), set()),
    ],
)
def test_a_message_says_what_is_halted(body: dict[str, Any], halted: set[str]) -> None:
    """Message 1043 halts the symbols that it names, and every one of its answer where it names none; no other does."""
    for one in (body, lower(body)):
        found = read(one, "AAPL", "BRK.B", "IBM", "MSFT")
        assert len(found) == 3
        assert {symbol for symbol, quote in found.items() if quote.halted} == halted


@pytest.mark.parametrize("messages", [None, "", [], {"Message": "x"}, {"Message": [1]}, 7, {"Message": None}])
def test_messages_that_cannot_be_read_spoil_no_quote(messages: object) -> None:
    """What is held has to be looked after, whatever stands beside its quote."""
    body = samples.quote_body(samples.quote_entry())
    body["QuoteResponse"]["Messages"] = messages
    assert not read(body)["AAPL"].halted


def test_two_entries_of_one_symbol_that_differ_are_none() -> None:
    """An entry that comes twice is one; two with other figures make the symbol one without a quote."""
    one, other = samples.quote_entry(), samples.quote_entry(ask=133.0)
    assert read(samples.quote_body(one, one)) == read(samples.quote_body(one))
    assert read(samples.quote_body(one, other, samples.quote_entry("IBM")), "AAPL", "IBM").keys() == {"IBM"}
    assert read(samples.quote_body(one, other, one)) == {}


@pytest.mark.parametrize(
    ("flag", "adjusted"),
    [(True, True), (False, False), (None, False), ("", False), ("true", True), ("false", False), (7, True), ([], True)],
)
def test_the_sign_of_adjusted_prices_is_read(flag: object, adjusted: bool) -> None:
    """The adjusted flag is read as boolean or text, one that is left out says no, one that cannot be read says yes."""
    (found,) = read(samples.quote_body(samples.quote_entry(adjustedFlag=flag))).values()
    assert found.adjusted is adjusted
    entry = samples.quote_entry()
    del entry["All"]["adjustedFlag"]
    assert not read(samples.quote_body(entry))["AAPL"].adjusted


def test_other_key_cases_are_read() -> None:
    """The documents' other spelling of the keys gives the same quote."""
    body = samples.quote_body(samples.quote_entry())
    assert read(lower(body)) == read(body)


def test_one_entry_may_be_an_object() -> None:
    """A single entry that is not in a list is read as a list of one."""
    entry = samples.quote_entry()
    assert read({"QuoteResponse": {"QuoteData": entry}}) == read(samples.quote_body(entry))


def test_extended_hours_do_not_replace_the_quote() -> None:
    """The extended-hours block and an unknown status leave the regular figures and read as UNKNOWN."""
    entry = samples.quote_entry(ExtendedHourQuoteDetail={"bid": 1, "ask": 2, "quoteStatus": "EH_REALTIME"})
    entry["quoteStatus"] = "INVALID"
    found = read(samples.quote_body(entry))["AAPL"]
    assert (found.bid, found.status) == (Decimal("132.29"), QuoteStatus.UNKNOWN)


@pytest.mark.parametrize("key", USED)
@pytest.mark.parametrize("value", [None, "", "n/a", -1, True, [1], {"a": 1}, "NaN", "1e999", 1e30])
def test_an_unusable_entry_is_left_out(key: str, value: object) -> None:
    """An entry with one unusable figure is absent while its neighbour is read."""
    body = samples.quote_body(samples.quote_entry("BAD", **{key: value}), samples.quote_entry("GOOD"))
    assert list(read(body, "BAD", "GOOD")) == ["GOOD"]


@pytest.mark.parametrize("key", USED)
def test_an_entry_without_a_figure_is_left_out(key: str) -> None:
    """An entry that lacks one figure is absent, never filled with a placeholder."""
    entry = samples.quote_entry()
    del entry["All"][key]
    assert read(samples.quote_body(entry)) == {}


@pytest.mark.parametrize("at", [0, -5, None, 10**18, "soon"])
def test_an_entry_without_an_instant_is_left_out(at: object) -> None:
    """An entry without a usable time of its own is absent."""
    entry = samples.quote_entry() | {"dateTimeUTC": at}
    assert read(samples.quote_body(entry)) == {}


@pytest.mark.parametrize("odd", [None, 7, "AAPL", [], {}])
@pytest.mark.parametrize("as_sent", [True, False])
def test_an_odd_entry_hides_no_other(odd: object, as_sent: bool) -> None:
    """An entry that is no quote at all is left out, in the usual reading and in the tolerant one."""
    body = {"QuoteResponse": {"QuoteData": [odd, samples.quote_entry()]}}
    assert list(read(body if as_sent else lower(body))) == ["AAPL"]


def test_other_symbols_than_asked_are_left_out() -> None:
    """The sandbox's canned answer for another symbol gives nothing."""
    assert read(samples.quote_body(samples.quote_entry("GOOG")), "AAPL") == {}


def test_the_order_is_that_of_the_request() -> None:
    """The quotes come in the order asked for, whatever the order of the answer."""
    body = samples.quote_body(samples.quote_entry("B"), samples.quote_entry("A"))
    assert list(read(body, "A", "B")) == ["A", "B"]


def test_invalid_symbols_are_messages() -> None:
    """An answer with only messages about invalid symbols is an empty one."""
    message = {"description": "ZZZZQ is an invalid symbol.", "code": 1019, "type": "WARNING"}
    assert read({"QuoteResponse": {"Messages": {"Message": [message]}}}) == {}


@pytest.mark.parametrize("body", [b"", b"<html/>", b"[]", b"{}", b'{"QuoteResponse":', b'{"Error":{"code":1}}'])
def test_no_quote_answer_is_unreadable(body: bytes) -> None:
    """A body that is no quote answer is Unreadable, not an empty one."""
    with pytest.raises(Unreadable):
        read(body)


@settings(max_examples=100, deadline=None)
@given(
    figures=st.fixed_dictionaries(
        {
            **dict.fromkeys(
                ("ask", "bid", "lastTrade", "previousClose"), st.integers(0, 10**9).map(lambda n: n / 10_000)
            ),
            **dict.fromkeys(("askSize", "bidSize", "totalVolume"), st.integers(0, 10**12)),
        }
    )
)
def test_the_fast_and_the_tolerant_reading_agree(figures: dict[str, Any]) -> None:
    """Whatever the figures, the typed fast way and the tolerant way give equal quotes."""
    body = samples.quote_body(samples.quote_entry(**figures))
    fast, tolerant = read(body), read(lower(body))
    assert fast == tolerant
    assert fast["AAPL"].ask == Decimal(str(figures["ask"]))
