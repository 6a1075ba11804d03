"""The sign-in pages through the real app: what they show, what they refuse, and where the secrets are not."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.brokersim.simulator import Fault
from infra.day.owner import _accept
from infra.local.wsgi import Answer
from shared.codec import decode
from shared.domain.tokens import TokenRecord
from shared.errors import StoreDown
from shared.pages import REFUSED, UNREACHABLE
from shared.topology import ACCESS_TOKEN, CONSUMER, REQUEST_TOKEN
from tests.functions.made import Bench, write_market

_SEALED = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a market that hardly matters here."""
    return write_market(tmp_path_factory.mktemp("market"), minutes=1)


@pytest.fixture
def bench(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give a machine in which nobody has signed in."""
    made = Bench(tmp_path / "state", market, start="07:10")
    yield made
    made.close()


def _get(bench: Bench, target: str, accept: str = "text/html") -> Answer:
    return bench.world.request("oauth_callback", "GET", target, {"Accept": accept}, b"")


def _pin(bench: Bench, flow: str, pin: str) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return bench.world.request(
        "oauth_callback", "POST", "/pin", headers, urlencode({"flow": flow, "pin": pin}).encode()
    )


def _opened(bench: Bench) -> tuple[str, str, str]:
    """Open a flow and accept it at the broker: flow, request token, verifier."""
    plain = json.loads(_get(bench, "/start", "application/json").body)
    url = plain["authorize_url"]
    verifier = bench.kernel.call(lambda: _accept(url, bench.machine.http), name="owner")
    return plain["flow"], parse_qs(urlsplit(url).query)["token"][0], verifier


def _callback(token: str, verifier: str) -> str:
    return "/callback?" + urlencode({"oauth_token": token, "oauth_verifier": verifier})


def _refused(answer: Answer) -> bool:
    return answer.status == 400 and REFUSED.encode() in answer.body


def _record(bench: Bench) -> TokenRecord:
    return decode(TokenRecord, bench.documents("token")["token/main"])


def test_every_page_is_sealed(bench: Bench) -> None:
    """Every answer forbids caching, framing, sniffing, referrers, scripts and other hosts, and redirects nowhere."""
    flow, _, _ = _opened(bench)
    answers = [
        _get(bench, "/start"), _get(bench, "/start", "application/json"), _get(bench, "/callback"),
        _get(bench, "/health"),
        _get(bench, "/nowhere"), _get(bench, "/callback?" + "x" * 3000), _pin(bench, flow, "AAAAA"),
        bench.world.request("oauth_callback", "POST", "/start", {}, b""),
        bench.world.request("oauth_callback", "PUT", "/pin", {}, b"x" * 1_000_000),
    ]  # fmt: skip
    for answer in answers:
        headers = dict(answer.headers)
        assert {name: headers[name] for name in _SEALED} == _SEALED
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Location" not in headers
        assert "Set-Cookie" not in headers
        assert b"<script" not in answer.body
    assert [answer.status for answer in answers] == [200, 200, 400, 200, 404, 400, 400, 404, 404]


def test_a_callback_signs_in_once(bench: Bench) -> None:
    """The right callback stores the token, tells the scan, and a second one is refused without an exchange."""
    _, token, verifier = _opened(bench)
    assert _get(bench, _callback(token, verifier)).status == 200
    first = _record(bench)
    assert _refused(_get(bench, _callback(token, verifier)))
    assert bench.calls()["access_token"] == 1
    assert _record(bench) == first
    assert [one.body for one in bench.of("prepare_tick")] in ([], [{"reason": "signed-in"}])
    bench.run("07:11")
    assert [one.body for one in bench.of("prepare_tick")] == [{"reason": "signed-in"}]
    assert bench.world.vault.versions(REQUEST_TOKEN) == ()


def test_a_code_typed_by_hand_signs_in(bench: Bench) -> None:
    """The PIN form takes the code in small letters and with blanks around it."""
    flow, _, verifier = _opened(bench)
    assert _pin(bench, flow, f" {verifier.lower()} ").status == 200
    assert _record(bench).vault_version == "1"


@pytest.mark.parametrize("case", ["unknown", "empty", "foreign", "expired", "used", "wrong verifier", "flow for token"])
def test_what_is_not_this_sign_in_gets_one_sentence(bench: Bench, case: str) -> None:
    """Unknown, foreign, expired and used tokens get the same constant page, without an exchange at the broker."""
    flow, token, verifier = _opened(bench)
    _, other, _ = _opened(bench)
    targets = {
        "unknown": _callback("A" * 32, verifier), "empty": "/callback", "foreign": _callback(f"{other}x", verifier),
        "expired": _callback(token, verifier), "used": _callback(token, verifier),
        "wrong verifier": _callback(token, "!" * 5), "flow for token": _callback(flow, verifier),
    }  # fmt: skip
    if case == "used":
        _get(bench, targets[case])
    if case == "expired":
        bench.run("07:15:30")
    before, record = bench.calls(), bench.documents("token")
    answer = _get(bench, targets[case])
    assert _refused(answer)
    assert answer.body == _get(bench, "/callback?oauth_token=&oauth_verifier=").body
    assert bench.calls() == before
    assert bench.documents("token") == record


def test_a_hundred_replays_are_one_exchange(bench: Bench) -> None:
    """Of a hundred callbacks at the same moment one signs in and ninety-nine are refused or sent away for a moment."""
    _, token, verifier = _opened(bench)
    statuses: list[int] = []
    for _ in range(100):
        bench.kernel.spawn(lambda: statuses.append(_get(bench, _callback(token, verifier)).status), name="browser")
    bench.run("07:12")
    assert len(statuses) == 100
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400, 429}
    assert bench.calls()["access_token"] == 1
    assert bench.world.vault.versions(ACCESS_TOKEN) == ("1",)


def _forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    shifted = {base64.b64encode(b"x" * skip + raw)[4 if skip else 0 : -4] for skip in range(3)}
    return {raw, quote(secret, safe="").encode(), base64.b64encode(raw)[:-4], raw.hex().encode(), *shifted}


def test_no_secret_leaves_the_vault(bench: Bench) -> None:
    """After sign-in, refusals and a working minute no form of any secret is in store, bus, journal or answers."""
    answers: list[Answer] = []
    _, token, verifier = _opened(bench)
    secrets = [json.loads(bench.world.vault.read(REQUEST_TOKEN, "1"))["secret"]]
    answers += [_get(bench, _callback(token, verifier)), _get(bench, _callback(token, verifier)), _get(bench, "/start")]
    access = json.loads(bench.world.vault.read(ACCESS_TOKEN, "1"))
    consumer = json.loads(bench.world.vault.read(CONSUMER, "1"))
    secrets += [access["token"], access["secret"], consumer["secret"], verifier]
    bench.run("09:30")
    bench.world.start_schedules(bench.kernel.now())
    bench.run("09:31:30")
    bench.lines()
    with sqlite3.connect(bench.folder / "state.db") as database:
        dump = "\n".join(database.iterdump()).encode()
    database.close()
    files = [path.read_bytes() for path in sorted(bench.folder.iterdir()) if path.is_file()]
    places = [dump, *files, *(answer.body + repr(answer.headers).encode() for answer in answers)]
    places += [one.raw for one in bench.deliveries] + [
        base64.b64decode(json.loads(one.raw)["message"]["data"]) for one in bench.deliveries
    ]
    assert b"token/main" in dump
    assert len(bench.deliveries) >= 2
    for secret in secrets:
        for form in _forms(secret):
            assert not any(form in place for place in places), "a secret left the vault"


_TOKENS = st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | st.just("A" * 40)
_MARK = "zq7<script>mark"


@settings(max_examples=1_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=_TOKENS, verifier=_TOKENS, raw=st.booleans(), pin=st.booleans())
def test_no_callback_breaks_the_page(bench: Bench, token: str, verifier: str, raw: bool, pin: bool) -> None:
    """Whatever comes as token, flow or verifier, the page answers 400 with its sentence and repeats nothing."""
    if pin:
        answer = _pin(bench, f"{token}{_MARK}", f"{verifier}{_MARK}")
    elif raw:
        target = f"/callback?oauth_token={token}{_MARK}&oauth_verifier={verifier}{_MARK}"
        answer = _get(bench, target.encode("utf-8", "replace").decode("latin-1"))
    else:
        answer = _get(bench, _callback(f"{token}{_MARK}", f"{verifier}{_MARK}"))
    assert _refused(answer)
    assert b"mark" not in answer.body
    assert b"mark" not in repr(answer.headers).encode()
    assert bench.calls()["access_token"] == 0


@pytest.mark.parametrize("broken", ["add", "read", "missing"])
def test_a_vault_that_fails_after_the_exchange_leaves_nothing_half_stored(bench: Bench, broken: str) -> None:
    """A token that cannot be kept is refused: the record stays as it was, and no version is left behind."""
    _, token, verifier = _opened(bench)
    assert _get(bench, _callback(token, verifier)).status == 200
    before = _record(bench)
    _, token, verifier = _opened(bench)
    vault = bench.world.vault
    add, read = vault.add, vault.read

    def failing_add(secret: str, value: bytes) -> str:
        if secret == ACCESS_TOKEN and broken == "add":
            raise StoreDown("the disk refuses")
        return add(secret, value)

    def failing_read(secret: str, version: str) -> bytes:
        if secret == ACCESS_TOKEN and version == "2":
            if broken == "missing":
                raise KeyError(version)
            if broken == "read":
                raise StoreDown("the disk refuses")
        return read(secret, version)

    vault.add, vault.read = failing_add, failing_read  # type: ignore[method-assign]
    answer = _get(bench, _callback(token, verifier))
    vault.add, vault.read = add, read  # type: ignore[method-assign]
    assert _refused(answer)
    assert _record(bench) == before
    assert vault.versions(ACCESS_TOKEN) == ("1",)
    assert bench.lines("sign_in_refused")


@pytest.mark.parametrize("failing", ["bus", "destroy"])
def test_what_fails_after_the_token_counts_is_not_told_as_a_failure(bench: Bench, failing: str) -> None:
    """Once the token is stored the page says so, although the message or the clean-up has to wait."""
    first, second = _opened(bench), _opened(bench)
    assert _get(bench, _callback(*first[1:])).status == 200
    vault, queue = bench.world.vault, bench.world.bus._queue
    destroy, add = vault.destroy, queue.add

    def refuse(*_: object, **more: object) -> str:
        if failing == "destroy" and _ and _[0] != ACCESS_TOKEN:
            return ""
        raise StoreDown("the disk refuses")

    if failing == "bus":
        queue.add = refuse  # type: ignore[method-assign, assignment]
    else:
        vault.destroy = refuse  # type: ignore[method-assign, assignment]
    answer = _get(bench, _callback(*second[1:]))
    vault.destroy, queue.add = destroy, add  # type: ignore[method-assign]
    assert answer.status == 200
    assert _record(bench).vault_version == "2"
    if failing == "bus":
        assert list(bench.documents("outbox")) == ["outbox/oauth_callback:signed-in:2"]
        _get(bench, "/start")
        assert bench.documents("outbox") == {}


def test_a_store_that_fails_at_the_record_refuses(bench: Bench) -> None:
    """When the record cannot be written the sign-in is refused, and the token that nothing points at is destroyed."""
    _, token, verifier = _opened(bench)
    store = bench.world.store
    commit = store.commit

    def failing(writes: list[object]) -> tuple[str, ...]:
        if any(getattr(write, "path", "") == "token/main" for write in writes):
            raise StoreDown("the disk refuses")
        return commit(writes)  # type: ignore[arg-type]

    store.commit = failing  # type: ignore[method-assign, assignment]
    answer = _get(bench, _callback(token, verifier))
    store.commit = commit  # type: ignore[method-assign]
    assert _refused(answer)
    assert bench.documents("token") == {}
    assert bench.world.vault.versions(ACCESS_TOKEN) == ()


def test_a_request_token_that_is_gone_is_a_refusal(bench: Bench) -> None:
    """When the vault no longer holds the request token the callback is refused, not broken."""
    _, token, verifier = _opened(bench)
    bench.world.vault.destroy(REQUEST_TOKEN, "1")
    assert _refused(_get(bench, _callback(token, verifier)))
    assert bench.calls()["access_token"] == 0


@pytest.mark.parametrize("kind", ["reset", "server-error-500-100", "html-502", "empty-200"])
def test_a_broker_that_fails_is_said_plainly(bench: Bench, kind: str) -> None:
    """Whatever E*TRADE answers instead of tokens, pages answer 503 or 400 with a sentence of ours."""
    bench.machine.simulator.inject(Fault(endpoint="request_token", kind=kind, count=9))  # type: ignore[arg-type]
    answer = _get(bench, "/start")
    assert answer.status == 503
    assert UNREACHABLE.encode() in answer.body
    for _ in range(9):
        bench.machine.simulator._faults.take("request_token")
    _, token, verifier = _opened(bench)
    bench.machine.simulator.inject(Fault(endpoint="access_token", kind=kind))  # type: ignore[arg-type]
    assert _refused(_get(bench, _callback(token, verifier)))
    assert bench.documents("token") == {}


def test_flows_that_nobody_finished_are_swept(bench: Bench) -> None:
    """Opening a sign-in destroys the request tokens of those that are long over, and forgets them."""
    _opened(bench)
    bench.run("07:21")
    _opened(bench)
    assert bench.world.vault.versions(REQUEST_TOKEN) == ("2",)
    assert len(bench.documents("flows")) == 1
