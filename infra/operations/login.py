"""Sign in from this machine: the code is exchanged here, or a new link leads to the desk's pages.

What can go wrong: nobody serves the pages, or a stranger keeps them busy; the desk has no key, the owner takes too
long, the code is wrong. What this promises: without a link nothing of ours but the vault and the store is needed, also
in the cloud, and the token that it replaces is destroyed by `token_refresh`, as after a page; a link is made from the
key in the desk's vault, at the desk's own time, and begins one sign-in; signed in is what the desk's own store says,
not what a page says.
"""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from infra.operations import systems
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import AccessToken, TokenRecord
from shared.domain.telling.sign_in_notices import SignedIn
from shared.etrade.authority import AUTHORIZE_URL, EtradeAuthority
from shared.etrade.session import Credentials
from shared.ports import Vault
from shared.topology import ACCESS_TOKEN
from shared.usecases.base.links import LOGIN_LINK_LIFE, sign_in_key
from shared.usecases.base.pins import Pinned, pinned, pinning
from shared.usecases.sign_in import token
from shared.usecases.sign_in.obtain import PUBLISHER, VERIFIER, Failed, Obtaining, OtherAccount
from shared.wiring.credentials import stored_consumer

_LOOK_EVERY_S = 0.2
_ASKED_AT_MOST = 3
Tell = Callable[[str], object]
Choose = Callable[[tuple[Account, ...]], Account | None]


def _silently(_said: str) -> None:
    """Tell nobody."""


def link(hand: Hand) -> str:
    """Give a new link; raises UserError where nobody serves the pages, and ConfigError without a key."""
    _require_running(hand)
    if hand.sign_in is None:
        what = "the address of the sign-in page is not known"
        raise UserError(what, remedy="set STRATEGY_SIGN_IN_URL to the address of oauth_callback's /start")
    key = sign_in_key(hand.open_vault(), hand.operator)
    lasts = LOGIN_LINK_LIFE * hand.desk.pace
    return key.mint(hand.desk.chance, now=hand.desk.clock.now(), lasts=lasts, page=hand.sign_in)


def version(hand: Hand) -> str:
    """Name the token of now, to know a new one by."""
    held = token.current(hand.desk.store)
    return held.value.vault_version if held is not None else ""


def await_token(hand: Hand, before: str, *, within_s: float) -> TokenRecord:
    """Wait until another token than `before` is stored; raises UserError when none is in time."""
    end = time.monotonic() + within_s
    while True:
        held = token.current(hand.desk.store)
        if held is not None and held.value.vault_version != before:
            return held.value
        if time.monotonic() > end:
            raise UserError("no token came in time", remedy="ask for a new link with `strategy login --link`")
        time.sleep(_LOOK_EVERY_S)


def by_code(
    hand: Hand, ask: Callable[[str], str], tell: Tell = _silently, *, choose: Choose | None = None
) -> SignedIn:  # fmt: skip
    """Sign in without our pages: `ask` gets E*TRADE's page and gives the code, `tell` gets what was wrong.

    The first sign-in pins the only active account; with `choose`, which gets all active ones, that is chosen anew.

    What is no code is asked for again and sent nowhere. Raises UserError where it comes to nothing, and ConfigError,
    AuthError, BrokerError and StoreError; then the token of before still counts.
    """
    _require_running(hand)
    known = pinned(hand.desk.store, hand.operator, hand.account_id)

    def admits(accounts: tuple[Account, ...]) -> bool:
        if known.known and choose is None:
            return known.among(accounts)
        account = _choose(Pinned(account_id=hand.account_id, pin=None), accounts, choose or _only)
        if account is not None:
            write = pinning(account, operator=hand.operator, chance=hand.desk.chance, clock=hand.desk.clock)
            hand.desk.store.commit([write])
        return account is not None

    return _obtained(hand, ask, tell, admits)


