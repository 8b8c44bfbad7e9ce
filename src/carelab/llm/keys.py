"""Keys come from the environment and go to their provider, nowhere else: what looks like one, and keeping it out of logs.

The clients hide the headers they know of; a provider that repeats the key in its error, and botocore's own log of the
request, are not covered by that. So every log record of the process is looked at before a handler sees it.
"""

from __future__ import annotations

import logging
import os
import re
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


# What keys look like, each behind a mark of its own, so that a hash or a cell's id is none, and so that a large text is
# searched fast. Keys made up for tests begin with sk-planted.
_LOOKS: dict[str, str] = {
    "sk-": r"sk-(?!planted)(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, gateways like them
    "JQQJ99": r"JQQJ99[A-Za-z0-9]{26}(?![A-Za-z0-9])",  # Azure, in the middle of the key
    "AKIA": r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS, lasting
    "ASIA": r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS, for hours
    "ABSK": r"ABSK[A-Za-z0-9+/]{60,}",  # Bedrock
    "lsv2_": r"lsv2_(?:pt|sk)_[0-9a-f]{32}",  # LangSmith
    "ghp_": r"ghp_[A-Za-z0-9]{36}",  # GitHub
    "github_pat_": r"github_pat_[A-Za-z0-9_]{60,}",
    "hf_": r"hf_[A-Za-z]{34}(?![A-Za-z0-9])",  # Hugging Face
    "AIza": r"AIza[A-Za-z0-9_-]{35}",  # Google
    "-----BEGIN": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
}
_LOOK = {mark: re.compile(pattern) for mark, pattern in _LOOKS.items()}
# Azure's older keys are hex digits and nothing more, so one is known by the name it is given.
_NAMES = ("api_key", "api-key", "apikey", "ad_token", "access_key", "session_token", "authorization")
_NAMED = re.compile(
    rf"(?:{'|'.join(_NAMES)})"
    r"""\\?["']?\s*[:=]\s*\\?["'](?:bearer )?(?!sk-planted)(?=[a-z_+/=-]*[0-9])[a-z0-9_+/=-]{20,}"""
)


def find_keys(text: str) -> list[str]:
    """What looks like somebody's key in a text, such as a notebook or a recording: the first 8 characters of each."""
    found = []
    for mark, pattern in _LOOK.items():
        if mark in text:
            inside = mark == "JQQJ99"
            starts = (match.start() for match in pattern.finditer(text))
            found += [start for start in starts if inside or not text[start - 1 : start].isalnum()]
    small = text.lower()
    if any(name in small for name in _NAMES):
        named = (match.start() for match in _NAMED.finditer(small))
        found += [start for start in named if not any(start < other < start + 40 for other in found)]
    return [text[start : start + 8] + "…" for start in sorted(found)]


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
