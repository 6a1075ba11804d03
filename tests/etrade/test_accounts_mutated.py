"""Balances and account lists that somebody damaged: what is sound is used, what is not is named."""

import json
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from shared.domain.broker.brokerage import Balance, is_margin
from shared.errors import Unreadable
from shared.etrade import parse_accounts
from tests.etrade import samples
from tests.etrade.mutations import mutated
from tests.etrade.world import START

FAST, LONG = 2_000, 100_000
MODES = ("CASH", "MARGIN", "IRA", "PDT ACCOUNT", None)


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def figure(node: Any, *names: str) -> Decimal | None:
    """Read a figure as a person would: a number, or a text that is one; anything else is none."""
    for name in names:
        node = node.get(name) if isinstance(node, dict) else None
    if isinstance(node, bool) or not isinstance(node, int | float | str):
        return None
    try:
        value = Decimal(str(node))
    except ArithmeticError:
        return None
    return value if value.is_finite() and abs(value) < 10**16 else None


def read(body: object) -> Balance | str:
    """Read a balance, or give what the error says."""
    try:
        return parse_accounts.balance(raw(body), at=START)
    except Unreadable as problem:
        return problem.detail


def one_balance(seed: int) -> str:
    """Damage one balance and check what is made of it; gives how it was read."""
    chance = Random(f"balance/{seed}")
    whole: Any = {"BalanceResponse": dict(samples.BALANCE["BalanceResponse"], accountMode=chance.choice(MODES))}
    body = mutated(whole, chance, changes=chance.randint(0, 4))
    found = read(body)
    inner = body.get("BalanceResponse")
    computed = inner.get("Computed") if isinstance(inner, dict) else None
    settled, power = figure(computed, "settledCashForInvestment"), figure(computed, "cashBuyingPower")
    if isinstance(found, Balance):
        assert (found.settled_cash, found.cash_buying_power) == (settled, power), seed
        assert found.account_value == figure(computed, "RealTimeValues", "totalAccountValue"), seed
        assert (found.usable is None) == (found.lacks is not None), seed
        assert not found.account_mode or found.usable is not None, seed
        assert found.usable == (power if is_margin(found.account_mode) else settled), seed
        return "read"
    named = ("balanceresponse", "computed", "settledCashForInvestment", "cashBuyingPower")
    assert any(name in found for name in named), (seed, found)
    if isinstance(computed, dict):
        wanted = power if is_margin(str(inner["accountMode"])) else settled
        assert wanted is None, (seed, found)
    return "named"


def one_list(seed: int) -> None:
    """Put one sound account among damaged ones and find it as it is."""
    chance = Random(f"accounts/{seed}")
    sound = samples.ACCOUNTS["AccountListResponse"]["Accounts"]["Account"][0]
    rows: list[Any] = [mutated([sound], chance, changes=chance.randint(1, 3)) for _ in range(chance.randint(0, 6))]
    rows = [row for part in rows for row in part]
    at = chance.randint(0, len(rows))
    rows.insert(at, sound)
    found = parse_accounts.accounts(raw({"AccountListResponse": {"Accounts": {"Account": rows}}}))
    assert len(found) == len(rows), seed
    (ours,) = parse_accounts.accounts(raw({"AccountListResponse": {"Accounts": {"Account": [sound]}}}))
    assert found[at] == ours, seed
    for row, account in zip(rows, found, strict=True):
        stated = row if isinstance(row, dict) else {}
        assert account.active == (stated.get("accountStatus") == "ACTIVE"), seed
        assert ("accountIdKey" in account.odd) == (account.key == ""), seed


def test_a_damaged_balance_is_used_or_named() -> None:
    """Whatever was done to a balance, a figure is what the answer states or not known, and a refusal names a field."""
    seen = Counter(one_balance(seed) for seed in range(FAST))
    assert min(seen["read"], seen["named"]) > FAST // 20


def test_a_damaged_account_hides_no_sound_one() -> None:
    """Whatever was done to the other rows, the sound account is read as if it stood alone, and none becomes active."""
    for seed in range(FAST):
        one_list(seed)


@pytest.mark.long
def test_damaged_balances_and_accounts_over_many_seeds() -> None:
    """The same over a hundred thousand of each."""
    for seed in range(FAST, LONG):
        one_balance(seed)
        one_list(seed)


SANDBOX: tuple[tuple[str, dict[str, str], dict[str, object], object, object], ...] = (
    ("no mode", {}, {"settledCashForInvestment": 4800, "cashAvailableForInvestment": 4800}, 150_500, 4800),
    ("no real-time values", {"accountMode": "PDT ACCOUNT"}, {"cashBuyingPower": 93000.5}, None, "93000.5"),
    ("an IRA", {"accountMode": "IRA"}, {"settledCashForInvestment": 4800, "cashBalance": 5000}, 150_500, 4800),
)


@pytest.mark.parametrize(("what", "said", "computed", "value", "usable"), SANDBOX, ids=[case[0] for case in SANDBOX])
def test_what_the_sandbox_answers_is_read(
    what: str, said: dict[str, str], computed: dict[str, object], value: object, usable: object
) -> None:
    """Balances as the sandbox has them are read: without a mode, without real-time values, of an IRA."""
    values = {} if value is None else {"RealTimeValues": {"totalAccountValue": value}}
    found = read({"BalanceResponse": {"accountId": "00000001", **said, "Computed": computed | values}})
    assert isinstance(found, Balance), what
    assert (found.usable, found.account_value) == (Decimal(str(usable)), value)
