"""Deployment archives: the same bytes everywhere, exactly what each function needs, and nothing that stays at home."""

import io
import os
import subprocess
import sys
import zipfile
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from infra.archives import Archive, ArchiveError, build, build_all, functions, save
from infra.archives.imports import read
from infra.tools.locks import locks
from shared.strategies import registry
from shared.topology import TOPOLOGY
from tests.architecture.files import ROOT
from tests.packaging.checkouts import copy_checkout, hashes
from tests.packaging.processes import interpreter
from tests.strategies.own import passing

NAMES = functions(ROOT)
SIGN_IN_ONLY = ("oauth_callback", "token_refresh")
# Without site-packages: building needs the standard library alone.
BUILD = (
    "import hashlib, pathlib, sys; from infra.archives import build_all;"
    "print([(one.name, hashlib.sha256(one.content).hexdigest()) for one in build_all(pathlib.Path(sys.argv[1]))])"
)


@pytest.fixture(scope="module")
def archives() -> dict[str, Archive]:
    """Return the archive of every function of this checkout."""
    return {archive.function: archive for archive in build_all(ROOT)}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what archives are built from."""
    return copy_checkout(tmp_path / "checkout")


def contents(archive: Archive) -> dict[str, bytes]:
    """Open an archive and return what is in it."""
    with zipfile.ZipFile(io.BytesIO(archive.content)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def built_by(python: str, root: Path, *, hash_seed: str = "0") -> str:
    """Return names and hashes of all zips as another process builds them, without any installed package."""
    environ = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    call = [python, "-S", "-c", BUILD, str(root)]
    return subprocess.run(call, env=environ, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours


def test_every_function_has_an_archive(archives: dict[str, Archive]) -> None:
    """Each function of the topology has exactly one archive."""
    assert set(archives) == {function.name for function in TOPOLOGY.functions}


def test_building_twice_gives_the_same_bytes(archives: dict[str, Archive]) -> None:
    """Two builds in one process are equal to the byte."""
    assert {archive.function: archive for archive in build_all(ROOT)} == archives


def test_chance_in_hashing_changes_nothing() -> None:
    """Two processes with different hash seeds build the same bytes."""
    first, second = (built_by(sys.executable, ROOT, hash_seed=seed) for seed in ("1", "4711"))
    assert first == second
    assert all(name in first for name in NAMES)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_builds_the_same_bytes(version: str) -> None:
    """Each supported Python builds what this one builds, with nothing installed."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} was found")
    assert built_by(python, ROOT) == built_by(sys.executable, ROOT)


def test_where_and_when_a_checkout_was_made_changes_nothing(tmp_path: Path, archives: dict[str, Archive]) -> None:
    """Two checkouts at other paths, with other times, modes and caches in them, give the same bytes."""
    near, far = copy_checkout(tmp_path / "near"), copy_checkout(tmp_path / "a" / "longer" / "way")
    (far / "shared" / "__pycache__").mkdir()
    (far / "shared" / "__pycache__" / "door.cpython-313.pyc").write_bytes(b"cached")
    (far / "shared" / "strategies" / "config" / "notes.txt").write_text("not declared")
    for root in (near, far):
        assert {name: build(name, root).content for name in NAMES} == {
            name: archive.content for name, archive in archives.items()
        }


@pytest.mark.parametrize("name", NAMES)
def test_zip_says_nothing_of_its_making(name: str, archives: dict[str, Archive]) -> None:
    """Entries are sorted, stored plainly, with one fixed time and mode."""
    with zipfile.ZipFile(io.BytesIO(archives[name].content)) as packed:
        entries = packed.infolist()
    assert [entry.filename for entry in entries] == sorted(archives[name].files)
    kinds = {(one.date_time, one.external_attr >> 16, one.compress_type, one.create_system) for one in entries}
    assert kinds == {((1980, 1, 1, 0, 0, 0), 0o100644, zipfile.ZIP_STORED, 3)}


@pytest.mark.parametrize("name", NAMES)
def test_archive_holds_what_a_second_reader_finds(name: str, archives: dict[str, Archive]) -> None:
    """The modules are those that Python's own module finder reaches in the compiled code, no more and no fewer."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "functions" / name / "main.py"))
    if "shared.strategies.registry" in finder.modules:  # which finds the strategies: nothing names them
        for path in registry.found().values():
            finder.import_hook(f"shared.strategies.{path.stem}")
    reached = {
        Path(getattr(module, "__file__", "")).relative_to(ROOT).as_posix()
        for dotted, module in finder.modules.items()
        if dotted.split(".")[0] == "shared"
    }
    assert {path for path in archives[name].files if path.startswith("shared/") and path.endswith(".py")} == reached


@pytest.mark.parametrize("name", NAMES)
def test_archive_holds_the_files_of_the_checkout(name: str, archives: dict[str, Archive]) -> None:
    """Each file is the committed one to the byte: the function's main.py and lock at the top, shared below."""
    inside = contents(archives[name])
    folder = ROOT / "functions" / name
    assert {"main.py", "requirements.txt"} <= set(inside)
    for path, content in inside.items():
        assert content == (ROOT / path if path.startswith("shared/") else folder / path).read_bytes()
    assert f"functions/{name}/requirements.txt" in {lock.path for lock in locks()}
    assert {path: len(content) for path, content in inside.items()} == dict(archives[name].files)


