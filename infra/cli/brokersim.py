"""`strategy brokersim`: the simulated broker on loopback, for a person or another program."""

import secrets

import typer

from infra.brokersim.market import MarketFileError
from infra.brokersim.network import Network
from infra.brokersim.server import start
from infra.cli.exits import told_to_end
from infra.simulated_day.environment import require_market_file
from infra.simulated_day.problems import UserError
from shared.domain.base.settlement import settles_on


def pair(key: str | None, secret: str | None) -> tuple[str, str, bool]:
    """Give the consumer pair and whether it was made up here; raises UserError for half a pair."""
    if (key is None) != (secret is None):
        raise UserError("only one of --consumer-key and --consumer-secret was given", remedy="give both or none")
    if key is None or secret is None:
        return secrets.token_hex(16), secrets.token_hex(32), True
    return key, secret, False


def serve(
    *, port: int, market: str, pair: tuple[str, str, bool], auto_approve: bool, speed: float, seed: int,
    network: Network,
) -> None:  # fmt: skip
    """Serve until Ctrl-C or SIGTERM; raises UserError for a bad market file or a port that is taken."""
    key, secret, made_up = pair
    require_market_file(market)
    try:
        running = start(
            port=port,
            market_spec=market,
            consumer_key=key,
            consumer_secret=secret,
            auto_approve=auto_approve,
            speed=speed,
            seed=seed,
            network=network,
            made_up=made_up,
            settles=settles_on,
        )
    except MarketFileError as problem:
        raise UserError(str(problem), remedy="repair the file or take another one") from None
    except OSError as problem:
        remedy = "choose another one, or --port 0 for any that is free"
        raise UserError(f"port {port} cannot be used: {problem.strerror}", remedy=remedy) from None
    try:
        with told_to_end() as told:
            typer.echo(running.url)
            if made_up:
                typer.echo(f"consumer key    {key}\nconsumer secret {secret}")
            typer.echo("Open the address for the endpoints and a signed example. Ctrl-C ends it.")
            told.wait()
    finally:
        running.close()
