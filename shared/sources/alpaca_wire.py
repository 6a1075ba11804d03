"""The network below alpaca-py: every call that the library makes passes here, within our bounds.

What can go wrong: the library waits without a time-out, repeats a 429 three times by itself, follows a next page
without end, shows the answer's text in its error, and asks the environment for proxies. What this promises: one attempt
for each call, in its turn (`allowance`), to the address that it was made for alone; one instant ends a question with
all its pages and at most `MOST_BYTES` of each are read (`shared.deadline`); only a 200 reaches the library;
every other answer is an error of ours that holds neither key, address nor text of the source.
"""

import io
from time import monotonic
from typing import Any

from requests import PreparedRequest, Response
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from shared.deadline import DeadlineAdapter, whole_body, within
from shared.errors import DeskError, InvariantBroken, SourceDown, SourceKeyRefused, Unreadable
from shared.sources.allowance import Allowance

MOST_BYTES = 8 * 1024 * 1024
"""Ten years of daily bars are 300 KB."""
MOST_PAGES = 10
_CONNECT_S = 3.0
_GOOD, _TOO_MANY = 200, 429
_BAD_QUESTION = frozenset({400, 404, 422})
_NO_ENTRY = frozenset({401, 403})
_FAILS = 500


class NotKnown(Exception):
    """Alpaca takes the symbol for none."""


class AlpacaWire(DeadlineAdapter):
    """Carries the library's calls; `begin` starts one question, which may have `MOST_PAGES` pages."""

    def __init__(self, address: str, *, allowance: Allowance, within_s: float, verify: str | bool) -> None:
        super().__init__(connections=1)
        self._address = address
        self._allowance = allowance
        self._within_s = within_s
        self._verify = verify
        self._pages = 0
        self._ends = 0.0

    def begin(self) -> None:
        """Begin one question of the library and its time."""
        self._pages = 0
        self._ends = monotonic() + self._within_s

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """Make one attempt and give a 200; raises SourceDown, SourceRefused, Unreadable or NotKnown."""
        if not (request.url or "").startswith(f"{self._address}/"):
            raise InvariantBroken("a call of alpaca-py to another address than Alpaca's")
        self._pages += 1
        if self._pages > MOST_PAGES:
            raise Unreadable(f"alpaca: the answer has more than {MOST_PAGES} pages")
        self._allowance.take()
        failure: DeskError
        try:
            with within(max(self._ends - monotonic(), 0.0)):
                timeout = (min(_CONNECT_S, self._within_s), self._within_s)
                answer = super().send(request, stream=True, timeout=timeout, verify=self._verify, proxies={})
                body = whole_body(answer, most=MOST_BYTES)
        except (RequestException, HTTPError, OSError) as problem:
            failure = SourceDown(f"alpaca: no whole answer within {self._within_s:g} s ({type(problem).__name__})")
        else:
            return self._judged(answer, body)
        # Raised outside the handler: the library's error, which holds the address, is not even its context.
        raise failure

    def _judged(self, answer: Response, body: bytes) -> Response:
        status, headers = answer.status_code, answer.headers
        if status == _TOO_MANY:
            raise self._allowance.refused(headers.get("Retry-After"), headers.get("X-RateLimit-Reset"))
        if status >= _FAILS:
            raise SourceDown(f"alpaca: status {status}")
        self._allowance.answered()
        if status in _NO_ENTRY:
            raise SourceKeyRefused(f"alpaca: the key, or what its plan may ask, is not accepted (status {status})")
        if status in _BAD_QUESTION and b"invalid symbol" in body:
            raise NotKnown
        if status != _GOOD:
            raise Unreadable(f"alpaca: status {status}")
        read = Response()
        read.status_code, read.headers, read.encoding = status, headers, "utf-8"
        read.url, read.request, read.raw = answer.url, answer.request, io.BytesIO(body)
        return read
