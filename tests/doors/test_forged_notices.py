"""Who may publish notices brings no address to the owner: every link that is sent leads to the system's own page."""

import re

import pytest

from shared.domain.telling.notices import Notice
from shared.domain.telling.sign_in_notices import SignInNeeded
from shared.door import PushDoor
from shared.topology import HALT_KEY
from shared.usecases.base.links import REMINDER_LINK_LIFE, LinkKey, has_form
from shared.usecases.base.outbox import pack
from shared.usecases.telling.deliver import Links, deliver
from tests.domain.evil import EVIL, laced, tempting
from tests.domain.telling.test_notices import EXAMPLES
from tests.doors.fakes import NOW, Hands, push, request
from tests.doors.sign_in_world import KEY, KEY_OF_HALTS, OPERATOR, PAGE
from tests.doors.test_deliver import ListNotifier

EVIL_PAGE = "https://etrade-login.example/start"
SIGNED = LinkKey(operator=OPERATOR, value=KEY).sign(Hands().desk().chance, now=NOW, lasts=REMINDER_LINK_LIFE)
FORGED = (
    f"{EVIL_PAGE}#{SIGNED}", f"{EVIL_PAGE}#2", EVIL_PAGE, f"#{SIGNED}", f" {SIGNED}", f"{SIGNED}\n", f"{SIGNED}x",
    f"{SIGNED}\n{EVIL_PAGE}", f"{EVIL_PAGE}\n{SIGNED}", f"@etrade-login.example/#{SIGNED}", "x" * 5000, "#",
    SIGNED.replace("2.", "1.", 1),
)  # fmt: skip
_NOTICES = tuple({type(notice): notice for notice, _, _ in EXAMPLES}.values())
_OURS = re.compile(r"^https://example\.com/(start|halt)#2\.[0-9.]+[A-Za-z0-9]{22}\.[A-Za-z0-9_-]{43}$", re.MULTILINE)
_WITHOUT = "Run `strategy login`."


class Believing(Links):
    """Sends what a message says, as if only our own functions could publish."""

    def sign_in(self, signed: str) -> str:
        """Give what came."""
        return signed


class Lenient(Links):
    """Takes whatever ends with a signed part, as the page does."""

    def sign_in(self, signed: str) -> str:
        """Put the page before it."""
        return f"{self.page}#{signed}" if has_form(signed) else ""


def _sent(notice: Notice, kind: type[Links] = Links, page: str = PAGE) -> tuple[str, str]:
    """Publish one notice, and give all that was sent and the journal's lines."""
    hands, notifier = Hands(), ListNotifier()
    hands.vault.add(HALT_KEY, KEY_OF_HALTS)
    desk = hands.desk("notify")
    links = kind(desk=desk, vault=hands.vault, operator=OPERATOR, page=page)
    door = PushDoor(
        desk=desk,
        handlers={type(notice): lambda _envelope, one: deliver(desk, notifier, one, prefix="PAPER: ", links=links)},
    )
    door(request(push(pack(notice))))
    return "\n".join(f"{title}\n{text}" for title, text, _ in notifier.sent), repr(hands.journal.lines)


def _strange(sent: str) -> list[str]:
    """List the addresses in what was sent that are not our own links."""
    return tempting(_OURS.sub("", sent))


def _needed(signed: str) -> SignInNeeded:
    return SignInNeeded(signed=signed, minutes_to_open=60, occasion="x", at=NOW)


@pytest.mark.parametrize("notice", _NOTICES, ids=lambda notice: type(notice).__name__)
def test_no_kind_of_notice_brings_an_address(notice: Notice) -> None:
    """With an address in every text of a notice of any kind, nothing that is sent leads anywhere but to our pages."""
    sent = {evil: _sent(laced(notice, evil))[0] for evil in EVIL}
    assert {evil: found for evil, text in sent.items() if (found := _strange(text))} == {}
    assert any(sent.values())


@pytest.mark.parametrize("forged", FORGED)
def test_what_is_no_signed_part_is_no_link(forged: str) -> None:
    """A notice with anything but the form of a signed part goes without a link, says so, and is journalled."""
    sent, lines = _sent(_needed(forged))
    assert (_WITHOUT in sent, "/start" in sent, _strange(sent)) == (True, False, [])
    assert "no_sign_in_link" in lines
    assert "etrade-login" not in sent + lines


def test_a_signed_part_leads_to_our_own_page() -> None:
    """The link of a sign-in is the address of the setting and the signed part of the message, on a line of its own."""
    sent, lines = _sent(_needed(SIGNED))
    assert f"{PAGE}#{SIGNED}" in sent.splitlines()
    assert (_WITHOUT in sent, _strange(sent), SIGNED in lines) == (False, [], False)


@pytest.mark.parametrize(("signed", "page"), [("", PAGE), (SIGNED, "")])
def test_without_a_page_or_a_part_there_is_no_link(signed: str, page: str) -> None:
    """Where the message has no signed part, or nobody said the page's address, the notice says what works without."""
    sent, lines = _sent(_needed(signed), page=page)
    assert (_WITHOUT in sent, "/start" in sent, "no_sign_in_link" in lines) == (True, False, False)


@pytest.mark.parametrize("mistake", [Believing, Lenient])
def test_whoever_believes_a_message_sends_its_address(mistake: type[Links]) -> None:
    """A notifier that sends what a message says, or that looks only at its end, sends the address of a forger."""
    sent, _ = _sent(_needed(f"{EVIL_PAGE}#{SIGNED}"), mistake)
    assert (EVIL_PAGE in sent, _strange(sent) != []) == (True, True)
