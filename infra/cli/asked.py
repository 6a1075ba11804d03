"""The conversation of `strategy init`: a few questions, each explained, each asked again where its answer is no good.

What can go wrong: a key is seen on the screen, or in a command's words; a mistyped answer replaces a good one; somebody
believes that this begins to trade. What this promises: key and secret are typed unseen and repeated nowhere; nothing
is stored before it was checked, and what was there stays until then; nothing is sent to E*TRADE; symbols and capital
are kept beside the key, where `strategy up` finds them.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from textwrap import wrap

import typer

from infra.brokersim.network import Network
from infra.cli.credentials import hidden
from infra.cli.exits import INTERRUPTED, say
from infra.cli.hand import in_words
from infra.one_machine.vault import KEY_VARIABLE, lacks_key
from infra.operations import secrets
from infra.operations.beginning import Beginning, beginning, locked, stored
from infra.running import wanted
from infra.running.wanted import CAPITAL, WATCH_LIST
from infra.simulated_day.problems import UserError
from shared import settings
from shared.domain.telling.wording import count
from shared.topology import CONSUMER

_TRIES = 3
_HELLO = """\
This sets up automated trading with an E*TRADE account, on paper. Paper means:
orders are filled in this system's own books, by E*TRADE's quotes, and none is
sent. At production this version refuses to send orders. Nothing is sent to
E*TRADE now. What is stored already stays until you replace it.

Which E*TRADE key do you have? You get one on its developer pages.
  production  real quotes: what a paper day needs, after you signed E*TRADE's
              agreements
  sandbox     E*TRADE's practice host: made-up answers that never change; to
              test key and sign-in, not to trade on
  none        no key: a simulator takes E*TRADE's place"""
_NO_KEY = """\
Without a key, on a simulated market; nothing leaves this machine:
  strategy demo    one day and its report: one to three minutes, longer on a
                   busy machine
  strategy up --speed 20 --starts 09:05
                   the same live, in twenty minutes
  strategy login   in a second terminal, within a minute: sign in at the
                   simulated E*TRADE"""
_A_DAY = "Play the simulated day now (yes, no)"
_SYMBOL = re.compile(r"[A-Z]{1,5}([.-][A-Z0-9]{1,3}){0,2}")
_FUND = re.compile(r"[A-Z]{4}X")
_ANSWERS = frozenset({"ALL", "NO", "NONE", "OK", "SAME", "YES"})
_CAPITALS = re.compile(r"\$?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]{1,2})?")
"""An amount as people write it; without its commas it is checked as the functions check it."""


def begin() -> None:
    """Ask, store and say what comes next; raises UserError where nobody can be asked, or an answer stays no good."""
    if not sys.stdin.isatty():
        what = "`strategy init` needs a terminal; nothing was changed"
        remedy = (
            "run it in a terminal; a program sets ETRADE_CONSUMER_KEY, ETRADE_CONSUMER_SECRET, STRATEGY_WATCH_LIST and "
            "STRATEGY_CAPITAL_USD, and runs `strategy up --broker production`"
        )
        raise UserError(what, remedy=remedy)
    say(_HELLO)
    if (first := lacks_key(os.environ, locked=locked())) is not None:
        say("", f"An E*TRADE key needs this first: {first}.")
    try:
        _ask_all()
    except KeyboardInterrupt:
        say("", "Ended; nothing further was stored. `strategy init` begins again, and keeps what is there.")
        raise typer.Exit(INTERRUPTED) from None
    except EOFError:
        what = "the input ended; what was stored before stays"
        raise UserError(what, remedy="run `strategy init` again") from None


def _ask_all() -> None:
    broker = _until_good("Key (production, sandbox, none)", stored() or "none", _broker)
    if broker == "none":
        say("", _NO_KEY)
    else:
        with in_words(), beginning(broker, os.environ) as ours:
            _key(ours, broker)
            taken = _wants(ours)
        say("", *_next(broker, ours, taken))
    say("")
    if _until_good(_A_DAY, "no", _yes_or_no) == "yes":
        from infra.cli import day

        day.run(
            market="generated", config="demo", seed=1, speed="max", network=Network.SLOW, state=None, json_out=None
        )  # fmt: skip


