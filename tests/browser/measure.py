"""From tapping the link to a stored token, without E*TRADE's own pages: `python -m tests.browser.measure`.

A script does what a person does, so no time of a person's is in it.
"""

import statistics
import sys
import time

from playwright.sync_api import Browser, expect

from shared.topology import ACCESS_TOKEN
from tests.browser.served import Served, browser, come_back, type_code, visit

ROUNDS = 4


def rounds(running: Browser, *, comes_back: bool) -> list[float]:
    """Sign in so many times and give the seconds of each, less what E*TRADE's pages took to answer."""
    served, taken = Served(comes_back=comes_back), []
    try:
        for number in range(ROUNDS):
            with visit(running, served) as visited:
                link, served.at_etrade_s, began = served.link(), 0.0, time.monotonic()
                (come_back if comes_back else type_code)(visited, link)
                expect(visited.page.get_by_role("heading")).to_have_text("You are signed in")
                taken.append(time.monotonic() - began - served.at_etrade_s)
            if served.vault.versions(ACCESS_TOKEN) != (str(number + 1),):
                raise SystemExit("no token was stored")
    finally:
        served.close()
    return taken


if __name__ == "__main__":
    with browser() as running:
        for name, comes_back in (("by callback", True), ("by code", False)):
            taken = rounds(running, comes_back=comes_back)
            sys.stdout.write(f"{name}: median {statistics.median(taken):.2f} s, most {max(taken):.2f} s\n")
