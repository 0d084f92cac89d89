"""The one error of this stage: a file or a paste that cannot be read as recipients at all. One bad row is never an error."""

from dataclasses import replace

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

    def for_program(self, field: str) -> Problem:
        """The same, where there is no page on which to choose: the sentence names what to give."""
        way_out = {
            "hidden_rows": " Give hidden_rows: leave_out or include.",
            "heading_row": " Give heading_row.",
        }
        problem = self.problem_of(field)
        return replace(problem, text=problem.text + way_out.get(problem.field, ""))
