"""The sign-in pages through the real app: what they show, what they refuse, what stays when something fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from infra.brokersim.simulator import Fault
from infra.one_machine.world_file import SIMULATOR
from infra.one_machine.wsgi import Answer
from infra.simulated_day.owner import Page, accept, post, start
from shared.codec import decode
from shared.domain.broker.tokens import TokenRecord
from shared.domain.telling.wording import called, capital
from shared.errors import StoreDown
from shared.pages import EXPIRED, FAILED, HEADERS, LINK_EXPIRED, REFUSED, UNREACHABLE, WRONG_CODE
from shared.ports import Put
from shared.topology import ACCESS_TOKEN, REQUEST_TOKEN
from shared.usecases.sign_in import token
from shared.usecases.sign_in.flows import MOST_STARTS
from tests.functions.made import Bench, write_market


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a market that hardly matters here."""
    return write_market(tmp_path_factory.mktemp("market"), minutes=1)


@pytest.fixture
def bench(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give a machine in which nobody has signed in, and to which E*TRADE leads the owner back."""
    made = Bench(tmp_path / "state", market, start="07:10", callback="https://localhost/callback")
    yield made
    made.close()


@pytest.fixture
def typing(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give a machine in which nobody has signed in, and whose owner types the code."""
    made = Bench(tmp_path / "state", market, start="07:10")
    yield made
    made.close()


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was accepted at the broker: what one browser holds."""

    cookie: str
    state: str
    token: str
    verifier: str


def _get(bench: Bench, target: str, cookie: str = "") -> Answer:
    headers = {"Cookie": cookie} if cookie else {}
    return bench.world.request("oauth_callback", "GET", target, headers, b"")


def _post(bench: Bench, path: str, form: dict[str, str], cookie: str = "") -> Answer:
    return Answer(*post(bench.world, path, form, cookie))


def _pin(bench: Bench, begun: Begun, pin: str | None = None) -> Answer:
    form = {"state": begun.state, "pin": begun.verifier if pin is None else pin}
    return _post(bench, "/pin", form, begun.cookie)


def _begun(bench: Bench) -> Begun:
    """Begin a sign-in with a new link and accept it at the broker."""
    page, cookie = start(bench.world, bench.machine.link())
    url = page.links["authorize"]
    verifier = bench.kernel.call(lambda: accept(url, bench.machine.http), name="owner")
    return Begun(cookie, page.fields.get("state", ""), parse_qs(urlsplit(url).query)["token"][0], verifier)


def _callback(token: str, verifier: str) -> str:
    return "/callback?" + urlencode({"oauth_token": token, "oauth_verifier": verifier})


def _back(bench: Bench, begun: Begun) -> Answer:
    """Come back from the broker in the browser that began."""
    return _get(bench, _callback(begun.token, begun.verifier), begun.cookie)


def _refused(answer: Answer) -> bool:
    return answer.status == 400 and REFUSED.encode() in answer.body


def _failed(answer: Answer) -> bool:
    return answer.status == 400 and capital(called(FAILED, SIMULATOR)).encode() in answer.body


def _record(bench: Bench) -> TokenRecord:
    return decode(TokenRecord, bench.documents("token")["token/main"])


def test_every_page_is_sealed(bench: Bench) -> None:
    """Every answer forbids caching, framing, sniffing, referrers and other hosts, and redirects nowhere."""
    begun = _begun(bench)
    answers = [
        _get(bench, "/start"), _post(bench, "/start", {"link": bench.machine.link()}), _get(bench, "/callback"),
        _get(bench, "/health"), _post(bench, "/again", {}, begun.cookie), _back(bench, _begun(bench)),
        _get(bench, "/nowhere"), _get(bench, "/callback?" + "x" * 9000), _pin(bench, begun, "AAAAA"),
        bench.world.request("oauth_callback", "POST", "/start", {}, b""),
        bench.world.request("oauth_callback", "PUT", "/pin", {}, b"x" * 1_000_000),
        bench.world.request("oauth_callback", "HEAD", "/start", {}, b""),
    ]  # fmt: skip
    for answer in answers:
        headers = dict(answer.headers)
        assert {name: headers[name] for name in HEADERS} == HEADERS
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Location" not in headers
    assert [answer.status for answer in answers] == [200, 200, 400, 200, 200, 200, 404, 400, 400, 400, 404, 200]


def test_a_callback_signs_in_once(bench: Bench) -> None:
    """The right callback stores the token, tells owner, scan and history, and a second one is refused at once."""
    begun = _begun(bench)
    assert _back(bench, begun).status == 200
    first = _record(bench)
    assert _refused(_back(bench, begun))
    assert bench.calls()["access_token"] == 1
    assert _record(bench) == first
    bench.run("07:11")
    sent = bench.of("prepare_tick")
    assert sorted(one.function for one in sent) == ["market_history", "market_scan"]
    assert all(one.body == {"reason": "signed-in"} for one in sent)
    assert bench.world.vault.versions(REQUEST_TOKEN) == ()
    kinds = [row["kind"] for row in bench.documents("notices").values()]
    assert sorted(kinds) == ["link_used", "sign_in_refused", "signed_in"]


def test_a_code_typed_by_hand_signs_in(typing: Bench) -> None:
    """The PIN form takes the code in small letters and with blanks around it, and lets go of the cookie."""
    begun = _begun(typing)
    answer = _pin(typing, begun, f" {begun.verifier.lower()} ")
    assert answer.status == 200
    assert "Max-Age=0" in dict(answer.headers)["Set-Cookie"]
    assert _record(typing).vault_version == "1"


def test_a_mistyped_code_can_be_typed_again(typing: Bench) -> None:
    """A wrong code shows the page again, with another request token and why, and the new code signs in."""
    begun = _begun(typing)
    answer = _pin(typing, begun, "WRONG1")
    assert (answer.status, called(WRONG_CODE, SIMULATOR).encode() in answer.body) == (400, True)
    page = Page()
    page.feed(answer.body.decode())
    assert page.fields["state"] != begun.state
    cookie = dict(answer.headers)["Set-Cookie"].partition(";")[0]
    verifier = typing.kernel.call(lambda: accept(page.links["authorize"], typing.machine.http), name="owner")
    assert _pin(typing, Begun(cookie, page.fields["state"], "", verifier)).status == 200
    assert _refused(_post(typing, "/again", {}, cookie))
    assert _refused(_post(typing, "/again", {}, begun.cookie))
    typing.run("07:12")
    assert typing.of("sign_in_failed") == []


def test_wrong_codes_have_an_end(typing: Bench) -> None:
    """Each wrong code is one of its link's starts, and beyond them the page says so."""
    begun, answers = _begun(typing), list[Answer]()
    for _ in range(MOST_STARTS):
        answers.append(_pin(typing, begun, "WRONG1"))
        page = Page()
        page.feed(answers[-1].body.decode())
        cookie = dict(answers[-1].headers).get("Set-Cookie", "").partition(";")[0]
        begun = Begun(cookie, page.fields.get("state", ""), "", "")
    assert [one.status for one in answers] == [400] * (MOST_STARTS - 1) + [429]


def test_what_came_too_late_is_told_so(typing: Bench) -> None:
    """A page or a link whose time is over says that it has expired, and the page lets its browser begin again."""
    begun, link = _begun(typing), typing.machine.link()
    typing.run("07:20:30")
    late = _pin(typing, begun)
    assert (late.status, EXPIRED.encode() in late.body, b'action="/again"' in late.body) == (400, True, True)
    assert _post(typing, "/again", {}, begun.cookie).status == 200
    answer = _post(typing, "/start", {"link": link.partition("#")[2]})
    assert (answer.status, LINK_EXPIRED.encode() in answer.body) == (400, True)


def test_a_callback_names_its_token_and_burns_nothing(bench: Bench) -> None:
    """A callback without its request token, with any verifier, is refused and leaves the sign-in as it was."""
    begun = _begun(bench)
    for verifier in ("AAAA", begun.verifier):
        assert _refused(_get(bench, f"/callback?oauth_verifier={verifier}", begun.cookie))
    assert bench.calls()["access_token"] == 0
    assert _back(bench, begun).status == 200


def test_without_a_registered_callback_there_is_none(typing: Bench) -> None:
    """Where the owner types the code no address takes a callback, and the flow is as before."""
    begun = _begun(typing)
    for target in (f"/callback?oauth_verifier={begun.verifier}", _callback(begun.token, begun.verifier), "/"):
        assert _get(typing, target, begun.cookie).status == 404
    assert _pin(typing, begun).status == 200


@pytest.mark.parametrize(
    "case", ["unknown", "empty", "foreign", "used", "no verifier", "state for token", "no cookie", "cookie"]
)
def test_what_is_not_this_sign_in_gets_one_sentence(bench: Bench, case: str) -> None:
    """Unknown, foreign and used tokens get the same constant page, without an exchange at the broker."""
    begun, other = _begun(bench), _begun(bench)
    targets = {
        "unknown": _callback("A" * 32, begun.verifier), "empty": "/callback",
        "foreign": _callback(other.token, other.verifier), "no verifier": _callback(begun.token, "!" * 5),
        "state for token": _callback(begun.state, begun.verifier),
    }  # fmt: skip
    target = targets.get(case, _callback(begun.token, begun.verifier))
    cookie = {"no cookie": "", "cookie": "__Host-sign-in=" + "A" * 43}.get(case, begun.cookie)
    if case == "used":
        _get(bench, target, cookie)
    before, record = bench.calls(), bench.documents("token")
    answer = _get(bench, target, cookie)
    assert _refused(answer)
    assert answer.body == _get(bench, "/callback?oauth_token=&oauth_verifier=", cookie).body
    assert bench.calls() == before
    assert bench.documents("token") == record


def test_a_hundred_replays_are_one_exchange(bench: Bench) -> None:
    """Of a hundred callbacks at the same moment one signs in and ninety-nine are refused or sent away for a moment."""
    begun = _begun(bench)
    statuses: list[int] = []
    for _ in range(100):
        bench.kernel.spawn(lambda: statuses.append(_back(bench, begun).status), name="browser")
    bench.run("07:12")
    assert len(statuses) == 100
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400}
    assert bench.calls()["access_token"] == 1
    assert bench.world.vault.versions(ACCESS_TOKEN) == ("1",)


