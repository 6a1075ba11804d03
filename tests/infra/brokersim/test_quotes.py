"""Quotes as E*TRADE sends them (fact sheet, section 2.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.infra.brokersim.measure_quotes import cpu_per_call_ms
from tests.infra.brokersim.world import CLOSE, NOON, URL, ListedMarket, World, quiet, row, world

FIFTY_ONE = [f"S{number:02}" for number in range(51)]


def quoted(one: World, path: str, **params: str) -> Any:
    return one.get(f"/v1/market/quote/{path}", **params).json()["QuoteResponse"]


def test_a_quote_tells_the_standing_row_and_the_day_so_far() -> None:
    """A quote tells the standing row and the day so far."""
    rows = [
        row(-10_000, "9.00", "9.02", last="9.01", volume=100),  # before the open: no part of the day's range
        row(-9_000, "10.00", "10.02", last="10.01", volume=200),
        row(-8_000, "10.50", "10.52", last="10.52", volume=300),
        row(-7_000, "9.90", "9.92", last="9.91", volume=400),
        row(-6_999, "9.95", "9.97", last="9.91", volume=400, size=300),
        row(100, "20.00", "20.02"),
    ]
    one = world(ListedMarket({"ZXAA": rows}))
    quote = quoted(one, "zxaa.json", detailFlag="ALL")["QuoteData"][0]
    assert quote["quoteStatus"] == "REALTIME"
    assert quote["ahFlag"] == "false"
    assert quote["Product"] == {"symbol": "ZXAA", "securityType": "EQ"}
    assert quote["dateTime"] == "10:03:21 EDT 10-07-2013"
    assert quote["dateTimeUTC"] == int((NOON - timedelta(seconds=6_999)).timestamp())
    told = quote["All"]
    assert (told["bid"], told["ask"], told["bidSize"], told["askSize"]) == (9.95, 9.97, 300, 300)
    assert (told["lastTrade"], told["totalVolume"], told["previousClose"]) == (9.91, 400, 10.0)
    assert (told["open"], told["high"], told["low"]) == (10.01, 10.52, 9.91)
    assert (told["changeClose"], told["changeClosePercentage"]) == (-0.09, -0.9)
    assert told["timeOfLastTrade"] == int((NOON - timedelta(seconds=7_000)).timestamp())
    assert "ExtendedHourQuoteDetail" not in told


def test_a_quote_says_whether_earlier_prices_were_adjusted() -> None:
    """Only the symbols that the settings name carry the sign of adjusted prices."""
    one = world(quiet("ZXAA", "ZXAB"), adjusted=frozenset({"ZXAB"}))
    told = quoted(one, "ZXAA,ZXAB.json")["QuoteData"]
    assert [entry["All"]["adjustedFlag"] for entry in told] == [False, True]


def test_a_quote_follows_the_tape() -> None:
    """A quote follows the tape."""
    one = world(ListedMarket({"ZXAA": [row(-9_000, "10.00", "10.02"), row(3, "10.10", "10.12")]}))
    asks = [quoted(one, "ZXAA.json")["QuoteData"][0]["All"]["ask"] for _ in range(3)]
    assert asks == [10.02, 10.12, 10.12]


def test_delayed_quotes_are_a_quarter_of_an_hour_old_and_say_so() -> None:
    """An account without real-time quotes sees what was 15 minutes ago as DELAYED, until it is given real-time ones."""
    one = world(ListedMarket({"ZXAA": [row(-1_000, "10.00", "10.02"), row(-800, "10.10", "10.12")]}))
    seen = []
    for delayed in (True, False):
        one.simulator.delay_quotes(delayed)
        quote = quoted(one, "ZXAA.json")["QuoteData"][0]
        seen.append((quote["quoteStatus"], quote["All"]["ask"], quote["dateTimeUTC"] - int(NOON.timestamp())))
    assert seen == [("DELAYED", 10.02, -1_000), ("REALTIME", 10.12, -800)]


def test_intraday_detail_has_its_own_block() -> None:
    """Intraday detail has its own block."""
    quote = quoted(world(), "ZXAA.json", detailFlag="INTRADAY")["QuoteData"][0]
    assert quote["Intraday"]["bid"] == 10.0
    assert "All" not in quote


def test_the_accept_header_asks_for_json_too() -> None:
    """The accept header asks for JSON too; without it and without .json the answer is XML."""
    one = world()
    asked = one.api.get(f"{URL}/v1/market/quote/ZXAA", headers={"Accept": "application/json"})
    assert asked.json()["QuoteResponse"]["QuoteData"]
    assert one.api.get(f"{URL}/v1/market/quote/ZXAA").headers["Content-Type"] == "application/xml;charset=utf-8"


def test_a_look_up_finds_symbols_by_a_part_of_them() -> None:
    """A look-up finds what has the text in its symbol, ten at most, and answers without data for none."""
    one = world(ListedMarket({f"ZX{letter}": [] for letter in "ABCDEFGHIJKL"}))
    found = one.get("/v1/market/lookup/zx.json").json()["LookupResponse"]["Data"]
    assert [row["symbol"] for row in found] == [f"ZX{letter}" for letter in "ABCDEFGHIJ"]
    assert one.get("/v1/market/lookup/zxl.json").json()["LookupResponse"]["Data"][0]["type"] == "EQUITY"
    assert one.get("/v1/market/lookup/nothing.json").json() == {"LookupResponse": {}}


def test_unknown_symbols_are_messages_beside_the_known_quotes() -> None:
    """Unknown symbols are messages beside the known quotes."""
    answer = quoted(world(), "ZXAA,NOPE,GONE.json")
    assert [quote["Product"]["symbol"] for quote in answer["QuoteData"]] == ["ZXAA"]
    assert [(told["code"], told["type"]) for told in answer["Messages"]["Message"]] == [(1019, "WARNING")] * 2
    assert "QuoteData" not in quoted(world(), "NOPE.json")


def test_a_known_symbol_without_a_row_yet_could_not_be_fetched() -> None:
    """A known symbol without a row yet could not be fetched."""
    answer = quoted(world(ListedMarket({"ZXAA": [row(500, "10.00", "10.02")]})), "ZXAA.json")
    assert answer["Messages"]["Message"][0]["code"] == 1002


@pytest.mark.parametrize(
    ("count", "override", "status", "code"),
    [(25, "false", 200, None), (26, "false", 400, 1023), (50, "true", 200, None), (51, "true", 400, 1025)],
)
def test_one_call_takes_25_symbols_or_50(count: int, override: str, status: int, code: int | None) -> None:
    """One call takes 25 symbols or 50."""
    one = world(quiet(*FIFTY_ONE))
    path = f"/v1/market/quote/{','.join(FIFTY_ONE[:count])}.json"
    answer = one.get(path, overrideSymbolCount=override)
    assert answer.status_code == status
    if code is None:
        assert len(answer.json()["QuoteResponse"]["QuoteData"]) == count
    else:
        assert answer.json()["Error"]["code"] == code


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (NOON - timedelta(hours=3), "EH_REALTIME"),
        (CLOSE, "EH_REALTIME"),
        (CLOSE + timedelta(hours=4), "EH_CLOSED"),
    ],
)
def test_outside_the_session_quotes_are_closing_with_an_extended_block(at: Any, status: str) -> None:
    """Outside the session quotes are closing with an extended block."""
    one = world(ListedMarket({"ZXAA": [row(-20_000, "10.00", "10.02")]}), at=at)
    quote = quoted(one, "ZXAA.json")["QuoteData"][0]
    assert (quote["quoteStatus"], quote["ahFlag"]) == ("CLOSING", "true")
    assert quote["All"]["ExtendedHourQuoteDetail"]["quoteStatus"] == status


def test_a_detail_flag_that_is_not_simulated_is_refused() -> None:
    """A detail flag that is not simulated is refused."""
    assert world().get("/v1/market/quote/ZXAA.json", detailFlag="OPTIONS").json()["Error"]["code"] == 1020


def test_a_whole_day_of_quote_calls_stays_affordable() -> None:
    """A quote call costs the simulator a few times what it costs the client to sign it, on whatever machine."""
    each, signing = cpu_per_call_ms(500, resting=10)
    assert each < 6 * signing
