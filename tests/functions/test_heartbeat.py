"""The heartbeat: a real server on loopback hears each minute of the session that the system works, and no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from infra.brokersim.faults import FaultKind
from infra.brokersim.simulator import Fault
from shared.domain.telling.messages import SettleTick
from shared.ports import Scalar, Severity
from shared.wiring.heartbeat import HttpPulse
from tests.etrade.loopback import server
from tests.etrade.test_deadline import DRIPS
from tests.functions.made import Bench, at

CANARY = "CANARY3c81"
GUARD_S = 600


class Check(ThreadingHTTPServer):
    """A check that counts who asks; `status` is its answer, `location` a place that it points to, `slow` holds it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.paths: list[tuple[str, dict[str, str]]] = []
        self.status, self.location = 200, ""
        self.free = Event()
        self.free.set()

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_address[1]}/ping/{CANARY}"


class _Answer(BaseHTTPRequestHandler):
    server: Check

    def do_GET(self) -> None:
        """Count, wait while it is held, and answer."""
        self.server.paths.append((self.path, dict(self.headers)))
        self.server.free.wait(GUARD_S)
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _checking() -> Iterator[Check]:
    check = Check()
    thread = Thread(target=check.serve_forever, daemon=True)
    thread.start()
    try:
        yield check
    finally:
        check.free.set()
        check.shutdown()
        check.server_close()


@pytest.fixture
def check() -> Iterator[Check]:
    """Give a check on loopback."""
    with _checking() as made:
        yield made


@pytest.fixture
def beating(tmp_path: Path, market: Path, check: Check) -> Iterator[Bench]:
    """Give a machine at 09:20 that is watched."""
    made = Bench(tmp_path / "state", market, start="09:20", heartbeat=check.address)
    yield made
    made.close()


def _played(bench: Bench, check: Check, *, until: str) -> list[int]:
    """Play on with all schedules and give how often each minute was heard."""
    heard = []
    minute = bench.kernel.now().replace(second=30, microsecond=0)
    while minute < at(until):
        bench.world.run(minute)
        before = len(check.paths)
        minute += timedelta(minutes=1)
        bench.world.run(minute)
        heard.append(len(check.paths) - before)
    return heard


def test_each_minute_of_the_session_is_heard(beating: Bench, check: Check) -> None:
    """Nothing is heard before the open, and from the third minute on each minute once, with nothing secret in it."""
    beating.sign_in_at("09:21")
    beating.world.start_schedules(at("09:45"))
    beating.run("09:32:30")
    assert len(check.paths) <= 2
    assert _played(beating, check, until="09:44:00") == [1] * 12
    assert {path for path, _ in check.paths} == {f"/ping/{CANARY}"}
    assert {name for _, headers in check.paths for name in headers} <= {"Host", "User-Agent", "Accept-Encoding"}
    assert CANARY not in (beating.folder / "journal.jsonl").read_text()
    assert beating.lines("heartbeat_missed") == []


def test_a_blind_scan_is_not_heard(beating: Bench, check: Check) -> None:
    """While no quote can be used the heartbeat stops within minutes, though settlement works."""
    beating.sign_in_at("09:21")
    beating.world.start_schedules(at("09:50"))
    beating.run("09:36")
    beating.machine.simulator.delay_quotes(True)
    beating.run("09:41")
    assert _played(beating, check, until="09:46:00") == [0] * 5


def test_a_silent_scan_is_not_heard(beating: Bench, check: Check) -> None:
    """Settlement alone is no heartbeat: without a scanned minute nothing is heard."""
    beating.sign_in_at("09:21")
    for minute in range(31, 40):
        beating.run(f"09:{minute}")
        assert beating.push("order_settlement", SettleTick()) == 204
    assert check.paths == []


@pytest.mark.parametrize("kind", ["server-error-500-100", "reset"])
def test_a_settlement_that_cannot_see_is_not_heard(beating: Bench, check: Check, kind: FaultKind) -> None:
    """While the order list cannot be read the heartbeat is silent, and it is back with the list."""
    beating.sign_in_at("09:21")
    beating.world.start_schedules(at("09:55"))
    beating.run("09:36:30")
    beating.machine.simulator.inject(Fault(endpoint="orders", kind=kind, count=10_000))
    assert _played(beating, check, until="09:40:30") == [0] * 4
    beating.machine.simulator.mend()
    assert _played(beating, check, until="09:45:00")[-2:] == [1, 1]


def test_a_day_without_a_sign_in_is_not_heard(beating: Bench, check: Check) -> None:
    """A system that has no token does not work, whatever its schedules do."""
    beating.world.start_schedules(at("09:40"))
    beating.run("09:41")
    assert check.paths == []


class Lines:
    """A Journal as a list."""

    def __init__(self) -> None:
        self.whys: list[Scalar] = []

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Keep why it was missed."""
        assert (event, severity, set(fields)) == ("heartbeat_missed", Severity.WARNING, {"why"})
        self.whys.append(fields["why"])


def test_a_check_that_hangs_holds_nobody(check: Check) -> None:
    """An answer that does not come is waited for no longer than the deadline."""
    journal = Lines()
    pulse = HttpPulse(address=check.address, journal=journal, deadline_s=0.2)
    check.free.clear()
    pulse.beat()
    assert journal.whys == ["ReadTimeout"]


@pytest.mark.parametrize("where", ["header", "go on"])
def test_a_check_that_drips_holds_nobody(where: str) -> None:
    """Headers of which a byte comes at a time end at the deadline, and nothing goes on waiting for them."""
    journal = Lines()
    with server(DRIPS[where]) as port:
        HttpPulse(address=f"http://127.0.0.1:{port}/", journal=journal, deadline_s=0.3).beat()
    assert journal.whys == ["ReadTimeout"]


@pytest.mark.parametrize(("status", "why"), [(200, []), (404, ["status 404"]), (503, ["status 503"])])
def test_only_a_good_answer_is_heard(check: Check, status: int, why: list[str]) -> None:
    """An answer that is not good is journalled with its status alone."""
    journal = Lines()
    check.status = status
    HttpPulse(address=check.address, journal=journal).beat()
    assert journal.whys == why


def test_no_redirect_is_followed(check: Check) -> None:
    """Where the check points elsewhere nobody goes."""
    journal = Lines()
    with _checking() as other:
        check.status, check.location = 302, other.address
        HttpPulse(address=check.address, journal=journal).beat()
        assert other.paths == []
    assert journal.whys == ["status 302"]


def test_an_address_that_nobody_answers_is_not_repeated(check: Check) -> None:
    """A refused connection is journalled by its kind, without the address."""
    journal = Lines()
    with _checking() as gone:
        address = gone.address
    pulse = HttpPulse(address=address, journal=journal)
    pulse.beat()
    assert CANARY not in repr((journal.whys, pulse))
    assert journal.whys == ["ConnectionError"]
