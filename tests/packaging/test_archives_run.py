"""Each archive runs with nothing but its own files and its lock: imported here, and started as the cloud starts it."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from infra.archives import build, functions
from shared.topology import TOPOLOGY
from tests.architecture.files import ROOT
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
    [config.load(name) for name in config.NAMES]
json.dump({"at_start": at_start, "homes": sorted(homes), "known": known}, sys.stdout)
"""
# No credentials, and no way to a metadata server that would give some.
NO_CLOUD = {"GCE_METADATA_HOST": "127.0.0.1:9", "NO_GCE_CHECK": "true"}
GOOD = {"GOOGLE_CLOUD_PROJECT": "my-desk-1", "STRATEGY_WATCH_LIST": "AIG,BAC", "STRATEGY_CAPITAL_USD": "10000"}
PUSH = {"message": {"data": "", "messageId": "1", "publishTime": "2026-11-20T15:00:00Z"}, "subscription": "none"}


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


@pytest.fixture(scope="module", params=NAMES)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runnable:
    """Return an archive with its requirements installed: where a test over emulators begins."""
    folder = tmp_path_factory.mktemp(request.param)
    return install(build(request.param, ROOT), folder, python_like_the_clouds())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_archive_serves_from_its_own_environment(installed: Runnable, capsys: pytest.CaptureFixture[str]) -> None:
    """Installed with every hash checked and started as in the cloud, its door answers and no import fails."""
    version = _version(installed)
    with capsys.disabled():
        sys.stdout.write(f"\n{installed.archive.function}: Python {version} ")
    with served(installed, {**NO_CLOUD, **GOOD}) as running:
        status = running.request("POST", "/", PUSH)
        health = running.request("GET", "/health")
        assert running.process.poll() is None
    log = running.log.read_text(encoding="utf-8")
    is_public = TOPOLOGY.function(installed.archive.function).public
    assert (status, health) == ((404, 200) if is_public else (503, 405))  # without a login a push is to come again
    assert not [word for word in ("ModuleNotFoundError", "ImportError", "SyntaxError") if word in log], log


def _version(installed: Runnable) -> str:
    """Say which Python the environment has, and that it is not the cloud's where it is not."""
    call = [str(installed.environment / "bin" / "python"), "-c", "import platform; print(platform.python_version())"]
    version = subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - fixed words
    return version if version.startswith("3.13.") else f"{version}, because no Python 3.13 was found"
