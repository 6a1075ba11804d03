"""Which account is ours, and what it can spend: never a guess, and what is missing is named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.broker.brokerage import Account, AccountRecord, Balance
from shared.domain.broker.reads import Answer
from shared.domain.control.control import TradingState
from shared.errors import ConfigError, Unreadable
from shared.usecases.base.desk import put
from shared.usecases.base.pins import pinning
from shared.usecases.base.reads import NotedBroker, unread
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.control import control
from shared.usecases.orders import account
from tests.usecases.bench import START, Bench
from tests.usecases.post import PLACEMENT

OURS = Account(key="key", number="1", mode="CASH", active=True)
OTHER = Account(key="other", number="2", mode="CASH", active=True)
CLOSED = replace(OTHER, active=False)
NO_STATUS = Account(key="other", number="2", mode="CASH", active=False, odd=("accountStatus",))
NO_KEY = Account(key="", number="2", mode="CASH", active=True, odd=("accountIdKey",))
NO_MODE = Account(key="key", number="1", mode="", active=True, odd=("accountMode",))
DAY = START.date()


class Answers:
    """A broker that lists these accounts and has this balance."""

    def __init__(self, accounts: tuple[Account, ...], balance: Balance | None = None) -> None:
        self._accounts, self._balance = accounts, balance

    def accounts(self) -> tuple[Account, ...]:
        """List the accounts."""
        return self._accounts

    def balance(self, _key: str) -> Balance | None:
        """Give the balance."""
        return self._balance


def desk(*accounts: Account, wanted: str = "1", balance: Balance | None = None) -> TradingDesk:
    """Give a desk of a broker with these accounts, whose owner named one or none."""
    bench = Bench()
    plain = replace(bench.desks[PLACEMENT], store=bench.store)
    mandate = Mandate(account_id=wanted, capital_usd=Decimal(1000), watch_list=())
    answers: Any = Answers(accounts, balance)
    return replace(
        plain, broker=NotedBroker(answers, plain, judge=account.judge(plain, "owner", wanted)), mandate=mandate
    )


@pytest.mark.parametrize(
    ("accounts", "wanted"),
    [
        ((OURS,), "1"), ((OURS, CLOSED), "1"), ((NO_MODE,), "1"), ((OURS, OTHER), "1"), ((OURS, OTHER), "key"),
        ((OURS, NO_STATUS), "1"), ((OURS, NO_KEY), "key"),
    ],
)  # fmt: skip
def test_the_account_that_is_surely_meant_is_ours(accounts: tuple[Account, ...], wanted: str) -> None:
    """The active account that the owner named is ours, whatever cannot be read of the others."""
    assert account.ours(desk(*accounts, wanted=wanted), DAY).value.key == "key"


@pytest.mark.parametrize(
    ("accounts", "wanted", "named"),
    [
        ((NO_STATUS,), "2", "accounts: accountStatus is missing"),
        ((NO_KEY,), "2", "accounts: accountIdKey is missing"),
        ((OURS, NO_KEY), "3", "accounts: accountIdKey is missing"),
        (
            (OURS, Account(key="x", number="", mode="CASH", active=True, odd=("accountId",))),
            "3",
            "accountId is missing",
        ),
    ],
)
def test_what_is_missing_in_the_account_that_may_be_meant_is_named(
    accounts: tuple[Account, ...], wanted: str, named: str
) -> None:
    """Where the account that is meant cannot be read, the field that is missing is named and nothing is chosen."""
    here = desk(*accounts, wanted=wanted)
    with pytest.raises(Unreadable, match=named):
        account.ours(here, DAY)
    assert [note.what for note in unread(here)] == [Answer.ACCOUNTS]


@pytest.mark.parametrize(
    ("accounts", "wanted"), [((OURS, OTHER), ""), ((OURS,), ""), ((CLOSED,), "2"), ((OURS,), "2"), ((), "1")]
)
def test_a_choice_that_would_be_a_guess_is_the_owners(accounts: tuple[Account, ...], wanted: str) -> None:
    """An account that nobody chose, or that is not among those of the token, is not ours, be it the only one."""
    with pytest.raises(ConfigError, match="ETRADE_ACCOUNT_ID"):
        account.ours(desk(*accounts, wanted=wanted), DAY)


def _balance(mode: str, *, settled: int | None, power: int | None) -> Balance:
    return Balance(
        at=START, account_mode=mode, settled_cash=None if settled is None else Decimal(settled),
        cash_buying_power=None if power is None else Decimal(power), account_value=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "listed", "usable"), [("", "CASH", 10), ("", "MARGIN", 20), ("", "", 10), ("IRA", "MARGIN", 10)]
)
def test_a_balance_without_a_mode_has_that_of_the_list(said: str, listed: str, usable: int) -> None:
    """The balance's own mode counts first, then that of the account list; with neither settled cash is spent."""
    here = desk(OURS, balance=_balance(said, settled=10, power=20))
    assert account.balance(here, AccountRecord(key="key", mode=listed, session=DAY)).usable == usable


