"""Sign out from this machine: the token is revoked at E*TRADE, dead in the record and destroyed in the vault.

What can go wrong: E*TRADE does not answer, or the key is refused; the record cannot be read; a renewal or another
sign-in writes at the same moment; shares are held, and with the token goes whoever looks after them. What this
promises: it works in any trading state, and needs no function; every version in the vault is revoked and destroyed,
whatever of the rest fails, and what E*TRADE was not told is said; what is at the broker is named before and after.
"""

from collections.abc import Sequence
from dataclasses import replace

from infra.operations.login import authority_of
from infra.operations.profiles import Hand
from shared.codec import decode, loads
from shared.domain.broker.tokens import AccessToken, stage_of
from shared.domain.orders.explain import WORDS, at_venue
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, STOPS, Order
from shared.domain.orders.positions import Position
from shared.domain.telling.sign_out import SignedOut
from shared.errors import DeskError, Malformed
from shared.etrade.authority import EtradeAuthority
from shared.frozen import frozen
from shared.ports import Vault, Where
from shared.topology import ACCESS_TOKEN
from shared.usecases.base.desk import Desk, held_rows, persist
from shared.usecases.sign_in import token
from shared.usecases.sign_in.obtain import PUBLISHER
from shared.usecases.telling.notices import announce


@frozen
class LoggedOut:
    """What became of the token: `signed_in` says whether one lived, `problem` why E*TRADE was not told ("": it was).

    `destroyed` versions are gone from the vault, and so many are `undestroyed`; `left` stands at the broker.
    """

    signed_in: bool
    problem: str
    destroyed: int
    undestroyed: int
    left: tuple[str, ...]


def left_at_broker(desk: Desk) -> tuple[str, ...]:
    """Name what stands at the broker, or may: shares with their stop or without one, and other live orders."""
    unread: list[str] = []

    def bad() -> None:
        unread.append("a document that cannot be read")

    live = held_rows(desk, Order, desk.store.query("orders", Where("live", "==", True)), on_bad=bad)
    held = held_rows(desk, Position, desk.store.query("positions", Where("is_open", "==", True)), on_bad=bad)
    sent = [row.value for row in live if row.value.state in AT_BROKER | IN_DOUBT]
    stops = {one.symbol: one for one in sent if one.kind in STOPS and one.state in AT_BROKER}
    shares = sorted(_shares(row.value, stops.get(row.value.symbol)) for row in held)
    others = sorted(f"{one.side} {one.symbol} {WORDS[one.state]}" for one in sent if one not in stops.values())
    return (*unread, *shares, *others)


def _shares(held: Position, stop: Order | None) -> str:
    named = f"{held.quantity:,} shares of {held.symbol}"
    if stop is None:
        return f"{named} WITHOUT a stop"
    return at_venue(f"{named}, stop at the broker at {stop.stop_price}", held.venue)


def is_out(hand: Hand) -> bool:
    """Tell whether nobody is signed in and no token is left to destroy, so that a sign-out changes nothing.

    A record that cannot be read does not say so. Raises as `logout` does.
    """
    try:
        signs = token.stage(hand.desk.store, hand.desk.clock.now()).signs
    except Malformed:
        return False
    return not signs and not hand.open_vault().versions(ACCESS_TOKEN)


def logout(hand: Hand) -> LoggedOut:
    """Revoke, end and destroy; raises StoreDown, Malformed where the record cannot be ended, and destroys all the same.

    Raises ConfigError or UserError where there is no vault to open.
    """
    vault = hand.open_vault()
    versions = vault.versions(ACCESS_TOKEN)
    problem, lived = "", False
    undestroyed = len(versions)
    try:
        problem = _revoke(hand, vault, versions)
        left = left_at_broker(hand.desk)
        lived = persist(lambda: _end(hand.desk, problem, left))
    finally:
        undestroyed = sum(not token.discard(vault, ACCESS_TOKEN, version) for version in versions)
    return LoggedOut(
        signed_in=lived, problem=problem, destroyed=len(versions) - undestroyed, undestroyed=undestroyed, left=left
    )


def _end(desk: Desk, problem: str, left: tuple[str, ...]) -> bool:
    """Write that the token is dead by the owner's hand, with the notice of it; tells whether one lived."""
    held, now = token.current(desk.store), desk.clock.now()
    if held is None or not stage_of(held.value, now).signs:
        return False
    ended = replace(held.value, dies_at=now, ended_at=now, by_owner=True)
    notice = SignedOut(problem=problem, left=left, at=now)
    # Promised where the token's record lies, by the function that publishes from there.
    desk.store.commit([held.update(ended), announce(desk, notice, owner=PUBLISHER)])
    return True


def _revoke(hand: Hand, vault: Vault, versions: Sequence[str]) -> str:
    """Revoke every token of the vault; gives why E*TRADE was not told of one, or nothing."""
    if not versions:
        return ""
    if hand.simulated and hand.http is None:
        return "the simulator does not run"
    try:
        authority = authority_of(hand, vault)
    except DeskError as problem:
        return problem.detail
    return "; ".join(dict.fromkeys(filter(None, (_revoke_one(authority, vault, version) for version in versions))))


def _revoke_one(authority: EtradeAuthority, vault: Vault, version: str) -> str:
    try:
        authority.revoke(decode(AccessToken, loads(vault.read(ACCESS_TOKEN, version))))
    except KeyError:  # one that no record points at: `token_refresh` destroyed it since it was listed
        return ""
    except Malformed:
        return "the vault does not give the token back"
    except DeskError as problem:
        return problem.detail
    return ""
