"""What becomes of a command whose words cannot be written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli.exits import NOT_RUNNING, UNSHOWN
from infra.simulated_day import audit
from tests.operations.desks import answer, left_desk
from tests.simulated_day.sample import quiet_day
from tests.simulated_day.test_audit_file import Shelf

ROOT = Path(__file__).resolve().parents[2]
FULL = "No space left on device"
DEEDS = [("halt",), ("resume", "--reason", "seen"), ("secrets", "set", "sign-in-key", "--generate")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of a desk's folder after a morning."""
    return Path(shutil.copytree(left_desk(tmp_path_factory), tmp_path_factory.mktemp("desk") / "made"))


def to_full(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command whose output goes to a disk that is full."""
    with Path("/dev/full").open("w") as full:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "infra.cli.main", *words], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip


def to_nobody(*words: str) -> tuple[int, str]:
    """Run a command whose reader is gone before it begins, and give its exit code and what it says on stderr."""
    command = [sys.executable, "-m", "infra.cli.main", *words]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    return process.returncode, said


@pytest.mark.parametrize("json_too", [(), ("--json",)])
@pytest.mark.parametrize("words", DEEDS)
def test_a_deed_stands_that_cannot_be_shown(desk: Path, words: tuple[str, ...], json_too: tuple[str, ...]) -> None:
    """On a full disk a command does what it does, and one sentence and an exit code of its own say that."""
    done = to_full(*words, *json_too, "--state", str(desk))
    said = [line for line in done.stderr.splitlines() if " does not run: " not in line]
    code = UNSHOWN if words[0] == "secrets" else NOT_RUNNING
    assert (done.returncode, said) == (code, [f"This was done, but could not be shown: {FULL}."])
    if words[0] != "secrets":
        state = answer("status", "--state", str(desk))["control"]["state"]
        assert state == {"halt": "HALTED", "resume": "ACTIVE"}[words[0]]


@pytest.mark.parametrize("words", [("status",), ("orders", "--all"), ("token",), ("status", "--json")])
def test_a_look_that_cannot_be_shown_says_so(desk: Path, words: tuple[str, ...]) -> None:
    """On a full disk a command that only looks says that nothing was changed, with the same exit code."""
    done = to_full(*words, "--state", str(desk))
    assert (done.returncode, done.stderr) == (UNSHOWN, f"Nothing was changed, and nothing could be shown: {FULL}.\n")


def test_help_that_cannot_be_shown_has_the_same_code() -> None:
    """On a full disk --help ends with the exit code of what could not be shown."""
    assert to_full("--help").returncode == UNSHOWN


def test_a_broken_trail_stays_one_that_cannot_be_shown(tmp_path: Path) -> None:
    """What was found out keeps its exit code, whoever cannot or does not want to read it."""
    trail = tmp_path / audit.FILE
    trail.write_bytes(audit.export(Shelf(quiet_day())).replace(b'"quantity":"54"', b'"quantity":"55"', 1))
    assert to_full("audit", "verify", str(trail)).returncode == 1
    assert to_nobody("audit", "verify", str(trail)) == (1, "")


def test_who_stops_reading_changes_nothing(desk: Path) -> None:
    """A closed pipe ends no command early and without a word: its exit code is what it is with a reader."""
    entry = answer("orders", "--all", "--state", str(desk))[0]["intent_id"]
    for words in (("explain", entry), ("status",), ("orders", "--all"), ("token", "--json")):
        assert to_nobody(*words, "--state", str(desk)) == (0, "")
    assert to_nobody("topology") == (0, "")
    assert to_nobody("resume", "--reason", "a word", "--state", str(desk))[0] == NOT_RUNNING
    assert answer("status", "--state", str(desk))["control"]["reason"] == "a word"
