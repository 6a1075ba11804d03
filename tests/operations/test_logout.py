"""Signing out: the token is dead at E*TRADE, in the record and in the vault, whatever else fails, and that is said."""

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.one_machine.loopback import held_port
from infra.one_machine.to_simulator import ToSimulator
from infra.operations.logout import LoggedOut, _end, _revoke, left_at_broker, logout
from infra.operations.profiles import Hand
from shared.codec import dumps
from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.broker.tokens import TokenState, issued, stage_of
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Position
from shared.errors import StoreDown
from shared.topology import ACCESS_TOKEN, CONSUMER
from shared.usecases.base.desk import put
from shared.usecases.control import control
from shared.usecases.sign_in import token
from tests.domain.made import NOON, order, position
from tests.doors.fakes import HandClock, Hands, ListVault, MoodyStore, notices_of
from tests.etrade.loopback import server
from tests.operations.desks import answer, refused, strategy, vault_of

CANARY = "CANARY7e1f44"
MAY_LIVE = "The token may live until midnight ET"
STOP = order(
    intent_id="I2", kind=Kind.PROTECT, side=Side.SELL, price_type=PriceType.STOP, term=Term.GOOD_UNTIL_CANCEL,
    limit_price=None, stop_price=position().stop_wanted, state=State.WORKING,
)  # fmt: skip


class Owner:
    """The owner's hand on a book and a vault, with a token of this morning, and E*TRADE on loopback."""

    def __init__(self, *rows: Order | Position, signed_in: bool = True) -> None:
        self.store, self.vault = MoodyStore(), ListVault()
        self.hands = Hands(store=self.store, clock=HandClock(NOON))
        self.vault.add(CONSUMER, dumps({"key": "invented-key", "secret": "invented-half"}))
        if signed_in:
            version = self.vault.add(ACCESS_TOKEN, dumps({"token": CANARY, "secret": CANARY}))
            self.store.commit([put(token.PATH, issued(version, NOON - timedelta(hours=2)))])
        for row in rows:
            path = f"orders/{row.intent_id}" if isinstance(row, Order) else f"positions/{row.symbol}"
            self.store.commit([put(path, row)])
        self.asked: list[bytes] = []

    def hand(self, **changes: Any) -> Hand:
        """Give the hand."""
        given: dict[str, Any] = {"running": True, "mode": "live", "sign_in": None, "operator": "owner"}
        desk = self.hands.desk("owner")
        return Hand(name="desk", desk=desk, open_vault=lambda: self.vault, **(given | changes))

    def out(self, status: bytes = b"200 OK", by: Callable[[Hand], object] = logout) -> Any:
        """Sign out while E*TRADE answers so."""

        def talk(peer: socket.socket) -> None:
            peer.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 13\r\n\r\nRevoked Token")

        with server(talk, heard=self.asked.append) as port:
            return by(self.hand(http=lambda: ToSimulator(f"http://127.0.0.1:{port}")))

    def state(self) -> TokenState:
        """Tell where the token stands."""
        held = token.current(self.store)
        return stage_of(None if held is None else held.value, self.hands.clock.now()).state

    def told(self) -> list[dict[str, Any]]:
        """Give the notices that wait."""
        return [one["body"] for one in notices_of(self.store, self.hands.bus) if one["kind"] == "signed_out"]


def gone(owner: Owner) -> bool:
    """Tell whether nothing here can sign a call any more."""
    return owner.vault.versions(ACCESS_TOKEN) == () and owner.state() is TokenState.DEAD


@pytest.mark.parametrize("state", TradingState)
def test_the_token_is_revoked_and_destroyed(state: TradingState) -> None:
    """In any trading state E*TRADE is asked once, with the token, and nothing here can sign a call afterwards."""
    owner = Owner()
    control.command(owner.hands.desk("owner"), state, reason="a test")
    assert owner.out() == LoggedOut(signed_in=True, problem="", destroyed=1, undestroyed=0, left=())
    (request,) = owner.asked
    assert request.startswith(b"GET /oauth/revoke_access_token ")
    assert f'oauth_token="{CANARY}"'.encode() in request
    assert gone(owner)
    (told,) = owner.told()
    assert (told["problem"], told["left"]) == ("", [])