def _wants(ours: Beginning) -> list[str]:
    """Ask for symbols and capital, keep them beside the key, and say what was taken."""
    before = wanted.kept(ours.folder)
    symbols, capital = before.get(WATCH_LIST, "AIG,BAC,IBM,SPY"), before.get(CAPITAL, "10000")
    say("", f"Which symbols may it buy? {settings.MAX_WATCHED} at most, with commas between them.")
    say(*_offered(before, f"it may buy {', '.join(symbols.split(','))}"))
    symbols = _listed(symbols)
    say("", "How much of the account may it use, in USD? A paper account starts with that.")
    say(*_offered(before, f"it may use {Decimal(capital):,} USD"))
    capital = _until_good("Capital", capital, _amount)
    ours.want({WATCH_LIST: symbols, CAPITAL: capital})
    return _taken(symbols, capital)


def _listed(default: str) -> str:
    """Ask for symbols, and once more whether they were meant where one may be something else."""
    for _ in range(_TRIES):
        symbols = _until_good("Symbols", default, _symbols)
        odd = [why for why in map(_odd, symbols.split(",")) if why] if symbols != default else []
        if not odd:
            return symbols
        say(f"Read as {count(symbols.count(',') + 1, 'symbol')}: {', '.join(symbols.split(','))}.", *odd)
        if _until_good("Is that right (yes, no)", "no", _yes_or_no) == "yes":
            return symbols
    raise _unusable()


def _odd(symbol: str) -> str:
    """Say why a symbol may be none of a share, "" where nothing speaks against it; E*TRADE is asked by `doctor`."""
    if len(symbol) == 1 or symbol in _ANSWERS:
        return f"{symbol} may be an answer to another question."
    if _FUND.fullmatch(symbol):
        return f"{symbol} has the form of a mutual fund, which has no price during the day."
    return ""


def _offered(before: Mapping[str, str], taken: str) -> list[str]:
    """Say what Enter alone takes: what was answered before, or an example and no advice."""
    return wrap(f"With Enter alone {taken}{', as before' if before else ': an example, not advice'}.", 78)


def _taken(symbols: str, capital: str) -> list[str]:
    """Say what was understood: each symbol, and the amount as people write one."""
    named = symbols.split(",")
    said = f"It may buy {count(len(named), 'symbol')}: {', '.join(named)}."
    return [*wrap(said, 78), f"It may use {Decimal(capital):,} USD.", *_CHECKED]


def _key(ours: Beginning, broker: str) -> None:
    """Ask for key and secret, unseen, until they are a pair, or keep those that are stored."""
    say("", f"A {broker} key has two parts. You do not see them as you type or paste.")
    if ours.has_key and _until_good("A key is stored. Replace it (yes, no)", "no", _yes_or_no) == "no":
        ours.keep()
        say("The stored key stays.")
        return
    for _ in range(_TRIES):
        answers = tuple(map(_some, secrets.KINDS[CONSUMER].asks))
        try:
            ours.store(answers)
        except UserError as wrong:
            say(f"{wrong.what[:1].upper()}{wrong.what[1:]}, and nothing was changed: {wrong.remedy}.")
        else:
            say("Stored, encrypted.")
            return
    raise UserError("no key was stored, and nothing was changed", remedy="run `strategy init` again")


def _some(ask: str) -> str:
    """Ask for one part of a key, unseen, again at once where nothing was typed; raises UserError."""
    for _ in range(_TRIES):
        (answer,) = hidden((ask,))
        if answer:
            return answer
        say(f"Nothing was typed: paste the {ask.lower()}, then press Enter.")
    raise UserError("no key was typed, and nothing was changed", remedy="run `strategy init` again")


