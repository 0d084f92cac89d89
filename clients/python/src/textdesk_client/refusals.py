"""What Textdesk says where it does not do what was asked."""

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to correct. `row` counts recipients from 1; `code` is one of /api/docs/codes/."""

    field: str
    code: str
    detail: str
    row: int | None = None


class Refused(Exception):
    """An answer of 400 or above. `code` is stable, str() is a sentence for people; name `request_id` where you ask for help."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        request_id: str = "",
        retry_after: str = "",
    ) -> None:
        super().__init__(detail or f"Textdesk answered {status}.")
        self.status = status
        self.code = code
        self.errors = errors
        self.request_id = request_id
        self.retry_after = retry_after


def is_away(error: Exception) -> bool:
    """Nobody answered, or something in front of Textdesk, or Textdesk itself, says that it will be back."""
    if isinstance(error, Refused):
        return error.status in (502, 503, 504)
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def raise_if_refused(response: httpx.Response) -> None:
    """A hook of the HTTP client, so that every call of the generated code raises too."""
    if response.status_code < 400:
        return
    response.read()
    try:
        said = response.json()
    except ValueError:  # from something between us and Textdesk
        said = {}
    said = said if isinstance(said, dict) else {}
    raise Refused(
        response.status_code,
        str(said.get("code") or ""),
        str(said.get("detail") or said.get("message") or ""),
        errors=tuple(_field_error(one) for one in said.get("errors") or () if isinstance(one, dict)),
        request_id=response.headers.get("Request-Id", ""),
        retry_after=response.headers.get("Retry-After", ""),
    )


def _field_error(one: dict[str, object]) -> FieldError:
    row = one.get("row")
    return FieldError(
        field=str(one.get("field") or ""),
        code=str(one.get("code") or ""),
        detail=str(one.get("detail") or ""),
        row=row if isinstance(row, int) else None,
    )
