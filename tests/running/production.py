"""`strategy up --broker production --mode paper` before stand-ins.

    python -m tests.running.production STATE HH:MM SPEED

The product has no setting, option or variable that leads its calls anywhere else. So this program of the tests does
what the command does, with another outside: the simulator answers as E*TRADE's production host, the sources of history
answer on loopback (`tests.running.production_launcher`), and the time is that of a generated day.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path

from infra.brokersim.market import daily_bars, open_market
from infra.brokersim.server import serve
from infra.brokersim.settings import SimulatorSettings
from infra.cli import up
from infra.cli.exits import explained
from infra.one_machine.history import MarketHistory
from infra.one_machine.loopback import LOOPBACK
from infra.one_machine.timeline import HeldTimeline
from infra.running.broker import KeptSimulator
from infra.running.folder import Folder
from infra.running.outside import Outside
from infra.running.plan import FASTEST, Plan
from shared.settings import Mode
from shared.sources.reading import for_yahoo
from tests import certificates
from tests.running.desks import DAY, SEED, new_york
from tests.running.production_launcher import WAYS
from tests.sources.alpaca_standing import AlpacaStanding
from tests.sources.market import Market
from tests.sources.standing import Asked, Said, proxied, served
from tests.sources.yahoo_standing import HOSTS, YahooStanding

WATCHED = 10
KEY, SECRET = "stand-in-consumer-key", "stand-in-consumer-secret"
CALLS = "stand-in-calls.jsonl"


def main(state: Path, begins: datetime, speed: float) -> None:
    """Serve until told to end; the stand-in keeps what it was asked beside the folder, over every start."""
    held = HeldTimeline(Folder(path=state.resolve()).time, at=begins)
    settings = SimulatorSettings(
        consumer_key=KEY, consumer_secret=SECRET, starting_cash=Decimal(100_000), closes_at=time(16),
        request_token_minutes=5 * FASTEST,
    )  # fmt: skip
    with ExitStack() as opened:
        market = open_market("generated", seed=SEED)
        state.with_name(WAYS).write_text(json.dumps(_ways(state.parent, opened)))
        simulator = KeptSimulator(
            path=state.with_name(CALLS), market=market, now=held.now, settings=settings, seed=SEED
        )
        running = opened.enter_context(serve(opened.enter_context(closing(simulator)), 0))
        plan = Plan(state=state, environ=os.environ, broker="production", mode=Mode.PAPER, speed=speed)
        with explained(acts=True):
            up.serve(plan, Outside(broker=running.url, begins=begins, launcher="tests.running.production_launcher"))


def _ways(folder: Path, opened: ExitStack) -> dict[str, dict[str, str]]:
    """Start what stands for the sources: Alpaca knows the watched symbols of an even place, and Yahoo all of them."""
    history = MarketHistory.of(daily_bars("generated", seed=SEED))
    alpaca, yahoo = dict[str, AlpacaStanding](), dict[str, YahooStanding]()
    for place, symbol in enumerate(watched()):
        found = history.daily(symbol, start=date(2012, 1, 1), before=DAY)
        assert found is not None
        share = Market(bars=found.bars)
        yahoo[for_yahoo(symbol)] = YahooStanding(market=share, symbol=symbol, now=new_york(6, 30))
        if place % 2 == 0:
            alpaca[symbol] = AlpacaStanding(market=share, symbol=symbol, now=new_york(6, 30), page=1000)
    certificate = certificates.certificate(folder, *HOSTS)
    direct = opened.enter_context(served(partial(_of_alpaca, alpaca), certificate))
    behind = opened.enter_context(served(partial(_of_yahoo, yahoo), certificate))
    proxy = opened.enter_context(proxied(behind))
    addresses = {"alpaca": f"https://{LOOPBACK}:{direct}", "yahoo": proxy}
    return {name: {"address": one, "certificate": str(certificate)} for name, one in addresses.items()}


def watched() -> tuple[str, ...]:
    """Give the symbols of the day that are traded."""
    return tuple(open_market("generated", seed=SEED).symbols[:WATCHED])


def _of_alpaca(known: Mapping[str, AlpacaStanding], asked: Asked) -> Said:
    """Let the share that is asked for answer; of another one there is nothing."""
    return known.get(asked.query.get("symbols", ""), next(iter(known.values())))(asked)


def _of_yahoo(known: Mapping[str, YahooStanding], asked: Asked) -> Said:
    return known.get(asked.path.rpartition("/")[2], next(iter(known.values())))(asked)


if __name__ == "__main__":
    folder, at, pace = sys.argv[1:]
    clock = time.fromisoformat(at)
    main(Path(folder), new_york(clock.hour, clock.minute), float(pace))
