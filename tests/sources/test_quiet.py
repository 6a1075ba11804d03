"""The libraries leave nothing behind: no line, no file, no thread, and no secret in what is raised."""

import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from tests.sources.alpaca_standing import KEY_ID, SECRET
from tests.sources.world import BEFORE, KEY, SOURCES, START, World, opened
from tests.sources.yahoo_standing import COOKIE, CRUMB

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = (KEY_ID, SECRET, COOKIE, CRUMB, "finance.yahoo.com", "127.0.0.1")
ASKED = ("fc.yahoo.com", "query1.finance.yahoo.com", "query2.finance.yahoo.com")
FAULTS = ("", "429", "500", "format", "kind", "empty")


def asked(world: World, home: Path) -> dict[str, object]:
    """Ask in a process of its own whose home and temporary folder are empty, and see that it says nothing else."""
    for folder in (home, home / "tmp"):
        folder.mkdir()
    call = [sys.executable, "-m", "tests.sources.quiet", world.kind, world.address, world.certificate]
    environ = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S603 - fixed words
        call, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [str(one) for one in home.rglob("*")] == [str(home / "tmp")]
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_a_question_leaves_nothing_behind(source: str, certificate: Path, tmp_path: Path) -> None:
    """Two questions with every logger open: bars, no line, no file in the home or the temporary folder, no thread."""
    with opened(source, certificate) as world:
        bars = len(world.market.over(START, BEFORE))
        assert asked(world, tmp_path / "home") == {"came": [bars, bars], "threads": 1}
        hosts = [one.host for one in world.standing.asked]
    if source == "yahoo":  # one cookie and one crumb for the process, though the library's caches are off
        assert sorted(hosts) == [*ASKED, ASKED[-1]]


@pytest.mark.parametrize("source", SOURCES)
def test_a_refusal_is_quiet_too(source: str, certificate: Path, tmp_path: Path) -> None:
    """A 429 leaves nothing behind either, and the second question does not reach the source."""
    with opened(source, certificate) as world:
        world.standing.fault = "429"
        assert asked(world, tmp_path / "home") == {"came": ["SourceRefused", "SourceRefused"], "threads": 1}
        assert world.charts() == 1


def test_without_a_cookie_the_chart_is_asked_all_the_same(certificate: Path, tmp_path: Path) -> None:
    """Where Yahoo gives neither cookie nor crumb the bars come, and nothing is agreed to instead."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "no cookie"
        bars = len(world.market.over(START, BEFORE))
        assert asked(world, tmp_path / "home") == {"came": [bars, bars], "threads": 1}
        assert world.charts() == 2
        assert {one.host for one in world.standing.asked} <= {*ASKED}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", SOURCES)
def test_no_secret_is_raised_or_logged(
    source: str, fault: str, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an error with what it hangs on, nor a line, nor the source itself shows a key, a cookie or an address."""
    caplog.set_level(logging.DEBUG)
    with opened(source, certificate) as world:
        world.standing.fault = fault
        problem = world.failure()
        said = "".join(traceback.format_exception(problem)) if problem else ""
        shown = f"{said} {caplog.text} {world.fresh()!r} {KEY!r} {vars(world.fresh())!r}"
    assert [secret for secret in HIDDEN if secret in shown.replace(world.address, "")] == []
