"""Case preferreds and warrants: every symbol that a ticket takes can be watched, and a wrong one is named."""

from pathlib import Path

import pytest

from shared import settings
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Ticket
from shared.domain.broker.tickets import require_sound
from shared.errors import ConfigError, InvariantBroken
from tests.cases.markets import named
from tests.cases.short_day import as_every_day, play

TAKEN = ("JPM.PR.D", "ACHR.WS", "BRK.B", "BAC.PR.L", "SPAQ.U", "BF.A")
WRONG = ("JPM PR D", "BRK/B", ".HK", "1234567890123456789012", "AIG;BAC")


def listed(*symbols: str) -> tuple[str, ...]:
    """Read a watch list from the settings; raises ConfigError."""
    environ = {"STRATEGY_WATCH_LIST": ",".join(symbols), "STRATEGY_CAPITAL_USD": "1000"}
    return settings.load(environ).watch_list


def ticket(symbol: str) -> Ticket:
    """Make a ticket for one share."""
    return Ticket(
        client_order_id="ONE", symbol=symbol, side=Side.SELL, quantity=1, price_type=PriceType.MARKET,
        term=Term.GOOD_FOR_DAY,
    )  # fmt: skip


@pytest.mark.parametrize("symbol", ["JPM.PR.D", pytest.param("ACHR.WS", marks=pytest.mark.long)])
def test_a_preferred_share_is_watched_bought_and_sold(tmp_path: Path, symbol: str) -> None:
    """A whole day in a symbol with dots, written in small letters in the settings, is as every day."""
    day = play(named(tmp_path, symbol), tmp_path / "runs", STRATEGY_WATCH_LIST=symbol.lower())
    as_every_day(day, symbol=symbol)


@pytest.mark.parametrize("symbol", TAKEN)
def test_the_settings_take_what_a_ticket_takes(symbol: str) -> None:
    """Shares of a class, preferreds, warrants and units are taken in either case."""
    assert listed("IBM", symbol) == listed("ibm", symbol.lower()) == ("IBM", symbol)
    require_sound(ticket(symbol))


@pytest.mark.parametrize("wrong", WRONG)
def test_one_wrong_symbol_of_a_long_list_is_named(wrong: str) -> None:
    """Of a long list the wrong symbol is shown, and not the list's beginning."""
    names = [f"AA{chr(65 + place // 26)}{chr(65 + place % 26)}" for place in range(150)]
    with pytest.raises(ConfigError) as refused:
        listed(*names, wrong, "IBM")
    (problem,) = refused.value.problems
    assert repr(wrong) in problem
    with pytest.raises(InvariantBroken):
        require_sound(ticket(wrong))
    assert "AAAC" not in problem
