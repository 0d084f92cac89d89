"""Reading JSON bodies: strictly, and without a body that breaks the reader."""

from typing import Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from sms.webex.values import without_bom


class Json(JSONParser):
    """UTF-8 JSON. What is no JSON, what is no number and what is nested without end are ParseErrors."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        del media_type, parser_context
        try:
            return msgspec.json.decode(without_bom(stream.read()))
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise ParseError(f"The body cannot be read: {problem}.") from None
