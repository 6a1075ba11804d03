"""The page in a process of its own answers its owner beside strangers, and the page as it was does not."""

import http.client

from shared.usecases.sign_in.flows import MOST_STARTS
from tests.benchmarks.page import link
from tests.benchmarks.strangers import served, slow_bodies, used_up
from tests.patience import PATIENCE_S

PLACES = 3
SLOW = 4
UNHEARD_S = 10.0
"""Much longer than a body may take, and than the few that wait before the owner may."""


def test_slow_bodies_keep_nobody_out() -> None:
    """Bodies of a byte a second hold every place for a few seconds only, so the owner's turn comes while they go on."""
    with served("now", PLACES, patience_s=PATIENCE_S) as browser, slow_bodies(browser.port, SLOW):
        assert [browser.start(link()) for _ in range(3)] == [200] * 3


def test_without_a_deadline_slow_bodies_close_the_page() -> None:
    """The page as it was reads a body for as long as it comes, so that the owner gets no answer."""
    with served("before", PLACES, patience_s=UNHEARD_S) as browser, slow_bodies(browser.port, SLOW):
        assert browser.start(link()) == 0


def test_a_body_of_no_form_is_not_waited_for() -> None:
    """A request that announces what no form is, or more than one may have, is answered without a byte of it."""
    with served("now", PLACES) as browser:
        for method, path, kind, length in (
            ("POST", "/start", "application/json", 100), ("GET", "/start", "", 100),
            ("POST", "/start", "application/x-www-form-urlencoded", 99_999_999), ("POST", "/nowhere", "", 5_000),
        ):  # fmt: skip
            connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=PATIENCE_S)
            connection.putrequest(method, path)
            connection.putheader("Content-Length", str(length))
            if kind:
                connection.putheader("Content-Type", kind)
            connection.endheaders()
            assert connection.getresponse().status == (200 if method == "GET" else 404 if path == "/nowhere" else 400)
            connection.close()


def test_a_link_that_is_used_up_keeps_no_other_from_working() -> None:
    """Somebody who holds a link can begin five sign-ins with it, and the owner's next one begins at once."""
    with served("now", PLACES) as browser:
        assert used_up(browser) == MOST_STARTS
        assert browser.start(link()) == 200
