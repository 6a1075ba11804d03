"""The OAuth 1.0a header that signs one request (RFC 5849, sections 3.4 and 3.5.1).

E*TRADE takes HMAC-SHA1 in a header and nothing else (etrade-api.md 1.2), and a scan signs a call a second all day: what
is written here is that one form, and what an address gives to its signature is worked out once. What each request has
of its own, nonce and time, comes from the caller. The simulated broker checks every signature with oauthlib, and a test
holds each header to oauthlib's own, to the byte: who signs and who checks have no mistake in common.
"""

import hmac
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, quote

_ADDRESSES = 64


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signer:
    """What signs one request; empty parts are left out of the header (etrade-api.md 1.2)."""

    consumer_key: str
    consumer_secret: str
    token: str = ""
    token_secret: str = ""
    callback: str = ""
    verifier: str = ""

    def __repr__(self) -> str:
        return "Signer(hidden)"

    def header(self, method: str, url: str, *, nonce: str, timestamp: int) -> str:
        """Give the Authorization header of a request to a complete, encoded `url`; `timestamp` in seconds since 1970.

        The scheme and the host of `url` are in small letters, and it names no port.
        """
        own = [
            ("oauth_nonce", nonce), ("oauth_timestamp", str(timestamp)), ("oauth_version", "1.0"),
            ("oauth_signature_method", "HMAC-SHA1"), ("oauth_consumer_key", self.consumer_key),
            ("oauth_token", self.token), ("oauth_callback", self.callback), ("oauth_verifier", self.verifier),
        ]  # fmt: skip
        escaped = [(name, _escape(value)) for name, value in own if value]
        place, asked = _address(url)
        parameters = "&".join(f"{name}={value}" for name, value in sorted([*asked, *escaped]))
        base = f"{method.upper()}&{place}&{_escape(parameters)}"
        key = f"{_escape(self.consumer_secret)}&{_escape(self.token_secret)}"
        signature = b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
        parts = [*escaped, ("oauth_signature", _escape(signature))]
        return "OAuth " + ", ".join(f'{name}="{value}"' for name, value in parts)


@lru_cache(_ADDRESSES)
def _address(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Give what an address adds to what is signed: itself without its query, and the query's parameters, escaped."""
    place, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    return _escape(place), tuple((_escape(name), _escape(value)) for name, value in pairs)


def _escape(text: str) -> str:
    return quote(text, safe="")
