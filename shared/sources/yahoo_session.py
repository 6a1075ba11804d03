"""The session that yfinance gets from us: every call that the library makes passes here, within our bounds.

What can go wrong: the library answers a refusal with up to five further calls, waits half a minute for a cookie, agrees
to Yahoo's terms in the owner's name when it is shown a form, follows Yahoo anywhere, and unpacks whatever comes. What
this promises: GETs alone, of three hosts, without a redirect, in their turn (`allowance`); one instant ends all calls
of a question, and a cookie gets `COOKIE_S` of it; at most `MOST_BYTES` are taken, unpacked. A chart's refusal, failure
or "no such symbol" is raised here, so the library has nothing to repeat; without a cookie it asks for the chart all
the same. Only a 401 or 403 goes back to it: it tries once without its crumb.
"""

from time import monotonic
from typing import Any

import certifi
from curl_cffi import CurlOpt
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import ConnectionError as NotAsked
from curl_cffi.requests.exceptions import RequestException

from shared.errors import DeskError, SourceDown, Unreadable
from shared.sources.allowance import Allowance
from shared.sources.yahoo_chart import CHART

MOST_BYTES = 8 * 1024 * 1024
"""Fifty years of daily bars are 2 MB."""
COOKIE_S = 3.0
_COOKIE = "https://fc.yahoo.com"
_HOSTS = ("https://query2.finance.yahoo.com/", "https://query1.finance.yahoo.com/", _COOKIE)
_TOO_MANY = frozenset({429, 999})
_FAILS = 500
_TOLD = frozenset({400, 404, 422})
_NO_ENTRY = frozenset({401, 403})


class Told(Exception):
    """Yahoo said in a chart's answer why there is none; `body` is that answer."""

    def __init__(self, body: bytes) -> None:
        super().__init__("no chart")
        self.body = body


class YahooSession(Session[Response]):
    """A session of curl_cffi's; `begin` starts one question and its time."""

    def __init__(self, *, allowance: Allowance, within_s: float, verify: str | None, proxy: str | None) -> None:
        super().__init__(
            impersonate="chrome",
            verify=verify or certifi.where(),  # type: ignore[arg-type] # a path, as for curl; True would ask the environment
            proxies={"all": proxy} if proxy else None,
            curl_options=None if proxy else {CurlOpt.NOPROXY: "*"},
            trust_env=False,
            allow_redirects=False,
        )
        self._allowance = allowance
        self._within_s = within_s
        self._ends = 0.0
        self._cookie: Response | None = None

    def begin(self) -> None:
        """Begin one question."""
        self._ends = monotonic() + self._within_s

    def request(self, method: Any, url: str, *_: Any, **kwargs: Any) -> Response:
        """Make one attempt; a chart's raises SourceDown, SourceRefused, Unreadable or Told, a stranger's NotAsked."""
        if method != "GET" or not url.startswith(_HOSTS):
            raise NotAsked("not one of the calls that are made")
        chart = url.startswith(CHART)
        if url == _COOKIE and self._cookie is not None:
            return self._cookie
        left = self._ends - monotonic()
        if left <= 0:
            raise self._late("no time is left")
        self._allowance.take()
        taken = _Taken()
        failure: DeskError
        try:
            answer = super().request(
                "GET",
                url,
                params=kwargs.get("params"),
                timeout=left if chart else min(left, COOKIE_S),
                content_callback=taken,
                allow_redirects=False,
            )
        except RequestException as problem:
            if not chart and not taken.too_long:
                raise  # the library goes on without its cookie
            failure = self._late(type(problem).__name__)
        else:
            answer.content = bytes(taken.body)
            if url == _COOKIE:
                self._cookie = answer
            return self._judged(answer) if chart else answer
        if taken.too_long:
            failure = Unreadable(f"yahoo: the answer is longer than {MOST_BYTES} bytes")
        raise failure

    def _judged(self, answer: Response) -> Response:
        status = answer.status_code
        if status in _TOO_MANY:
            raise self._allowance.refused(answer.headers.get("Retry-After"))
        if status >= _FAILS:
            raise SourceDown(f"yahoo: status {status}")
        self._allowance.answered()
        if status in _NO_ENTRY:
            self._cookie = None
        if status in _TOLD:
            raise Told(answer.content)
        return answer

    def _late(self, why: str) -> SourceDown:
        return SourceDown(f"yahoo: no whole answer within {self._within_s:g} s ({why})")


class _Taken:
    """Takes the body piece by piece, already unpacked, and hangs up when it becomes too long."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.too_long = False

    def __call__(self, piece: bytes) -> int:
        self.too_long = len(self.body) + len(piece) > MOST_BYTES
        if self.too_long:
            return CURL_WRITEFUNC_ERROR
        self.body += piece
        return len(piece)
