"""What `strategy config` prints and does, for `configuration`, which declares its commands."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import fill

import typer

from infra.cli.exits import say
from infra.cli.hand import reached, show
from infra.cli.settings_said import sentence
from infra.operations import configuring
from infra.operations.configuring import Base, Changed, Shown
from infra.operations.profiles import Hand
from infra.running import wanted
from infra.simulated_day.chosen import of_file
from infra.simulated_day.hours import day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.telling.wording import count
from shared.errors import ConfigError, Conflict
from shared.settings import OWN_STRATEGIES
from shared.strategies import registry
from shared.usecases.control import configuration

_LEFT_OUT = "what the file leaves out becomes as in `default`"
_LOOSENS = "; this LOOSENS a limit, or may do so"


def look(profile: str, state: Path | None, *, json: bool) -> None:
    """Show every setting in force, and what waits."""
    with reached(profile, state, unstarted=True) as hand:
        shown = configuring.show(hand, _base(hand))
        show(shown, lambda: tell(shown), json=json)
        if profile == "local" and not hand.simulated and not json:
            _tell_wanted(Path(hand.name))


def _tell_wanted(folder: Path) -> None:
    """Say which symbols and which capital count beside the configuration, and where they come from."""
    found = wanted.given(folder, os.environ)
    for name, what in ((wanted.WATCH_LIST, "Symbols"), (wanted.CAPITAL, "Capital, USD")):
        said = f"{found[name]}, from {wanted.source(name, folder, os.environ)}" if name in found else "not set"
        typer.echo(f"{what}: {said}; `strategy init` asks for it, and the next start takes it.")


def set_one(name: str, value: str, profile: str, state: Path | None, *, json: bool) -> None:
    """Change one setting."""
    _change(profile, state, json=json, by=lambda hand, base: configuring.set_one(hand, base, name, value))


def edit(profile: str, state: Path | None, *, json: bool) -> None:
    """Change the whole in the owner's editor; a text that is refused is kept."""

    def by(hand: Hand, base: Base) -> Changed:
        before = configuring.text_of(registry.completed(base.wanted, base.folder))
        path = _edited(before)
        text = path.read_text(encoding="utf-8")
        try:
            if text == before and not base.wrong:
                raise UserError("nothing was changed in the editor", remedy="save the text before you leave it")
            done = configuring.write(hand, base, configuring.of_text(text), note="edited")
        except ConfigError as wrong:
            raise _refused("; ".join(wrong.problems), path) from None
        except Conflict:
            raise _refused("another command changed the configuration while you edited", path) from None
        except UserError:
            path.unlink()
            raise
        path.unlink()
        return done

    _change(profile, state, json=json, by=by)


def _refused(why: str, path: Path) -> UserError:
    remedy = f"nothing was changed; your text is kept in {path}: mend it, and paste it when you edit again"
    return UserError(why, remedy=remedy)


def _edited(before: str) -> Path:
    """Have a text edited in a file of its own; raises UserError when the editor fails, and keeps what it changed."""
    with tempfile.NamedTemporaryFile("w", prefix="strategy-config-", suffix=".toml", delete=False) as file:
        file.write(before)
    path = Path(file.name)
    import click

    try:
        click.edit(filename=file.name)
    except click.ClickException as problem:
        changed = path.read_text(encoding="utf-8") != before
        if not changed:
            path.unlink()
        kept = f"your text is kept in {path}" if changed else "nothing was written"
        raise UserError(f"the editor failed: {problem.message}", remedy=f"{kept}; name one with EDITOR") from None
    return path


def load(file: Path, profile: str, state: Path | None, *, yes: bool, json: bool, terminal: bool) -> None:
    """Take a file as the next version, once the owner has seen what that changes and agreed; raises UserError."""
    chosen = of_file(file, os.environ.get(OWN_STRATEGIES, ""))

    def by(hand: Hand, base: Base) -> Changed:
        changes = configuring.changes(hand, base, chosen.own)
        if changes and not (yes or (terminal and not json and _agreed(file, changes))):
            what = f"nothing was changed: {file} would change {count(len(changes), 'setting')}: {'; '.join(changes)}"
            raise UserError(what, remedy=f"say --yes to change all of it; {_LEFT_OUT}")
        return configuring.write(hand, base, chosen.own, note=chosen.label)

    _change(profile, state, json=json, by=by)


