"""The error tree: what went wrong, what the caller must do about it, and nothing secret.

Every error carries one `Disposition`; `shared.door` maps dispositions to ack, retry, dead letter or HTTP status in
one place (shared/README.md, Architecture). A refusal, a rejection or a closed market is a value, not an error.
"""

from enum import StrEnum
from typing import ClassVar


class Disposition(StrEnum):
    """What a door does with a message whose handling raised."""

    FAIL_START = "fail_start"
    DEAD_LETTER = "dead_letter"
    RETRY = "retry"
    ACK = "ack"
    HALT = "halt"


class DeskError(Exception):
    """Root of every error of ours; `detail` is safe to log."""

    disposition: ClassVar[Disposition]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ConfigError(DeskError):
    """Settings are wrong; `problems` names all of them at once. Met at work, the message waits until they are right."""

    disposition = Disposition.FAIL_START

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


class AnotherVenue(ConfigError):
    """Something is open at another venue than the one that the settings name now."""


class MessageError(DeskError):
    """A message that no retry can help."""

    disposition = Disposition.DEAD_LETTER


class Malformed(MessageError):
    """The body is not what its schema says."""


class UnknownVersion(MessageError):
    """The body has a kind or a schema version that this code does not know."""


class AuthError(DeskError):
    """E*TRADE does not accept our credentials."""

    disposition = Disposition.ACK


class TokenIdle(AuthError):
    """The access token slept for two hours; a renewal wakes it."""


class TokenDead(AuthError):
    """There is no access token that lives: the owner has to sign in."""


class KeyRefused(AuthError):
    """The consumer key itself is refused."""

    disposition = Disposition.HALT


class BrokerError(DeskError):
    """A broker call that gave no usable answer."""

    disposition = Disposition.RETRY


class NotSent(BrokerError):
    """The request surely never reached the broker (refused connection, name lookup, connect time-out)."""


class Throttled(BrokerError):
    """The broker refused the call because there were too many; it was not processed."""


class Refused(BrokerError):
    """The broker answered with an error code of its own; a retry gives the same answer."""

    disposition = Disposition.ACK

    def __init__(self, detail: str, *, code: int | None = None) -> None:
        super().__init__(detail)
        self.code = code


class OutcomeUnknown(BrokerError):
    """The request may have reached the broker; nobody knows what it did."""

    disposition = Disposition.ACK


class Unreadable(BrokerError):
    """The broker, or a source of bars, answered something that cannot be read."""


class Asleep(BrokerError):
    """The access token sleeps, and nobody has woken it in time."""


class Unseen(BrokerError):
    """No answer of the broker shows the order that is to be cancelled: nothing was asked."""


class SourceError(DeskError):
    """A source of daily bars gave no usable answer; the next one is asked, and what is stored stays."""

    disposition = Disposition.RETRY


class SourceDown(SourceError):
    """The source cannot be reached, or did not answer in time."""


class SourceRefused(SourceError):
    """The source does not serve us now; `wait_s` is for how long, None where it said nothing of that."""

    def __init__(self, detail: str, *, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


class SourceKeyRefused(SourceRefused):
    """The source does not take the owner's key, or the key's plan may not ask this: another key helps, no waiting."""


class StoreError(DeskError):
    """The store did not do what was asked."""

    disposition = Disposition.RETRY


class Conflict(StoreError):
    """A precondition of a commit failed: somebody else wrote first, and nothing of the commit was applied."""


class StoreDown(StoreError):
    """The store cannot be reached; the commit may or may not have been applied."""


class NotKept(DeskError):
    """A recording cannot go on: `quiet` where that is no news for the owner, as another process keeps it."""

    disposition = Disposition.ACK

    def __init__(self, detail: str, *, quiet: bool = False) -> None:
        super().__init__(detail)
        self.quiet = quiet


class Busy(DeskError):
    """Every place for this kind of work is taken; the message is to come again."""

    disposition = Disposition.RETRY


class Undelivered(DeskError):
    """No address of the owner's took a notice."""

    disposition = Disposition.RETRY


class InvariantBroken(DeskError):
    """Our own bug: something that cannot happen happened."""

    disposition = Disposition.HALT


class PermissionDenied(InvariantBroken):
    """A function used a topic, a secret or a collection that the topology does not give it."""
