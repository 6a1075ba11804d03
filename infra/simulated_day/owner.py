"""The owner of the account for one simulated day: signs in the way a person does, through the real pages.

Link -> start page of `oauth_callback` -> the broker's authorize page -> accept -> read the code -> type it.
"""

from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import urlencode

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


def sign_in(pages: Pages, http: BaseAdapter, link: str) -> None:
    """Sign the owner in with a link; raises SignInFailed naming the page that did not answer as it should."""
    page, cookie = start(pages, link)
    form = {"state": page.fields.get("state", ""), "pin": accept(page.links.get("authorize", ""), http)}
    status, _, _ = post(pages, "/pin", form, cookie)
    if status != 200:
        raise SignInFailed(f"the page that takes the code answered {status}")


def start(pages: Pages, link: str) -> "tuple[Page, str]":
    """Open a link and press the button, and give the page with the way to the broker and this browser's cookie."""
    status, _, body = pages.request("oauth_callback", "GET", "/start", {}, b"")
    if status != 200 or b'action="/start"' not in body:
        raise SignInFailed(f"the start page answered {status}")
    status, headers, body = post(pages, "/start", {"link": link.partition("#")[2]}, "")
    if status != 200:
        raise SignInFailed(f"the start page took the link with {status}")
    page = Page()
    page.feed(body.decode())
    return page, dict(headers).get("Set-Cookie", "").partition(";")[0]


def post(pages: Pages, path: str, form: dict[str, str], cookie: str) -> tuple[int, Any, bytes]:
    """Send a form as a browser does."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Cookie": cookie} if cookie else {})
    return pages.request("oauth_callback", "POST", path, headers, urlencode(form).encode())


def accept(url: str, http: BaseAdapter) -> str:
    """Open the broker's page, press Accept unless it shows the code at once, and read the code."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.mount("https://", http)
        browser.mount("http://", http)
        page = Page.of(browser.get(url, timeout=_TIMEOUT_S))
        if not page.verifier:
            fields = {**page.fields, "answer": "accept"}
            page = Page.of(browser.post(url.partition("?")[0], data=fields, timeout=_TIMEOUT_S))
    if not page.verifier:
        raise SignInFailed("the broker's page shows no code after Accept")
    return page.verifier


class Page(HTMLParser):
    """What a person sees and sends on a page: hidden fields, links by their id, and the broker's code."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.verifier = ""
        self._inside = ""

    @classmethod
    def of(cls, answer: requests.Response) -> "Page":
        """Read one answer; raises SignInFailed for an error page."""
        if answer.status_code != 200:
            raise SignInFailed(f"the broker's authorize page answered {answer.status_code}")
        page = cls()
        page.feed(answer.text)
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note hidden fields, links and where the code begins."""
        named = dict(attrs)
        if tag == "a":
            self.links[named.get("id") or ""] = named.get("href") or ""
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
