"""Halted symbols: what their quotes show, and that nothing of them fills until they trade again."""

from __future__ import annotations

from typing import Any

import pytest

from infra.brokersim.halting import How
from tests.infra.brokersim.world import NOON, ListedMarket, World, row, world


def moving() -> ListedMarket:
    """A symbol that moves each second from a minute before noon on, and one that does nothing else."""
    rows = [row(second, f"{10 + second / 100:.2f}", f"{10.02 + second / 100:.2f}", volume=second + 100)
            for second in range(-60, 120)]  # fmt: skip
    return ListedMarket({"ZXAA": rows, "ZXAB": list(rows)})


def quoted(one: World) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first symbol's quote, and the messages beside the quotes."""
    answer = one.get("/v1/market/quote/ZXAA,ZXAB.json").json()["QuoteResponse"]
    return answer["QuoteData"][0], answer.get("Messages", {}).get("Message", [])


@pytest.mark.parametrize("how", ["stands-still", "message-1043"])
def test_a_halted_quote_stands_still_while_its_instant_goes_on(how: How) -> None:
    """Prices, sizes, volume and the last trade stay as they were, only the quote's own instant moves."""
    one = world(moving())
    one.simulator.halt("ZXAA", how)
    before, _ = quoted(one)
    one.clock.forward(30)
    after, messages = quoted(one)
    still = {"bid", "ask", "bidSize", "askSize", "lastTrade", "totalVolume", "timeOfLastTrade"}
    assert {key: after["All"][key] for key in still} == {key: before["All"][key] for key in still}
    assert after["dateTimeUTC"] - before["dateTimeUTC"] >= 30
    said = [(message["code"], "ZXAA" in message["description"]) for message in messages]
    assert said == ([(1043, True)] if how == "message-1043" else [])


def test_an_empty_book_has_neither_side() -> None:
    """Nothing is bid and nothing offered, and the last price stays."""
    one = world(moving())
    one.simulator.halt("ZXAA", "empty-book")
    one.clock.forward(5)
    told = quoted(one)[0]["All"]
    assert [told[key] for key in ("bid", "bidSize", "ask", "askSize", "lastTrade")] == [0, 0, 0, 0, 10.0]


def test_others_trade_on_and_a_halt_ends() -> None:
    """A halt is one symbol's; what the tape says of that while never comes, and afterwards it moves again."""
    one = world(moving())
    one.simulator.halt("ZXAA")
    one.clock.forward(30)
    answer = one.get("/v1/market/quote/ZXAA,ZXAB.json").json()["QuoteResponse"]["QuoteData"]
    assert (answer[0]["All"]["bid"], answer[1]["All"]["bid"] >= 10.3) == (10.0, True)
    one.simulator.resume("ZXAA")
    one.clock.forward(1)
    assert (quoted(one)[0]["All"]["bid"] > 10.3, quoted(one)[1]) == (True, [])


def test_an_order_of_a_halted_symbol_waits_for_its_market() -> None:
    """What is placed in a halt fills with the first row after it."""
    one = world(moving())
    one.simulator.halt("ZXAA")
    one.clock.forward(1)
    preview = one.preview(limitPrice=12).json()["PreviewOrderResponse"]
    one.clock.forward(1)
    one.place(preview["PreviewIds"][0]["previewId"], limitPrice=12)
    one.clock.forward(20)
    assert one.simulator.ledger()["fills"] == []
    one.simulator.resume("ZXAA")
    one.clock.forward(2)
    (fill,) = one.simulator.ledger()["fills"]
    assert fill["at"] > NOON.isoformat()


def test_a_preview_of_a_halted_symbol_says_so_where_the_broker_does() -> None:
    """Message 1043 stands beside the preview too, and only of the symbol that is halted."""
    one = world(moving())
    one.simulator.halt("ZXAB", "message-1043")
    one.clock.forward(1)
    texts = [one.preview(symbol=symbol).text for symbol in ("ZXAA", "ZXAB")]
    assert ["1043" in text for text in texts] == [False, True]


def test_an_unknown_symbol_is_not_halted() -> None:
    """A name that is not in the market is an error of the caller."""
    with pytest.raises(KeyError):
        world(moving()).simulator.halt("ZZZZ")
