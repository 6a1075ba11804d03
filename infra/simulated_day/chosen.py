"""What `--config` chose: a configuration that ships, by its name, or a TOML file of the owner's own.

What can go wrong: a mistake in the file is found by a function that has started already; the functions read another
file than the one that was checked. What this promises: a file is read once and checked whole before anything is
written; then it becomes a version of the configuration in the owner's database, as `strategy config load` would make
it, and the functions read that. So a file may tighten a session that runs, and loosens none.
"""

import hashlib
from pathlib import Path

from infra.one_machine.owners_desk import owners_desk
from infra.simulated_day.imported import require_usable
from infra.simulated_day.problems import UserError
from shared import settings
from shared.domain.control.config import StrategyConfig
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.ports import Clock, Store
from shared.strategies import config as strategies
from shared.usecases.control import configuration
from shared.wiring.chosen import ceilings

SUFFIX = ".toml"
_REMEDY = "correct that; `shared/strategies/config/default.toml` has every setting, and nothing was changed"


@frozen
class OwnFile:
    """A file of the owner's own: `label` is its name with the beginning of its SHA-256, `own` what it makes of it."""

    label: str
    own: StrategyConfig


@frozen
class Chosen:
    """A configuration that ships, by its name, and the owner's file over it, None without one."""

    name: str
    file: OwnFile | None = None

    @property
    def label(self) -> str:
        """What people read."""
        return self.name if self.file is None else self.file.label

    @property
    def config(self) -> StrategyConfig:
        """What a day begins with."""
        return strategies.load(self.name) if self.file is None else self.file.own


def choose(said: str, folder: str = "") -> Chosen:
    """Read what `--config` was given, with the owner's own strategies; raises UserError with every problem."""
    if said in settings.CONFIGS:
        return Chosen(name=said)
    if said.endswith(SUFFIX):
        return Chosen(name=settings.DEFAULT_CONFIG, file=of_file(Path(said), folder))
    known = " or ".join(settings.CONFIGS)
    raise UserError(f"there is no configuration {said!r}", remedy=f"choose {known}, or name a {SUFFIX} file")


def of_file(path: Path, folder: str = "") -> OwnFile:
    """Read a file that says only what differs from `default`; raises UserError with every problem.

    `folder` has the owner's own strategies, which the file may name.
    """
    try:
        text = path.read_text(encoding="utf-8")
        own = strategies.over_default(text)
        require_usable(own, folder)
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}", remedy="name a file that you may read") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text", remedy=f"name a {SUFFIX} file") from None
    except ConfigError as wrong:
        raise _refused(str(path), wrong) from None
    return OwnFile(label=f"{path.name} {hashlib.sha256(text.encode()).hexdigest()[:8]}", own=own)


def write(ours: OwnFile, store: Store, clock: Clock, given: settings.Settings) -> None:
    """Make a file's configuration the newest version, unless it is.

    Raises UserError for one that the ceilings or the session that runs refuse, Conflict, StoreDown.
    """
    shipped, most, desk = strategies.load(given.config), ceilings(given), owners_desk(clock, store)
    held, wrong = configuration.found(desk, shipped)
    if held is not None and held.value.newest.config == ours.own and not wrong:
        return
    try:
        configuration.change(desk, held, shipped, most, config=ours.own, note=ours.label)
    except ConfigError as wrong:
        raise _refused(ours.label, wrong) from None


def _refused(what: str, wrong: ConfigError) -> UserError:
    return UserError(f"{what} cannot be used: {'; '.join(wrong.problems)}", remedy=_REMEDY)
