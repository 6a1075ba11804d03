"""The delivery targets of the Makefile, run for real in a repository of their own, Pulumi and gcloud stood in for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.files import ROOT
from tests.infra.test_smoke import answering, outputs
from tests.packaging.checkouts import copy_checkout, hashes

OUTPUTS = ["stack", "output", "--stack", "sandbox", "--json"]
_PULUMI = """#!{python}
import json, os, sys
with open({log!r}, "a", encoding="utf-8") as log:
    log.write(json.dumps([os.environ["PULUMI_PYTHON_CMD"], *sys.argv[1:]]) + "\\n")
if "output" in sys.argv:
    print(json.dumps({outputs!r}))
"""
# Copies what it is told to, a bucket being a folder of that name.
_GCLOUD = """#!{python}
import pathlib, shutil, sys
assert sys.argv[1:3] == ["storage", "cp"]
source, target = (pathlib.Path(one.replace("gs://", {buckets!r} + "/")) for one in sys.argv[3:])
target.parent.mkdir(parents=True, exist_ok=True)
shutil.copy(source, target)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository with two commits of the functions, and a command line of Pulumi that only writes what it is told."""

    folder: Path
    first: str

    def clone(self) -> "Repository":
        """Give what a build has of the repository: its last commit, nowhere to fetch from, and nothing made before."""
        folder = self.folder.with_name("clone")
        _git(self.folder, "clone", "--quiet", "--depth", "1", self.folder.as_uri(), str(folder))
        _git(folder, "remote", "set-url", "origin", "https://127.0.0.1:1/private.git")
        (folder / "bin").symlink_to(self.folder / "bin")
        return Repository(folder=folder, first=self.first)

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make with the stand-in first on the path."""
        environ = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        call = ["make", "--no-print-directory", f"PYTHON={sys.executable}", *words]
        return subprocess.run(  # noqa: S603 - targets of our own Makefile
            call, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )

    @property
    def told(self) -> list[list[str]]:
        """Give what Pulumi was told, without the interpreter and the words that every call begins with."""
        lines = (self.folder / "bin" / "log").read_text(encoding="utf-8").splitlines()
        calls: list[list[str]] = [json.loads(line) for line in lines]
        assert all(call[:4] == [sys.executable, "--cwd", "infra", "--non-interactive"] for call in calls)
        return [call[4:] for call in calls]


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Make the repository; its stack has one function, which answers on loopback."""
    folder = copy_checkout(tmp_path / "repository")
    (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for file in ("infra/Pulumi.sandbox.yaml", "infra/__init__.py", "infra/tools/__init__.py", "infra/tools/smoke.py"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((ROOT / file).read_bytes())
    _git(folder, "init", "--quiet")
    first = _commit(folder)
    with (folder / "shared" / "usecases" / "scan.py").open("a", encoding="utf-8") as source:
        source.write("\n# a line that did not hold\n")
    _commit(folder)
    with answering(200) as address:
        told = outputs({"oauth_callback": True}, {"oauth_callback": address})
        (folder / "bin").mkdir()
        words = {
            "python": sys.executable,
            "log": str(folder / "bin" / "log"),
            "buckets": str(tmp_path),
            "outputs": told,
        }
        for name, text in (("pulumi", _PULUMI), ("gcloud", _GCLOUD)):
            stand_in = folder / "bin" / name
            stand_in.write_text(text.format(**words))
            stand_in.chmod(0o755)
        yield Repository(folder=folder, first=first)


def _git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.com"]
    call = ["git", *identity, *words]
    ran = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return ran.stdout.strip()


def _commit(folder: Path) -> str:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "as it was")
    return _git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("preview", [["install"], ["preview", "--stack", "sandbox", "--diff"]]),
        ("deploy", [["install"], ["up", "--stack", "sandbox", "--yes", "--refresh"], OUTPUTS]),
        ("destroy", [["install"], ["destroy", "--stack", "sandbox", "--yes"]]),
    ],
)  # fmt: skip
def test_a_target_tells_pulumi_what_it_says(repository: Repository, target: str, told: list[list[str]]) -> None:
    """Preview, deployment and destruction name the stack, and a deployment asks it afterwards."""
    ran = repository.make(target, "STACK=sandbox")
    assert ran.returncode == 0, ran.stderr
    assert repository.told == told


def test_a_rollback_deploys_the_functions_of_its_commit(repository: Repository, tmp_path: Path) -> None:
    """The functions are the very ones of the commit, the stack file stays as it is, and the result is tried."""
    before = (repository.folder / "infra" / "Pulumi.sandbox.yaml").read_bytes()
    ran = repository.make("rollback", f"TO={repository.first}", "STACK=sandbox")
    assert ran.returncode == 0, ran.stderr
    rebuilt = repository.folder / "build" / "rollback"
    assert hashes(rebuilt) == hashes(ROOT) != hashes(repository.folder)
    install, up, smoke = repository.told
    file = str(repository.folder / "build" / "rollback.yaml")
    assert install == ["install"]
    assert up[:6] == ["up", "--stack", "sandbox", "--yes", "--refresh", "--config-file"]
    assert up[6:] == [file, "--config", "etrade-strategy:source=build/rollback"]
    assert smoke == OUTPUTS
    assert (repository.folder / "infra" / "Pulumi.sandbox.yaml").read_bytes() == before == Path(file).read_bytes()


def test_a_build_goes_back_without_the_repository(repository: Repository) -> None:
    """What a deployment kept is what a later build, which can fetch no other commit, rolls back to."""
    _git(repository.folder, "checkout", "--quiet", repository.first)
    assert repository.make("keep", "STATE=the-state").returncode == 0
    _git(repository.folder, "checkout", "--quiet", "-")
    build = repository.clone()
    ran = build.make("rollback", f"TO={repository.first}", "STACK=sandbox", "STATE=the-state")
    assert ran.returncode == 0, ran.stderr
    assert hashes(build.folder / "build" / "rollback") == hashes(ROOT)


def test_a_deployment_that_fails_is_not_kept(repository: Repository, tmp_path: Path) -> None:
    """Only what passed the smoke test can be gone back to."""
    (repository.folder / "bin" / "pulumi").write_text("#!/bin/sh\necho '{}'\n")
    assert repository.make("deploy", "STACK=sandbox", "STATE=the-state").returncode != 0
    assert not (tmp_path / "the-state").exists()


def test_a_rollback_to_nowhere_touches_nothing(repository: Repository) -> None:
    """Without a commit, or with one that does not exist or was never kept, nothing is told to Pulumi."""
    for words, why in (((), "Name the commit"), (("TO=0123456",), "has no commit"), (("TO=0123456", "STATE=x"), "x/")):
        ran = repository.make("rollback", *words)
        assert ran.returncode != 0
        assert why in ran.stderr
    assert not (repository.folder / "bin" / "log").exists()
