"""The sign-in in a real browser, on a phone and on a desk."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.cli.credentials import leading_to
from shared.pages import COOKIE, REFUSED
from shared.topology import ACCESS_TOKEN
from tests.browser.served import DESK, PHONE, Served, come_back, keep, type_code, visit

SIGNED_IN = "You are signed in"
_SMALLEST_TAP = 44


def _fits(page: Page) -> None:
    """Check that nothing is cut off at the side, and that what is tapped is large enough for a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for tapped in page.locator("button, a, input:not([type=hidden])").all():
        box = tapped.bounding_box()
        assert box is None or box["height"] >= _SMALLEST_TAP


def test_a_phone_signs_in_with_the_code(chromium: Browser, typed: Served) -> None:
    """A link, a tap, accepting at E*TRADE and the code in small letters make a stored token, without a complaint."""
    with visit(chromium, typed) as visited:
        type_code(visited, typed.link())
        expect(visited.page.get_by_role("heading")).to_have_text(SIGNED_IN)
        assert visited.complaints == []
        assert visited.context.cookies() == []
    assert typed.vault.versions(ACCESS_TOKEN) == ("1",)


def test_etrade_brings_the_owner_back(chromium: Browser, brought_back: Served) -> None:
    """With a registered address one tap here and one at E*TRADE are enough, and the cookie comes back with them."""
    with visit(chromium, brought_back) as visited:
        come_back(visited, brought_back.link())
        expect(visited.page.get_by_role("heading")).to_have_text(SIGNED_IN)
        assert visited.complaints == []
    assert brought_back.vault.versions(ACCESS_TOKEN) == ("1",)


def test_the_link_is_in_no_request_and_in_no_address_bar(chromium: Browser, typed: Served) -> None:
    """What is behind the # of a link is sent in the form alone, and opening a link uses nothing up."""
    with visit(chromium, typed) as visited:
        sent: list[str] = []
        visited.page.on("request", lambda request: sent.append(request.url))
        link = typed.link()
        for _ in range(3):
            visited.page.goto(link)
            visited.page.goto("about:blank")
        assert typed.store.query("links") == []
        visited.page.goto(link)
        assert visited.page.url == f"{typed.address}/start"
        visited.page.get_by_role("button").click()
        expect(visited.page.get_by_role("link", name="Open E*TRADE")).to_be_visible()
        assert not [address for address in sent if link.rpartition(".")[2] in address]
        (cookie,) = visited.context.cookies()
        assert (cookie["name"], cookie["path"], cookie["sameSite"]) == (COOKIE, "/", "Lax")
        assert cookie["secure"]
        assert cookie["httpOnly"]
        assert visited.page.evaluate("document.cookie") == ""


def test_a_login_leads_to_its_link_through_a_file(chromium: Browser, typed: Served, tmp_path: Path) -> None:
    """The file that a login opens takes the browser to the start page with the link in it, and is then gone."""
    with visit(chromium, typed) as visited, leading_to(typed.link(), tmp_path) as address:
        visited.page.goto(address)
        visited.page.wait_for_url(f"{typed.address}/start")
        visited.page.get_by_role("button").click()
        expect(visited.page.get_by_role("link", name="Open E*TRADE")).to_be_visible()
        assert visited.complaints == []
    assert list(tmp_path.iterdir()) == []


def test_another_browser_cannot_finish(chromium: Browser, brought_back: Served) -> None:
    """The address at which E*TRADE brings the owner back is worth nothing in another person's browser."""
    with visit(chromium, brought_back) as theirs, visit(chromium, brought_back) as ours:
        theirs.page.goto(brought_back.link())
        theirs.page.get_by_role("button").click()
        theirs.page.wait_for_url("https://us.etrade.com/**")
        ours.page.goto(theirs.page.url)
        ours.page.get_by_role("button", name="Accept").click()
        expect(ours.page.get_by_text(REFUSED)).to_be_visible()
    assert brought_back.vault.versions(ACCESS_TOKEN) == ()


def test_a_wrong_code_is_followed_by_another_try(chromium: Browser, typed: Served) -> None:
    """After a wrong code the page says so and takes the code of a new page of E*TRADE's, without another link."""
    with visit(chromium, typed) as visited:
        page = visited.page
        page.goto(typed.link())
        page.get_by_role("button").click()
        page.get_by_label("Type the code here.").fill("WRONG1")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("The code was not accepted.")
        _fits(page)
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open E*TRADE").click()
        opened.value.get_by_role("button", name="Accept").click()
        page.get_by_label("Type the code here.").fill(opened.value.locator("#verifier").inner_text())
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading")).to_have_text(SIGNED_IN)


def test_without_scripts_the_link_is_pasted(chromium: Browser, typed: Served) -> None:
    """A browser without scripts shows a field for the link, and goes on from it."""
    with visit(chromium, typed, scripts=False) as visited:
        visited.page.goto(typed.link())
        visited.page.get_by_label("The link that you were sent").fill(typed.link())
        visited.page.get_by_role("button").click()
        expect(visited.page.get_by_role("link", name="Open E*TRADE")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits(chromium: Browser, typed: Served, tmp_path: Path, size: dict[str, int], dark: bool) -> None:
    """On a phone and on a desk, light and dark, no page is cut off and all that is tapped is large enough."""
    with visit(chromium, typed, size=size, dark=dark) as visited:
        page, seen = visited.page, f"{size['width']}-{'dark' if dark else 'light'}"
        page.goto(f"{typed.address}/start")
        _fits(page)
        keep(page, tmp_path, f"paste-{seen}")
        page.goto(typed.link())
        _fits(page)
        keep(page, tmp_path, f"start-{seen}")
        page.get_by_role("button").click()
        expect(page.get_by_role("heading")).to_have_text(re.compile("steps"))
        _fits(page)
        keep(page, tmp_path, f"code-{seen}")
        page.get_by_label("Type the code here.").fill("WRONG1")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("The code was not accepted.")
        _fits(page)
        keep(page, tmp_path, f"failed-{seen}")
        page.goto(f"{typed.address}/callback")
        keep(page, tmp_path, f"refused-{seen}")
        type_code(visited, typed.link())
        expect(page.get_by_role("heading")).to_have_text(SIGNED_IN)
        keep(page, tmp_path, f"done-{seen}")
        assert len(list(tmp_path.iterdir())) in {0, 6}


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "pasted"])
def test_a_halt_link_takes_one_tap_and_a_confirmation(
    chromium: Browser, typed: Served, tmp_path: Path, size: dict[str, int], scripts: bool
) -> None:
    """A link opens a page that says what will happen; its button asks for the halt, and the link is in no address."""
    with visit(chromium, typed, size=size, scripts=scripts) as visited:
        page, link = visited.page, typed.halt_link()
        page.goto(link)
        expect(page.get_by_role("heading")).to_have_text("Halt trading?")
        assert typed.bus.sent == []
        _fits(page)
        keep(page, tmp_path, "halt")
        if scripts:
            assert page.url == f"{typed.address}/halt"
        else:
            page.get_by_label("The link of a notice").fill(link)
        page.get_by_role("button", name="Halt trading").click()
        expect(page.get_by_role("heading")).to_have_text("The halt is asked for")
        _fits(page)
        assert page.url == f"{typed.address}/halt"
        assert visited.complaints == []
    assert [one.topic for one in typed.bus.sent] == ["halt-asks"]