def test_a_figure_that_the_lists_mode_needs_is_named() -> None:
    """Where the account list says what is spent and the balance lacks it, the figure is named."""
    here = desk(replace(OURS, mode="MARGIN"), balance=_balance("", settled=10, power=None))
    with pytest.raises(Unreadable, match="balance: cashBuyingPower is missing"):
        account.balance(here, account.ours(here, DAY).value)
    assert [(note.what, note.why) for note in unread(here)] == [(Answer.BALANCE, "balance: cashBuyingPower is missing")]


def test_a_figure_that_is_missing_is_noted_by_the_minutes_look_too() -> None:
    """What a balance lacks of what its account's mode spends is noted before anything wants to be bought."""
    here = desk(OURS, balance=_balance("", settled=None, power=None))
    account.ours(here, DAY)
    here.broker.balance("key")
    assert [note.what for note in unread(here)] == [Answer.BALANCE]


def _whatever_the_token_has(here: TradingDesk, session: date) -> object:
    """Seeded mistake: the one active account of whatever token is there is ours, as it once was."""
    (only,) = [one for one in here.broker.accounts() if one.may_be_active]
    record = AccountRecord(key=only.key, mode=only.mode, session=session, chosen="")
    return here.store.commit([put(account.PATH, record)])


def _taken(choose: Callable[[TradingDesk, date], object], wanted: str) -> tuple[str, TradingState, str]:
    """Pin our account, have a token of another one, and give what was said, the trading state and why."""
    here, said = desk(OTHER, wanted=wanted), ""
    _pin(here, OURS)
    try:
        choose(here, DAY)
    except ConfigError as problem:
        said = problem.detail
    held = control.current(here).value
    return said, held.state, held.reason


def _pin(here: TradingDesk, one: Account) -> None:
    here.store.commit([pinning(one, operator="owner", chance=here.chance, clock=here.clock)])


def test_a_pinned_account_is_ours_and_no_other() -> None:
    """The pin decides where no setting does, another choice is asked for at once, and its number stands nowhere."""
    here = desk(replace(OURS, number="11112222"), replace(OTHER, number="33334444"), wanted="")
    for one, number in ((OURS, "11112222"), (OTHER, "33334444")):
        _pin(here, replace(one, number=number))
        assert account.ours(here, DAY).value.key == one.key
    kept = repr([here.store.query(name) for name in ("pins", "account")])
    assert not any(part in kept for part in ("11112222", "33334444", "2222", "4444"))


@pytest.mark.parametrize("wanted", ["", "1"])
def test_a_token_of_another_account_halts(wanted: str) -> None:
    """Where the chosen account is not among the token's, nothing is traded, and the owner hears of a halt."""
    said, state, reason = _taken(account.ours, wanted)
    assert "0 of 1 active accounts are the chosen one" in said
    assert (state, reason) == (TradingState.HALTED, "the token is of another account than the chosen one")


@pytest.mark.parametrize("wanted", ["", "1"])
def test_who_takes_the_account_of_any_token_is_caught(wanted: str) -> None:
    """Without the pin the account of whoever signed in is traded, and nobody hears of it."""
    said, state, _ = _taken(_whatever_the_token_has, wanted)
    assert (said, state) == ("", TradingState.ACTIVE)


def test_a_setting_and_a_pin_that_contradict_each_other_choose_none() -> None:
    """An account has to be both the one of the setting and the pinned one."""
    here = desk(OURS, OTHER, wanted="1")
    _pin(here, OTHER)
    with pytest.raises(ConfigError, match="0 of 2"):
        account.ours(here, DAY)
