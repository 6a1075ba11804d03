"""`strategy`: run a day or the real processes, look after an audit trail, show the graph, package the functions.

Exit codes: 0 all is well; 1 violations, a bug in a function, a function that cannot be packaged, or a broken audit
trail; 2 bad input; 3 the run itself crashed; 4 what was asked for is done, but could not be shown; 5 it is done, but
to nothing that runs; 130 interrupted.
Who stops reading the output (`| head`) changes nothing of it.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.brokersim.network import Network
from infra.cli import asks, audit, backtest, configuration, history, init, key, money, owner, record, strategies
from infra.cli.exits import explained, shown
from infra.cli.helps import arranged, flowing
from infra.running.plan import FASTEST
from shared import settings

app = typer.Typer(
    name="strategy",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.add_typer(audit.app, name="audit")
app.add_typer(configuration.app, name="config")
app.add_typer(record.app, name="record")


class Broker(StrEnum):
    """Whose prices count and who takes live orders; production takes none yet, and is refused with a sentence."""

    SIMULATOR = "simulator"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


class Mode(StrEnum):
    """Whether orders are filled in our own book, or go to the broker."""

    PAPER = "paper"
    LIVE = "live"


class Cloud(StrEnum):
    """What stands behind the functions' ports."""

    LOCAL = "local"
    EMULATORS = "emulators"


class Speed(StrEnum):
    """How fast simulated time passes."""

    MAX = "max"
    REAL = "real"


def _known(name: str | None) -> str | None:
    """Take the name of a configuration that ships, or a file's."""
    if name is not None and name not in settings.CONFIGS and not name.endswith(".toml"):
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(settings.CONFIGS)}, and no .toml file")
    return name


