"""Settings: every name, default and edge, all problems in one message, and never a secret in it."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from shared import settings
from shared.domain.broker import tickets
from shared.domain.telling.messages import OrderPlaced
from shared.errors import ConfigError
from shared.settings import MAX_WATCHED, Mode, Settings, consumer, load, network_problems
from shared.usecases.base.outbox import pack, unpack

_LEAST = {"STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000"}
_CANARY = "CANARY0c2d77e1"


def _read(**changes: str) -> Settings:
    return load({**_LEAST, **changes})


def test_every_setting_has_its_default() -> None:
    """Without more than a watch list and a capital, everything has the value that the guide describes."""
    assert _read() == Settings(
        mode=Mode.PAPER, sandbox=True, account_id="", callback_url="", rate_limit=240, burst_limit=10, config="default",
        watch_list=("AIG",), capital_usd=Decimal(1000), operator="owner", sign_in_url="",
        remind_at=(time(8, 30), time(9, 15)), token_ends_at=time(18), heartbeat_url="",
        history_sources=("own", "file", "alpaca", "yahoo"),
        order_usd_most=None, order_shares_most=None, positions_most=None, daily_loss_pct_most=None,
        bars_kept_days=400, close_doubt_pct=5, fallback_after_s=30, strategies="",
    )  # fmt: skip


def test_the_guide_s_values_are_taken() -> None:
    """The values that the integration guide shows are taken as they stand there."""
    found = _read(
        ETRADE_SANDBOX="false", ETRADE_ACCOUNT_ID="your_account_id", ETRADE_RATE_LIMIT="100", ETRADE_BURST_LIMIT="10",
        ETRADE_OAUTH_CALLBACK_URL="http://localhost:8080/oauth/callback", STRATEGY_CONFIG="demo",
        STRATEGY_WATCH_LIST=" AIG , BAC,BRK.B,AIG,", STRATEGY_CAPITAL_USD="25000.50",
    )  # fmt: skip
    assert (found.sandbox, found.account_id, found.rate_limit, found.burst_limit) == (False, "your_account_id", 100, 10)
    assert found.callback_url == "http://localhost:8080/oauth/callback"
    assert (found.config, found.watch_list) == ("demo", ("AIG", "BAC", "BRK.B"))
    assert found.capital_usd == Decimal("25000.50")


_MANY = ",".join(f"A{number}" for number in range(MAX_WATCHED))
_EDGES: list[tuple[str, str, bool]] = [
    *(("ETRADE_RATE_LIMIT", value, value in ("1", "240")) for value in ("0", "1", "240", "241")),
    *(("ETRADE_BURST_LIMIT", value, value in ("1", "100")) for value in ("0", "1", "100", "101")),
    *(("ETRADE_RATE_LIMIT", value, False) for value in ("", "x", "1.5", "1e2", "-5", "1_0", "+7", "0x10")),
    ("ETRADE_RATE_LIMIT", "\u0661\u0660", False),
    *(
        ("STRATEGY_CAPITAL_USD", value, fine)
        for value, fine in (
            ("99.99", False), ("100", True), ("10000000", True), ("10000000.01", False), ("NaN", False),
            ("sNaN", False), ("Infinity", False), ("-1", False), ("", False), ("1,000", False), ("ten", False),
            ("1_000", False),
        )
    ),
    *(("STRATEGY_MOST_POSITIONS", value, value in ("", "1", "100")) for value in ("", "0", "1", "100", "101", "ten")),
    *(("STRATEGY_MOST_ORDER_SHARES", value, value == "1000000") for value in ("0", "1000000", "1000001")),
    *(("STRATEGY_MOST_ORDER_USD", value, value == "100") for value in ("99.99", "100", "NaN", "-5")),
    *(("STRATEGY_MOST_DAILY_LOSS_PCT", value, value in ("0.1", "20")) for value in ("0", "0.1", "20", "20.01", "2%")),
    *(("ETRADE_SANDBOX", value, True) for value in ("true", "FALSE", "1", "0", "yes", " no ")),
    *(("ETRADE_SANDBOX", value, False) for value in ("", "maybe", "2", "truefalse")),
    *(
        ("ETRADE_ACCOUNT_ID", value, fine)
        for value, fine in (
            ("", True), ("12345", False), ("123456", True), ("a" * 32, True), ("a" * 33, False), ("12 456", False),
            ("123456\n7", False),
        )
    ),
    *(
        ("ETRADE_OAUTH_CALLBACK_URL", value, fine)
        for value, fine in (
            ("", True), ("https://example.com/callback", True), ("http://127.0.0.1:8080/callback", True),
            ("http://localhost/callback", True), ("http://example.com/callback", False), ("https://", False),
            ("ftp://example.com", False), ("javascript:alert(1)", False), ("http://localhost:80@example.com/", False),
            ("https://user:word@example.com/", False), ("https://exa mple.com/", False), ("https://[::1", False),
        )
    ),
    *(("STRATEGY_MODE", value, value in ("paper", "live")) for value in ("paper", "live", "Paper", "dry", "")),
    *(
        ("STRATEGY_SIGN_IN_URL", value, fine)
        for value, fine in (
            ("", True), ("https://example.com/start", True), ("http://localhost:8080/start", True),
            ("http://example.com/start", False), ("https://example.com/start#1", False),
            ("https://example.com/start?a=1", False),
        )
    ),
    *(("STRATEGY_OPERATOR", value, bool(value) and len(value) < 65) for value in ("o", "a.b+c@d-e_f", "o" * 65, "")),
    *(("STRATEGY_OPERATOR", value, False) for value in ("a b", "a\nb", "\u00e9")),
    *(
        ("STRATEGY_REMIND_AT", value, fine)
        for value, fine in (
            ("08:30", True), ("07:00, 09:25", True), ("06:59", False), ("09:26", False), ("", False),
            ("8:30", False), ("08:30,", False), ("24:00", False), ("08:30:00", False),
        )
    ),
    *(
        ("STRATEGY_TOKEN_ENDS_AT", value, fine)
        for value, fine in (("16:30", True), ("18:30", True), ("16:29", False), ("18:31", False), ("6pm", False))
    ),
    *(
        ("STRATEGY_HISTORY_SOURCES", value, fine)
        for value, fine in (
            ("own", True), ("Yahoo, own", True), ("file,own,file", False), ("own,", False), ("", False),
            ("bloomberg", False),
        )
    ),
    *(("STRATEGY_BARS_KEPT_DAYS", value, value in ("7", "3650")) for value in ("6", "7", "3650", "3651")),
    *(("STRATEGY_STRATEGIES", value, fine) for value, fine in (("", True), ("/srv/own", True), ("a\nb", False))),
    *(("STRATEGY_STRATEGIES", "x" * length, length == 1_000) for length in (1_000, 1_001)),
    *(("STRATEGY_FALLBACK_AFTER_S", value, value in ("10", "600")) for value in ("9", "10", "600", "601", "soon")),
    *(("STRATEGY_CLOSE_DOUBT_PERCENT", value, value in ("1", "50")) for value in ("0", "1", "50", "51", "2.5")),
    *(
        ("STRATEGY_HEARTBEAT_URL", value, fine)
        for value, fine in (
            ("", True), ("https://check.example/ping/1", True), ("http://localhost:8080/x", True),
            ("http://check.example/x", False), ("https://me:pass@check.example/", False), ("check.example", False),
        )
    ),
    *(("STRATEGY_CONFIG", value, value in ("demo", "default")) for value in ("demo", "default", "Demo", "")),
    *(
        ("STRATEGY_WATCH_LIST", value, fine)
        for value, fine in (
            ("", False), (",", False), ("aig", True), ("AIG;BAC", False), ("A", True), ("ABCDE", True),
            ("BRK.B", True), ("JPM.PR.D", True), ("ACHR.WS", True), ("ABC^D", True), ("A" * 21, True),
            ("A" * 22, False), (".A", False), ("A B", False), (_MANY, True), (f"{_MANY},ZZZ", False),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "fine"), _EDGES)
def test_every_edge_is_where_it_is_described(name: str, value: str, fine: bool) -> None:
    """A value inside its range is taken, and one outside is refused with its name and what it should be."""
    if fine:
        _read(**{name: value})
        return
    with pytest.raises(ConfigError) as refused:
        _read(**{name: value})
    (problem,) = refused.value.problems
    assert problem.startswith(name)
    assert len(problem) < 300


def test_all_problems_come_in_one_message() -> None:
    """Everything that is wrong is told at once, missing settings and a half consumer pair included."""
    with pytest.raises(ConfigError) as refused:
        load(
            {
                "STRATEGY_MODE": "dry", "ETRADE_SANDBOX": "perhaps", "ETRADE_ACCOUNT_ID": "!", "ETRADE_RATE_LIMIT": "0",
                "ETRADE_BURST_LIMIT": "many", "ETRADE_OAUTH_CALLBACK_URL": "x", "STRATEGY_CONFIG": "brave",
                "STRATEGY_WATCH_LIST": "x!", "ETRADE_CONSUMER_KEY": "only-the-key",
            }
        )  # fmt: skip
    names = [problem.split("=")[0].split(" ")[0] for problem in refused.value.problems]
    assert sorted(names) == [
        "ETRADE_ACCOUNT_ID", "ETRADE_BURST_LIMIT", "ETRADE_CONSUMER_KEY", "ETRADE_OAUTH_CALLBACK_URL",
        "ETRADE_RATE_LIMIT", "ETRADE_SANDBOX", "STRATEGY_CAPITAL_USD", "STRATEGY_CONFIG", "STRATEGY_MODE",
        "STRATEGY_WATCH_LIST",
    ]  # fmt: skip
    assert all(problem in refused.value.detail for problem in refused.value.problems)


def test_the_heartbeat_s_address_is_never_repeated() -> None:
    """A heartbeat's address that cannot be used is named without its value, and no repr shows one that can."""
    with pytest.raises(ConfigError) as refused:
        _read(STRATEGY_HEARTBEAT_URL=f"http://check.example/{_CANARY}")
    assert "STRATEGY_HEARTBEAT_URL cannot be used" in refused.value.detail
    taken = _read(STRATEGY_HEARTBEAT_URL=f"https://check.example/{_CANARY}")
    assert taken.heartbeat_url.endswith(_CANARY)
    assert _CANARY not in refused.value.detail + repr(taken)


