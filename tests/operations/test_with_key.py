"""A key alone shows accounts, balances and quotes: it signs in where nobody is, and can neither place nor cancel."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from requests import Request

from infra.brokersim.faults import Fault
from infra.brokersim.standing import Standing
from infra.cli import with_key
from infra.operations import key, tables
from infra.operations.key import ReadsAlone
from infra.operations.login import by_code_alone
from infra.operations.logout import logout
from infra.operations.market import market_data
from infra.operations.profiles import Hand, reach_key
from infra.operations.reads import Reads
from infra.simulated_day.owner import accept
from infra.simulated_day.problems import UserError
from shared.domain.broker.brokerage import Balance, LastBalance
from shared.domain.broker.turns import Purpose
from shared.errors import InvariantBroken, TokenDead
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import Limits, Role
from shared.etrade.session import PRODUCTION
from shared.etrade.turns import AccountTurns
from shared.gcp.threads import Threads
from shared.ports import Delete
from shared.topology import ACCESS_TOKEN, CONSUMER
from shared.usecases.base.desk import put
from shared.usecases.orders.account import LAST_BALANCE
from shared.wiring.credentials import stored_consumer
from tests.contract.brokers import ticket
from tests.etrade.world import ScriptedBroker, json_reply
from tests.infra.brokersim.world import CONSUMER_KEY, CONSUMER_SECRET, NOON
from tests.operations.desks import refused, strategy, write_card
from tests.operations.keyed import NUMBERS, ORDER_CALLS, KeyHome

VAULT_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PAIR = {"ETRADE_CONSUMER_KEY": "invented-key-1", "ETRADE_CONSUMER_SECRET": "invented-half-1"}
PLACE, CANCEL = "/v1/accounts/KEY/orders/place.json", "/v1/accounts/KEY/orders/cancel.json"
SHOWN = {"anew": False, "browser": False}


def test_accounts_name_no_number() -> None:
    """Every account is listed with its mode and whether it is active, by the last four digits alone."""
    home = KeyHome()
    hand = home.signed_in()
    found = tables.accounts(hand, key.reads(hand))
    assert [(one.ending, one.mode, one.active) for one in found.rows] == [
        ("0001", "CASH", True), ("0002", "MARGIN", True), ("0003", "CASH", False),
    ]  # fmt: skip
    assert (found.source, found.asked_at) == ("E*TRADE's production", home.clock.at - timedelta(seconds=0.1))


def test_a_balance_that_fails_hides_no_other() -> None:
    """Both active accounts are shown with what they can spend, and one that cannot be read is named with the reason."""
    home = KeyHome(standing=Standing(day_trader_status="PDT"))
    hand = home.signed_in()
    both = tables.balances(hand, key.reads(hand)).rows
    assert [(one.ending, one.settled_cash, one.day_trader_status, one.problem) for one in both] == [
        ("0001", Decimal(100_000), "PDT", None), ("0002", Decimal(100_000), "PDT", None),
    ]  # fmt: skip
    home.simulator.inject(Fault(endpoint="balance", kind="empty-200"))
    first, second = tables.balances(hand, key.reads(hand)).rows
    assert (first.problem is None, second.problem) == (False, None)


def test_a_balance_is_shown_as_people_write_an_amount(capsys: pytest.CaptureFixture[str]) -> None:
    """Cash, buying power and worth stand in USD with commas and cents."""
    with_key.balance(KeyHome().signed_in(), anew=False, browser=False, json=False)
    assert "100,000.00 USD" in capsys.readouterr().out


def test_a_quote_has_its_own_age_and_delay() -> None:
    """The age of a quote is that of its own time, an unknown symbol is a row that says so, and small letters count."""
    home = KeyHome()
    hand = home.signed_in()
    found = tables.quotes(hand, market_data(hand, key.reads(hand)), ["zxaa", "NONE", "ZXAA"])
    known, unknown = found.rows
    assert (known.symbol, known.bid, known.ask, known.delayed, known.delay, known.source) == (
        "ZXAA", Decimal("10.00"), Decimal("10.02"), False, "none", "E*TRADE's production",
    )  # fmt: skip
    assert known.at is not None
    assert known.age_s == (home.clock.at - known.at).total_seconds()
    assert (unknown.symbol, unknown.bid, unknown.fresh, unknown.quality) == ("NONE", None, False, Decimal(0))
    assert unknown.reasons == ("E*TRADE's production does not know it, or gives no quote that can be used",)
    assert found.delayed is None


def test_delayed_quotes_are_told_once_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """However many quotes are delayed, the remedy is said once, and each row says DELAYED."""
    home = KeyHome()
    hand = home.signed_in()
    home.simulator.delay_quotes(True)
    with_key.quote(hand, ["ZXAA", "ZXBB"], json=False, **SHOWN)
    shown = capsys.readouterr()
    assert shown.out.count(" DELAYED ") == 2
    assert shown.err.count("market data agreement") == 1


@pytest.mark.parametrize("show", [
    lambda hand: with_key.accounts(hand, json=True, **SHOWN),
    lambda hand: with_key.balance(hand, json=True, **SHOWN),
    lambda hand: with_key.accounts(hand, json=False, **SHOWN),
    lambda hand: with_key.balance(hand, json=False, **SHOWN),
])  # fmt: skip
def test_what_is_shown_names_source_and_no_secret(
    show: Callable[[Hand], None], capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """In words and as JSON the source is named, and no account's number or key is."""
    hand = KeyHome().signed_in()
    show(hand)
    shown = capsys.readouterr()
    assert "E*TRADE's production" in shown.err
    assert not [one for one in (*NUMBERS, "simulated-cash-key", "margin-key") if one in shown.out + shown.err]
    if shown.out.startswith("{"):
        assert [one["ending"] for one in json.loads(shown.out)["rows"]][:2] == ["0001", "0002"]