def by_code_alone(hand: Hand, ask: Callable[[str], str], tell: Tell = _silently) -> SignedIn:
    """Sign in where no system runs: no account is chosen, and one that was chosen has to be among the token's.

    Older tokens of the vault are destroyed, because nobody else does it here. Raises as `by_code` does.
    """
    known = pinned(hand.desk.store, hand.operator, hand.account_id)

    def admits(accounts: tuple[Account, ...]) -> bool:
        return known.among(accounts) if known.known else any(one.may_be_active for one in accounts)

    signed_in, vault = _obtained(hand, ask, tell, admits), hand.open_vault()
    for unneeded in token.unneeded(hand.desk.store, vault.versions(ACCESS_TOKEN), hand.desk.clock.now()):
        token.discard(vault, ACCESS_TOKEN, unneeded)
    return signed_in


def _obtained(
    hand: Hand, ask: Callable[[str], str], tell: Tell, admits: Callable[[tuple[Account, ...]], bool]
) -> SignedIn:  # fmt: skip
    vault = hand.open_vault()
    authority = authority_of(hand, vault)
    obtaining = Obtaining(desk=hand.desk, authority=authority, vault=vault, publisher=PUBLISHER, admits=admits)
    for _ in range(_ASKED_AT_MOST):
        request = authority.request_token()
        code = _typed(ask, authority.authorize_url(request.token))
        hand.desk.store.commit([obtaining.coming()])
        match obtaining.obtain(request, code):
            case SignedIn() as signed_in:
                return signed_in
            case OtherAccount():
                what = "these are not the accounts of this system, or none was chosen: the sign-in was ended at E*TRADE"
                raise UserError(what, remedy="`strategy login --change-account` chooses the account to trade")
            case Failed() as failed:
                raise UserError(f"no token came of it: {failed.why}", remedy="run the command again")
        tell("The code was not accepted.")
    raise UserError("the code was not accepted", remedy="run the command again for a new one")


def _only(accounts: tuple[Account, ...]) -> Account | None:
    """Give the only account there is."""
    return accounts[0] if len(accounts) == 1 else None


def _choose(named: Pinned, accounts: tuple[Account, ...], choose: Choose) -> Account | None:
    """Choose among the active accounts that the setting, if there is one, allows."""
    active = tuple(one for one in accounts if one.active and one.number and one.key)
    return choose(tuple(one for one in active if not named.known or named.is_ours(one)))


def _require_running(hand: Hand) -> None:
    if not hand.running:
        systems.require_unended(Path(hand.name))
        raise systems.resting(Path(hand.name), "nobody serves its sign-in or would use a token", "start it first")


def authority_of(hand: Hand, vault: Vault, access: AccessToken | None = None) -> EtradeAuthority:
    """Build the client of E*TRADE's OAuth side with the desk's own consumer pair; only a renewal needs a token."""
    key, secret = stored_consumer(vault)
    desk, given = hand.desk, Credentials(consumer_key=key, consumer_secret=secret, token=access)
    return EtradeAuthority(
        credentials=lambda: given, clock=desk.clock, chance=desk.chance, journal=desk.journal, caller=desk.actor,
        http=hand.http() if hand.http else None, page=hand.authorize_page or AUTHORIZE_URL, sandbox=hand.sandbox,
    )  # fmt: skip


def _typed(ask: Callable[[str], str], there: str) -> str:
    """Ask until what comes could be a code; raises UserError when it never is."""
    for _ in range(_ASKED_AT_MOST):
        code = _code_of(ask(there).strip())
        if VERIFIER.fullmatch(code):
            return code
    what = "no code was typed, and nothing was sent"
    raise UserError(what, remedy="run the command again, and type the letters and digits as they are shown")


def _code_of(text: str) -> str:
    """Find the code in what was typed: alone, or in the address to which E*TRADE led the browser."""
    if "oauth_verifier=" not in text:
        return text.upper()
    return parse_qs(urlsplit(text).query).get("oauth_verifier", [""])[0]
