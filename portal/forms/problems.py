"""Problems of the domain at the fields of a form. The code stays with each, for scripts and tests."""

from collections.abc import Iterable, Mapping

from django import forms

from sms.values.problems import Problem
from sms.words import retold


def add_problems(
    form: forms.BaseForm, problems: Iterable[Problem], *, names: Mapping[str, str] | None = None
) -> None:
    """Each at the field that corrects it, of the whole form where it has no such field. `names`: what the form calls some fields."""
    for problem in problems:
        name = (names or {}).get(problem.field, problem.field)
        error = forms.ValidationError(retold(problem.text), code=problem.code)
        form.add_error(name if name in form.fields else None, error)