def test_a_token_that_goes_meanwhile_is_no_trouble() -> None:
    """A superseded token that `token_refresh` destroys while another one is revoked is not told as not revoked."""
    owner = Owner()
    older = owner.vault.add(ACCESS_TOKEN, dumps({"token": CANARY, "secret": CANARY}))

    def talk(peer: socket.socket) -> None:
        owner.vault.destroy(ACCESS_TOKEN, older)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nRevoked Token")

    with server(talk, heard=owner.asked.append) as port:
        out = logout(owner.hand(http=lambda: ToSimulator(f"http://127.0.0.1:{port}")))
    assert (out.problem, out.undestroyed, len(owner.asked)) == ("", 0, 1)
    assert gone(owner)


def _waits(_hand: Hand) -> None:
    """Seeded mistake: as it was without the command, the token lives until its day ends."""


def _only_here(hand: Hand) -> None:
    """Seeded mistake: the token goes here, and E*TRADE is not asked to end it."""
    vault = hand.open_vault()
    _end(hand.desk, "", ())
    for version in vault.versions(ACCESS_TOKEN):
        token.discard(vault, ACCESS_TOKEN, version)


def _only_there(hand: Hand) -> str:
    """Seeded mistake: E*TRADE is asked, and what is here stays."""
    vault = hand.open_vault()
    return _revoke(hand, vault, vault.versions(ACCESS_TOKEN))


def _if_etrade_agrees(hand: Hand) -> None:
    """Seeded mistake: what E*TRADE does not end stays here, too."""
    if not _only_there(hand):
        _only_here(hand)


def _left(owner: Owner) -> list[str]:
    """Name what a sign-out left of the token."""
    found = [] if owner.asked else ["E*TRADE was not asked"]
    found += [] if owner.vault.versions(ACCESS_TOKEN) == () else ["the vault gives it"]
    return found + ([] if owner.state() is TokenState.DEAD else ["the record counts"])


@pytest.mark.parametrize(
    ("by", "status", "left"),
    [
        (logout, b"200 OK", []), (logout, b"500 Odd", []),
        (_waits, b"200 OK", ["E*TRADE was not asked", "the vault gives it", "the record counts"]),
        (_only_here, b"200 OK", ["E*TRADE was not asked"]),
        (_only_there, b"200 OK", ["the vault gives it", "the record counts"]),
        (_if_etrade_agrees, b"500 Odd", ["the vault gives it", "the record counts"]),
    ],
)  # fmt: skip
def test_a_sign_out_that_leaves_a_part_is_found(by: Callable[[Hand], object], status: bytes, left: list[str]) -> None:
    """Signing out leaves nothing, whatever E*TRADE answers, and one that forgets a part of it is seen."""
    owner = Owner()
    owner.out(status, by)
    assert _left(owner) == left


def test_a_token_that_is_dead_already_is_no_trouble() -> None:
    """What E*TRADE does not know any more is as good as revoked."""
    owner = Owner()
    assert owner.out(b"401 Unauthorized").problem == ""
    assert gone(owner)


@pytest.mark.parametrize("status", [b"500 Odd", b"403 No", b"400 Odd", b"302 Elsewhere"])
def test_what_etrade_did_not_do_is_said(status: bytes) -> None:
    """Whatever E*TRADE answers instead, the token is destroyed here all the same, and that it may live is told."""
    owner = Owner()
    problem = owner.out(status).problem
    assert [told["problem"] for told in owner.told()] == [problem] != [""]
    assert gone(owner)


def test_an_etrade_that_cannot_be_reached_stops_nothing() -> None:
    """Where nobody answers the token is destroyed here all the same."""
    owner = Owner()
    with held_port() as port:
        done = logout(owner.hand(http=lambda: ToSimulator(f"http://127.0.0.1:{port}")))
    assert "no connection" in done.problem
    assert gone(owner)


def breaks_store(owner: Owner) -> None:
    """Let no document be written."""
    owner.store.commit = _down  # type: ignore[assignment, method-assign]


def breaks_record(owner: Owner) -> None:
    """Damage the token's record."""
    owner.store.commit([put(token.PATH, {"odd": 1})])


def _down(_writes: object) -> Any:
    raise StoreDown("gone")


@pytest.mark.parametrize("breaks", [breaks_store, breaks_record])
def test_a_record_that_cannot_be_ended_keeps_no_token(breaks: Callable[[Owner], None]) -> None:
    """Where the record cannot be written the token is revoked and destroyed, before that is told as a failure."""
    owner = Owner()
    breaks(owner)
    with pytest.raises(Exception, match=r"gone|TokenRecord"):
        owner.out()
    assert len(owner.asked) == 1
    assert owner.vault.versions(ACCESS_TOKEN) == ()