def test_live_orders_at_production_are_refused() -> None:
    """On the network production is for paper mode alone: live orders there are named, and nothing else is."""
    fine: list[dict[str, str]] = [{}, {"ETRADE_SANDBOX": "false"}, {"STRATEGY_MODE": "live"}]
    fine += [{"STRATEGY_MODE": "live", "ETRADE_SANDBOX": "perhaps"}, {"STRATEGY_MODE": "x", "ETRADE_SANDBOX": "false"}]
    assert [network_problems(environ) for environ in fine] == [()] * len(fine)
    for host in ("false", " 0 ", "No"):
        (problem,) = network_problems({"STRATEGY_MODE": "live", "ETRADE_SANDBOX": host})
        assert problem.endswith("live orders at production are not enabled yet")


@pytest.mark.parametrize(
    "environ",
    [
        {"ETRADE_CONSUMER_KEY": _CANARY},
        {"ETRADE_CONSUMER_SECRET": _CANARY},
        {"ETRADE_CONSUMER_KEY": _CANARY, "ETRADE_CONSUMER_SECRET": " "},
        {"ETRADE_CONSUMER_KEY": "", "ETRADE_CONSUMER_SECRET": _CANARY},
    ],
)
def test_half_a_consumer_pair_is_refused_without_showing_it(environ: dict[str, str]) -> None:
    """Consumer key and secret go together; the refusal names them and never their values."""
    for read in (consumer, load):
        with pytest.raises(ConfigError) as refused:
            read({**_LEAST, **environ})
        assert "ETRADE_CONSUMER_KEY" in refused.value.detail
        assert len(refused.value.problems) == 1
        assert _CANARY not in refused.value.detail


