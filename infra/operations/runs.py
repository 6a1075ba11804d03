"""A run of `demo`, `day` or `backtest`, looked at by its folder as a system is.

What can go wrong: a command says of the same trade another time or another profit than the run's own report does; a
back-test, which keeps no orders, looks like a day on which nothing was ordered. What this promises: the trades of a run
are those of its report; its time stands still at the last minute that it scanned; what a folder does not keep is said,
with the command that shows what there is. Nothing of a run is changed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from infra.one_machine.owners_desk import owners_desk
from infra.operations.profiles import Hand, StandingClock
from infra.operations.trips import Trips, trips
from infra.results.facts import Trade
from infra.running.folder import CARD
from infra.simulated_day.folder import BACK_TEST, card_of
from infra.simulated_day.problems import UserError
from infra.simulated_day.result import REPORT_FILE, REPORT_JSON
from infra.simulated_day.state import opened
from shared.codec import decode, loads
from shared.errors import Malformed
from shared.ports import Store
from shared.usecases.market.minutes import MINUTE

_WORKED_OUT = ("net", "open_profit")
_NAMED = "minutes/%Y%m%dT%H%M"


def run_at(profile: str, state: Path | None) -> Path | None:
    """Give the folder where it is one of a run, None where a system is meant."""
    is_run = profile == "local" and state is not None and not (state / CARD).exists() and card_of(state) is not None
    return state if is_run else None


@contextmanager
def reach_run(folder: Path) -> Iterator[Hand]:
    """Reach the documents of a day's run, to look at; raises UserError for a back-test, which has none."""
    if _is_back_test(folder):
        what = f"{folder} holds a back-test, which keeps no orders and no receipts"
        where = f"{folder / REPORT_FILE} has every trade, and each skipped signal with why"
        raise UserError(what, remedy=f"`strategy trades --state {folder}` lists its trades; {where}")
    with opened(folder) as store:
        yield Hand(
            name=str(folder), desk=owners_desk(StandingClock(_ended(store)), store), open_vault=_no_vault, sign_in=None,
            operator="owner", running=False, mode=None, broker="simulator", simulated=True,
        )  # fmt: skip


def trips_of(folder: Path) -> Trips:
    """Give a run's round trips as its report has them; of one that left no report, what its store says.

    Raises UserError for a folder with neither.
    """
    if not (folder / REPORT_JSON).exists():
        if _is_back_test(folder):
            raise _without_report(folder)
        with opened(folder) as store:
            return trips(store)
    found = [_trade(one) for one in report_of(folder)["trades"]]
    if _is_back_test(folder):
        return Trips.of(found, sessions=(), unread=())
    with opened(folder) as store:
        stored = trips(store)
    return Trips.of(found, sessions=stored.sessions, unread=stored.unread)


def report_of(folder: Path) -> Mapping[str, Any]:
    """Read a run's report; raises UserError where there is none, or it is damaged."""
    try:
        report: Mapping[str, Any] = loads((folder / REPORT_JSON).read_bytes())
    except OSError:
        raise _without_report(folder) from None
    except Malformed as broken:
        what = f"{folder / REPORT_JSON} cannot be read: {broken.detail}"
        raise UserError(what, remedy="play it again into another folder") from None
    return report


def _trade(plain: Mapping[str, Any]) -> Trade:
    return decode(Trade, {name: value for name, value in plain.items() if name not in _WORKED_OUT})


def _is_back_test(folder: Path) -> bool:
    card = card_of(folder)
    return card is not None and card.kind == BACK_TEST


def _without_report(folder: Path) -> UserError:
    several = sorted(one.parent.name for one in folder.glob(f"*/{REPORT_JSON}"))
    if several:
        what = f"{folder} holds several results: {', '.join(several)}"
        return UserError(what, remedy=f"name one of them, such as --state {folder / several[0]}")
    what = f"the run in {folder} left no report: it did not finish"
    return UserError(what, remedy=f"play it again; `strategy trades --state {folder}` lists what a day did until then")


def _ended(store: Store) -> datetime:
    """Give the end of the last minute that was scanned, of a run without any the beginning of 1970."""
    paths = [row.path for row in store.query("minutes")]
    if not paths:
        return datetime.fromtimestamp(0, UTC)
    return datetime.strptime(max(paths), _NAMED).replace(tzinfo=UTC) + MINUTE


def _no_vault() -> NoReturn:
    raise UserError("the vault of a run is not opened", remedy="name the folder of a system of `strategy up`")
