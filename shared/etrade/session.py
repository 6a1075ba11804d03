"""One signed HTTPS exchange with E*TRADE: what may leave, where it may go, what silence means.

What can go wrong here, and what is promised instead:

* A request is sent twice below our eyes. The adapter has no retries and follows no redirect; `Wire.send` is
  one attempt.
* "Nothing came back" is taken for "nothing happened". A connection that was never made (refused, name not
  found, connect time-out) is `NotSent`; everything later (read time-out, reset, broken TLS, cut body) is
  `OutcomeUnknown`. requests uses one ConnectionError for both, so the urllib3 error inside decides.
* The answer has no size or no end. At most `MOST_BYTES` of it are read, a content encoding is refused (none is asked
  for, and unpacking is how a small answer becomes a large one), both as Unreadable; one instant ends the whole
  exchange, from the look-up of the name to the last byte of the body (`shared.deadline`).
* Threads or greenlets share a signer and mix their nonces. Nothing here changes per request: each request
  gets its own signer with its own nonce and timestamp, from Chance and Clock, made right before it leaves.
* Credentials leave for another place, or through a proxy of the environment, or into a log. Only the two API
  hosts are allowed, the environment is not asked (no proxies, no netrc, no CA override), redirects are not
  followed, no cookie is kept, and the library's own logger, which would print paths, is silenced.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from requests import PreparedRequest
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectTimeout, RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from shared.deadline import DeadlineAdapter, whole_body, within
from shared.domain.broker.tokens import AccessToken
from shared.errors import BrokerError, InvariantBroken, NotSent, OutcomeUnknown, TokenDead
from shared.etrade.signing import Signer
from shared.frozen import frozen
from shared.ports import Chance, Clock

PRODUCTION = "https://api.etrade.com"
SANDBOX = "https://apisb.etrade.com"

CONNECT_TIMEOUT_S = 3.0
ANSWER_WITHIN_S = 8.0
PLACE_WITHIN_S = 10.0
MOST_BYTES = 8 * 1024 * 1024
"""No answer of E*TRADE's is a tenth of it: a page of 100 orders is some 200 KB."""

_EGRESS = (f"{PRODUCTION}/", f"{SANDBOX}/")
_POOL_SIZE = 16
_NONCE_LENGTH = 20
_HEADERS = {
    "Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "etrade-strategy",
    "Connection": "keep-alive",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """The consumer key pair, and the access token and the instant of its certain death, if there is one."""

    consumer_key: str
    consumer_secret: str
    token: AccessToken | None = None
    token_dies_at: datetime | None = None

    def __repr__(self) -> str:
        return "Credentials(hidden)"

    def signer(self) -> Signer:
        """Give the signer of an ordinary call; raises TokenDead when there is no access token."""
        if self.token is None:
            raise TokenDead("there is no access token: the owner has to sign in")
        return Signer(
            consumer_key=self.consumer_key,
            consumer_secret=self.consumer_secret,
            token=self.token.token,
            token_secret=self.token.secret,
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Call:
    """One request before it is signed: a complete, encoded `url`, a JSON `body`, the seconds for the whole exchange."""

    method: str
    url: str
    body: bytes | None = None
    within_s: float = ANSWER_WITHIN_S

    def __repr__(self) -> str:
        return f"Call({self.method}, hidden)"


@frozen(kw_only=False)
class Answer:
    """What came back, unread: any status, any body, and the Date header, empty when there is none."""

    status: int
    body: bytes
    date: str = ""

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


class Wire:
    """The pooled, signing connection to the two API hosts; safe for any number of threads or greenlets."""

    def __init__(self, *, clock: Clock, chance: Chance, http: BaseAdapter | None = None) -> None:
        self._clock = clock
        self._chance = chance
        self._adapter = http or DeadlineAdapter(connections=_POOL_SIZE)
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)

    def send(self, call: Call, signer: Signer) -> Answer:
        """Make exactly one attempt and give whatever came back.

        Raises NotSent when the request surely stayed here, OutcomeUnknown when it may have arrived, Unreadable for an
        answer that is too long or encoded, InvariantBroken for a host outside the allow-list (order-safety.md 1.6,
        section 5, and section 4 item 27).
        """
        if not call.url.startswith(_EGRESS):
            raise InvariantBroken("a broker call to a host outside the allow-list")
        request = self._signed(call, signer)
        failure: BrokerError
        try:
            with within(call.within_s):
                response = self._adapter.send(
                    request, stream=True, timeout=(CONNECT_TIMEOUT_S, call.within_s), verify=True, proxies={}
                )
                body = whole_body(response, most=MOST_BYTES)
                return Answer(response.status_code, body, response.headers.get("Date", ""))
        except (RequestException, HTTPError, OSError) as problem:
            failure = _failure(problem)
        # Raised outside the handler: the library's error, which holds the address, is not even its context.
        raise failure

    def _signed(self, call: Call, signer: Signer) -> PreparedRequest:
        # Filled by hand: the address is encoded already, and the general preparation would double the cost.
        request = PreparedRequest()
        request.method = call.method
        request.url = call.url
        request.headers = CaseInsensitiveDict(_HEADERS)
        if call.body is not None:
            request.body = call.body
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(call.body))
        nonce, timestamp = self._chance.token(_NONCE_LENGTH), int(self._clock.now().timestamp())
        request.headers["Authorization"] = signer.header(call.method, call.url, nonce=nonce, timestamp=timestamp)
        return request


def _failure(problem: Exception) -> BrokerError:
    kind = type(problem).__name__
    if _never_connected(problem):
        return NotSent(f"no connection to the broker ({kind})")
    return OutcomeUnknown(f"no whole answer from the broker ({kind})")


def _never_connected(problem: Exception) -> bool:
    if isinstance(problem, ConnectTimeout):
        return True
    inner = problem.args[0] if problem.args else None
    reason = getattr(inner, "reason", None) or inner
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
