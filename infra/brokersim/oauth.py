"""The OAuth 1.0a provider: who may call, until when.

What can go wrong is the point of this room: a token that died at midnight New York, one that slept two hours,
one that was revoked, a clock that is off, a nonce sent twice, a signature over another URL. Each gets
E*TRADE's own text (fact sheet, sections 1.2-1.6). The order of checks is fixed there too: consumer key,
timestamp, nonce, state of the token, signature. Signatures are checked by what oauthlib makes of the URL as it
was requested.
"""

from __future__ import annotations

import base64
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from hmac import compare_digest
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from oauthlib.oauth1.rfc5849 import signature

from infra.brokersim.tape import NEW_YORK, new_york
from infra.brokersim.wire import FORM, TEXT, Answer, AuthRefused

IDLE_LIFE = timedelta(hours=2)
TIMESTAMP_WINDOW = timedelta(minutes=5)

_VERIFIER_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_UNAUTHORIZED = "Unauthorized request - invalid Consumer key and/or session token"
_REQUIRED = ("oauth_signature", "oauth_signature_method", "oauth_timestamp", "oauth_nonce")


@dataclass(slots=True, kw_only=True)
class RequestToken:
    """A request token on its way: approved once it has a verifier, gone once it is exchanged."""

    secret: str = field(repr=False)
    issued: datetime
    verifier: str | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True)
