"""The one error of this stage: a file or a paste that cannot be read as recipients at all.

One bad row is never an error, it is a `Reject`. Codes, for tests and for pages that want to point somewhere:

    empty · not_a_spreadsheet · archive · unreadable · protected · zip_bomb · too_large · too_many_rows · too_many_cells
    broken_quotes · no_column · unknown_column
"""


class AudienceError(ValueError):
    """Nothing could be read. `code` says which case, str() is a sentence for a person that names the way out."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
