"""`strategy topology`: the graph as tables and as a Mermaid drawing, from the one description of it."""

import sys
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from shared.topology import TOPOLOGY, Function, Right, Topology

_LETTERS = ((Right.READ, "r"), (Right.CREATE, "c"), (Right.WRITE, "w"))


def show(*, mermaid_only: bool) -> None:
    """Print the graph; with `mermaid_only` nothing but the drawing, for a file or a pipe."""
    if not mermaid_only:
        console = Console()
        console.print(_functions(TOPOLOGY))
        console.print("r reads, c creates, w changes and deletes\n", style="dim")
        console.print(_schedules(TOPOLOGY))
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


def _functions(topology: Topology) -> Table:
    table = Table(title="Functions", title_justify="left", show_lines=True)
    for name in ("Function", "Triggered by", "Publishes to", "Collections", "Secrets"):
        table.add_column(name)
    for function in topology.functions:
        table.add_row(
            f"[bold]{function.name}[/]\n{function.purpose}",
            "\n".join(_triggers(function)),
            "\n".join(sorted(function.publishes)) or "nothing",
            _rights(function.collections),
            _rights(function.secrets),
        )
    return table


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


def _schedules(topology: Topology) -> Table:
    table = Table(title="Schedules, New York time", title_justify="left")
    for name in ("Schedule", "Cron", "Publishes to", "Message"):
        table.add_column(name)
    for schedule in topology.schedules:
        table.add_row(schedule.name, schedule.cron, schedule.topic, schedule.message)
    return table
