"""infra/requirements.txt suffices: the program imports nothing that is not in it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.archives.closure import follow
from tests.architecture.files import ROOT

ALLOWED = {"pulumi", "pulumi_gcp"}


def imported(path: Path) -> Iterator[str]:
    """Give every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def reached(start: Path) -> dict[Path, set[str]]:
    """Follow imports of our own modules from a file; give what each takes from others."""
    found: dict[Path, set[str]] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = set()
        for module in imported(path):
            top = module.partition(".")[0]
            if top in ("infra", "shared"):
                base = ROOT.joinpath(*module.split("."))
                waiting += [one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()]
            elif top not in sys.stdlib_module_names:
                found[path].add(top)
    return found


def test_the_program_needs_only_its_own_requirements() -> None:
    """From the program, imports reach the two packages of the cloud and the standard library, and nothing else."""
    found = reached(ROOT / "infra" / "__main__.py")
    assert {name for names in found.values() for name in names} == ALLOWED
    assert ROOT / "infra" / "components" / "system.py" in found
    assert ROOT / "shared" / "settings.py" in found


def test_a_seeded_foreign_import_is_found(tmp_path: Path) -> None:
    """An import of another package is seen, also inside a function and by way of a module of ours."""
    seeded = tmp_path / "seeded.py"
    seeded.write_text("def f():\n    import msgspec\n    from infra.cli import result\n", encoding="utf-8")
    names = {name for names in reached(seeded).values() for name in names}
    assert "msgspec" in names
    assert len(names) > 1


def test_what_ships_never_meets_the_cloud_program() -> None:
    """No function's archive holds a module of the cloud program or needs its packages."""
    for main in sorted((ROOT / "functions").glob("*/main.py")):
        closure = follow(ROOT, main.relative_to(ROOT).as_posix(), frozenset())
        assert not {one for one in closure.modules if one.startswith("infra/")}
        assert not [problem for problem in closure.problems if "pulumi" in problem.sentence]