class AccessToken:
    """A live or dead access token."""

    secret: str = field(repr=False)
    dies: datetime
    used: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request as far as OAuth is concerned: `url` as requested without query, `query` still encoded."""

    method: str
    url: str
    query: str
    authorization: str


@dataclass(frozen=True, slots=True)
class _Parameters:
    """The decoded parameters of a call: all pairs for the signature, and by name for everything else."""

    pairs: list[tuple[str, str]]
    values: dict[str, str]


class Provider:
    """Issues, checks, renews and revokes tokens of one consumer key."""

    def __init__(
        self,
        *,
        consumer_key: str,
        consumer_secret: str,
        chance: random.Random,
        signing_clocks: Sequence[Callable[[], datetime]],
        request_token_life: timedelta,
    ) -> None:
        self._request_token_life = request_token_life
        self._key = consumer_key
        self._secret = consumer_secret
        self._chance = chance
        self._clocks = signing_clocks
        self._request_tokens: dict[str, RequestToken] = {}
        self._access_tokens: dict[str, AccessToken] = {}
        self._nonces: set[tuple[int, str]] = set()
        self._nonce_order: deque[tuple[datetime, tuple[int, str]]] = deque()

    def request_token(self, signed: Signed, at: datetime) -> Answer:
        """A fresh request token; 400 callback_rejected unless the callback is `oob`."""
        parameters = self._parameters(signed, at)
        if parameters.values.get("oauth_callback") != "oob":
            raise AuthRefused("oauth_problem=callback_rejected,oauth_acceptable_callback=oob", status=400)
        self._verify(signed, parameters, "")
        token, secret = self._token_text(), self._token_text()
        self._request_tokens = {
            key: kept for key, kept in self._request_tokens.items() if at - kept.issued <= self._request_token_life
        }
        self._request_tokens[token] = RequestToken(secret=secret, issued=at)
        pair = {"oauth_token": token, "oauth_token_secret": secret, "oauth_callback_confirmed": "true"}
        return Answer(200, FORM, urlencode(pair).encode())

    def approvable(self, key: str, token: str, at: datetime) -> bool:
        """Whether the authorize page may show this request token to a person."""
        known = self._request_tokens.get(token)
        return key == self._key and known is not None and at - known.issued <= self._request_token_life

    def approve(self, token: str) -> str:
        """The verifier of a request token: 5-7 upper-case characters, the same one if asked again."""
        known = self._request_tokens[token]
        if known.verifier is None:
            known.verifier = "".join(self._chance.choices(_VERIFIER_LETTERS, k=self._chance.randint(5, 7)))
        return known.verifier

    def decline(self, token: str) -> None:
        """Forgets a request token: its exchange will be refused."""
        self._request_tokens.pop(token, None)

    def access_token(self, signed: Signed, at: datetime) -> Answer:
        """Exchanges an approved request token and its verifier, once."""
        parameters = self._parameters(signed, at)
        token = parameters.values.get("oauth_token", "")
        known = self._request_tokens.get(token)
        if known is None or at - known.issued > self._request_token_life:
            raise AuthRefused("oauth_problem=token_rejected")
        self._verify(signed, parameters, known.secret)
        if known.verifier is None or parameters.values.get("oauth_verifier") != known.verifier:
            raise AuthRefused("oauth_problem=token_rejected")
        del self._request_tokens[token]
        access, secret = self._token_text(), self._token_text()
        midnight = new_york(at.astimezone(NEW_YORK).date() + timedelta(days=1), time(0))
        self._access_tokens[access] = AccessToken(secret=secret, dies=midnight, used=at)
        return Answer(200, FORM, urlencode({"oauth_token": access, "oauth_token_secret": secret}).encode())

    def renew(self, signed: Signed, at: datetime) -> Answer:
        """Wakes an idle token; the pair stays. After midnight New York it stays dead."""
        _, known = self._living(signed, at)
        known.used = at
        return Answer(200, TEXT, b"Access Token has been renewed")

    def revoke(self, signed: Signed, at: datetime) -> Answer:
        """Ends a token at once and for good."""
        token, _ = self._living(signed, at)
        del self._access_tokens[token]
        return Answer(200, TEXT, b"Revoked Access Token")

    def authenticate(self, signed: Signed, at: datetime) -> None:
        """Lets a call to /v1 pass and counts it as use of its token; AuthRefused otherwise."""
        _, known = self._living(signed, at)
        if at - known.used > IDLE_LIFE:
            raise AuthRefused("oauth_problem=token_expired")
        known.used = at

    def _living(self, signed: Signed, at: datetime) -> tuple[str, AccessToken]:
        """The access token that signed a call; refused when unknown, past midnight or wrongly signed."""
        parameters = self._parameters(signed, at)
        token = parameters.values.get("oauth_token")
        if not token:
            raise AuthRefused(_UNAUTHORIZED, coded=False)
        known = self._access_tokens.get(token)
        if known is None:
            raise AuthRefused("oauth_problem=token_rejected")
        if at >= known.dies:
            raise AuthRefused("oauth_problem=token_expired")
        self._verify(signed, parameters, known.secret)
        return token, known

    def _parameters(self, signed: Signed, at: datetime) -> _Parameters:
        """The parameters, after the checks that need no token: key, presence, timestamp, nonce."""
        try:
            pairs = signature.collect_parameters(
                uri_query=signed.query,
                headers={"Authorization": signed.authorization} if signed.authorization else {},
                exclude_oauth_signature=False,
            )
        except ValueError:
            raise AuthRefused("oauth_problem=parameter_rejected", status=400) from None
        values = dict(pairs)
        if not values.get("oauth_consumer_key"):
            raise AuthRefused(_UNAUTHORIZED, coded=False)
        if values["oauth_consumer_key"] != self._key:
            raise AuthRefused("oauth_problem=consumer_key_rejected")
        absent = [name for name in _REQUIRED if not values.get(name)]
        if absent:
            raise AuthRefused(f"oauth_problem=parameter_absent,oauth_parameters_absent={'&'.join(absent)}")
        if values["oauth_signature_method"] != "HMAC-SHA1":
            raise AuthRefused("oauth_problem=signature_method_rejected")
        self._check_time(values["oauth_timestamp"])
        self._check_nonce(int(values["oauth_timestamp"]), values["oauth_nonce"], at)
        return _Parameters(pairs, values)

    def _check_time(self, text: str) -> None:
        window_s = TIMESTAMP_WINDOW.total_seconds()
        nows = [clock().timestamp() for clock in self._clocks]
        if not (text.isascii() and text.isdigit()) or all(abs(int(text) - now) > window_s for now in nows):
            earliest, latest = int(nows[0] - window_s), int(nows[0] + window_s)
            problem = f"oauth_problem=timestamp_refused,oauth_acceptable_timestamps={earliest}-{latest}"
            raise AuthRefused(problem)

    def _check_nonce(self, timestamp: int, nonce: str, at: datetime) -> None:
        """Refuses a nonce seen with the same timestamp; forgets those whose timestamp would be refused
        anyway.
        """
        while self._nonce_order and at - self._nonce_order[0][0] > 2 * TIMESTAMP_WINDOW:
            self._nonces.discard(self._nonce_order.popleft()[1])
        if (timestamp, nonce) in self._nonces:
            raise AuthRefused("oauth_problem=nonce_used")
        self._nonces.add((timestamp, nonce))
        self._nonce_order.append((at, (timestamp, nonce)))

    def _verify(self, signed: Signed, parameters: _Parameters, token_secret: str) -> None:
        """Refuses a signature that oauthlib cannot reproduce with our secrets."""
        pairs: Any = [pair for pair in parameters.pairs if pair[0] != "oauth_signature"]
        secrets: Any = SimpleNamespace(client_secret=self._secret, resource_owner_secret=token_secret)  # all it reads
        method: Any = signed.method
        try:
            wanted = signature.normalize_parameters(pairs)
            base = signature.signature_base_string(method, _place(signed.url), wanted)
            ours = signature.sign_hmac_sha1_with_client(base, secrets)
        except ValueError:
            raise AuthRefused("oauth_problem=signature_invalid") from None
        if not compare_digest(ours.encode(), parameters.values["oauth_signature"].encode()):
            raise AuthRefused("oauth_problem=signature_invalid")

    def _token_text(self) -> str:
        """32 random bytes in base64 with at least one `+` and one `/`, as real tokens have; ends in `=`."""
        while True:
            text = base64.b64encode(self._chance.randbytes(32)).decode()
            if "+" in text and "/" in text:
                return text


@lru_cache(maxsize=64)
def _place(url: str) -> str:
    """What an address gives to a signature, which costs a third of a check and is the same all day."""
    place: str = signature.base_string_uri(url)
    return place
