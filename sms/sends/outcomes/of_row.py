"""Which outcome a rejected row has."""

from sms.sends.outcomes.table import DeliveryOutcome, outcome
from sms.values.problems import ProblemCode
from sms.words import retold

_NAMES = {
    ProblemCode.OPTED_OUT: "left_out_opted_out",
    ProblemCode.DUPLICATE: "left_out_duplicate",
    ProblemCode.LEFT_OUT: "left_out_kind",
    ProblemCode.NUMBER_CAP: "left_out_number_cap",
    ProblemCode.COUNTRY_NOT_ALLOWED: "left_out_country",
    ProblemCode.SENDER_REFUSED: "left_out_sender",
    **dict.fromkeys(
        (
            *(ProblemCode.EMPTY, ProblemCode.NOT_A_NUMBER, ProblemCode.TOO_SHORT, ProblemCode.TOO_LONG),
            *(ProblemCode.IMPOSSIBLE, ProblemCode.NO_COUNTRY, ProblemCode.PREMIUM, ProblemCode.SHORTENED),
            *(ProblemCode.TWO_NUMBERS, ProblemCode.FORMULA, ProblemCode.FORMULA_ERROR, ProblemCode.DATE),
        ),
        "left_out_bad_number",
    ),
}


def outcome_of_row(code: str, *, reason: str) -> DeliveryOutcome:
    """Of the code and the reason that are stored with it."""
    return outcome(_NAMES.get(code, "left_out_row"), said={"because": retold(reason)})  # type: ignore[call-overload]
