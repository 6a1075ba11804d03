"""`strategy login` chooses the account: at the first sign-in, by command alone, and never by a guess."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.simulator import Simulator
from infra.one_machine.memory_store import MemoryStore
from infra.operations import login
from infra.operations.profiles import Hand
from infra.simulated_day.owner import accept
from infra.simulated_day.problems import UserError
from shared.domain.broker.brokerage import Account
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.no_bus import NoBus
from shared.topology import ACCESS_TOKEN, CONSUMER, TOPOLOGY, Right
from shared.usecases.base.desk import Desk
from shared.usecases.base.pins import pinned
from shared.usecases.sign_in import token
from tests.doors.fakes import Lines, ListVault
from tests.infra.brokersim.world import InProcess, quiet

_SETTINGS = SimulatorSettings(consumer_key="simulated-key", consumer_secret="simulated-secret")
CASH, MARGIN = "00000001", "00000002"


class Home:
    """An owner at a desk over a simulated E*TRADE, which has two active accounts."""

    def __init__(self, account_id: str = "") -> None:
        self.signed_in = 0
        self.simulator = Simulator(market=quiet(), now=self._now, settings=_SETTINGS, seed=1)
        self.http, self.store, self.vault = InProcess(self.simulator), MemoryStore(), ListVault()
        self.vault.add(CONSUMER, b'{"key":"simulated-key","secret":"simulated-secret"}')
        desk = Desk(
            actor="owner", clock=SystemClock(), chance=SystemChance(), store=self.store, bus=NoBus(), journal=Lines()
        )
        self.hand = Hand(
            name="here", desk=desk, open_vault=lambda: self.vault, sign_in=None, operator="owner", running=True,
            mode="paper", account_id=account_id, sandbox=False, http=lambda: self.http,
        )  # fmt: skip

    def _now(self) -> datetime:
        """Give the broker's time: its limits are a second's, and somebody who signs in takes longer."""
        return datetime.now(UTC) + self.signed_in * timedelta(seconds=5)

    def sign_in(self, choose: Callable[[tuple[Account, ...]], Account | None] | None = None) -> None:
        """Sign in by the command."""
        self.signed_in += 1
        login.by_code(self.hand, lambda page: accept(page, self.http), choose=choose)

    def is_pinned(self, number: str) -> bool:
        """Tell whether an account is the chosen one."""
        one = Account(key="", number=number, mode="CASH", active=True)
        return pinned(self.store, "owner", "").is_ours(one)


def _numbered(number: str) -> Callable[[tuple[Account, ...]], Account | None]:
    return lambda accounts: next((one for one in accounts if one.number == number), None)


def test_the_first_sign_in_pins_what_the_setting_names_and_no_page_can() -> None:
    """With a setting the first sign-in is of its account and goes on without a pin; no function may write one."""
    home = Home(account_id=CASH)
    home.sign_in()
    assert token.current(home.store) is not None
    for function in TOPOLOGY.functions:
        assert function.collections.get("pins", Right(0)) in {Right(0), Right.READ}


def test_between_two_accounts_the_owner_chooses() -> None:
    """Where two accounts are active nothing is pinned by itself, and the token is ended; chosen, one is pinned."""
    home = Home()
    with pytest.raises(UserError, match="none was chosen") as refused:
        home.sign_in()
    assert "--change-account" in refused.value.remedy
    assert (token.current(home.store), home.vault.versions(ACCESS_TOKEN), home.store.query("pins")) == (None, (), [])
    home.sign_in(_numbered(MARGIN))
    assert home.is_pinned(MARGIN)
    home.sign_in()
    assert home.is_pinned(MARGIN)


def test_another_account_is_pinned_by_command_alone() -> None:
    """A change is made where the owner confirms one, and a change that names none leaves pin and token as they were."""
    home = Home()
    home.sign_in(_numbered(CASH))
    before: Any = token.current(home.store)
    with pytest.raises(UserError):
        home.sign_in(lambda _: None)
    assert (home.is_pinned(CASH), token.current(home.store)) == (True, before)
    home.sign_in(_numbered(MARGIN))
    assert (home.is_pinned(CASH), home.is_pinned(MARGIN)) == (False, True)
