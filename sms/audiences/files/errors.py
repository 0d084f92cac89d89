"""The one error of this stage: a file or a paste that cannot be read as recipients at all. One bad row is never an error."""

from sms.values.problems import Problem, ProblemCode, ProblemError


class AudienceError(ProblemError):
    """Nothing could be read. `field` is `column` where another column has to be chosen, `audience` otherwise."""

    def __init__(self, code: ProblemCode, text: str) -> None:
        is_column = code in (ProblemCode.NO_COLUMN, ProblemCode.UNKNOWN_COLUMN)
        super().__init__(code, text, field="column" if is_column else "audience")

    def problem_of(self, field: str) -> Problem:
        """At the column where that is wrong, otherwise at `field`, which the rows came in."""
        return self.problem if self.field == "column" else self.problem.at(field)
