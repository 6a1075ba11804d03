"""The token's life behind the doors: who refreshes it when, and which one a function signs with."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infra.local.clock import SeededChance
from infra.local.history import MarketHistory
from shared.codec import decode, dumps
from shared.domain.calendar import next_midnight
from shared.domain.tokens import AccessToken, RequestToken, TokenRecord, TokenState
from shared.errors import BrokerError, ConfigError, DeskError, KeyRefused, NotSent, StoreDown, TokenDead
from shared.ports import Create
from shared.topology import ACCESS_TOKEN, CONSUMER, TOPOLOGY
from shared.usecases import token
from shared.usecases.desk import put
from shared.usecases.refresh import refresh
from shared.wiring import Platform
from shared.wiring.desks import VaultCredentials, room
from tests.doors.fakes import NOW, Hands

_ENVIRON = {"STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000"}
_RECORD = TokenRecord(vault_version="1", issued_at=NOW, renewed_at=NOW, dies_at=next_midnight(NOW))


class FakeAuthority:
    """The Authority port: counts renewals, and raises what it was told to."""

    def __init__(self, trouble: DeskError | None = None) -> None:
        self.trouble = trouble
        self.renewals = 0

    def request_token(self) -> RequestToken:
        """Not asked here."""
        raise AssertionError

    def authorize_url(self, token: str) -> str:
        """Not asked here."""
        raise AssertionError

    def access_token(self, request: RequestToken, verifier: str) -> AccessToken:
        """Not asked here."""
        raise AssertionError

    def renew(self) -> None:
        """Count, and fail if told to."""
        self.renewals += 1
        if self.trouble is not None:
            raise self.trouble

    def revoke(self) -> None:
        """Not asked here."""
        raise AssertionError


def _record(hands: Hands) -> TokenRecord:
    held = hands.store.get(token.PATH)
    assert held is not None
    return decode(TokenRecord, held.data)


@pytest.mark.parametrize(
    ("age", "state", "renewals", "event"),
    [
        (None, TokenState.MISSING, 0, "sign_in_needed"),
        (timedelta(minutes=24), TokenState.FRESH, 0, None),
        (timedelta(minutes=25), TokenState.FRESH, 1, "token_renewed"),
        (timedelta(minutes=119), TokenState.FRESH, 1, "token_renewed"),
        (timedelta(hours=2), TokenState.IDLE, 1, "token_renewed"),
        (timedelta(hours=13, minutes=59), TokenState.IDLE, 1, "token_renewed"),
        (timedelta(hours=14), TokenState.DEAD, 0, "sign_in_needed"),
    ],
)
def test_each_state_of_the_token(age: timedelta | None, state: TokenState, renewals: int, event: str | None) -> None:
    """A fresh token is left, an ageing or idle one is renewed and stays the same, a dead or missing one is told."""
    hands, authority = Hands(), FakeAuthority()
    if age is not None:
        hands.store.commit([put(token.PATH, _RECORD)])
        hands.clock.at = NOW + age
    now = hands.clock.now()
    assert token.state_of(_record(hands) if age is not None else None, now) is state
    refresh(hands.desk("token_refresh"), authority)
    assert authority.renewals == renewals
    assert hands.journal.events == ([event] if event else [])
    if age is not None:
        assert _record(hands) == (replace(_RECORD, renewed_at=now) if renewals else _RECORD)


def test_a_token_that_cannot_be_woken_is_dead_at_once() -> None:
    """When E*TRADE says that the token is dead, the record says so too and the owner is told once a tick."""
    hands, authority = Hands(), FakeAuthority(TokenDead("dead"))
    hands.store.commit([put(token.PATH, _RECORD)])
    hands.clock.forward(3600)
    refresh(hands.desk("token_refresh"), authority)
    assert token.state_of(_record(hands), hands.clock.now()) is TokenState.DEAD
    refresh(hands.desk("token_refresh"), authority)
    assert authority.renewals == 1
    assert hands.journal.events == ["sign_in_needed", "sign_in_needed"]


@pytest.mark.parametrize("trouble", [NotSent("no route"), BrokerError("?"), KeyRefused("key")])
def test_a_renewal_that_fails_changes_nothing(trouble: DeskError) -> None:
    """An error of the broker leaves the record as it was and reaches the door."""
    hands = Hands()
    hands.store.commit([put(token.PATH, _RECORD)])
    hands.clock.forward(3600)
    with pytest.raises(type(trouble)):
        refresh(hands.desk("token_refresh"), FakeAuthority(trouble))
    assert _record(hands) == _RECORD


def _credentials(hands: Hands, **environ: str) -> VaultCredentials:
    platform = Platform(
        function=TOPOLOGY.function("market_scan"), environ={**_ENVIRON, **environ}, clock=hands.clock,
        chance=SeededChance(seed=1, name="x"), store=hands.store,
        bus=hands.bus, vault=hands.vault, journal=hands.journal, history=MarketHistory({}),
    )  # fmt: skip
    return VaultCredentials(platform, room(platform))


def _keep(hands: Hands, name: str) -> None:
    version = hands.vault.add(ACCESS_TOKEN, dumps({"token": name, "secret": f"{name}-half"}))
    hands.store.commit([put(token.PATH, replace(_RECORD, vault_version=version))])


def _with_consumer(hands: Hands) -> Hands:
    hands.vault.add(CONSUMER, dumps({"key": "k", "secret": "s"}))
    return hands


def test_the_pair_of_the_environment_goes_before_the_vault() -> None:
    """Consumer key and secret from the environment are used without asking the vault."""
    hands = Hands()
    found = _credentials(hands, ETRADE_CONSUMER_KEY="mine", ETRADE_CONSUMER_SECRET="half")()
    assert (found.consumer_key, found.consumer_secret, found.token) == ("mine", "half", None)
    assert hands.vault.reads == 0


def test_a_new_token_is_seen_at_once_or_within_a_minute() -> None:
    """The first token of a day counts at the next call, and its successor within a minute."""
    hands = _with_consumer(Hands())
    credentials = _credentials(hands)
    assert credentials().token is None
    _keep(hands, "first")
    assert credentials().token == AccessToken(token="first", secret="first-half")
    _keep(hands, "second")
    hands.clock.forward(61)
    assert credentials().token == AccessToken(token="second", secret="second-half")


def test_the_store_is_asked_once_a_minute() -> None:
    """Between two looks neither store nor vault is asked, and the vault only for a version it has not given yet."""
    hands = _with_consumer(Hands())
    _keep(hands, "first")
    credentials = _credentials(hands)
    credentials()
    reads = hands.vault.reads
    hands.store.mood, hands.store.at = StoreDown("down"), frozenset({"token"})
    for _ in range(59):
        hands.clock.forward(1)
        credentials()
    hands.store.mood = None
    hands.clock.forward(60)
    credentials()
    assert hands.vault.reads == reads


def test_a_vault_that_stumbles_does_not_leave_the_old_token_in_force() -> None:
    """When the new token cannot be read for a moment, it is read at the next call; the old one is not kept instead."""
    hands = _with_consumer(Hands())
    _keep(hands, "first")
    credentials = _credentials(hands)
    credentials()
    _keep(hands, "second")
    hands.clock.forward(61)
    hands.vault.broken["read"] = StoreDown("the vault does not answer")
    with pytest.raises(StoreDown):
        credentials()
    del hands.vault.broken["read"]
    assert credentials().token == AccessToken(token="second", secret="second-half")


def test_no_token_is_used_past_its_death() -> None:
    """From midnight New York on the credentials hold no token that lives, even within the minute of a look."""
    hands = _with_consumer(Hands())
    _keep(hands, "first")
    hands.clock.at = _RECORD.dies_at - timedelta(seconds=5)
    credentials = _credentials(hands)
    assert credentials().token is not None
    hands.clock.at = _RECORD.dies_at
    assert credentials().token is None


@pytest.mark.parametrize(
    "plain", [b"{", b"[]", b'{"key": "k"}', b'{"key": 1, "secret": 2}', b'{"key": "", "secret": ""}']
)
def test_a_consumer_secret_that_is_none_is_a_setting_to_repair(plain: bytes) -> None:
    """A consumer secret that is missing or not key and secret is a ConfigError that shows nothing of it."""
    hands = Hands()
    with pytest.raises(ConfigError, match=f"{CONSUMER} has no version"):
        _credentials(hands)()
    hands.vault.add(CONSUMER, plain)
    with pytest.raises(ConfigError, match=CONSUMER) as refused:
        _credentials(hands)()
    assert plain.decode() not in refused.value.detail


def test_a_token_that_the_vault_lost_is_no_crash() -> None:
    """A record that points at a destroyed version, or at no token, is told and counts as none: a sign-in stays open."""
    hands = _with_consumer(Hands())
    hands.store.commit([put(token.PATH, _RECORD)])
    for stored in (None, b"{}"):
        if stored is not None:
            hands.vault.add(ACCESS_TOKEN, stored)
        given = _credentials(hands)()
        assert (given.consumer_key, given.token) == ("k", None)
        with pytest.raises(TokenDead):
            given.signer()


def test_a_torn_record_is_reported(tmp_path: Path) -> None:
    """A token record of another version is not taken for a token."""
    hands = _with_consumer(Hands())
    hands.store.commit([Create(token.PATH, {"vault_version": "1"})])
    with pytest.raises(DeskError):
        _credentials(hands)()
