"""The strategies, which no import names: found as `shared.strategies.registry` finds them when it runs."""

from pathlib import Path

from infra.archives import passed
from shared.strategies import files

FOLDER = "shared/strategies"
FINDS = f"{FOLDER}/registry.py"
"""Who ships this file ships the strategies; what it imports when it runs is them, and nothing else."""


def strategies(root: Path) -> list[str]:
    """Give the strategies of a checkout."""
    return [f"{FOLDER}/{path.name}" for path in files.shipped(root / FOLDER).values()]


def owners(folder: Path | None) -> dict[str, Path]:
    """Give the strategies of an owner's folder that passed `strategy check`, by their places in an archive."""
    found = {} if folder is None else files.owners(folder)
    return {f"{FOLDER}/{files.OWN}/{path.name}": path for path in found.values() if passed.has_passed(path)}