def test_the_pair_is_taken_whole_or_not_at_all() -> None:
    """Both together are given without the blanks around them, and neither is None."""
    pair: dict[str, Any] = {"ETRADE_CONSUMER_KEY": " key ", "ETRADE_CONSUMER_SECRET": "secret\n"}
    assert consumer(pair) == ("key", "secret")
    assert consumer({}) is None
    assert consumer({"ETRADE_CONSUMER_KEY": "", "ETRADE_CONSUMER_SECRET": ""}) is None


@pytest.mark.parametrize(
    "name", ["ETRADE_ACCOUNT_ID", "ETRADE_OAUTH_CALLBACK_URL", "STRATEGY_SIGN_IN_URL", "STRATEGY_OPERATOR"]
)
def test_what_names_the_owner_is_not_repeated(name: str) -> None:
    """A wrong account or address is named by its setting only: such a value may be anything, a secret included."""
    with pytest.raises(ConfigError) as refused:
        _read(**{name: f"!{_CANARY}"})
    assert _CANARY not in refused.value.detail


def test_a_long_value_is_cut() -> None:
    """A value of any length makes a problem of one short line."""
    with pytest.raises(ConfigError) as refused:
        _read(ETRADE_RATE_LIMIT="9" * 100_000)
    assert len(refused.value.detail) < 300


