"""The strategies that there are, found by their files, and those of a configuration with their parameters.

There is no list of names: a strategy is a file of the form (`form`) in this folder, in the folder that the owner named,
or in the one beside this file in which an archive has the owner's (`files`). Who scans and the
owner's commands read them; no other function does, nor has them.

What can go wrong: a name is found twice, or nowhere; a file cannot be imported, or is no strategy. What this promises:
`bound` names everything that is wrong with the strategies of a configuration at once; `usable` leaves out what cannot
be used, with the reason, and gives the rest. A file is run once for each text that it has.
"""

import sys  # impure: an owner's file is a module as any other
from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, replace
from decimal import localcontext
from functools import lru_cache
from importlib import import_module  # impure: strategies are found by their files, which ship or are the owner's
from pathlib import Path  # impure: reads the strategies' files, nothing else
from types import ModuleType

from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import strategies_of
from shared.domain.telling.wording import few
from shared.errors import ConfigError
from shared.strategies import files
from shared.strategies.form import Bound, bind, raised
from shared.strategies.verdict import Reason

HERE = Path(__file__).parent
MOST_LISTED = 10
OWN_ROOM = "own_strategies"
"""The package that an owner's files say they are in."""


def found(folder: str = "") -> Mapping[str, Path]:
    """Give the file of every strategy there is, by its name; one of the owner's whose name ships is left out (`taken`).

    Raises ConfigError for a folder that cannot be read.
    """
    return dict(sorted((_owners(folder) | files.shipped(HERE)).items()))


def taken(folder: str = "") -> Mapping[str, str]:
    """Say of each of the owner's files whose name ships why it is left out, by that name; raises ConfigError."""
    ships, own = files.shipped(HERE), _owners(folder)
    problem = "has the name of a strategy that ships, and is left out: choose another name"
    return {name: f"{own[name]} {problem}" for name in sorted(ships.keys() & own.keys())}


def listed(there: Mapping[str, Path]) -> str:
    """List strategies in an error: at most `MOST_LISTED` of those whose files are of the form, and how many are left.

    The names of files that cannot be read, or are no strategies, are left out.
    """
    names = [name for name, path in there.items() if _is_one(path)]
    return few(names, MOST_LISTED)


def _is_one(path: Path) -> bool:
    try:
        return files.is_strategy(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _owners(folder: str) -> dict[str, Path]:
    try:
        return files.owners(HERE / files.OWN) | (files.owners(Path(folder)) if folder else {})
    except (OSError, ValueError) as unread:
        raise ConfigError((f"the folder of strategies {folder} cannot be read: {unread}",)) from None


def bound(config: StrategyConfig, folder: str = "") -> tuple[Bound, ...]:
    """Give the strategies of a configuration, in the order of their names; raises ConfigError with all problems."""
    used, wrong = usable(config, folder)
    if wrong:
        raise ConfigError(tuple(problem for problems in wrong.values() for problem in problems))
    return used


def usable(
    config: StrategyConfig, folder: str = "", *, but: Container[str] = (), note: Callable[[str], object] | None = None
) -> tuple[tuple[Bound, ...], Mapping[str, tuple[str, ...]]]:
    """Give the strategies of a configuration that can be used, and by name the problems of those that cannot.

    Those in `but` are not looked at; `note` is told the name of each own strategy before its file is run, and "" after.
    """
    there = found(folder)
    used, wrong = list[Bound](), dict[str, tuple[str, ...]]()
    for name, given in config.strategies.items():
        if name in but:
            continue
        tells = note if name in there and there[name].parent != HERE else None
        if tells is not None:
            tells(name)
        try:
            used.append(bind(name, _module(name, there), given))
        except ConfigError as problem:
            wrong[name] = problem.problems
        if tells is not None:
            tells("")
    return tuple(used), wrong


def completed(config: StrategyConfig, folder: str = "") -> StrategyConfig:
    """Give the configuration with every parameter of its strategies, as far as their files can be read."""
    used, _ = usable(config, folder)
    every = {one.name: asdict(one.parameters) for one in used}
    return replace(config, strategies=strategies_of({**config.strategies, **every}))


def reason_of(name: str, code: str, folder: str = "") -> Reason | None:
    """Give a reason of a strategy by its code, None where its file cannot be read here or has no such reason."""
    try:
        reasons = getattr(_module(name, found(folder)), "REASONS", ())
    except ConfigError:
        return None
    return next((one for one in reasons if one.code == code), None) if code else None


def _module(name: str, there: Mapping[str, Path]) -> ModuleType:
    path = there.get(name)
    if path is None:
        raise ConfigError((f"there is no strategy {name}: there are {listed(there)}",))
    try:
        with localcontext():  # a file that reckons otherwise does so for itself
            if path.parent == HERE:
                return import_module(f"shared.strategies.{name}")
            return _run(name, str(path), path.read_text(encoding="utf-8"))
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever an owner's file does when it is run
        raise ConfigError((f"{path} cannot be imported: {raised(problem)}",)) from None


@lru_cache(maxsize=256)
def _run(name: str, path: str, text: str) -> ModuleType:
    """Run an owner's file: once for each text that it has."""
    module = ModuleType(f"{OWN_ROOM}.{name}")
    module.__file__ = path
    sys.modules[module.__name__] = module
    code = compile(text, path, "exec")
    exec(code, module.__dict__)  # noqa: S102 # impure: runs what the owner wrote to be run
    return module
