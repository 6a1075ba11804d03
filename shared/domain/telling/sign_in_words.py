"""What the owner reads of signing in (see `notice_words`)."""

from shared.domain.telling.sign_in_notices import (
    AccountRefused,
    LinkUsed,
    SignedIn,
    SignInFailed,
    SignInNeeded,
    SignInRefused,
)
from shared.domain.telling.wording import Words, clock, count, short


def sign_in_needed(notice: SignInNeeded) -> Words:
    """Say that nothing is traded until the owner signs in, and how."""
    minutes = notice.minutes_to_open
    when = f"opens in {count(minutes, 'minute')}" if minutes > 0 else "is open"
    return Words(
        title="Sign in to E*TRADE",
        sentence=f"Nothing can be traded or protected until you sign in, and the market {when}.",
        advice=(
            "Run `strategy login`, or open the link if you were sent one: it works once, and not for long."
            if notice.signed
            else "Run `strategy login`."
        ),
        urgent=True,
    )


def signed_in(notice: SignedIn) -> Words:
    """Say how long the sign-in lasts, and what to do if it was somebody else."""
    return Words(
        title="Signed in",
        sentence=f"The system is signed in to E*TRADE until {clock(notice.dies_at)}.",
        advice="If this was not you: `strategy halt`, `strategy logout`, and change your E*TRADE password.",
        urgent=False,
    )


def sign_in_failed(notice: SignInFailed) -> Words:
    """Say why the owner has to begin again."""
    return Words(
        title="Sign in again",
        sentence=f"The sign-in failed: no access token could be stored ({short(notice.why)}).",
        advice="Sign in again; until then nothing is traded.",
        urgent=True,
    )


def sign_in_refused(notice: SignInRefused) -> Words:
    """Say how many were refused."""
    return Words(
        title="A link was refused",
        sentence=f"A sign-in, or a halt by a link, was refused at {clock(notice.at)} ({short(notice.why)}).",
        advice="If this was you, begin again with a new link; if not, somebody else has tried.",
        urgent=False,
    )


def account_refused(notice: AccountRefused) -> Words:
    """Say that another account was signed in to, and that nothing of it counts."""
    shown = ", ".join(f"one that ends in {ending}" for ending in notice.endings) or "none that is active"
    return Words(
        title="Another account was refused",
        sentence=f"A sign-in to E*TRADE was for other accounts than this system's ({shown}): its token was revoked.",
        advice="If this was not you, run `strategy login`, which ends every link; to trade another account, run "
        "`strategy login --change-account`.",
        urgent=True,
    )


def link_used(notice: LinkUsed) -> Words:
    """Say that a link was used, or used too often, and what to do if it was somebody else."""
    link = f"the link of {clock(notice.made_at)}"
    theirs = "If this was not you, run `strategy login`: signing in ends that link."
    if notice.refused:
        return Words(
            title="A link was used too often",
            sentence=f"A sign-in with {link} was begun too often, and that link begins none any more.",
            advice=f"Every other link works. {theirs}",
            urgent=False,
        )
    return Words(title="A sign-in was begun", sentence=f"A sign-in was begun with {link}.", advice=theirs, urgent=False)
