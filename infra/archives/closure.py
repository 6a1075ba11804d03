"""Follows imports through `shared/` from one function's main.py and finds the files that must ship."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from infra.archives import third_party
from infra.archives.found import FINDS, strategies
from infra.archives.imports import Import, Module, read
from infra.archives.problems import Problem

SHIPS = "shared"
_NEVER_SHIPS = frozenset({"infra", "tests", "functions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The modules of shared that a start needs (paths below the root), what it takes from others, and problems."""

    modules: frozenset[str]
    foreign: frozenset[str]
    problems: tuple[Problem, ...]


def follow(root: Path, start: str, lock: frozenset[str], own: Mapping[str, Path] = MappingProxyType({})) -> Closure:
    """Follow every import from the file `start`; names each that does not exist or that the lock does not hold.

    `own` are files from elsewhere, by their places in the archive, that ship where strategies do.
    """
    walk = _Walk(root=root, lock=lock, own=own)
    walk.visit(start)
    return Closure(
        modules=frozenset(walk.seen - {start}), foreign=frozenset(walk.foreign), problems=tuple(walk.problems)
    )


@dataclass(slots=True, kw_only=True)
class _Walk:
    root: Path
    lock: frozenset[str]
    own: Mapping[str, Path]
    seen: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    files: dict[str, str | None] = field(default_factory=dict)

    def visit(self, start: str) -> None:
        """Read a file and every file that it leads to, each once."""
        waiting = [start]
        while waiting:
            path = waiting.pop()
            if path not in self.seen:
                self.seen.add(path)
                waiting += self._leads_to(path)

    def _leads_to(self, path: str) -> list[str]:
        module = self._read(path)
        targets: list[str] = []
        if path == FINDS:
            targets += [*strategies(self.root), *self.own]
        else:
            self.problems += module.problems
        for one in module.imports:
            if one.module.partition(".")[0] == SHIPS:
                targets += self._ours(path, one)
            else:
                self.problems += self._theirs(path, one)
        return targets

    def _read(self, path: str) -> Module:
        return read(path, self.own.get(path, self.root / path).read_bytes())

    def _ours(self, path: str, one: Import) -> Iterator[str]:
        """Give the files that importing a module of shared runs: every parent package, itself, a named submodule."""
        parts = one.module.split(".")
        for length in range(1, len(parts) + 1):
            file = self._file(parts[:length])
            if file is None:
                missing = ".".join(parts[:length])
                self.problems.append(Problem(path=path, line=one.line, sentence=f"imports {missing}: no such module"))
                return
            yield file
        package = self._file(parts)
        if not one.name or package is None or not package.endswith("/__init__.py"):
            return
        submodule = self._file([*parts, one.name])
        if submodule is not None:
            yield submodule
        elif one.name not in self._read(package).names:
            sentence = f"imports {one.full}: neither a module nor a name in {package}"
            self.problems.append(Problem(path=path, line=one.line, sentence=sentence))

    def _file(self, parts: list[str]) -> str | None:
        """Give the file of a module, looked for once: most imports name the same few packages."""
        base = "/".join(parts)
        if base not in self.files:
            candidates = (f"{base}/__init__.py", f"{base}.py")
            self.files[base] = next((one for one in candidates if (self.root / one).is_file()), None)
        return self.files[base]

    def _theirs(self, path: str, one: Import) -> Iterator[Problem]:
        top = one.module.partition(".")[0]
        if top in third_party.STANDARD_LIBRARY:
            return
        distribution = third_party.distribution(one.full)
        if top in _NEVER_SHIPS:
            yield Problem(path=path, line=one.line, sentence=f"imports {one.module}, which never ships")
        elif distribution is None:
            sentence = f"imports {one.full}: which distribution that is, infra/archives/third_party.py does not say"
            yield Problem(path=path, line=one.line, sentence=sentence)
        elif distribution not in self.lock:
            sentence = f"imports {one.full}: the function's lock does not hold {distribution}"
            yield Problem(path=path, line=one.line, sentence=sentence)
        else:
            self.foreign.add(one.full)
