"""The one error of this stage: a file or a paste that cannot be read as recipients at all. One bad row is never an error."""

from sms.audiences.files.findings import FileFindings
from sms.values.problems import Problem, ProblemCode, ProblemError


class AudienceError(ProblemError):
    """Nothing could be read. `field` is that of the choice that has to be made otherwise (`column`, `sheet`, `heading_row`,
    `hidden_rows`), `audience` where there is none. `findings` is what the file turned out to hold, as far as it was looked at."""

    findings: FileFindings | None = None

    def __init__(self, code: ProblemCode, text: str, *, field: str = "") -> None:
        is_column = code in (ProblemCode.NO_COLUMN, ProblemCode.UNKNOWN_COLUMN)
        super().__init__(code, text, field=field or ("column" if is_column else "audience"))

    def problem_of(self, field: str) -> Problem:
        """At the choice that is wrong, otherwise at `field`, which the rows came in."""
        return self.problem.at(field) if self.field == "audience" else self.problem