def _agreed(file: Path, changes: Sequence[str]) -> bool:
    say(f"{file} would change {count(len(changes), 'setting')} of what is in force; {_LEFT_OUT}.", *changes)
    return typer.confirm("Change all of it?")


def diff(number: int, profile: str, state: Path | None, *, json: bool) -> None:
    """Show what is wanted now against an earlier version."""
    with reached(profile, state, unstarted=True) as hand:
        base = _base(hand)
        before = configuring.whole(base, configuration.version(hand.desk.store, number, base.file))
        found = configuring.differences(before, configuring.whole(base, base.wanted))
        show(found, lambda: typer.echo("\n".join(found) or f"Nothing differs from version {number}."), json=json)


def history(profile: str, state: Path | None, *, json: bool) -> None:
    """List every version, when it came and what it changed."""
    with reached(profile, state, unstarted=True) as hand:
        rows = configuring.lines(hand, _base(hand))
        show(rows, lambda: _list(rows), json=json)


def roll_back(number: int, profile: str, state: Path | None, *, json: bool) -> None:
    """Take an earlier version once more."""
    _change(profile, state, json=json, by=lambda hand, base: configuring.roll_back(hand, base, number))


def _change(profile: str, state: Path | None, *, json: bool, by: Callable[[Hand, Base], Changed]) -> None:
    with reached(profile, state, unstarted=True) as hand:
        try:
            done = by(hand, _base(hand))
        except ConfigError as wrong:
            raise UserError("; ".join(wrong.problems), remedy="nothing was changed; say it with other values") from None
        show(done.shown, lambda: _tell_change(done), json=json)


def _base(hand: Hand) -> Base:
    base = configuring.base_of(hand, os.environ)
    if base.wrong:
        say(
            f"The stored configuration cannot be read, and nothing is bought by it: {base.wrong}.",
            f"Here each of its settings that is known counts, and {base.name}'s for the others: look at all of them, "
            "and write it again with `strategy config set` or `edit`.",
        )  # fmt: skip
    return base


def _tell_change(done: Changed) -> None:
    typer.echo(f"Version {done.shown.number} is written.")
    for change in done.changes:
        name = change.partition(":")[0]
        when = "from the next session" if name in done.shown.waiting else "in force from the next minute"
        typer.echo(f"{change}, {when}{_LOOSENS if name in done.loosened else ''}.")


def tell(shown: Shown) -> None:
    """Print a block for each setting, however narrow the terminal is: its value, what waits, and what it means."""
    typer.echo(f"{_named(shown)}.\n`strategy config set NAME VALUE` changes one.")
    group = ""
    for name, value in shown.settings.items():
        if name.partition(".")[0] != group:
            group = name.partition(".")[0]
            typer.echo("")
        typer.echo(f"{name} = {value}")
        for line in _lines_of(name, shown):
            typer.echo(fill(line, 78, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False))
    for name, value in shown.ceilings.items():
        typer.echo(f"No version exceeds {name} = {value}, which this environment says.")
    if not shown.ceilings:
        say("No highest values are set here, beyond which no setting may go (such as STRATEGY_MOST_ORDER_USD).")


def _named(shown: Shown) -> str:
    if not shown.number:
        return f"The settings of {shown.base}, unchanged"
    return f"Version {shown.number} of your settings: those of {shown.base}, but for what is marked"


def _lines_of(name: str, shown: Shown) -> Iterator[str]:
    """Say what a setting means, what it is where nobody changes it, and what it will be."""
    yield sentence(name)
    if name in shown.defaults:
        yield f"{shown.base} has {shown.defaults[name]}."
    if name in shown.waiting:
        yield f"WAITS: {shown.waiting[name]} from the next session{_LOOSENS}."


def _list(rows: tuple[configuring.Line, ...]) -> None:
    for row in rows:
        typer.echo(f"{row.number}  {day_and_time(row.at)} New York  {row.note}")
        for change in row.changes:
            typer.echo(f"     {change}")
    if not rows:
        typer.echo("No version was ever written: the file counts.")