def test_a_missing_quote_fails_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a symbol has no quote the others are shown, and the exit code says that one is missing."""
    hand = KeyHome().signed_in()
    with pytest.raises(typer.Exit) as ended:
        with_key.quote(hand, ["ZXAA", "NONE"], json=False, **SHOWN)
    assert ended.value.exit_code == 2
    assert "10.02" in capsys.readouterr().out


def test_the_client_has_no_word_for_an_order() -> None:
    """What a key alone may ask is named in full, and nothing of it places or cancels."""
    assert {one.name for one in fields(Reads)} == {"accounts", "balance", "portfolio", "quotes", "preview", "orders"}
    assert not {"place", "cancel"} & set(dir(Reads))


ELSEWHERE = [
    ("POST", PLACE), ("PUT", CANCEL), ("PUT", "/v1/accounts/KEY/orders/7/change/preview.json"),
    ("PUT", "/v1/accounts/KEY/orders/7/change/place.json"), ("POST", "/v1/accounts/KEY/orders/preview/../place.json"),
    ("GET", PLACE), ("GET", "/oauth/revoke_access_token"), ("DELETE", "/v1/user/alerts/1.json"),
    ("POST", "/v1/accounts/KEY/orders/preview.json/place.json"), ("GET", "/v1/accounts/list.json/../../oauth"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_nothing_but_reads_and_previews_leaves(method: str, path: str) -> None:
    """Whatever calls the transport, an order, a change and the end of a token do not leave it."""
    broker = ScriptedBroker(json_reply({}))
    request = Request(method, f"{PRODUCTION}{path}").prepare()
    request.url = f"{PRODUCTION}{path}"
    with pytest.raises(InvariantBroken, match="not sent"):
        ReadsAlone(broker).send(request)
    assert broker.requests == []


def attempt(home: KeyHome, *, guarded: bool) -> int:
    """Place and cancel with a whole broker, over the transport of a key alone or without it; gives how many left."""
    hand = home.signed_in()
    turns = AccountTurns(store=home.store, clock=home.clock, chance=hand.desk.chance, journal=home.journal)
    given = key.credentials_of(hand)
    broker = EtradeBroker(
        credentials=lambda: given, sandbox=False, clock=home.clock, chance=hand.desk.chance, journal=home.journal,
        limits=Limits(clock=home.clock, role=Role.PLACEMENT, turns=turns), side_by_side=Threads(home.clock),
        caller="owner", purpose=Purpose.ENTER, http=ReadsAlone(home.http) if guarded else home.http,
    )  # fmt: skip
    account = broker.accounts()[0].key
    in_time = home.clock.at + timedelta(seconds=9)
    with suppress(InvariantBroken):
        broker.place(account, ticket("ATTEMPT1"), [1], deadline=in_time)
    with suppress(InvariantBroken):
        broker.cancel(account, 7)
    return sum(home.calls()[name] for name in ORDER_CALLS)


def test_an_attempt_to_place_reaches_nobody() -> None:
    """Even a whole broker places and cancels nothing over this transport; without it the simulator hears of both."""
    home = KeyHome()
    assert attempt(home, guarded=True) == 0
    home.nothing_was_placed()
    assert attempt(KeyHome(), guarded=False) == 2


def test_the_key_signs_in_where_nobody_is() -> None:
    """Without a token a key alone signs in by a code and keeps one token; a system that runs says how to instead."""
    home = KeyHome()
    with pytest.raises(TokenDead):
        key.reads(home.hand())
    with pytest.raises(UserError) as running:
        with_key.signed_in(home.hand(running=True), anew=False, browser=False)
    assert "strategy login" in running.value.remedy
    home.signed_in()
    home.signed_in()
    assert len(home.vault.versions(ACCESS_TOKEN)) == 1
    assert len(key.reads(home.hand()).accounts()) == 3


def test_a_token_that_sleeps_is_woken() -> None:
    """After hours without a call the first look renews the token, once, and goes on."""
    home = KeyHome()
    hand = home.signed_in()
    home.clock.forward(3 * 3600)
    assert key.reads(hand).quotes(["ZXAA"])
    assert home.calls()["renew"] == 1


def test_a_simulator_that_does_not_run_is_not_asked() -> None:
    """A simulated system at rest has no broker to ask, and nothing leaves for E*TRADE's host in its place."""
    with pytest.raises(UserError, match="its broker, the simulator, does not answer"):
        key.require_reachable(KeyHome().hand(simulated=True, http=None))


