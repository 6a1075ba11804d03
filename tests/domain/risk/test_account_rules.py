"""The account's own rules: each denies an entry on its own side of its limit, and none of them a sell."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.base.values import Side
from shared.domain.broker.day_trades import MOST, SMALL_USD, DayTrades
from shared.domain.orders.orders import State
from shared.domain.risk.account_rules import ACCOUNT_RULES, because, day_trades_today, may_be_wash_sale
from shared.domain.risk.risk import SELL_RULES, deny_codes
from tests.domain.broker.test_day_trades import BUY
from tests.domain.made import NOON, balance, config, facts, order, position, sell_codes

SMALL = SMALL_USD - Decimal("0.01")


def codes(rule: str = "legacy_pdt", *, trades: DayTrades | None = None, restriction: str = "", **said: Any) -> set[str]:
    """Give the rules of the account that deny an entry into a margin account with this balance."""
    says: dict[str, Any] = {"account_mode": "MARGIN", "account_value": Decimal(100_000)} | said
    seen = facts(balance=replace(balance(), **says), day_trades=trades, restriction=restriction)
    return set(deny_codes(seen, config(account__day_trade_rule=rule))) & set(ACCOUNT_RULES)


def counted(number: int, today: int = 0) -> DayTrades:
    """Give so many day trades, so many of them today."""
    return DayTrades(before=number - today, today=today)


@pytest.mark.parametrize(("number", "denied"), [(0, False), (2, False), (3, True), (4, True)])
@pytest.mark.parametrize("today", [0, 2])
def test_the_entry_that_could_become_the_fourth_is_denied(number: int, denied: bool, today: int) -> None:
    """With two day trades of five sessions one more is entered, with three none, whichever day they were on."""
    found = codes(trades=counted(max(number, today), today), account_value=SMALL)
    assert found == ({"DAY_TRADES"} if denied else set())


@pytest.mark.parametrize(
    ("value", "denied"), [(SMALL, True), (SMALL_USD, False), (SMALL_USD + Decimal("0.01"), False), (None, True)]
)
def test_the_count_matters_below_its_minimum(value: Decimal | None, denied: bool) -> None:
    """A margin account of 25,000 USD is not counted, one a cent below is, and so is one of no known worth."""
    assert codes(trades=counted(3), account_value=value) == ({"DAY_TRADES"} if denied else set())
    assert codes(trades=None, account_value=value) == ({"DAY_TRADES"} if denied else set())


@pytest.mark.parametrize(
    ("mode", "denied"),
    [("CASH", False), ("IRA", False), ("MARGIN", True), ("PDT ACCOUNT", True), ("", True), ("NEW", True)],
)
def test_a_cash_account_has_no_day_trade_rule(mode: str, denied: bool) -> None:
    """The rule is one of margin accounts, and of those whose mode is not known."""
    assert ("DAY_TRADES" in codes(trades=counted(3), account_mode=mode, account_value=SMALL)) is denied


def test_a_flagged_account_below_the_minimum_makes_no_day_trade() -> None:
    """An account that the broker calls a pattern day trader's is denied below 25,000 USD, and free from there on."""
    assert codes(trades=counted(0), account_value=SMALL, day_trader_status="PDT") == {"DAY_TRADES"}
    assert codes(trades=None, account_value=SMALL_USD, day_trader_status="PDT") == set()


@pytest.mark.parametrize("rule", ["off", "intraday_margin"])
def test_the_owner_decides_the_rule(rule: str) -> None:
    """Where the owner says that another rule applies, or none, nothing is counted from the day that it may apply."""
    later = NOON.replace(year=2026, month=11, day=23)
    small = replace(balance(), account_mode="MARGIN", account_value=SMALL)
    seen = facts(balance=small, day_trades=counted(9), now=later)
    assert "DAY_TRADES" not in deny_codes(seen, config(account__day_trade_rule=rule))
    early = deny_codes(replace(seen, now=NOON), config(account__day_trade_rule=rule))
    assert ("DAY_TRADES" in early) is (rule == "intraday_margin")


