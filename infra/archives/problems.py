"""Why an archive cannot be built, each reason with the place to repair."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason; line 0 means the file as a whole."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.sentence}"


class ArchiveError(Exception):
    """An archive cannot be built; `problems` names all of them at once."""

    def __init__(self, function: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{function} cannot be packaged:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.function = function
        self.problems = problems
