"""E*TRADE's OAuth 1.0a side behind the Authority port (etrade-api.md 1.1 to 1.6).

Always on the production host, also for sandbox keys, but for the list of a new token's accounts. A verifier counts
once, so its exchange is never repeated and its silence is OutcomeUnknown; everything else has the same effect when it
is done twice and is repeated like a read.
"""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, quote

from requests.adapters import BaseAdapter

from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import AccessToken, RequestToken
from shared.errors import NotSent, OutcomeUnknown, Throttled, TokenDead, TokenIdle, Unreadable
from shared.etrade import parse_accounts
from shared.etrade.exchange import Ask, Endpoint, Exchange
from shared.etrade.faults import Unavailable
from shared.etrade.retry import READ_ATTEMPTS
from shared.etrade.session import PRODUCTION, SANDBOX, Call, Credentials
from shared.etrade.signing import Signer
from shared.ports import Chance, Clock, Journal

AUTHORIZE_URL = "https://us.etrade.com/e/t/etws/authorize"
OUT_OF_BAND = "oob"

_AGAIN = (NotSent, Throttled, Unavailable)


class EtradeAuthority:
    """The Authority port; of `credentials`, asked at each attempt, only `renew` and `revoke` need a token.

    `page` is where the owner accepts; `sandbox` says on which host a new token's accounts are listed.
    """

    def __init__(
        self,
        *,
        credentials: Callable[[], Credentials],
        clock: Clock,
        chance: Chance,
        journal: Journal,
        caller: str,
        http: BaseAdapter | None = None,
        page: str = AUTHORIZE_URL,
        sandbox: bool = False,
    ) -> None:
        self._credentials = credentials
        self._accounts = f"{SANDBOX if sandbox else PRODUCTION}/v1/accounts/list.json"
        self._page = page
        self._exchange = Exchange(
            credentials=credentials,
            clock=clock,
            chance=chance,
            journal=journal,
            limits=None,
            caller=caller,
            http=http,
        )

    def request_token(self) -> RequestToken:
        """Open a sign-in; raises AuthError, BrokerError."""
        ask = Ask(endpoint=Endpoint.REQUEST_TOKEN, call=_call("request_token"), sign=_opening)
        reply = self._exchange.read(ask, attempts=READ_ATTEMPTS, on=_AGAIN)
        token, secret = _pair(reply.answer.body)
        return RequestToken(token=token, secret=secret)

    def authorize_url(self, token: str) -> str:
        """Give the page on which the owner accepts; with its token encoded (etrade-api.md 1.3)."""
        key = self._credentials().consumer_key
        return f"{self._page}?key={quote(key, safe='')}&token={quote(token, safe='')}"

    def access_token(self, request: RequestToken, verifier: str) -> AccessToken:
        """Trade a verifier for an access token, in one attempt.

        Raises TokenDead when the sign-in has to begin again, OutcomeUnknown when the verifier may be used up.
        """

        def exchange(credentials: Credentials) -> Signer:
            return Signer(
                consumer_key=credentials.consumer_key,
                consumer_secret=credentials.consumer_secret,
                token=request.token,
                token_secret=request.secret,
                verifier=verifier,
            )

        ask = Ask(endpoint=Endpoint.ACCESS_TOKEN, call=_call("access_token"), sign=exchange)
        try:
            reply = self._exchange.read(ask, attempts=1, on=())
            token, secret = _pair(reply.answer.body)
        except TokenIdle as problem:
            raise TokenDead(problem.detail) from None
        except Unreadable as problem:
            raise OutcomeUnknown(problem.detail) from None
        return AccessToken(token=token, secret=secret)

    def accounts(self, token: AccessToken) -> tuple[Account, ...]:
        """List the accounts of a token that does not count yet; raises AuthError, BrokerError."""

        def signed_with_it(credentials: Credentials) -> Signer:
            return replace(credentials, token=token).signer()

        call = Call(method="GET", url=self._accounts)
        ask = Ask(endpoint=Endpoint.ACCOUNTS, call=call, sign=signed_with_it)
        reply = self._exchange.read(ask, attempts=READ_ATTEMPTS, on=_AGAIN)
        return () if reply.answer.status == 204 else parse_accounts.accounts(reply.answer.body)

    def renew(self) -> None:
        """Wake the access token; raises TokenDead when it cannot be woken, BrokerError when nobody knows."""
        try:
            self._exchange.read(_with_token(Endpoint.RENEW), attempts=READ_ATTEMPTS, on=_AGAIN)
        except TokenIdle as problem:
            raise TokenDead(problem.detail) from None

    def revoke(self, token: AccessToken | None = None) -> None:
        """End the access token, or the one given; one that is dead already is no error.

        Raises AuthError, BrokerError.
        """

        def signed_with_it(credentials: Credentials) -> Signer:
            return credentials.signer() if token is None else replace(credentials, token=token).signer()

        ask = replace(_with_token(Endpoint.REVOKE), sign=signed_with_it)
        try:
            self._exchange.read(ask, attempts=READ_ATTEMPTS, on=_AGAIN)
        except TokenDead:
            return


def _call(name: str) -> Call:
    return Call(method="GET", url=f"{PRODUCTION}/oauth/{name}")


def _with_token(endpoint: Endpoint) -> Ask:
    return Ask(endpoint=endpoint, call=_call(f"{endpoint}_access_token"))


def _opening(credentials: Credentials) -> Signer:
    return Signer(
        consumer_key=credentials.consumer_key,
        consumer_secret=credentials.consumer_secret,
        callback=OUT_OF_BAND,
    )


def _pair(body: bytes) -> tuple[str, str]:
    """Read a form-encoded token and its secret, decoded once; raises Unreadable when one is missing."""
    try:
        form = parse_qs(body.decode("ascii"), max_num_fields=20)
    except ValueError:
        form = {}
    token, secret = form.get("oauth_token", []), form.get("oauth_token_secret", [])
    if len(token) != 1 or len(secret) != 1:
        raise Unreadable("the answer holds no token")
    return token[0], secret[0]
