"""Why a saved audience cannot be stored, changed or read."""


class SavedError(ValueError):
    """It cannot be stored as it stands; nothing was. `field` is the form's: name, file or audience."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
