"""What the owner reads when something is not traded by a rule or a fact: the words of the notices in `barred`."""

from shared.domain.broker.skew import FROM, Off
from shared.domain.telling.barred import (
    CONFIGURATION_UNREAD,
    LEDGER_UNREADABLE,
    ClockOff,
    EntriesBarred,
    HistoryMissing,
    SourceKeyBad,
    SymbolsUnknown,
)
from shared.domain.telling.codes_said import named
from shared.domain.telling.wording import Words, clock, count, short

_BARS = {
    "DAY_TRADES": (
        "another entry could be the fourth day trade within five sessions, which bars a margin account below $25,000",
        "if E*TRADE no longer applies that rule to you, set day_trade_rule to off with `strategy config edit`.",
    ),
    "INTRADAY_MARGIN": (
        "what is held would need more margin within the day than the account is worth",
        "it ends by itself as positions are sold.",
    ),
    "DAY_TRADER_STATUS": (
        "E*TRADE has restricted the account's day trading",
        "ask E*TRADE what lifts it.",
    ),
    "MARGIN_CALL": ("a margin call of E*TRADE is open", "meet it, or ask E*TRADE."),
    "ACCOUNT_RESTRICTED": (
        "E*TRADE refuses orders because the account is restricted",
        "ask E*TRADE what lifts it, entries are tried again in the next session.",
    ),
    LEDGER_UNREADABLE: (
        "the ledger (the profit) of a session cannot be read, and sizes and the drawdown limit need that of each",
        "restore that document from a backup, or delete it if its session's profit may count as 0.",
    ),
    CONFIGURATION_UNREAD: (
        "the configuration in force cannot be read, and the file may allow more than you want",
        "look with `strategy config show`, and write it again with `strategy config edit`.",
    ),
}
_TITLES = {LEDGER_UNREADABLE: "a damaged ledger", CONFIGURATION_UNREAD: "no configuration"}


def entries_barred(notice: EntriesBarred) -> Words:
    """Say which rule denies entries, what stands behind it, and what may lift it."""
    rule, advice = _BARS.get(notice.code, (f"a rule of the account denies it ({notice.code})", "ask E*TRADE."))
    return Words(
        title=f"Nothing is bought: {_TITLES.get(notice.code, 'a rule of the account')}",
        sentence=f"Nothing is bought since {clock(notice.at)}: {rule} ({short(notice.why)}).",
        advice=f"Stops and exits go on; {advice}",
        urgent=notice.code != "DAY_TRADES",
    )


def clock_off(notice: ClockOff) -> Words:
    """Say how far a clock is off, what goes on, and how it is put right."""
    told = f"The clock of the {named(notice.function)} is {notice.why}"
    remedy = "at home let the system set the clock by a time server (NTP); in the cloud tell Google."
    match notice.off:
        case Off.HALTED:
            sentence = f"{told}: trading is halted, stops and exits go on."
            remedy = f"Put it right, then `strategy resume`: {remedy}"
        case Off.NO_ENTRIES:
            sentence = f"{told}: nothing is bought until it is right; stops and exits go on."
            remedy = f"Put it right: {remedy}"
        case _:
            sentence = f"{told}; from {seconds(Off.NO_ENTRIES)} on nothing is bought, from {seconds(Off.HALTED)} on "
            sentence += "trading is halted."
            remedy = f"Put it right: {remedy}"
    return Words(title="The clock is wrong", sentence=sentence, advice=remedy, urgent=notice.off is not Off.WARNED)


def seconds(off: Off) -> str:
    """Say from how many seconds on this follows."""
    return f"{FROM[off].total_seconds():.0f} s"


def symbols_unknown(notice: SymbolsUnknown) -> Words:
    """Say which watched symbols have no quote, and where to look."""
    names = short(", ".join(notice.symbols))
    return Words(
        title="Symbols that E*TRADE does not quote",
        sentence=f"E*TRADE gives no quote for {count(len(notice.symbols), 'watched symbol')}: {names}.",
        advice="Nothing is traded in them; look whether they were renamed or delisted, and change STRATEGY_WATCH_LIST.",
        urgent=False,
    )


def history_missing(notice: HistoryMissing) -> Words:
    """Say that no source answers, what is traded on all the same, and what the owner can do."""
    some = f"{notice.known} of {count(notice.asked, 'symbol')} have bars that are stored"
    rest = some if notice.known else "no symbol has any"
    return Words(
        title="No source of daily bars answers",
        sentence=f"Asked for daily bars, none of the sources answers ({short(notice.why)}): {rest}.",
        advice="What has too few is not bought, stops and exits go on; `strategy import FILE` brings bars.",
        urgent=False,
    )


def source_key_bad(notice: SourceKeyBad) -> Words:
    """Say that a source does not take the owner's key, what serves meanwhile, and how another one is stored."""
    source = short(notice.source)
    return Words(
        title="A source of daily bars does not take its key",
        sentence=f"The source {source} does not take the key that is stored, or its plan has no historical bars.",
        advice="The other sources serve; `strategy secrets set alpaca-key` stores another, `strategy doctor` tries it.",
        urgent=False,
    )
