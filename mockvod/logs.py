"""The log on standard error, as text or JSON lines. Secrets in URLs are redacted."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final, Literal

from mockvod.redaction import redacted

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _Text(logging.Formatter):
    """One line per message: text of a client must not look like another line. A traceback follows unchanged."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), super().formatMessage(record))


class _Json(logging.Formatter):
    """One JSON object per line: `time`, `level`, `logger`, `message`, `traceback` of an exception.

    The live log adds fields of its own, such as `what` and `events`.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redacted(json.dumps(line, ensure_ascii=False, default=str))


def configure(form: Literal["text", "json"], level: str) -> None:
    """Log everything of *level* and above in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def access_logger() -> logging.Logger:
    """The logger of requests. Its records are redacted for every handler, also if an application embeds the server."""
    logger = logging.getLogger("mockvod.access")
    logger.addFilter(_redact)
    return logger


def _redact(record: logging.LogRecord) -> bool:
    record.msg, record.args = redacted(record.getMessage()), ()
    for name in ("first_request_line", "request_header"):  # aiohttp adds the parts of the message
        vars(record).pop(name, None)
    return True
