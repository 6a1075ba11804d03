"""Which token a function signs with: the one that counts now, and none that is dead."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infra.one_machine.clock import SeededChance
from infra.one_machine.history import MarketHistory
from shared.codec import dumps
from shared.domain.broker.tokens import ARRIVES_WITHIN, AccessToken, issued
from shared.errors import ConfigError, DeskError, StoreDown, TokenDead
from shared.gcp.threads import Threads
from shared.ports import Create
from shared.topology import ACCESS_TOKEN, CONSUMER, TOPOLOGY
from shared.usecases.base.desk import put
from shared.usecases.sign_in import token
from shared.wiring import Platform
from shared.wiring.credentials import VaultCredentials
from shared.wiring.rooms import room
from tests.doors.fakes import NOW, Hands

_ENVIRON = {"STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000"}
_RECORD = issued("1", NOW)


def _credentials(hands: Hands, **environ: str) -> VaultCredentials:
    platform = Platform(
        function=TOPOLOGY.function("market_scan"), environ={**_ENVIRON, **environ}, clock=hands.clock,
        chance=SeededChance(seed=1, name="x"), side_by_side=Threads(hands.clock), store=hands.store,
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
    """What could arrive after midnight New York is not signed any more, even within the minute of a look."""
    hands = _with_consumer(Hands())
    _keep(hands, "first")
    hands.clock.at = _RECORD.dies_at - ARRIVES_WITHIN - timedelta(seconds=5)
    credentials = _credentials(hands)
    assert credentials().token is not None
    hands.clock.at = _RECORD.dies_at - ARRIVES_WITHIN
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
