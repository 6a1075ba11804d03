"""A repository in which the Makefile's targets run for real, with stand-ins for Pulumi and gcloud."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.architecture.files import ROOT
from tests.infra.test_smoke import answering, outputs
from tests.packaging.checkouts import copy_checkout

# Writes down what it is told, and keeps a stack in files beside it: its state, what Google has by the names that the
# program gives, what a refresh would find, and a lock. It refuses what the engine was seen to refuse: while the lock is
# there, to make what exists already, and to import what does not.
_PULUMI = """#!{python}
import json, os, pathlib, sys
here, words = pathlib.Path(__file__).parent, sys.argv[4:]
with open(here / "log", "a", encoding="utf-8") as log:
    given = [os.environ["PULUMI_PYTHON_CMD"], os.environ["PULUMI_GCP_SKIP_REGION_VALIDATION"], *sys.argv[1:]]
    log.write(json.dumps(given) + "\\n")
def read(name, otherwise):
    return json.loads((here / name).read_text()) if (here / name).exists() else otherwise
state, google = read("state", None), read("google", {{}})
deployment = (state or {{}}).get("deployment", {{}})
known, begun = deployment.setdefault("resources", []), deployment.get("pending_operations", [])
unknown = [one["resource"] for one in begun if one["resource"]["urn"] not in [made["urn"] for made in known]]
def name(one):
    return one["urn"].rpartition("::")[2]
if words[0] == "cancel":
    (here / "lock").unlink(missing_ok=True)
elif words[0] in ("up", "import", "refresh", "destroy") and (here / "lock").exists():
    sys.exit("the stack is currently locked by 1 lock(s)")
elif words[:2] == ["stack", "output"]:
    print(json.dumps({outputs!r}))
elif words[:2] == ["stack", "export"]:
    print(json.dumps(state)) if state else sys.exit("error: no stack named so")
elif words[0] == "import":
    if words[3] not in google.values():
        sys.exit("error: resource does not exist")
    known += [one | {{"id": words[3]}} for one in unknown if (one["type"], name(one)) == (words[1], words[2])]
elif words[0] == "up":
    if there := [name(one) for one in unknown if name(one) in google]:
        sys.exit(f"error: 409 {{there}} already exists")
    known += [one | {{"id": f"drawn-{{name(one)}}"}} for one in unknown]
elif words[0] == "refresh":
    state = read("refreshed", state)
    if "--clear-pending-creates" in words:
        deployment["pending_operations"] = []
if state:
    (here / "state").write_text(json.dumps(state))
"""
# Copies what it is told to, a bucket being a folder of that name, and lists and deletes what lies in files beside it.
_GCLOUD = """#!{python}
import json, pathlib, shutil, sys
here, words = pathlib.Path(__file__).parent, sys.argv[1:]
with open(here / "gcloud-log", "a", encoding="utf-8") as log:
    log.write(json.dumps(words) + "\\n")
if words[:2] == ["storage", "cp"]:
    source, target = (pathlib.Path(one.replace("gs://", {buckets!r} + "/")) for one in words[2:])
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
elif "list" in words:
    print((here / "listed").read_text())
elif (here / "undeletable").exists():
    sys.exit("ERROR: cannot be deleted now")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository with two commits of the functions, and command lines that write down what they are told."""

    folder: Path
    first: str

    def clone(self) -> "Repository":
        """Give what a build has of the repository: its last commit, nowhere to fetch from, and nothing made before."""
        folder = self.folder.with_name("clone")
        git(self.folder, "clone", "--quiet", "--depth", "1", self.folder.as_uri(), str(folder))
        git(folder, "remote", "set-url", "origin", "https://127.0.0.1:1/private.git")
        (folder / "bin").symlink_to(self.folder / "bin")
        return Repository(folder=folder, first=self.first)

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make with the stand-ins first on the path."""
        environ = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        call = ["make", "--no-print-directory", f"PYTHON={sys.executable}", *words]
        return subprocess.run(  # noqa: S603 - targets of our own Makefile
            call, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )

    def put(self, **files: Any) -> None:
        """Let the stand-ins find these: `state`, `google`, `refreshed`, `lock`, `listed`, `undeletable`."""
        for name, content in files.items():
            (self.folder / "bin" / name).write_text(json.dumps(content), encoding="utf-8")

    @property
    def state(self) -> dict[str, Any]:
        """Give the state of the stack as it is now."""
        given: dict[str, Any] = json.loads((self.folder / "bin" / "state").read_text(encoding="utf-8"))["deployment"]
        return given

    @property
    def told(self) -> list[list[str]]:
        """Give what Pulumi was told, without its environment and the words that every call begins with."""
        calls = self._log("log")
        assert all(call[:5] == [sys.executable, "true", "--cwd", "infra", "--non-interactive"] for call in calls)
        return [call[5:] for call in calls]

    @property
    def google_told(self) -> list[list[str]]:
        """Give what Google's command line was told."""
        return self._log("gcloud-log")

    def _log(self, name: str) -> list[list[str]]:
        file = self.folder / "bin" / name
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


@contextmanager
def repository_in(folder: Path) -> Iterator[Repository]:
    """Make the repository; its stack has one function, which answers on loopback."""
    copy_checkout(folder)
    (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    tools = [str(one.relative_to(ROOT)) for one in (ROOT / "infra" / "tools").glob("*.py")]
    for file in ("infra/Pulumi.sandbox.yaml", "infra/__init__.py", *tools):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((ROOT / file).read_bytes())
    git(folder, "init", "--quiet")
    first = _commit(folder)
    with (folder / "shared" / "usecases" / "scanning" / "scan.py").open("a", encoding="utf-8") as source:
        source.write("\n# a line that did not hold\n")
    _commit(folder)
    with answering(200) as address:
        told = outputs({"oauth_callback": True}, {"oauth_callback": address})
        (folder / "bin").mkdir()
        words = {"python": sys.executable, "buckets": str(folder.parent), "outputs": told}
        for name, text in (("pulumi", _PULUMI), ("gcloud", _GCLOUD)):
            stand_in = folder / "bin" / name
            stand_in.write_text(text.format(**words))
            stand_in.chmod(0o755)
        yield Repository(folder=folder, first=first)


def exported(resources: Mapping[str, Mapping[str, Any]], begun: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give a stack as `pulumi stack export` does: what is known, and what was being made, by URN."""
    provider = {
        "urn": "urn:pulumi:s::p::pulumi:providers:gcp::default", "type": "pulumi:providers:gcp", "id": "1",
        "custom": True, "inputs": {"project": "example-project"},
    }  # fmt: skip
    made = [{"urn": urn, **one} for urn, one in resources.items()]
    being = [{"type": "creating", "resource": {"urn": urn, **one}} for urn, one in begun.items()]
    return {"version": 3, "deployment": {"resources": [provider, *made], "pending_operations": being}}


def git(folder: Path, *words: str) -> str:
    """Run git there, as somebody."""
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.com"]
    call = ["git", *identity, *words]
    ran = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return ran.stdout.strip()


def _commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it was")
    return git(folder, "rev-parse", "HEAD")