def test_each_wrong_symbol_is_named() -> None:
    """Of a long watch list every symbol that cannot be used is in the message, and no other."""
    good = [f"AA{number}" for number in range(60)]
    with pytest.raises(ConfigError) as refused:
        _read(STRATEGY_WATCH_LIST=",".join([*good, "BRK/B", "-x", "JPM.PR.D", *good, "A B"]))
    (problem,) = refused.value.problems
    assert problem.startswith("STRATEGY_WATCH_LIST has 'BRK/B', '-X', 'A B', which cannot be used: 1 to 200 symbols")


def test_a_watch_list_takes_what_a_ticket_takes() -> None:
    """The pattern of a symbol is the one of an order's ticket, and small letters are raised."""
    assert settings._SYMBOL.pattern == tickets.SYMBOL.pattern
    assert _read(STRATEGY_WATCH_LIST="brk.b,ACHR.ws").watch_list == ("BRK.B", "ACHR.WS")
    for symbol in ("JPM.PR.D", "ABC^D", "A-B"):
        placed = OrderPlaced(intent_id="I1", symbol=symbol)
        assert unpack(pack(placed)) == placed


def test_what_was_said_by_an_option_is_named_by_it() -> None:
    """A problem names the option that a person gave, and no variable that they did not set."""
    with pytest.raises(ConfigError) as refused:
        load({**_LEAST, "STRATEGY_CONFIG": "mine", "STRATEGY_WATCH_LIST": "!"}, said={"STRATEGY_CONFIG": "--config"})
    first, second = sorted(refused.value.problems)
    assert first.startswith("--config='mine' cannot be used: default or demo")
    assert second.startswith("STRATEGY_WATCH_LIST has '!'")


def test_what_is_missing_is_not_wrong() -> None:
    """A look at a system names what its owner's environment has wrong, and nothing that it does not have."""
    assert settings.wrong_ones({}) == ()
    (problem,) = settings.wrong_ones({"ETRADE_RATE_LIMIT": "0"})
    assert problem.startswith("ETRADE_RATE_LIMIT='0'")
