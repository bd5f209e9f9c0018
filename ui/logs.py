"""What the server says of itself: one JSON object a line on standard error, without what people ask or upload."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import Any

__all__ = ["JsonLines", "event", "set_up"]

_log = logging.getLogger("ui.events")


def event(name: str, **fields: Any) -> None:
    """Log that something happened. `fields` are numbers, short words and None; never a text of a person."""
    _log.info(name, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, event, and its fields.

    An exception is told by its type and where it came from; what it says may hold a text of a person, so that is left
    out but with `messages`.
    """

    def __init__(self, *, messages: bool = False) -> None:
        super().__init__()
        self._messages = messages

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if record.name != _log.name:
            said["logger"] = record.name
        said.update(getattr(record, "fields", {}))
        if record.exc_info is not None and record.exc_info[1] is not None:
            error = record.exc_info[1]
            said["error"] = type(error).__name__
            if self._messages:
                said["message"] = str(error)
            said["at"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(said, ensure_ascii=False, default=str)


def set_up(*, messages: bool) -> None:
    """Send everything this process logs to standard error as JSON lines: our events, and warnings of the libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(messages=messages))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _log.setLevel(logging.INFO)
    logging.captureWarnings(True)
