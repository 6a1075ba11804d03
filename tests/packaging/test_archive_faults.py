"""What cannot be packaged is said with file and line, all of it at once; seeded faults show each check at work."""

from importlib import metadata
from pathlib import Path

import pytest

from infra.archives import ArchiveError, build, functions
from infra.archives.closure import follow
from infra.archives.third_party import DISTRIBUTIONS, distribution, locked
from tests.architecture.files import ROOT
from tests.packaging.checkouts import copy_checkout

MODULE = "shared/domain/base/ids.py"


def foreign() -> list[str]:
    """Give all that the archives of this checkout take from others."""
    locks = {name: ROOT / "functions" / name / "requirements.txt" for name in functions(ROOT)}
    found = set[str]()
    for name, lock in locks.items():
        found |= follow(ROOT, f"functions/{name}/main.py", locked(lock.read_text(encoding="utf-8"))).foreign
    return sorted(found)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what archives are built from."""
    return copy_checkout(tmp_path / "checkout")


def problems(root: Path, function: str = "market_scan") -> list[str]:
    """Return what is wrong with a function, one sentence each."""
    with pytest.raises(ArchiveError) as caught:
        build(function, root)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("import shared.nowhere", "imports shared.nowhere: no such module"),
        ("import shared.domain.nowhere.deep", "imports shared.domain.nowhere: no such module"),
        ("from shared.nowhere import x", "imports shared.nowhere: no such module"),
        ("from shared.domain import x", "imports shared.domain.x: neither a module nor a name in"),
        ("def f():\n    from shared.domain import x", "imports shared.domain.x: neither a module nor a name in"),
        ("from shared.domain import *", "imports everything from shared.domain"),
        ("from . import audit", "imports relatively"),
        ("import infra.brokersim", "imports infra.brokersim, which never ships"),
        ("from tests import recorded", "imports tests, which never ships"),
        ("import yaml", "imports yaml: the function's lock does not hold yaml"),
        ("import rich.table", "imports rich.table: the function's lock does not hold rich"),
        ("from google.cloud import nowhere", "imports google.cloud.nowhere: which distribution that is,"),
        ("import telnetlib", "imports telnetlib: the function's lock does not hold telnetlib"),
        ("import importlib\nimportlib.import_module('shared.door')", "calls import_module, which"),
        ("__import__('shared.door')", "calls __import__, which"),
        ("def f(:", "is not Python"),
    ],
)
def test_seeded_fault_is_named_with_file_and_line(checkout: Path, line: str, sentence: str) -> None:
    """An import that the archive cannot satisfy or follow is refused, at its line."""
    path = checkout / MODULE
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}{line}\n", encoding="utf-8")
    (found,) = problems(checkout)
    assert found.startswith(f"{MODULE}:{len(before.splitlines()) + line.count(chr(10)) + 1}: {sentence}")


def test_indicators_elsewhere_are_refused(checkout: Path) -> None:
    """TA-Lib imported by a function whose lock does not hold it is refused, although another function has it."""
    path = checkout / "shared" / "wiring" / "token_refresh.py"
    path.write_text(f"import talib\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    (found,) = problems(checkout, "token_refresh")
    assert found == "shared/wiring/token_refresh.py:1: imports talib: the function's lock does not hold ta-lib"
    assert build("market_scan", checkout).files


def test_all_problems_come_at_once(checkout: Path) -> None:
    """Faults in two files and a data declaration that finds nothing are reported together, sorted by place."""
    for path in (MODULE, "shared/errors.py"):
        with (checkout / path).open("a", encoding="utf-8") as file:
            file.write("import shared.nowhere\nimport yaml\n")
    for data in (checkout / "shared/strategies/config").glob("*.toml"):
        data.unlink()
    found = problems(checkout)
    assert len(found) == 5
    assert found == sorted(found)
    assert found[0] == "pyproject.toml: package-data of shared.strategies.config: nothing matches '*.toml'"


@pytest.mark.parametrize("missing", ["main.py", "requirements.txt"])
def test_half_a_function_is_refused(checkout: Path, missing: str) -> None:
    """A folder without its main.py or its lock is named, not passed over."""
    (checkout / "functions" / "market_scan" / missing).unlink()
    assert "market_scan" in functions(checkout)
    assert problems(checkout) == [f"functions/market_scan/{missing}: is missing"]


def test_a_checkout_without_functions_has_none(tmp_path: Path) -> None:
    """An empty folder has no functions, and one asked for by name is refused."""
    assert functions(tmp_path) == ()
    assert len(problems(tmp_path)) == 3


def test_a_late_import_ships(checkout: Path) -> None:
    """A module that is imported inside a function ships with every package on the way to it."""
    with (checkout / "shared" / "wiring" / "token_refresh.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef late() -> None:\n    if late:\n        from shared.strategies import verdict  # noqa\n")
    files = build("token_refresh", checkout).files
    assert {"shared/strategies/__init__.py", "shared/strategies/verdict.py"} <= set(files)


def test_table_of_distributions_is_true() -> None:
    """What an archive takes from others comes from the distribution that the table says."""
    found = foreign()
    assert "google.cloud.firestore" in found
    for dotted in found:
        name = distribution(dotted)
        assert name is not None, dotted
        files = {str(file) for file in metadata.files(name) or ()}
        parts = dotted.split(".")
        homes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        assert any(f"{home}.py" in files or f"{home}/__init__.py" in files for home in homes), dotted


def test_table_holds_no_guess() -> None:
    """Each line of the table whose distribution is installed names an import path of that distribution."""
    checked = set()
    for dotted, name in DISTRIBUTIONS.items():
        try:
            files = {str(file) for file in metadata.files(name) or ()}
        except metadata.PackageNotFoundError:
            continue
        start = dotted.replace(".", "/")
        assert any(file.startswith((f"{start}/", f"{start}.")) for file in files), dotted
        checked.add(dotted)
    assert "talib" in checked


def test_lock_is_read_by_its_pins() -> None:
    """A pinned name counts however it is written, a comment or a hash does not."""
    text = "# via other==1\nTA_Lib==0.8.2 \\\n    --hash=sha256:00\nzope.event==5 ; python_version < '3.12'\n"
    assert locked(text) == {"ta-lib", "zope-event"}
