"""Keys come from the environment and go to their provider, nowhere else: what counts as one, and keeping it out of logs.

The clients hide the headers they know of; a provider that repeats the key in its error, and botocore's own log of the
request, are not covered by that. So every log record of the process is looked at before a handler sees it.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from typing import Any

# Environment variables whose value lets somebody else act in the reader's name.
SECRET_VARIABLES = (
    "OPENAI_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "OLLAMA_API_KEY",
    "LANGSMITH_API_KEY",
    "LANGSMITH_GATEWAY_API_KEY",
)
HIDDEN = "<key>"
_SHORTEST = 8  # a shorter value, such as "x" for a server that asks for none, would hide half of every text


def secrets() -> list[str]:
    """The values of the key variables that are set, longest first; read anew, as a notebook may set them at any time."""
    values = {os.environ.get(name, "").strip() for name in SECRET_VARIABLES}
    return sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)


def redact(text: str) -> str:
    """The text with every key of the environment replaced by `<key>`."""
    for secret in secrets():
        text = text.replace(secret, HIDDEN)
    return text


class _CleanRecords:
    """A maker of log records that asks the one before it, and hides keys in what that made."""

    def __init__(self, before: Callable[..., logging.LogRecord]) -> None:
        self.before = before

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.before(*args, **kwargs)
        hidden = secrets()
        if not hidden:
            return record
        try:
            message = record.getMessage()
        except Exception:  # a log call with the wrong arguments is reported by its handler, as always
            return record
        if any(secret in message for secret in hidden):
            record.msg, record.args = redact(message), None
        if record.exc_info and record.exc_info[0]:
            text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if any(secret in text for secret in hidden):
                record.exc_text, record.exc_info = redact(text), None
        return record


def guard_logs() -> None:
    """Hide the keys of the environment in every log record from now on; calling it again changes nothing."""
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _CleanRecords):
        logging.setLogRecordFactory(_CleanRecords(factory))