def test_a_vault_that_fails_after_the_exchange_leaves_nothing_half_stored(bench: Bench) -> None:
    """A token that cannot be kept is refused: the record stays as it was, and no version is left behind."""
    assert _back(bench, _begun(bench)).status == 200
    before = _record(bench)
    begun = _begun(bench)
    vault = bench.world.vault
    add = vault.add

    def failing_add(secret: str, value: bytes) -> str:
        if secret == ACCESS_TOKEN:
            raise StoreDown("the disk refuses")
        return add(secret, value)

    vault.add = failing_add  # type: ignore[method-assign]
    answer = _back(bench, begun)
    vault.add = add  # type: ignore[method-assign]
    assert _failed(answer)
    assert _record(bench) == before
    assert vault.versions(ACCESS_TOKEN) == ("1",)
    assert bench.calls()["revoke"] == 1
    bench.run("07:12")
    assert len(bench.of("sign_in_failed")) == 1


def test_what_fails_after_the_token_counts_is_not_told_as_a_failure(bench: Bench) -> None:
    """Once the token is stored the page says so, although the message has to wait."""
    first = _begun(bench)
    assert _back(bench, first).status == 200
    second = _begun(bench)
    queue = bench.world.bus._queue
    add = queue.add

    def refuse(*_: object, **more: object) -> str:
        raise StoreDown("the disk refuses")

    queue.add = refuse  # type: ignore[method-assign, assignment]
    answer = _back(bench, second)
    queue.add = add  # type: ignore[method-assign]
    assert answer.status == 200
    assert _record(bench).vault_version == "2"
    waiting = [row["topic"] for row in bench.documents("outbox").values()]
    assert sorted(waiting) == ["notices", "prepare-ticks"]
    _begun(bench)
    assert bench.documents("outbox") == {}


