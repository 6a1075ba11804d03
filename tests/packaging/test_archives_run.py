"""Each archive runs with nothing but its own files and its lock: imported, installed and driven as by the cloud."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.archives import build, functions
from infra.one_machine.emulators import Emulators
from shared.topology import TOPOLOGY
from tests.architecture.files import ROOT
from tests.packaging.drive import ERRANDS, Errand
from tests.packaging.graph import GOOD, NO_CLOUD, Graph, push_of, running_graph
from tests.packaging.processes import Runnable, install, python_like_the_clouds, served, unpack

NAMES = functions(ROOT)
# No .pth file is read (-S), so the checkout is out of reach; every module of the archive is imported once.
IMPORT_ALL = """
import importlib, importlib.util, json, sys
from pathlib import Path
here = Path(sys.argv[1])
sys.path[:0] = [str(here)]
import functions_framework
functions_framework.create_app("main", source=str(here / "main.py"), signature_type="http")
at_start = sorted(name for name in sys.modules if name.split(".")[0] == "shared")
for file in sorted(here.glob("shared/**/*.py")):
    dotted = ".".join(file.relative_to(here).with_suffix("").parts)
    importlib.import_module(dotted.removesuffix(".__init__"))
homes = {str(m.__file__) for n, m in sys.modules.items() if n.split(".")[0] == "shared"}
known = [name for name in ("infra", "tests") if importlib.util.find_spec(name)]
if "shared.strategies.config" in sys.modules:
    config = sys.modules["shared.strategies.config"]
    [config.load(name) for name in config.CONFIGS]
json.dump({"at_start": at_start, "homes": sorted(homes), "known": known}, sys.stdout)
"""


@pytest.mark.parametrize("name", NAMES)
def test_archive_imports_with_nothing_else_in_reach(name: str, tmp_path: Path) -> None:
    """A process that sees only the archive and installed packages makes the app and imports and reads all of it."""
    here = unpack(build(name, ROOT), tmp_path / name)
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    environ = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(packages), "HOME": str(tmp_path), **GOOD}
    call = [sys.executable, "-S", "-P", "-B", "-c", IMPORT_ALL, str(here)]
    done = subprocess.run(  # noqa: S603 - our own words
        call, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert f"shared.wiring.{name}" in seen["at_start"]
    assert {Path(home).resolve() for home in seen["homes"]} == {path.resolve() for path in here.glob("shared/**/*.py")}
    assert seen["known"] == []


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Runnable]:
    """Give every archive with its requirements installed into an environment of its own."""
    python = python_like_the_clouds()
    return {name: install(build(name, ROOT), tmp_path_factory.mktemp(name), python) for name in NAMES}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_archives_install_from_their_locks(installed: dict[str, Runnable], capsys: pytest.CaptureFixture[str]) -> None:
    """Every archive's requirements install with all hashes checked; the versions and sizes are printed."""
    with capsys.disabled():
        sys.stdout.write("\n")
        for name, one in installed.items():
            packed, whole = len(one.archive.content) / 1e3, _bytes_below(one.environment) / 1e6
            sys.stdout.write(f"{name}: archive {packed:.0f} kB, installed {whole:.0f} MB, Python {_version(one)}\n")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_archive_serves_from_its_own_environment(installed: dict[str, Runnable], name: str) -> None:
    """Started as in the cloud but without a login, its door answers and no import fails."""
    with served(installed[name], {**NO_CLOUD, **GOOD}) as running:
        status = running.request("POST", "/", push_of(b""))
        health = running.request("GET", "/health")
        assert running.process.poll() is None
    log = running.log.read_text(encoding="utf-8")
    is_public = TOPOLOGY.function(name).public
    assert (status, health) == ((404, 200) if is_public else (503, 405))  # without a login a push is to come again
    assert not [word for word in ("ModuleNotFoundError", "ImportError", "SyntaxError") if word in log], log


@pytest.fixture(scope="module")
def installed_graph(running_emulators: Emulators, installed: dict[str, Runnable]) -> Iterator[Graph]:
    """Give the graph at work, every function in the environment that was installed for it."""
    with running_graph(installed.values(), running_emulators, firestore={}) as graph:
        yield graph


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("errand", ERRANDS, ids=lambda errand: errand.__name__)
def test_installed_archives_do_their_errands(installed_graph: Graph, errand: Errand) -> None:
    """Installed and started as the cloud would, the archives do on the emulators what the errand says."""
    errand(installed_graph)


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _version(installed: Runnable) -> str:
    """Say which Python the environment has, and that it is not the cloud's where it is not."""
    call = [str(installed.environment / "bin" / "python"), "-c", "import platform; print(platform.python_version())"]
    version = subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - fixed words
    return version if version.startswith("3.13.") else f"{version}, because no Python 3.13 was found"
