"""What the owner is told of a recording of the day (`shared.usecases.scanning.record`), with its words."""

from datetime import date, datetime

from shared.domain.telling.wording import Words, short
from shared.frozen import frozen


@frozen
class RecordingEnded:
    """The recording of a session could not go on; `why` is a sentence without its full stop."""

    why: str
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """One a session."""
        return self.session.isoformat()


def recording_ended(notice: RecordingEnded) -> Words:
    """Say why nothing more is recorded, and that nothing else is touched by it."""
    return Words(
        title="The recording of the day ended",
        sentence=f"Nothing more of the session of {notice.session} is recorded: {short(notice.why)}.",
        advice="Trading goes on as before, and what was recorded until then can be read: make room, and it goes on in "
        "another minute.",
        urgent=False,
    )
