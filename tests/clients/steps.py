"""What both scenarios need beside their client: a line for each step, and the person who signs in.

It runs in the clients' own environment, so nothing but the standard library is imported here.
"""

import re
import sys
import time
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

NO_CALL = "no call"
SYMBOL = "IBM"
_TRIES, _APART_S = 400, 0.05


def tell(step: str, how: str) -> None:
    """Say on a line of its own how a step went."""
    sys.stdout.write(f"{step}: {how}\n")
    sys.stdout.flush()


def tries() -> Iterator[int]:
    """Give each of the looks at something that comes a little later; fail when it never came."""
    for number in range(_TRIES):
        yield number
        time.sleep(_APART_S)
    raise AssertionError("what was waited for never came")


def accept(address: str) -> str:
    """Open the page of sign-in as a person does, accept, and give the code; ValueError for a page that asks nothing."""
    page = _page(address)
    if "Allow this application?" not in page:
        raise ValueError("the page does not ask for access")
    (query, asked) = (parse_qs(urlsplit(address).query), address.partition("?")[0])
    sent = {"key": query["key"][0], "token": query["token"][0], "answer": "accept"}
    code = re.search(r'id="verifier">([A-Z0-9]+)<', _page(asked, urlencode(sent).encode()))
    assert code is not None
    return code[1]


def _page(address: str, form: bytes | None = None) -> str:
    try:
        with urlopen(address, form, timeout=60) as answer:  # noqa: S310 - an address of the simulator
            text: str = answer.read().decode()
            return text
    except HTTPError as refused:
        return refused.read().decode()