def _until_good(question: str, default: str, check: Callable[[str], str]) -> str:
    """Ask until an answer is good and give it, `default` for an empty one; raises UserError, EOFError."""
    for _ in range(_TRIES):
        sys.stderr.write(f"{question} [{default}]: ")
        sys.stderr.flush()
        if not (line := sys.stdin.readline()):
            raise EOFError
        try:
            return check(line.strip() or default)
        except ValueError as wrong:
            say(f"{wrong}.")
    raise _unusable()


def _unusable() -> UserError:
    what = f"{_TRIES} answers could not be used; what was stored stays"
    return UserError(what, remedy="run `strategy init` again")


def _broker(answer: str) -> str:
    if answer.lower() not in {"production", "sandbox", "none"}:
        raise ValueError("Type production, sandbox or none")
    return answer.lower()


def _yes_or_no(answer: str) -> str:
    if answer.lower() not in {"yes", "no", "y", "n"}:
        raise ValueError("Type yes or no")
    return "yes" if answer.lower() in {"yes", "y"} else "no"


def _symbols(answer: str) -> str:
    """Give symbols in capitals, each once; raises ValueError that names each word that cannot be one."""
    between = r"\s*,\s*" if "," in answer else r"\s+"  # where commas are, a blank within a word makes it no symbol
    named = Counter(word.upper() for word in re.split(between, answer.strip()) if word)
    if wrong := [repr(word) for word in named if not _SYMBOL.fullmatch(word)]:
        are = "is no symbol" if len(wrong) == 1 else "are no symbols"
        raise ValueError(f"{', '.join(wrong)} {are}: 1 to 5 letters, and behind a dot its class, such as BRK.B")
    if len(named) > settings.MAX_WATCHED:
        raise ValueError(f"{len(named)} symbols are more than {settings.MAX_WATCHED}")
    if twice := [word for word, times in named.items() if times > 1]:
        say(f"Named more than once, and counted once: {', '.join(twice)}.")
    return ",".join(named)


def _amount(answer: str) -> str:
    """Give an amount of USD as the setting has it; raises ValueError."""
    plain = answer.replace(",", "").removeprefix("$") if _CAPITALS.fullmatch(answer) else answer
    if settings.wrong_ones({CAPITAL: plain}):
        raise ValueError(f"{answer!r} cannot be used: give an amount from 100 to 10,000,000, such as 10000")
    return plain


_CHECKED = (
    "Whether E*TRADE quotes these symbols is known after the first sign-in:",
    "`strategy doctor` names those that it does not.",
)
_KEEP = (
    f"Keep {KEY_VARIABLE}, and set it in each new terminal, too:",
    "without it the stored key can never be read again.",
)
_PROBE = (
    "  strategy probe --broker production",
    "      once, without a running system: tests how E*TRADE answers; places nothing",
)


def _next(broker: str, ours: Beginning, taken: Sequence[str]) -> list[str]:
    """Say what was `taken`, what is stored where, and what comes next."""
    stronger = [name for name in wanted.NAMES if name in os.environ]
    quotes = "E*TRADE's real quotes" if broker == "production" else "the sandbox's made-up quotes, as a try"
    return [
        f"Done. In {ours.folder} and {ours.alone}",
        f"are the key, encrypted, and symbols and capital, in {wanted.FILE}. Run all",
        "that follows in this folder.",
        *taken,
        *(f"The variable {name} is set and overrides the file: unset it." for name in stronger),
        *_KEEP * (KEY_VARIABLE in os.environ),
        "",
        f"A paper day, on {quotes}:",
        f"  strategy doctor --broker {broker}",
        "      first: checks key, clock and settings",
        *_PROBE * (broker == "production"),
        f"  strategy up --broker {broker}",
        "      runs until Ctrl-C; start it before 9:30 New York",
        "  strategy login",
        "      in a second terminal, each morning. If you have several accounts, say",
        "      `strategy login --change-account` the first time: it asks which one",
        "  strategy status --watch",
        "      what it holds, what it made today",
        "",
        "A simulated day needs no account and no key: `strategy demo`, one to three",
        "minutes, longer on a busy machine.",
    ]
