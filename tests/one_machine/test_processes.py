"""One function's process: how it fails to start, dies, hangs, is started again, and ends."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.one_machine.loopback import held_port
from infra.one_machine.processes import MAX_LOG, FunctionProcess
from infra.one_machine.world_file import WorldFile
from shared.errors import ConfigError
from shared.topology import TOPOLOGY
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
_PAGE = "from flask import Response\n\n\ndef main(request):\n    return Response('here')\n"
_STARTER = """
import sys, time
from pathlib import Path
from tests.one_machine.test_processes import made
process = made(Path(sys.argv[1]), int(sys.argv[2]))
process.start()
process.await_ready()
print(process.pid, flush=True)
time.sleep(60)
"""


def made(folder: Path, port: int, source: str = _PAGE) -> FunctionProcess:
    """Lay out an archive of one page and give its process, not yet started."""
    home, world = folder / "archive", folder / "world.json"
    shutil.copytree(ROOT / "shared", home / "shared", ignore=shutil.ignore_patterns("__pycache__"))
    (home / "main.py").write_text(source)
    WorldFile(cloud="local", push_key="x", state=str(folder / "state.db")).write(world)
    return FunctionProcess(
        push_key="x",
        function=TOPOLOGY.functions[0], source=home, world=world, log=folder / "log.jsonl", port=port,
        environ={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.fixture
def port() -> Iterator[int]:
    """Give a port of loopback that is this test's own."""
    with held_port() as port:
        yield port


@pytest.fixture
def process(tmp_path: Path, port: int) -> Iterator[FunctionProcess]:
    """Give a process, and end it whatever happens."""
    process = made(tmp_path, port)
    yield process
    process.kill()
    process.end()


def _wait(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "this never came to be"
        time.sleep(0.05)


def _members(group: int) -> list[str]:
    words = ["/bin/ps", "-A", "-o", "pgid=,pid=,stat="]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
    rows = (line.split() for line in listed.splitlines())
    return [pid for pgid, pid, stat in rows if int(pgid) == group and not stat.startswith("Z")]


def _gone(group: int) -> None:
    """Wait until the killed are dead."""
    _wait(lambda: not _members(group))


def test_a_start_that_fails_is_told_with_its_last_words(tmp_path: Path, port: int) -> None:
    """A function that cannot start is a ConfigError that ends with what the function said last."""
    process = made(tmp_path, port, source="raise SystemExit('STRATEGY_WATCH_LIST is not set')\n")
    process.start()
    with pytest.raises(ConfigError, match=f"{process.name} did not start.*STRATEGY_WATCH_LIST is not set"):
        process.await_ready(PATIENCE_S)
    process.end()
    assert process.pid is None


def test_a_process_serves_and_ends_when_asked(process: FunctionProcess) -> None:
    """A process answers once it is ready, and nothing of its group is left when it was asked to end."""
    process.start()
    process.await_ready(PATIENCE_S)
    group = process.pid
    assert group is not None
    assert process.post(b"{}", {}) == 200
    assert process.look_after() is None
    process.ask_to_end()
    process.end()
    assert (process.pid, process.answers()) == (None, False)
    _gone(group)
    assert process.post(b"{}", {}) == 503
    process.end()


def test_an_end_that_does_not_come_is_forced(tmp_path: Path, port: int) -> None:
    """A process that ignores the wish to end is killed with its whole group after a while."""
    process = made(tmp_path, port, source=f"import signal, time\nsignal.signal = lambda *_: None\n{_PAGE}")
    process.start()
    process.await_ready(PATIENCE_S)
    group = process.pid
    assert group is not None
    os.kill(group, signal.SIGSTOP)  # it cannot even hear it
    process.ask_to_end()
    process.end(within_s=0.2)
    _gone(group)


def test_a_killed_process_is_started_again_after_growing_pauses(process: FunctionProcess) -> None:
    """What is killed is started again with the code of its death, on its port, later each time that it dies young."""
    process.start()
    process.await_ready(PATIENCE_S)
    pauses = []
    for number in range(1, 4):
        pid = process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        _wait(lambda: process.pid is None)
        pauses.append(process._wait_s)
        while (code := process.look_after()) is None:
            time.sleep(0.05)
        assert (code, process.restarts) == (-signal.SIGKILL, number)
        _gone(pid)
        process.await_ready(PATIENCE_S)
    assert pauses == [0.5, 1.0, 2.0]


def _stopped(process: FunctionProcess) -> int:
    """Start a process and stop its whole group; it has not answered one question then."""
    process.start()
    process.await_ready(PATIENCE_S)
    group = process.pid
    assert group is not None
    os.killpg(group, signal.SIGSTOP)
    assert not process.answers()
    return group


def test_a_hung_process_is_ended_and_started_again(process: FunctionProcess) -> None:
    """What answers nothing for longer than it may be silent is ended as a group, not before, and started again."""
    group = _stopped(process)
    assert process.end_if_hung(60) is None
    assert process.pid == group
    asked_at = time.monotonic()
    while (silent_s := process.end_if_hung(4.0)) is None:
        assert not process.answers()
        assert time.monotonic() - asked_at < PATIENCE_S
    assert 4.0 < silent_s < PATIENCE_S
    _gone(group)
    assert process.end_if_hung(0.0) is None
    _wait(lambda: process.look_after() == -signal.SIGKILL)
    process.await_ready(PATIENCE_S)
    assert (process.restarts, process.end_if_hung(1.0)) == (1, None)


def test_an_answered_delivery_is_a_sign_of_life(process: FunctionProcess) -> None:
    """A process that has just answered a delivery does not hang, although no question of ours was answered."""
    group = _stopped(process)
    os.killpg(group, signal.SIGCONT)
    assert process.post(b"{}", {}) == 200
    assert process.end_if_hung(0.0) is None


def test_a_desk_that_was_stopped_itself_blames_nobody(process: FunctionProcess) -> None:
    """Time in which nobody asked, because the desk was stopped too, is not counted as a function's silence."""
    group = _stopped(process)
    process._asked_at -= 3600
    assert not process.answers()
    assert process.end_if_hung(60) is None
    assert process.pid == group


def test_a_large_log_is_put_aside_at_a_start(process: FunctionProcess) -> None:
    """A log beyond its size is renamed at the next start, over the one before, and the new one begins empty."""
    old = process.log.with_suffix(".old")
    old.write_text("older")
    with process.log.open("wb") as log:
        log.truncate(MAX_LOG + 1)
    process.start()
    process.await_ready(PATIENCE_S)
    assert old.stat().st_size == MAX_LOG + 1
    assert process.log.stat().st_size < MAX_LOG


def test_a_process_ends_when_its_starter_is_killed(tmp_path: Path, port: int) -> None:
    """When the starter is killed outright, the process and its whole group end by themselves."""
    command = [sys.executable, "-c", _STARTER, str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as starter:  # noqa: S603 - our own code
        assert starter.stdout is not None
        group = int(starter.stdout.readline())
        assert _members(group)
        starter.kill()
    _gone(group)