def test_the_pair_of_the_environment_goes_into_the_vault(tmp_path: Path) -> None:
    """The pair comes from the environment, else from the vault, else it is asked for; a new one replaces the old."""
    environ = {"STRATEGY_VAULT_KEY": VAULT_KEY}
    asked: list[int] = []

    def ask() -> tuple[str, ...]:
        asked.append(1)
        return "invented-key-2", "invented-half-2"

    def pair_with(given: dict[str, str]) -> tuple[str, str]:
        with reach_key("sandbox", tmp_path / "key", environ) as hand:
            key.require_pair(hand, given, ask)
            assert len(hand.open_vault().versions(CONSUMER)) == 1
            return stored_consumer(hand.open_vault())

    assert pair_with({}) == ("invented-key-2", "invented-half-2")
    assert pair_with(PAIR) == pair_with({}) == ("invented-key-1", "invented-half-1")
    assert len(asked) == 1
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_a_balance_says_what_paper_has(capsys: pytest.CaptureFixture[str]) -> None:
    """The paper account has a row of its own, as settlement read it; a live system has none."""
    home, at = KeyHome(), NOON - timedelta(seconds=30)
    balance = Balance(
        at=at, account_mode="CASH", settled_cash=Decimal(1_234), cash_buying_power=None, account_value=None
    )
    for mode, own in (("paper", True), ("live", False)):
        hand = replace(home.signed_in(), mode=mode)
        with_key.balance(hand, json=False, **SHOWN)
        shown = capsys.readouterr()
        assert ("paper account" in shown.out, "Its balance was not read yet." in shown.err) == (own, own)
        hand.desk.store.commit([put(LAST_BALANCE, LastBalance(balance=balance, capital=Decimal(2_000)))])
        with_key.balance(hand, json=False, **SHOWN)
        assert ("1,234.00 USD" in capsys.readouterr().out) is own
        with_key.balance(hand, json=True, **SHOWN)
        rows = json.loads(capsys.readouterr().out)["rows"]
        assert [(one["on_paper"], one["settled_cash"]) for one in rows[2:]] == [(True, "1234")] * own
        hand.desk.store.commit([Delete(LAST_BALANCE)])


def test_a_sign_in_lasts_in_the_folder_of_the_key(tmp_path: Path) -> None:
    """Signed in once, a later command reads with the token of the folder, until it is signed out there."""
    home, environ = KeyHome(), {"STRATEGY_VAULT_KEY": VAULT_KEY}
    pair = {"ETRADE_CONSUMER_KEY": CONSUMER_KEY, "ETRADE_CONSUMER_SECRET": CONSUMER_SECRET}

    @contextmanager
    def reached() -> Iterator[Hand]:
        with reach_key("production", tmp_path / "key", environ) as hand:
            yield replace(hand, http=lambda: home.http, desk=replace(hand.desk, clock=home.clock))

    with reached() as hand:
        key.require_pair(hand, pair, tuple)
        by_code_alone(hand, lambda page: accept(page, home.http))
    home.clock.forward(2)
    with reached() as hand:
        assert len(key.reads(hand).accounts()) == 3
        home.clock.forward(2)
        assert logout(hand).destroyed == 1
    with reached() as hand:
        assert not key.signs(hand)
    assert home.calls()["revoke"] == 1


def test_nobody_to_sign_out_is_said(tmp_path: Path) -> None:
    """Where a key alone has no token `strategy logout` says so, and asks E*TRADE nothing."""
    done = strategy("logout", "--broker", "sandbox", "--state", str(tmp_path / "key"), STRATEGY_VAULT_KEY=VAULT_KEY)
    assert (done.exit_code, done.stdout) == (0, "You are not signed in.\n")


def test_a_folder_of_a_system_holds_no_key_alone(tmp_path: Path) -> None:
    """A key alone never goes into the folder of a system, and an unknown broker makes no folder."""
    write_card(tmp_path / "desk")
    refused(strategy("accounts", "--broker", "sandbox", "--state", str(tmp_path / "desk")), "holds a system")
    refused(strategy("accounts", "--broker", "other", "--state", str(tmp_path / "new")), "production or sandbox")
    assert not (tmp_path / "new").exists()


def test_without_a_pair_nothing_is_asked_of_etrade(tmp_path: Path) -> None:
    """Where no pair is given the command says which one it wants, and repeats nothing of what was typed."""
    done = strategy(
        "balance", "--broker", "sandbox", "--state", str(tmp_path / "new"), given="canary-word\n",
        STRATEGY_VAULT_KEY=VAULT_KEY,
    )  # fmt: skip
    refused(done, "a consumer key with its secret", "consumer secret")
    assert "canary-word" not in done.output


def test_a_key_alone_has_no_place_in_the_cloud(tmp_path: Path) -> None:
    """--broker and another profile exclude each other, and nothing is made."""
    done = strategy("quote", "IBM", "--broker", "sandbox", "--profile", "cloud", "--state", str(tmp_path / "new"))
    refused(done, "leave one out")
    assert not (tmp_path / "new").exists()