def test_every_version_goes() -> None:
    """A version that no record points at is revoked and destroyed, too."""
    owner = Owner()
    owner.vault.add(ACCESS_TOKEN, dumps({"token": "another", "secret": "another"}))
    assert owner.out().destroyed == 2
    assert len(owner.asked) == 2
    assert gone(owner)


def test_a_version_that_stays_is_told() -> None:
    """A vault that does not destroy is told, and the record is dead all the same."""
    owner = Owner()
    owner.vault.broken["destroy"] = StoreDown("gone")
    done = owner.out()
    assert (done.destroyed, done.undestroyed, owner.state()) == (0, 1, TokenState.DEAD)


def test_nobody_signed_in_is_no_trouble() -> None:
    """Without a token nothing is asked, written or told."""
    owner = Owner(signed_in=False)
    assert owner.out() == LoggedOut(signed_in=False, problem="", destroyed=0, undestroyed=0, left=())
    assert owner.asked == []
    assert owner.told() == []


def test_what_stands_at_the_broker_is_named() -> None:
    """Shares are named with the stop that rests over them, or without one, and so is each other order."""
    bare = position(position_id="P2", symbol="AIG", quantity=1_200)
    entry = order(intent_id="I3", symbol="BAC", state=State.WORKING)
    owner = Owner(position(), STOP, bare, entry, order(intent_id="I4", state=State.NEW))
    assert left_at_broker(owner.hands.desk("owner")) == (
        "1,200 shares of AIG WITHOUT a stop", "10 shares of IBM, stop at the broker at 99.00", "BUY BAC open",
    )  # fmt: skip
    assert owner.out().left == left_at_broker(owner.hands.desk("owner"))
    on_paper = Owner(position(venue=Venue.PAPER), replace(STOP, venue=Venue.PAPER))
    (named,) = left_at_broker(on_paper.hands.desk("owner"))
    assert named == "10 shares of IBM, stop in the paper account at 99.00"


def test_the_command_says_what_could_not_be_done(desk: Path) -> None:
    """On a desk whose simulator does not run the token is destroyed, and the command says that it may live."""
    assert len(vault_of(desk).versions(ACCESS_TOKEN)) == 1
    done = strategy("logout", "--state", str(desk))
    assert done.exit_code == 2
    assert "NOT REVOKED AT THE SIMULATOR: the simulator does not run" in done.stderr
    assert MAY_LIVE in done.stderr
    assert vault_of(desk).versions(ACCESS_TOKEN) == ()
    seen = answer("token", "--state", str(desk))
    assert (seen["state"], seen["signs_in"]) == ("dead", True)
    assert answer("status", "--state", str(desk))["signed_out"] is False
    again = strategy("logout", "--state", str(desk))
    assert (again.exit_code, again.stdout) == (0, "You are not signed in.\n")


def test_who_is_not_signed_in_is_told_that_whatever_is_held(desk: Path) -> None:
    """Nobody is asked to agree to what changes nothing: after a sign-out, another one only says so."""
    from infra.one_machine.sqlite_store import SqliteStore

    strategy("logout", "--state", str(desk))
    store = SqliteStore(desk / "state.db")
    store.commit([put("positions/IBM", position())])
    store.close()
    again = strategy("logout", "--state", str(desk))
    assert (again.exit_code, again.stdout) == (0, "You are not signed in.\n")


def test_what_is_held_wants_a_word_more(desk: Path) -> None:
    """With shares held nothing is done without --yes, and what stands at the broker is named."""
    from infra.one_machine.sqlite_store import SqliteStore

    store = SqliteStore(desk / "state.db")
    store.commit([put("positions/IBM", position())])
    store.close()
    refused(strategy("logout", "--state", str(desk)), "nothing was done", "10 shares of IBM WITHOUT a stop", "--yes")
    assert len(vault_of(desk).versions(ACCESS_TOKEN)) == 1
    done = strategy("logout", "--yes", "--state", str(desk))
    stays = "This stays: 10 shares of IBM WITHOUT a stop. NOT RUNNING: its simulated time stands still: nothing fills"
    assert f"{stays} and no stop works until it runs." in done.stdout
    assert "E*TRADE" not in done.stdout
    assert vault_of(desk).versions(ACCESS_TOKEN) == ()