_NAMES = "|".join((*settings.CONFIGS, "FILE.toml"))
CONFIGS = "Limits and strategies: a name, or a settings file with what differs from `default`."
Seed = Annotated[int, typer.Option(help="Number of the made-up day; the same number gives the same day.")]
State = Annotated[
    Path | None, typer.Option(help="Folder for the run's files; without it the next free one under runs/.")
]
Json = Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Also write the figures to this file.")]
Slowness = Annotated[Network, typer.Option("--network", help="Realistic delays (slow), or hardly any (fast).")]
MarketSpec = Annotated[
    str, typer.Option(metavar="FILE|generated", help="A recorded day (.csv or .csv.gz), or `generated`.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from infra.cli import release

        typer.echo(release.said())
        raise typer.Exit


@app.callback()
def strategy(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Automated trading for an E*TRADE account.

    Begin with `strategy demo`, a simulated market day. The help of each command has an example: `strategy halt -h`.
    """


@app.command()
def demo(seed: Seed = 1, network: Slowness = Network.SLOW, state: State = None, json: Json = None) -> None:
    """Play one simulated market day and write its report.

    Such as `strategy demo`, or `strategy demo --seed 2` for another day.
    """
    from infra.cli import day as command

    with explained(acts=True):
        command.run(
            market="generated", config="demo", seed=seed, speed="max", network=network, state=state, json_out=json
        )  # fmt: skip


@app.command()
def day(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    market: MarketSpec,
    config: Annotated[str, typer.Option(callback=_known, metavar=_NAMES, help=CONFIGS)] = "demo",
    seed: Seed = 1,
    speed: Annotated[Speed, typer.Option(help="As fast as the machine can, or in real time.")] = Speed.MAX,
    network: Slowness = Network.SLOW,
    state: State = None,
    json: Json = None,
) -> None:
    """Play one day, recorded or simulated, and write its report.

    Such as `strategy day --market generated --seed 2`, or a recorded day: `strategy day --market FILE.csv.gz`.
    """
    from infra.cli import day as command

    with explained(acts=True):
        command.run(
            market=market, config=config, seed=seed, speed=speed.value, network=network, state=state, json_out=json
        )  # fmt: skip


@app.command()
def brokersim(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")],
    market: MarketSpec = "generated",
    consumer_key: Annotated[str | None, typer.Option(help="Key that programs sign with.")] = None,
    consumer_secret: Annotated[str | None, typer.Option(help="Secret that programs sign with.")] = None,
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="The authorize page shows the verifier at once.")
    ] = False,
    speed: Annotated[float, typer.Option(min=0.01, help="Simulated seconds in one real second.")] = 1.0,
    seed: Seed = 1,
    network: Slowness = Network.SLOW,
) -> None:
    """For programmers: run the simulated broker alone.

    Such as `strategy brokersim --port 8080`, to try a program of yours on it, until Ctrl-C. http://127.0.0.1:8080/ has
    its endpoints and a signed example.
    """
    from infra.cli import brokersim as command

    with explained(acts=True):
        command.serve(
            port=port,
            market=market,
            pair=command.pair(consumer_key, consumer_secret),
            auto_approve=auto_approve,
            speed=speed,
            seed=seed,
            network=network,
        )


@app.command()
def up(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    broker: Annotated[
        Broker,
        typer.Option(metavar="NAME", help="Whose quotes: simulator, production (real) or sandbox (E*TRADE's test)."),
    ] = Broker.SIMULATOR,
    mode: Annotated[
        Mode, typer.Option(help="Fill orders on paper, or send them; production refuses live.")
    ] = Mode.PAPER,
    cloud: Annotated[Cloud, typer.Option(help="For programmers: without Google's software, or on its emulators.")] = (
        Cloud.LOCAL
    ),
    state: Annotated[
        Path | None, typer.Option(help="Folder that it keeps, and goes on from; without it state/BROKER-MODE.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the sign-in page; 0 is any.")] = 8765,
    market: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|generated", help="The simulator's day: a recorded one, or `generated`, which is the default."
        ),
    ] = None,
    config: Annotated[
        str | None, typer.Option(callback=_known, metavar=_NAMES, help=f"{CONFIGS} A name is the simulator's only.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Number of the made-up day; 1 by default.")] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=FASTEST, help="How many times faster than real; the simulator's only.")
    ] = 1.0,
    starts: Annotated[
        str | None, typer.Option(help="When the simulated day begins, New York; 09:25 by default.")
    ] = None,
    network: Annotated[
        Network | None, typer.Option(help="The simulator's delays: realistic (slow), or hardly any (fast).")
    ] = None,
) -> None:
    """Run the system on this machine.

    Such as `strategy up --speed 20 --starts 09:05`, a simulated day in twenty minutes. It runs until Ctrl-C or the end
    of that day; sign in with `strategy login` in another terminal. On E*TRADE's real quotes `strategy up --broker
    production`, after `strategy init`; STRATEGY_WATCH_LIST and STRATEGY_CAPITAL_USD in the environment count before
    what you said there.
    """
    from infra.cli import up as command

    with explained(acts=True):
        command.run(
            broker=broker.value, mode=mode.value, cloud=cloud.value, state=state, port=port, market=market,
            config=config, seed=seed, speed=speed, starts=starts, network=network,
        )  # fmt: skip


@app.command()
def topology(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print only the graph, as Mermaid.")] = False,
    matrix: Annotated[bool, typer.Option("--matrix", help="Print only the permissions, as Markdown.")] = False,
    taken_over: Annotated[
        bool, typer.Option("--taken-over", help="Print only what an intruder in one function could do, as Markdown.")
    ] = False,
) -> None:
    """For programmers: show parts and their permissions.

    Such as `strategy topology`: each function, what starts it, and what it may read and write.
    """
    from infra.cli import topology as command

    command.show(mermaid_only=mermaid, matrix_only=matrix, taken_over_only=taken_over)


@app.command()
def package(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the archives; made when it is missing.")],
    json: Json = None,
) -> None:
    """For programmers: write the files that the cloud runs.

    Such as `strategy package --out build`: one archive for each function; it shows what each holds.
    """
    from infra.cli import package as command

    with explained(acts=True):
        command.run(out=out, json_out=json)


init.add_to(app)
owner.add_to(app)
asks.add_to(app)
key.add_to(app)
history.add_to(app)
money.add_to(app)
backtest.add_to(app)
strategies.add_to(app)
flowing((app, audit.app, configuration.app, record.app, owner.secrets))
arranged(app)


def main() -> None:
    """Run the command line."""
    with shown():
        app(prog_name="strategy")


if __name__ == "__main__":
    main()
