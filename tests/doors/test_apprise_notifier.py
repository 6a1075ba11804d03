"""The notifier on apprise: real posts to a webhook on loopback, and addresses that never show."""

import base64
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from infra.one_machine.clock import SeededChance
from infra.one_machine.history import MarketHistory
from infra.one_machine.loopback import held_port
from shared.apprise_notifier import AppriseNotifier
from shared.errors import ConfigError, StoreDown, Undelivered
from shared.gcp.threads import Threads
from shared.settings import addresses, load, notify_addresses
from shared.topology import NOTIFY_ADDRESSES, TOPOLOGY
from shared.wiring import Platform
from shared.wiring.notify import VaultAddresses
from shared.wiring.rooms import room
from tests.doors.fakes import Hands, Lines
from tests.doors.webhook import Webhook, webhook

ENVIRON = {"STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000"}
VARIABLE = "STRATEGY_NOTIFY_ADDRESSES"
CANARIES = tuple(f"canary{number:02d}/word+half=" for number in range(20))


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """Give a webhook on loopback."""
    with webhook() as made:
        yield made


def _notifier(journal: Lines, *given: str) -> AppriseNotifier:
    return AppriseNotifier(addresses=lambda: given, journal=journal)


def test_a_notice_reaches_a_webhook(hook: Webhook) -> None:
    """Title, text and weight of a notice arrive at a json:// address as they were given, in one post."""
    text = 'The order BUY 10 IBM was sent; <b>"5 > 3"</b> & {{ braces }} stay.\nhttps://desk.example/start?a=1&b=2'
    assert _notifier(Lines(), hook.address()).tell(title="Order unknown: IBM", text=text, urgent=True) == 1
    (post,) = hook.posts
    assert (post["title"], post["message"], post["type"]) == ("Order unknown: IBM", text, "warning")
    assert _notifier(Lines(), hook.address()).tell(title="Signed in", text="x", urgent=False) == 1
    assert hook.posts[1]["type"] == "info"


def test_without_an_address_that_is_said_once() -> None:
    """Without an address nothing is sent, nothing is loaded, and the journal says so once."""
    journal = Lines()
    notifier = _notifier(journal)
    assert [notifier.tell(title="a", text="b", urgent=True) for _ in range(3)] == [0] * 3
    assert journal.events == ["no_notice_address"]


