"""Cases balance-of-the-sandbox and holding-without-cost: what an account says is used as far as it goes.

What is missing is named to the owner, and a day on which nothing was entered is never a day on which nobody was told.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.codec import loads
from tests.cases.answers import Answers, Rule, edited, says
from tests.cases.short_day import Played, as_every_day, play
from tests.simulated_day.made import SYMBOL, at
from tests.simulated_day.seeded import PLAIN

FROM = at(12, 11)
NOTHING_HELD = (
    '{"PortfolioResponse": {"AccountPortfolio": [{"accountId": "00000001", "totalPages": 1, "Position": []}]}}'
)
Holding = dict[str, Any]


def holding(symbol: str, **changes: object) -> Holding:
    """Make a row of the portfolio, of another share than ours."""
    made: Holding = {
        "positionId": 77, "symbolDescription": symbol, "dateAcquired": 1582520400000, "pricePaid": 10.5,
        "costPerShare": 10.5, "quantity": 100, "positionType": "LONG", "marketValue": 5000,
        "Product": {"symbol": symbol, "securityType": "EQ"},
    }  # fmt: skip
    return made | changes


HOLDINGS: dict[str, Holding] = {
    "no cost": holding("XFER", pricePaid=None, costPerShare=None),
    "cost in words": holding("GIFT", costPerShare="--"),
    "negative date": holding("OLD", dateAcquired=-68400000),
    "fraction": holding("DRIP", quantity=10.4321),
    "short": holding("SHRT", quantity=-5, positionType="SHORT"),
    "option": holding("IBM", Product={"symbol": "IBM", "securityType": "OPTN", "callPut": "PUT"}),
    "fund": holding("VFIAX", quantity=17.123, Product={"symbol": "VFIAX", "securityType": "MF"}),
    "no symbol": holding("X", Product={"symbol": None, "securityType": "BOND"}),
    "no quantity": holding("EMPT", quantity=None),
}


def with_holdings(*found: Holding) -> Answers:
    """Show more holdings beside what the account has."""

    def edit(body: Any) -> None:
        positions = body["PortfolioResponse"]["AccountPortfolio"][0]["Position"]
        positions.extend(found)

    return Answers(Rule(endpoint="portfolio", change=edited(edit, empty=NOTHING_HELD), since=FROM))


def with_balance(edit: Callable[[Any], object]) -> Answers:
    """Change the balance."""
    return Answers(Rule(endpoint="balance", change=edited(edit), since=FROM))


def bought_or_told(day: Played) -> bool:
    """Tell whether something was bought; where nothing was, check that the owner was told which answer is at fault."""
    if day.result.ledger.fills:
        as_every_day(day)
        return True
    told = [*day.of("entry_not_judged", SYMBOL), *day.with_words("restrict"), *day.with_words("balance")]
    assert told, [one.title for one in day.told]
    return False


def test_a_holding_without_its_cost_is_held_all_the_same(market: Path, cases: Path, tmp_path: Path) -> None:
    """The holdings that a person has, one without cost, keep nothing from being bought and sold."""
    given = loads((cases / "holding-without-cost" / "input.json").read_bytes())
    day = play(market, tmp_path, answers=with_holdings(*given["PortfolioResponse"]["AccountPortfolio"][0]["Position"]))
    as_every_day(day)


def test_no_holding_of_another_share_keeps_ours_from_trading(market: Path, tmp_path: Path) -> None:
    """Neither do fractions, shorts, options, funds, rows without a symbol or a quantity, all at once."""
    as_every_day(play(market, tmp_path, answers=with_holdings(*HOLDINGS.values())))


@pytest.mark.parametrize("name", ["no-mode", "ira-mode", "no-realtime"])
def test_balances_as_they_were_captured_are_read(market: Path, cases: Path, tmp_path: Path, name: str) -> None:
    """A balance without its mode, of an IRA, without real-time values: it is bought, or owner or order say why not."""
    given = loads((cases / "balance-of-the-sandbox" / f"{name}.json").read_bytes())
    day = play(market, tmp_path, answers=Answers(Rule(endpoint="balance", change=says(given), since=FROM)))
    if any("SIZE_TOO_SMALL" in order.codes for order in day.result.book.orders):
        return  # its cash is a small part of the intended size, and the order says so in figures
    # A margin account whose mode or real-time values are missing cannot be judged, and its owner is told.
    assert bought_or_told(day) or name != "ira-mode"


BALANCES: dict[str, Callable[[Any], object]] = {
    "no settled cash": lambda computed: computed.pop("settledCashForInvestment"),
    "settled cash in words": lambda computed: computed.update(settledCashForInvestment="n/a"),
    "no total": lambda computed: computed.pop("RealTimeValues"),
    "no buying power": lambda computed: computed.pop("cashBuyingPower"),
    "no open calls": lambda computed: computed.pop("OpenCalls"),
}


CASH_ACCOUNT = replace(PLAIN, simulator=lambda usual: replace(usual, margin_mode="CASH"))
"""The demonstration's account, were it a cash account."""


@pytest.mark.long
@pytest.mark.parametrize("name", BALANCES)
def test_a_figure_that_is_missing_is_missed_only_where_it_is_needed(market: Path, tmp_path: Path, name: str) -> None:
    """A cash account needs its settled cash and nothing else; where that is missing it is named."""
    change = BALANCES[name]
    answers = with_balance(lambda body: change(body["BalanceResponse"]["Computed"]))
    day = play(market, tmp_path, answers=answers, around=CASH_ACCOUNT)
    needed = "settled" in name
    assert bought_or_told(day) is not needed
    assert bool(day.with_words("settledCashForInvestment")) is needed


def test_a_day_without_an_entry_and_without_a_word_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where a balance keeps everything from being bought and nobody hears of it, as it once was, the check fails."""
    says_nothing = Answers(Rule(endpoint="balance", change=says({"BalanceResponse": {}}), since=FROM))
    day = play(market, tmp_path, answers=says_nothing)
    assert not bought_or_told(day)
    unheard = replace(day, told=tuple(one for one in day.told if one.kind == "signed_in"))
    with pytest.raises(AssertionError):
        bought_or_told(unheard)