@pytest.mark.parametrize(("value", "denied"), [("250.26", False), ("250.25", False), ("250.24", True), (None, True)])
def test_intraday_margin_needs_a_quarter(value: str | None, denied: bool) -> None:
    """An entry of 1,001 USD needs an account that is worth 250.25 USD; one of no known worth is denied."""
    later = NOON.replace(year=2026, month=11, day=23)
    worth = replace(balance(), account_mode="MARGIN", account_value=None if value is None else Decimal(value))
    seen = facts(balance=worth, now=later)
    assert ("INTRADAY_MARGIN" in deny_codes(seen, config(account__day_trade_rule="intraday_margin"))) is denied
    cash = replace(seen, balance=replace(worth, account_mode="CASH"))
    assert "INTRADAY_MARGIN" not in deny_codes(cash, config(account__day_trade_rule="intraday_margin"))


@pytest.mark.parametrize(
    ("status", "denied"),
    [("", False), ("NO_PDT", False), ("PDT", False), ("PDT_MIN_EQUITY_RES_1XK", True), ("SOMETHING_NEW", True)],
)
@pytest.mark.parametrize("rule", ["legacy_pdt", "off"])
def test_a_day_trader_status_that_restricts_is_obeyed(status: str, denied: bool, rule: str) -> None:
    """Any status but none, NO_PDT and PDT denies entries, whatever rule the owner chose."""
    assert ("DAY_TRADER_STATUS" in codes(rule, day_trader_status=status)) is denied


def test_calls_and_restrictions_are_obeyed() -> None:
    """An open call and an account that the broker called restricted deny entries."""
    assert codes(calls=("houseCall",)) == {"MARGIN_CALL"}
    assert codes(restriction="1036") == {"ACCOUNT_RESTRICTED"}


def test_no_sell_is_asked_about_the_account() -> None:
    """None of these rules is a sell's, and an exit of an account with all of these troubles passes."""
    assert not set(ACCOUNT_RULES) & set(SELL_RULES)
    bad = replace(balance("0"), account_mode="MARGIN", account_value=SMALL, calls=("fedCall",), day_trader_status="BAD")
    assert sell_codes(balance=bad, day_trades=counted(9), restriction="1036") == ()


@given(
    before=st.integers(0, 6), today=st.integers(0, 6), value=st.none() | st.integers(0, 50_000),
    mode=st.sampled_from(("CASH", "MARGIN", "IRA", "", "PDT ACCOUNT")), status=st.sampled_from(("", "NO_PDT", "PDT")),
)  # fmt: skip
def test_no_small_margin_account_ever_gets_a_fourth(
    before: int, today: int, value: int | None, mode: str, status: str
) -> None:
    """An entry that passes is of a cash account, of one that is surely worth enough, or at most the third."""
    worth = None if value is None else Decimal(value)
    found = codes(
        trades=DayTrades(before=before, today=today), account_mode=mode, account_value=worth, day_trader_status=status
    )
    if "DAY_TRADES" not in found:
        assert mode in ("CASH", "IRA") or (worth is not None and worth >= SMALL_USD) or before + today + 1 <= MOST


def test_ours_that_the_list_lacks_are_counted() -> None:
    """A live entry that no row shows counts once, sent or not, and one that the list shows is not counted twice."""
    day = NOON.date()
    listed = replace(BUY, order_id=7)
    for entry in (order(state=State.RESERVED), order(state=State.UNKNOWN), order(broker_order_id=8)):
        assert day_trades_today([listed], [entry], day) == 2
    assert day_trades_today([listed], [order(broker_order_id=7)], day) == 1
    assert day_trades_today([replace(listed, side=Side.SELL)], [], day) == 0


@pytest.mark.parametrize(("days", "marked"), [(0, True), (29, True), (30, True), (31, False)])
def test_an_entry_soon_after_a_loss_is_marked(days: int, marked: bool) -> None:
    """Within thirty days of a sale at a loss in its symbol an entry may be a wash sale, a day later it is none."""
    assert may_be_wash_sale(lost_at=NOON - timedelta(days=days, hours=1), now=NOON) is marked
    assert not may_be_wash_sale(lost_at=None, now=NOON)


def test_the_reason_is_the_brokers_own() -> None:
    """What stands behind a denial is said in figures and in the broker's words."""
    told = facts(
        balance=replace(balance(), calls=("cashCall", "fedCall"), day_trader_status="RES"), restriction="1036",
        day_trades=DayTrades(before=2, today=1), positions=(position(),),
    )  # fmt: skip
    assert [because(code, told) for code in ACCOUNT_RULES] == [
        "2 in the sessions before, 1 today", "not known", "RES", "cashCall, fedCall",
        "code 1036 for an order of this session",
    ]  # fmt: skip