def test_apprise_is_loaded_when_it_is_needed() -> None:
    """Opening the door of notify, and a notice without an address, load nothing of apprise."""
    script = (
        "import sys; from shared.wiring import notify; from shared.apprise_notifier import AppriseNotifier;"
        "from tests.doors.fakes import Lines;"
        "AppriseNotifier(addresses=lambda: (), journal=Lines()).tell(title='a', text='b', urgent=True);"
        "print('apprise' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert run.stdout.strip() == "False"


def test_one_address_that_works_is_enough(hook: Webhook) -> None:
    """A notice that one of two addresses took is told, and the journal names the other by its place and kind."""
    journal = Lines()
    with held_port() as nobody:
        broken = f"json://127.0.0.1:{nobody}/x"
        assert _notifier(journal, broken, hook.address()).tell(title="a", text="b", urgent=True) == 1
    assert len(hook.posts) == 1
    (line,) = journal.lines
    assert (line["event"], line["addresses"]) == ("notice_address_failed", "1 (JSON did not take it)")


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
def test_an_address_that_refuses_has_not_told(hook: Webhook, status: int) -> None:
    """Any answer but success, a redirection included, is no delivery, is asked once, and works the next time."""
    hook.answers.append(status)
    notifier = _notifier(Lines(), hook.address())
    with pytest.raises(Undelivered, match=r"^no address took the notice: 1 \(JSON did not take it\)$"):
        notifier.tell(title="a", text="b", urgent=True)
    assert hook.paths == ["/hook"]
    assert notifier.tell(title="a", text="b", urgent=True) == 1


@pytest.mark.parametrize("address", ["nothing://x", "json://", "tgram://x", "mailto://"])
def test_an_address_that_apprise_does_not_know_is_named_by_its_place(address: str) -> None:
    """An address that apprise cannot use fails its notice, and is told apart from one that does not answer."""
    with pytest.raises(Undelivered, match=r"1 \(apprise does not know such an address\)"):
        _notifier(Lines(), address).tell(title="a", text="b", urgent=True)


def _spellings(secret: str) -> set[str]:
    raw = secret.encode()
    inner = {base64.b64encode(b"x" * shift + raw).decode()[4:-4] for shift in range(3)}
    once = quote(secret, safe="")
    return {secret, once, quote(once, safe=""), raw.hex(), repr(secret)[1:-1], *(one for one in inner if len(one) > 8)}


def _secret_addresses(port: int, nobody: int) -> tuple[str, ...]:
    safe = [quote(canary, safe="") for canary in CANARIES]
    return (
        f"json://{safe[0]}:{safe[1]}@127.0.0.1:{port}/{safe[2]}/{safe[3]}?-key={safe[4]}&+X-Token={safe[5]}",
        f"xml://{safe[6]}:{safe[7]}@127.0.0.1:{port}/{safe[8]}",
        f"form://{safe[9]}:{safe[10]}@127.0.0.1:{port}/{safe[11]}?:field={safe[12]}",
        f"ntfy://{safe[13]}:{safe[14]}@127.0.0.1:{port}/topic?click=https%3A%2F%2Fexample.com%2F{safe[15]}",
        f"mailto://{safe[16]}:{safe[17]}@127.0.0.1:{nobody}?smtp=127.0.0.1&from=a@example.com&to=b@example.com",
        f"gotify://127.0.0.1:{port}/{safe[18]}",
        f"unknown://{safe[19]}",
    )


def _shown(problem: BaseException) -> str:
    told = ["".join(traceback.format_exception(problem))]
    link: BaseException | None = problem
    while link is not None:
        told += [str(link), repr(link)]
        link = link.__cause__ or link.__context__
    return "\n".join(told)


@pytest.mark.parametrize("answers", [(), (500, 302, 401, 404, 429), None], ids=["taken", "refused", "nobody there"])
def test_no_address_ever_shows(
    hook: Webhook, answers: tuple[int, ...] | None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Twenty secrets in addresses of seven kinds show in no log at any level, journal, error, repr or output."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("seeded").debug("this log is read")
    journal, out = Lines(), []
    hook.answers += answers or ()
    with held_port() as nobody:
        for address in _secret_addresses(hook.port if answers is not None else nobody, nobody):
            notifier = _notifier(journal, address)
            out.append(repr(notifier) + str(notifier))
            try:
                out.append(str(notifier.tell(title="a", text="b", urgent=True)))
            except Undelivered as problem:
                out.append(_shown(problem))
    everything = "\n".join([*out, repr(journal.lines), caplog.text, *capfd.readouterr()])
    assert "this log is read" in everything
    assert any("no address took the notice" in text for text in out)
    assert [canary for canary in CANARIES for text in _spellings(canary) if text in everything] == []
    if answers == ():
        assert ["canary02" in hook.paths[0], len(hook.paths)] == [True, 5]


def _reader(hands: Hands, **environ: str) -> VaultAddresses:
    platform = Platform(
        function=TOPOLOGY.function("notify"), environ={**ENVIRON, **environ}, clock=hands.clock,
        chance=SeededChance(seed=1, name="x"), side_by_side=Threads(hands.clock), store=hands.store,
        bus=hands.bus, vault=hands.vault, journal=hands.journal, history=MarketHistory({}),
    )  # fmt: skip
    return VaultAddresses(platform, room(platform))


def test_addresses_come_from_the_vault() -> None:
    """The newest version of the secret counts from the next notice on, and without one there is no address."""
    hands = Hands()
    read = _reader(hands)
    assert read() == ()
    hands.vault.add(NOTIFY_ADDRESSES, b"ntfys://one\nmailto://two\n")
    assert read() == ("ntfys://one", "mailto://two")
    hands.vault.add(NOTIFY_ADDRESSES, b"ntfys://three")
    assert read() == ("ntfys://three",)


def test_addresses_of_the_environment_go_before_the_vault() -> None:
    """On one machine the variable is used, and the vault is not asked."""
    hands = Hands()
    hands.vault.broken["versions"] = StoreDown("down")
    assert _reader(hands, **{VARIABLE: " json://a  json://b json://a "})() == ("json://a", "json://b")


@pytest.mark.parametrize("value", [b"\xffcanary00", b"canary00", b"json://canary00\x7f", b" ".join([b"a://b%d"] * 6)])
def test_a_bad_secret_is_asked_for_again_and_not_shown(value: bytes) -> None:
    """A secret that holds no addresses leaves its notice undelivered, and nothing of it is in the error."""
    hands = Hands()
    hands.vault.add(NOTIFY_ADDRESSES, value if value.count(b"%d") == 0 else value % (1, 2, 3, 4, 5, 6))
    with pytest.raises(Undelivered, match=NOTIFY_ADDRESSES) as caught:
        _reader(hands)()
    assert "canary00" not in _shown(caught.value)


def test_a_vault_that_is_down_is_no_empty_list() -> None:
    """While the vault does not answer a notice is not taken for one without an address."""
    hands = Hands()
    hands.vault.broken["versions"] = StoreDown("down")
    with pytest.raises(StoreDown):
        _reader(hands)()


@pytest.mark.parametrize(
    "raw", ["canary00", "json:/canary00", "://canary00", "json://x canary00", "a://b" + "x" * 2001]
)
def test_a_bad_variable_is_refused_and_not_shown(raw: str) -> None:
    """A variable that holds no addresses ends the start with its name and a hint, among all other problems."""
    with pytest.raises(ConfigError) as caught:
        load({VARIABLE: raw})
    named = [problem for problem in caught.value.problems if problem.startswith(VARIABLE)]
    assert len(caught.value.problems) == 3
    assert len(named) == 1
    assert "canary00" not in _shown(caught.value)
    assert notify_addresses(ENVIRON) == ()


def test_five_addresses_are_enough() -> None:
    """Five different addresses are taken and six are not, so that all of them fit into one delivery's time."""
    five = " ".join(f"ntfys://topic{number}" for number in range(5))
    assert len(addresses(f"{five} ntfys://topic0")) == 5
    with pytest.raises(ValueError, match="up to 5"):
        addresses(f"{five} ntfys://topic5")
