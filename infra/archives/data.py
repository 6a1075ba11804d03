"""The data files that packages of `shared/` declare: [tool.setuptools.package-data] in pyproject.toml, nowhere else."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from infra.archives.problems import Problem

PROJECT = "pyproject.toml"


def declared(root: Path, modules: Iterable[str]) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """Return the data files of the packages among the modules; a pattern that finds nothing is a problem."""
    table = tomllib.loads((root / PROJECT).read_text(encoding="utf-8"))
    patterns: dict[str, list[str]] = table.get("tool", {}).get("setuptools", {}).get("package-data", {})
    found: set[str] = set()
    problems: list[Problem] = []
    for module in sorted(modules):
        package = module.removesuffix("/__init__.py")
        for pattern in patterns.get(package.replace("/", "."), ()) if package != module else ():
            files = _matching(root, package, pattern)
            found |= files
            if not files:
                sentence = f"package-data of {package.replace('/', '.')}: nothing matches {pattern!r}"
                problems.append(Problem(path=PROJECT, line=0, sentence=sentence))
    return frozenset(found), tuple(problems)


def _matching(root: Path, package: str, pattern: str) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in (root / package).glob(pattern)
        if path.is_file() and path.suffix not in {".py", ".pyc"} and "__pycache__" not in path.parts
    }
