"""Which files are strategies: known by what they have, so that there is no list of their names.

The archives' builder asks here as well, before any library is installed: this file needs the standard library alone.
"""

import ast
from functools import lru_cache
from pathlib import Path  # impure: looks at the strategies' files, which ship or are the owner's

OWN = "own"
"""The folder beside this file in which an archive has what was in the owner's folder when it was built."""


def shipped(folder: Path) -> dict[str, Path]:
    """Give the strategies among the files of this folder, wherever a checkout or an archive has it, by their names."""
    files = sorted(folder.glob("*.py"))
    return {path.stem: path for path in files if is_strategy(path.read_text(encoding="utf-8"))}


def owners(folder: Path) -> dict[str, Path]:
    """Give the files of an owner's folder but tests and what begins with _; one that is no strategy is named in use."""
    files = sorted(folder.glob("*.py")) if folder.is_dir() else []
    return {path.stem: path for path in files if not path.name.startswith(("_", "test_", "conftest."))}


@lru_cache(maxsize=256)
def is_strategy(text: str) -> bool:
    """Tell by a file's text whether it is a strategy: it has Parameters and the function `vote`."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return "vote" in functions and any(isinstance(node, ast.ClassDef) and node.name == "Parameters" for node in body)