def test_a_store_that_fails_at_the_record_refuses(bench: Bench) -> None:
    """When the record cannot be written the sign-in is refused, and the token that nothing points at is dead."""
    begun = _begun(bench)
    store = bench.world.file
    commit = store.commit

    def failing(writes: list[object]) -> tuple[str, ...]:
        if any(getattr(write, "path", "") == "token/main" for write in writes):
            raise StoreDown("the disk refuses")
        return commit(writes)  # type: ignore[arg-type]

    store.commit = failing  # type: ignore[method-assign, assignment]
    answer = _back(bench, begun)
    store.commit = commit  # type: ignore[method-assign]
    assert _failed(answer)
    assert token.PATH not in bench.documents("token")
    assert bench.calls()["revoke"] == 1


def test_a_request_token_that_is_gone_is_a_refusal(bench: Bench) -> None:
    """When the vault no longer holds the request token the callback is refused, not broken."""
    begun = _begun(bench)
    bench.world.vault.destroy(REQUEST_TOKEN, "1")
    assert _failed(_back(bench, begun))
    assert bench.calls()["access_token"] == 0


@pytest.mark.parametrize("kind", ["reset", "server-error-500-100", "html-502", "empty-200"])
def test_a_broker_that_fails_is_said_plainly(bench: Bench, kind: str) -> None:
    """Whatever E*TRADE answers instead of tokens, pages answer 503 or 400 with a sentence of ours."""
    bench.machine.simulator.inject(Fault(endpoint="request_token", kind=kind, count=9))  # type: ignore[arg-type]
    answer = _post(bench, "/start", {"link": bench.machine.link()})
    assert answer.status == 503
    assert UNREACHABLE.encode() in answer.body
    for _ in range(9):
        bench.machine.simulator._faults.take("request_token")
    begun = _begun(bench)
    bench.machine.simulator.inject(Fault(endpoint="access_token", kind=kind))  # type: ignore[arg-type]
    assert _failed(_back(bench, begun))
    assert token.PATH not in bench.documents("token")


def test_a_flow_that_cannot_be_read_keeps_nobody_out(bench: Bench) -> None:
    """What is left of a sign-in and cannot be read is swept like one that is over."""
    bench.world.store.commit([Put("flows/damaged", {"operator": 1})])
    assert _back(bench, _begun(bench)).status == 200
    assert "flows/damaged" not in bench.documents("flows")


def test_flows_that_nobody_finished_are_swept(bench: Bench) -> None:
    """Opening a sign-in destroys the request tokens of those that are long over, and forgets them."""
    _begun(bench)
    bench.run("07:21")
    _begun(bench)
    assert bench.world.vault.versions(REQUEST_TOKEN) == ("2",)
    assert (len(bench.documents("flows")), len(bench.documents("links"))) == (2, 2)
    bench.run("07:40")
    _begun(bench)
    assert (len(bench.documents("flows")), len(bench.documents("links"))) == (1, 1)
