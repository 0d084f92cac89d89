"""The log as the product writes it."""

import io
import logging
from contextlib import contextmanager

from portal.logs import logging_config


@contextmanager
def written_log(style: str):
    """The lines of the log stream, `console` or `json`."""
    config = logging_config(style, debug=True)
    lines = io.StringIO()
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    handler.setStream(lines)
    try:
        yield lines
    finally:
        logging_config("console", debug=False)
        assert config
