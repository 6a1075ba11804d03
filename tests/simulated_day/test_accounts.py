"""Which account a run trades: the demonstration's sizes follow its configuration, and every run says which it had."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from infra.brokersim.account import Account
from infra.brokersim.broker import simulated_accounts
from infra.brokersim.orders import Action, Fill, PriceType, Term, Ticket
from infra.cli.result import show
from infra.cli.up import held_in
from infra.simulated_day.account import account_of, mode_of, told
from infra.simulated_day.environment import environ
from infra.simulated_day.machine import simulator_settings
from shared.domain.broker.day_trades import DayTradeRule
from shared.settings import CONFIGS, load
from shared.strategies.config import load as configuration
from tests.simulated_day.sample import HOURS, page_of, quiet_day, result_of

AT = datetime(2013, 10, 7, 15, tzinfo=UTC)
PRICE = Decimal(100)


def traded(account: Account) -> Account:
    """Buy 500 shares and sell them again at the same price."""
    for action in (Action.BUY, Action.SELL):
        ticket = Ticket(
            client_order_id=f"own{action}", symbol="IBM", action=action, quantity=500, price_type=PriceType.LIMIT,
            term=Term.GOOD_FOR_DAY, limit_price=PRICE, stop_price=None,
        )  # fmt: skip
        account.book(Fill(at=AT, order_id=1, ticket=ticket, quantity=500, price=PRICE))
    return account


def shrinks(config: str, choose: Callable[[str], str] = account_of) -> bool:
    """Tell whether less can be spent after a purchase that was sold again at the same price."""
    accounts: Mapping[str, Account] = simulated_accounts(simulator_settings(1, HOURS))
    account = accounts[choose(config)]
    before = account.buying_power(AT)
    assert before == account.cash  # nobody lends anything
    return traded(account).buying_power(AT) < before


def test_the_demonstration_spends_again_what_it_sold() -> None:
    """After a sale the demonstration has what it began with, no less and no more; any other day has less."""
    assert not shrinks("demo")
    assert shrinks("default")


def test_a_demonstration_in_a_cash_account_would_be_found() -> None:
    """Where every configuration trades the cash account, as it once was, the demonstration's entries shrink."""
    assert shrinks("demo", choose=lambda _config: account_of("default"))


@pytest.mark.parametrize("config", CONFIGS)
def test_the_account_of_a_configuration_is_that_of_its_functions(config: str) -> None:
    """The functions are given the account that the run names, and the rule of the configuration goes with it."""
    given = environ({}, config=config, market_spec="generated", symbols=["ZA"])
    assert given["ETRADE_ACCOUNT_ID"] == account_of(config)
    assert simulated_accounts(simulator_settings(1, HOURS))[account_of(config)].mode == mode_of(config)
    said = held_in(load(given), None)
    assert said == told(account_of(config), configuration(config).account.day_trade_rule)


def test_each_account_is_said_in_a_sentence() -> None:
    """A margin account says that nobody lends and which rule counts; a cash account why entries shrink."""
    margin = told(account_of("demo"), DayTradeRule.OFF)
    assert margin.startswith("a margin account without leverage")
    assert margin.endswith("day-trade rule off")
    assert "settles on a later day, so entries shrink" in told(account_of("default"), DayTradeRule.LEGACY_PDT)


def test_output_and_report_name_the_account() -> None:
    """The tables on the terminal and the report say which account was traded."""
    account = told(account_of("demo"), DayTradeRule.OFF)
    result = result_of(quiet_day(), Path("runs/0001"), account=account)
    console = Console(width=200)
    with console.capture() as shown:
        show(console, result)
    assert account in shown.get()
    assert account in page_of(result)
