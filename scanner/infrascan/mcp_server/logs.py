"""What the server itself says, on standard error: one line each, without secrets."""

from __future__ import annotations

import logging
import sys

from infrascan import redact


class Redacted(logging.Formatter):
    """Passes each record, its traceback too, through redaction."""

    def format(self, record: logging.LogRecord) -> str:
        return redact.text(super().format(record))


def set_up() -> None:
    """Take the place of what the SDK would set up, which prints tracebacks as they are."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacted("infrascan: %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