@pytest.mark.parametrize("name", NAMES)
def test_what_stays_at_home_is_in_no_archive(name: str, archives: dict[str, Archive]) -> None:
    """No archive holds infra, tests, the simulated broker, its kernel or a cache, and none imports them."""
    inside = contents(archives[name])
    assert {path.split("/")[0] for path in inside} == {"main.py", "requirements.txt", "shared"}
    parts = {part.removesuffix(".py") for path in inside for part in path.split("/")}
    assert not parts & {"infra", "tests", "brokersim", "kernel", "local", "day", "cli", "__pycache__"}
    assert all(path.endswith((".py", ".toml", ".txt")) for path in inside)
    imported = {
        one.module.split(".")[0]
        for path, content in inside.items()
        if path.endswith(".py")
        for one in read(path, content).imports
    }
    assert not imported & {"infra", "tests", "greenlet"}


def test_functions_ship_only_their_own_rooms(archives: dict[str, Archive]) -> None:
    """Who does not trade ships of the strategies their settings alone, to refuse bad ones; pages are the sign-in's."""
    for name in (*SIGN_IN_ONLY, "notify"):
        rest = {path for path in archives[name].files if path.startswith("shared/strategies/")}
        assert not {path for path in rest if "/config/" not in path} - {"shared/strategies/__init__.py"}
    assert [name for name in NAMES if "pages" in archives[name].rooms] == ["oauth_callback"]
    for name, archive in archives.items():
        others = {f"shared/wiring/{other}.py" for other in NAMES} - {f"shared/wiring/{name}.py"}
        assert not others & set(archive.files)


def test_the_scan_alone_ships_every_strategy_and_those_of_the_owner(tmp_path: Path) -> None:
    """Each strategy's file is in the scan's archive, the owner's among them, and no test of theirs; in no other."""
    (tmp_path / "mine.py").write_text("class Parameters: ...\ndef vote(view, own): ...\n")
    (tmp_path / "test_mine.py").write_text("")
    passing(tmp_path)
    ours = {f"shared/strategies/{name}.py" for name in registry.found()}
    for name in NAMES:
        inside = contents(build(name, ROOT, tmp_path))
        there = {path for path in inside if path in ours or "/own/" in path}
        assert there == (ours | {"shared/strategies/own/mine.py"} if name == "market_scan" else set())
    assert build("market_scan", ROOT, tmp_path).name != build("market_scan", ROOT).name


@pytest.mark.parametrize("text", ["def vote(:", "import pandas\n", "from . import other\n"])
def test_a_strategy_that_could_not_run_in_the_cloud_is_no_archive(tmp_path: Path, text: str) -> None:
    """A file of the owner's that is no Python, or wants what the scan does not have, is named with its line."""
    (tmp_path / "mine.py").write_text(text)
    passing(tmp_path)
    with pytest.raises(ArchiveError, match=r"shared/strategies/own/mine\.py:1: "):
        build("market_scan", ROOT, tmp_path)


def test_only_the_scan_brings_indicators(archives: dict[str, Archive]) -> None:
    """TA-Lib and the module that uses it are in the archive of the scan alone, numpy in that of yfinance, too."""
    for name, archive in archives.items():
        requirements = contents(archive)["requirements.txt"].decode()
        scans = name == "market_scan"
        assert ("\nta-lib==" in requirements) is scans
        assert ("\nnumpy==" in requirements) is (name in {"market_scan", "market_history"})
        assert ("shared/strategies/rolling.py" in archive.files) is scans


def test_only_history_brings_the_libraries_of_sources(archives: dict[str, Archive]) -> None:
    """alpaca-py, yfinance and the room that uses them are in the archive of market_history, which reaches no broker."""
    for name, archive in archives.items():
        gathers = name == "market_history"
        requirements = contents(archive)["requirements.txt"].decode()
        for library, source in (("alpaca-py", "alpaca"), ("yfinance", "yahoo")):
            assert (f"\n{library}==" in requirements) is gathers
            assert (f"shared/sources/{source}.py" in archive.files) is gathers
    assert not {"etrade", "pages", "paper"} & set(archives["market_history"].rooms)


def test_only_notify_brings_apprise(archives: dict[str, Archive]) -> None:
    """apprise and what uses it are in the archive of notify alone, which holds nothing that could reach the broker."""
    for name, archive in archives.items():
        tells = name == "notify"
        assert ("\napprise==" in contents(archive)["requirements.txt"].decode()) is tells
        assert ("shared/apprise_notifier.py" in archive.files) is tells
    assert not {"etrade", "pages"} & set(archives["notify"].rooms)
    assert "shared/wiring/credentials.py" not in archives["notify"].files


