"""What the owner wants of a system at E*TRADE, as `strategy init` was told: its symbols and its capital, in its folder.

What can go wrong: the folder says one thing and the environment another, and nobody knows which counts; the file is
damaged. What this promises: a variable of the environment counts, the file stands for one that is not set, and
`source` says which of both it was; what cannot be read is refused with what to do, never left out.
"""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from infra.simulated_day.files import write_atomically
from infra.simulated_day.problems import UserError
from shared import settings
from shared.codec import decode, dumps, loads
from shared.errors import Malformed
from shared.settings import Mode

FILE = "wanted.json"
WATCH_LIST, CAPITAL = "STRATEGY_WATCH_LIST", "STRATEGY_CAPITAL_USD"
NAMES = (WATCH_LIST, CAPITAL)
STATES = Path("state")
"""Where the folders of systems are, unless --state says another place."""
BROKERS = ("production", "sandbox")
"""The brokers of E*TRADE's, for which a key is needed."""


def kept(folder: Path) -> dict[str, str]:
    """Give what is kept in a system's folder, by the names of the variables; raises UserError for a damaged file."""
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        found = decode(dict[str, str], loads(path.read_bytes()))
    except Malformed:
        found = {"": ""}
    if set(found) - set(NAMES) or settings.wrong_ones(found):
        raise UserError(f"{path} cannot be used", remedy="run `strategy init` again, which writes a new one")
    return found


def keep(folder: Path, values: Mapping[str, str]) -> None:
    """Keep what was answered in a system's folder, for its owner alone."""
    write_atomically(folder / FILE, dumps(dict(values)) + b"\n", mode=0o600)


def given(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment, with what the folder keeps where it says nothing; raises UserError for a damaged file."""
    return {**kept(folder), **environ}


def prepared(folder: Path) -> str | None:
    """Name the broker of E*TRADE's for whose system `strategy init` prepared a folder, None for any other folder.

    It says nothing of whether that system ever ran.
    """
    name = folder.resolve().name
    found = next((broker for broker in BROKERS if name == system_of(broker).name), None)
    return found if (folder / FILE).exists() else None


def system_of(broker: str) -> Path:
    """Give the folder that `strategy init` prepares for a broker of E*TRADE's, which `strategy up` takes by itself."""
    return STATES / f"{broker}-{Mode.PAPER.value}"


def start_of(folder: Path, broker: str) -> str:
    """Give the command that starts the system of a prepared folder the first time, with all that it needs."""
    by_default = system_of(broker).resolve() == folder.resolve()
    where = "" if by_default else f" --state {quote(str(folder))}"
    return f"strategy up --broker {broker}{where}"


def require_set_up(folder: Path, environ: Mapping[str, str]) -> None:
    """Refuse a place where nobody ran `strategy init`, and where no variable says what it asks for; raises UserError.

    `folder` is the system's, or that of a key alone.
    """
    if folder.exists() or any(name in environ for name in NAMES):
        return
    what = f"`strategy init` was not run in this folder, {Path.cwd()}: there is no {folder}"
    remedy = "go to the folder in which you ran `strategy init`, or run it here; it asks for key, symbols and capital"
    raise UserError(what, remedy=remedy)


def source(name: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Say where a value comes from that `given` gives."""
    return f"the variable {name}" if name in environ else str(folder / FILE)
