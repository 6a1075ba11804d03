"""What is started and measured: each function from its built archive, and what it is compared with.

The baselines are what no change of ours can undercut: a function that says hello, and functions that import the
libraries that ours load at their start and do nothing else: Google's, and for the scan numpy and TA-Lib. Files are
compiled before anything is measured (`compileall`, and a first start that does not count), so what is measured is a
start from a warm disk.
"""

import hashlib
import io
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.archives import Archive, build
from shared.topology import TOPOLOGY, Function
from tests.architecture.files import ROOT
from tests.packaging.processes import Runnable, borrow, install, python_like_the_clouds, unpack

ENVIRONMENTS = ROOT / "build" / "environments"
HELLO = "hello"
GOOGLE = "google: store, vault"
GOOGLE_AND_BUS = "google: store, vault, bus"
AND_INDICATORS = "the same, numpy, TA-Lib"

_LIBRARIES = {
    HELLO: (),
    GOOGLE: ("google.cloud.firestore", "google.cloud.secretmanager_v1"),
    GOOGLE_AND_BUS: ("google.cloud.firestore", "google.cloud.secretmanager_v1", "google.cloud.pubsub_v1"),
    AND_INDICATORS: (
        "google.cloud.firestore", "google.cloud.secretmanager_v1", "google.cloud.pubsub_v1", "numpy", "talib",
    ),
}  # fmt: skip
_ANSWER = """
import functions_framework

@functions_framework.http
def main(request):
    return "", 204
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing to start; `function` is the one of the graph that it is, or None for a baseline."""

    runnable: Runnable
    name: str
    function: Function | None = None
    baseline: str = ""
    path: str = "/"
    environ: dict[str, str] = field(default_factory=dict)


def subjects(folder: Path, *, installed: bool, names: tuple[str, ...] = ()) -> tuple[Subject, ...]:
    """Prepare below `folder` the named functions, all when none is named, and before them their baselines.

    With `installed` each runs in an environment that holds its own lock and nothing else, a baseline in the one of
    the first function that it stands for; else in the environment of this process.
    """
    chosen = [one for one in TOPOLOGY.functions if not names or one.name in names]
    ours = [_subject(one, folder / one.name, installed=installed) for one in chosen]
    homes = {one.baseline: one for one in reversed(ours)} | {HELLO: ours[0]}
    baselines = [_baseline(name, folder / name, homes[name]) for name in _LIBRARIES if name in homes]
    made = (*baselines, *ours)
    for one in made:
        _compile(one.runnable)
    return made


def python_of(subject: Subject) -> str:
    """Say which Python a subject runs on."""
    code = "import platform; print(platform.python_version())"
    call = [str(subject.runnable.environment / "bin" / "python"), "-c", code]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - fixed words


def _subject(function: Function, folder: Path, *, installed: bool) -> Subject:
    archive = build(function.name, ROOT)
    return Subject(
        runnable=_installed(archive, folder) if installed else borrow(archive, folder),
        name=function.name,
        function=function,
        baseline=AND_INDICATORS if function.name == "market_scan" else GOOGLE_AND_BUS if function.publishes else GOOGLE,
        path="/health" if function.public else "/",
        environ=function.environ,
    )


def _baseline(name: str, folder: Path, home: Subject) -> Subject:
    imports = "".join(f"import {library}\n" for library in _LIBRARIES[name])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", imports + _ANSWER)
    made = Archive(function=name, content=packed.getvalue(), sha256="", files={})
    runnable = replace(home.runnable, archive=made, source=unpack(made, folder / "source"))
    return Subject(runnable=runnable, name=name, environ=home.environ)


def _installed(archive: Archive, folder: Path) -> Runnable:
    """Unpack an archive beside an environment of its lock, which is made once for each lock and interpreter."""
    source, python = unpack(archive, folder / "source"), python_like_the_clouds()
    lock = (source / "requirements.txt").read_bytes()
    home = ENVIRONMENTS / f"{archive.function}-{hashlib.sha256(lock + python.encode()).hexdigest()[:16]}"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        made = install(archive, home, python)
        _compile(replace(made, source=made.environment))
        (home / "complete").touch()
    environment = home / "environment"
    framework = (str(environment / "bin" / "functions-framework"),)
    return Runnable(archive=archive, source=source, environment=environment, framework=framework)


def _compile(runnable: Runnable) -> None:
    call = [str(runnable.environment / "bin" / "python"), "-m", "compileall", "-q", str(runnable.source)]
    subprocess.run([*call, "--invalidation-mode", "unchecked-hash"], check=True)  # noqa: S603 - fixed words