def test_only_publishers_bring_pubsub(archives: dict[str, Archive]) -> None:
    """The bus and its client library are in the archives of exactly the functions that the topology lets publish."""
    for function in TOPOLOGY.functions:
        archive = archives[function.name]
        publishes = bool(function.publishes)
        assert ("shared/gcp/pubsub_bus.py" in archive.files) is publishes
        assert ("shared/wiring/cloud_bus.py" in archive.files) is publishes
        assert ("\ngoogle-cloud-pubsub==" in contents(archive)["requirements.txt"].decode()) is publishes


def test_declared_data_ships_with_its_package(archives: dict[str, Archive]) -> None:
    """Every strategy configuration is in each archive that ships the package which reads it, and in no other."""
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "shared/strategies/config").glob("*.toml")}
    assert wanted
    for archive in archives.values():
        shipped = {path for path in archive.files if path.endswith(".toml")}
        assert shipped == (wanted if "shared/strategies/config/__init__.py" in archive.files else set())


@pytest.mark.parametrize(
    ("path", "certainly", "never"),
    [
        ("shared/errors.py", set(NAMES), set()),
        ("shared/domain/orders/exits.py", {"market_scan"}, set(SIGN_IN_ONLY)),
        ("shared/strategies/rolling.py", {"market_scan"}, set(NAMES) - {"market_scan"}),
        ("shared/strategies/config/demo.toml", set(NAMES), set()),
        ("shared/pages/look.py", {"oauth_callback"}, set(NAMES) - {"oauth_callback"}),
        ("shared/wiring/order_placement.py", {"order_placement"}, set(NAMES) - {"order_placement"}),
        ("functions/token_refresh/main.py", {"token_refresh"}, set(NAMES) - {"token_refresh"}),
        ("functions/market_scan/requirements.txt", {"market_scan"}, set(NAMES) - {"market_scan"}),
        ("pyproject.toml", set(), set(NAMES)),
    ],
)
def test_a_changed_line_changes_exactly_who_ships_it(
    path: str, certainly: set[str], never: set[str], checkout: Path, archives: dict[str, Archive]
) -> None:
    """After one line is added to a file, the archives that hold the file have a new name and all others the old."""
    with (checkout / path).open("a", encoding="utf-8") as file:
        file.write("# one more line\n")
    after = hashes(checkout)
    changed = {name for name in NAMES if after[name] != archives[name].sha256}
    own = {name for name in NAMES if path.startswith(f"functions/{name}/")}
    assert changed == own | {name for name in NAMES if path in archives[name].files}
    assert certainly <= changed
    assert not changed & never


def test_a_new_file_that_nobody_imports_changes_nothing(checkout: Path, archives: dict[str, Archive]) -> None:
    """A module that no function reaches, even beside those that ship, leaves every archive as it was."""
    (checkout / "shared" / "domain" / "unused.py").write_text("import shared.errors\n")
    assert hashes(checkout) == {name: archive.sha256 for name, archive in archives.items()}


def test_a_renamed_file_is_another_archive(checkout: Path, archives: dict[str, Archive]) -> None:
    """The same contents in the same order, one under another name, give another hash."""
    config = checkout / "shared" / "strategies" / "config"
    (config / "demo.toml").rename(config / "demonstration.toml")
    assert hashes(checkout)["market_scan"] != archives["market_scan"].sha256


def test_a_wide_declaration_ships_data_only(checkout: Path) -> None:
    """A pattern that matches everything brings neither caches nor modules that nobody imports."""
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace('"shared.strategies.config" = ["*.toml"]', '"shared" = ["**/*"]'))
    cache = checkout / "shared" / "domain" / "__pycache__"
    cache.mkdir()
    (cache / "ids.txt").write_text("cached")
    (checkout / "shared" / "domain" / "unused.py").touch()
    before, after = build("token_refresh", ROOT), build("token_refresh", checkout)
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "shared").rglob("*") if path.is_file()}
    data = {path for path in data if not path.endswith(".py") and "__pycache__" not in path}
    assert set(after.files) - set(before.files) == data - set(before.files)


def test_name_is_function_and_content(archives: dict[str, Archive], tmp_path: Path) -> None:
    """The file is called after the function and the content, is complete, and saving again changes nothing."""
    archive = archives["market_scan"]
    path = save(archive, tmp_path)
    assert path == save(archive, tmp_path)
    assert path.name == f"market_scan-{archive.sha256[:16]}.zip"
    assert path.read_bytes() == archive.content
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_nothing(archives: dict[str, Archive], tmp_path: Path) -> None:
    """When the file cannot take its place, no part of it stays behind."""
    blocked = tmp_path / archives["market_scan"].name
    blocked.mkdir()
    with pytest.raises(OSError, match=blocked.name):
        save(archives["market_scan"], tmp_path)
    assert list(tmp_path.iterdir()) == [blocked]
