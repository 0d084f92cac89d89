"""Why a saved audience cannot be stored, changed or read."""

from sms.values.problems import ProblemError


class SavedError(ProblemError):
    """It cannot be stored as it stands; nothing was. `field` is the form's: name, file or audience."""
