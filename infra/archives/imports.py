"""What one module imports, read from its text: at its top, inside functions, under conditions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What matters of a module: its imports, the names it gives itself, and why it cannot be followed."""

    imports: tuple[Import, ...] = ()
    names: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


@lru_cache(maxsize=1024)
def read(path: str, content: bytes) -> Module:
    """Read a module; a relative, starred or computed import is a problem, and so is text that is not Python."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None) or 0
        return Module(problems=(Problem(path=path, line=line, sentence=f"is not Python: {problem}"),))
    return Module(
        imports=tuple(one for node in nodes for one in _imports(node)),
        names=frozenset(name for node in nodes for name in _names(node)),
        problems=tuple(
            Problem(path=path, line=line, sentence=sentence) for node in nodes for line, sentence in _unfollowable(node)
        ),
    )


def _imports(node: ast.AST) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(module=alias.name, line=node.lineno)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        for alias in node.names:
            yield Import(module=node.module, name="" if alias.name == "*" else alias.name, line=node.lineno)


def _names(node: ast.AST) -> Iterator[str]:
    """Give the names that a definition, an assignment or an import binds, wherever it stands."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            for alias in aliases:
                yield alias.asname or alias.name.partition(".")[0]
        case _:
            pass


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
