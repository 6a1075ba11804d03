"""The owner of the account for one simulated day: signs in the way a person does, through the real pages.

Start page of `oauth_callback` -> the broker's authorize page -> accept -> read the code -> callback page.
"""

import json
from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter

_TIMEOUT_S = 30


class Pages(Protocol):
    """The part of the world that a browser needs."""

    def request(
        self, function: str, method: str, path_and_query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, bytes]:
        """Send one HTTP request to a function and give status, headers and body."""
        ...


class SignInFailed(Exception):
    """A page of the sign-in answered something else than it should; no page content is repeated here."""


def sign_in(pages: Pages, http: BaseAdapter) -> None:
    """Sign the owner in; raises SignInFailed naming the page that did not answer as it should."""
    authorize_url = _start(pages)
    token = parse_qs(urlsplit(authorize_url).query).get("token", [""])[0]
    query = urlencode({"oauth_token": token, "oauth_verifier": _accept(authorize_url, http)})
    status, _, _ = pages.request("oauth_callback", "GET", f"/callback?{query}", {}, b"")
    if status != 200:
        raise SignInFailed(f"the callback page answered {status}")


def _start(pages: Pages) -> str:
    headers = {"Accept": "application/json"}
    status, _, body = pages.request("oauth_callback", "GET", "/start", headers, b"")
    if status != 200:
        raise SignInFailed(f"the start page answered {status}")
    try:
        return str(json.loads(body)["authorize_url"])
    except (ValueError, KeyError, TypeError):
        raise SignInFailed("the start page names no authorize page") from None


def _accept(url: str, http: BaseAdapter) -> str:
    """Open the broker's page, press Accept unless it shows the code at once, and read the code."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.mount("https://", http)
        browser.mount("http://", http)
        page = _Page.of(browser.get(url, timeout=_TIMEOUT_S))
        if not page.verifier:
            fields = {**page.fields, "answer": "accept"}
            page = _Page.of(browser.post(url.partition("?")[0], data=fields, timeout=_TIMEOUT_S))
    if not page.verifier:
        raise SignInFailed("the broker's page shows no code after Accept")
    return page.verifier


class _Page(HTMLParser):
    """What a person sees and sends on the authorize page: hidden fields, and the code."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.verifier = ""
        self._inside = ""

    @classmethod
    def of(cls, answer: requests.Response) -> "_Page":
        """Read one answer; raises SignInFailed for an error page."""
        if answer.status_code != 200:
            raise SignInFailed(f"the broker's authorize page answered {answer.status_code}")
        page = cls()
        page.feed(answer.text)
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note hidden fields and where the code begins."""
        named = dict(attrs)
        if tag == "input" and named.get("type") == "hidden":
            self.fields[named.get("name") or ""] = named.get("value") or ""
        if named.get("id") == "verifier":
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        """Note where the code ends."""
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        """Collect the code."""
        if self._inside:
            self.verifier += data.strip()
