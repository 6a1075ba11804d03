"""`strategy topology`: the graph and its permissions as tables, and a Mermaid drawing, from the one description."""

import sys
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from infra.cli import permissions
from shared.topology import TOPOLOGY, Function, Right, Topology

_FUNCTION = ("Function", "Purpose", "Triggered by", "Publishes to", "Collections", "Secrets")
_SCHEDULE = ("Schedule", "Cron", "Publishes to", "Message")
_UNBOUNDED = 10_000
_WIDEST = 40  # characters of a cell: only what is prose is longer, and wraps
_LETTERS = ((Right.READ, "r"), (Right.CREATE, "c"), (Right.WRITE, "w"))


def show(*, mermaid_only: bool, matrix_only: bool, taken_over_only: bool) -> None:
    """Print the graph; with one of the three nothing but that part, as text for a file or a pipe."""
    if matrix_only:
        sys.stdout.write("\n".join(permissions.markdown(TOPOLOGY)) + "\n")
        return
    if taken_over_only:
        sys.stdout.write("\n".join(permissions.taken_over_markdown(TOPOLOGY)) + "\n")
        return
    if not mermaid_only:
        console = Console()
        _print(console, "Functions", _FUNCTION, list(_functions(TOPOLOGY)))
        console.print("r reads, c creates, w changes and deletes\n", style="dim")
        _print(console, "Schedules, New York time", _SCHEDULE, list(_schedules(TOPOLOGY)))
        console.print()
        _print(console, "What Google grants", permissions.GRANTED, list(permissions.granted(TOPOLOGY)))
        console.print()
        _print(console, "What our Store enforces", permissions.ENFORCED, list(permissions.enforced(TOPOLOGY)))
        console.print()
        _print(console, "What is left to a function that was taken over", permissions.TAKEN_OVER,
               list(permissions.taken_over(TOPOLOGY)))  # fmt: skip
        console.print()
    sys.stdout.write("\n".join(mermaid(TOPOLOGY)) + "\n")


def mermaid(topology: Topology) -> Iterator[str]:
    """Draw schedules, topics and functions; lines of Mermaid."""
    yield "flowchart LR"
    for schedule in topology.schedules:
        yield f'  {_node("schedule", schedule.name)}(["{schedule.name}<br/>{schedule.cron}"])'
    for topic in topology.topics:
        yield f'  {_node("topic", topic)}[/"{topic}"/]'
    for function in topology.functions:
        yield f'  {_node("function", function.name)}["{function.name}"]'
        if function.public:
            yield f"  owner((owner)) --> {_node('function', function.name)}"
    for schedule in topology.schedules:
        yield f"  {_node('schedule', schedule.name)} --> {_node('topic', schedule.topic)}"
    for function in topology.functions:
        for subscription in function.subscriptions:
            yield f"  {_node('topic', subscription.topic)} --> {_node('function', function.name)}"
        for topic in sorted(function.publishes):
            yield f"  {_node('function', function.name)} --> {_node('topic', topic)}"


def _node(kind: str, name: str) -> str:
    return f"{kind}_{name.replace('-', '_')}"


def _print(console: Console, title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print one table where it fits; where it does not, a short one for each row, so that no cell is ever cut."""
    wide = Table(title=title, title_justify="left", show_lines=True)
    for name in names:
        wide.add_column(name, max_width=_WIDEST)
    for row in rows:
        wide.add_row(*row)
    unbounded = console.options.update(max_width=_UNBOUNDED)
    if console.measure(wide, options=unbounded).maximum <= console.width:
        console.print(wide)
        return
    console.print(title, style="italic")
    for row in rows:
        narrow = Table(show_header=False, show_lines=True)
        narrow.add_column(style="dim", overflow="fold")
        narrow.add_column(overflow="fold")
        for name, cell in zip(names, row, strict=True):
            narrow.add_row(name, cell)
        console.print(narrow)


def _functions(topology: Topology) -> Iterator[Sequence[str]]:
    for function in topology.functions:
        yield (
            f"[bold]{function.name}[/]",
            function.purpose,
            "\n".join(_triggers(function)),
            "\n".join(sorted(function.publishes)) or "nothing",
            _rights(function.collections) or "none",
            _rights(function.secrets) or "none",
        )


def _triggers(function: Function) -> Iterator[str]:
    if function.public:
        yield "HTTP, from anywhere"
    for subscription in function.subscriptions:
        yield f"{subscription.topic} ({subscription.max_attempts} attempts)"


def _rights(rights: Mapping[str, Right]) -> str:
    return "\n".join(
        f"{name} [dim]{''.join(letter for right, letter in _LETTERS if right in given)}[/]"
        for name, given in sorted(rights.items())
    )


def _schedules(topology: Topology) -> Iterator[Sequence[str]]:
    for schedule in topology.schedules:
        yield schedule.name, schedule.cron, schedule.topic, schedule.message
