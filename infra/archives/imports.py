"""What one module imports, read from its text: at its top, inside functions, under conditions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from infra.archives.problems import Problem

_AT_RUN_TIME = frozenset({"import_module", "__import__"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """`import module` or, with a name, `from module import name`, and its line."""

    module: str
    name: str = ""
    line: int

    @property
    def full(self) -> str:
        """The dotted path of what is imported; its last part may be a module or something inside one."""
        return f"{self.module}.{self.name}" if self.name else self.module


def read(path: str, tree: ast.Module) -> tuple[list[Import], list[Problem]]:
    """Return every import of a module, and those that cannot be followed: relative, starred or by a computed name."""
    found: list[Import] = []
    problems: list[Problem] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(module=alias.name, line=node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += _from(node)
        problems += [Problem(path=path, line=line, sentence=sentence) for line, sentence in _unfollowable(node)]
    return found, problems


def bound_names(tree: ast.Module) -> frozenset[str]:
    """Return the names that a module gives itself: definitions, assignments, imports."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case _:
                pass
    return frozenset(names)


def _from(node: ast.ImportFrom) -> Iterator[Import]:
    if node.level == 0 and node.module:
        for alias in node.names:
            yield Import(module=node.module, name="" if alias.name == "*" else alias.name, line=node.lineno)


def _unfollowable(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.ImportFrom):
        if node.level:
            yield node.lineno, "imports relatively; write the whole path"
        if any(alias.name == "*" for alias in node.names):
            yield node.lineno, f"imports everything from {node.module}; name what it needs"
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _AT_RUN_TIME:
            yield node.lineno, f"calls {called}, which the archive cannot follow; write an import statement"
