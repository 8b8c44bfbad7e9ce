"""The seam between the trusted side of grading and a student's process: frames go in, frames come back, nothing else."""

from __future__ import annotations

from typing import Protocol


class Lost(Exception):
    """The student's process gave no usable reply: it died, took too long, or sent too much. The message is a sentence."""


class Session(Protocol):
    """One submission's process."""

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """Send a request and wait up to `timeout` seconds for its reply. Raises Lost, after which nothing more comes."""

    def close(self) -> None:
        """End the process and everything it started."""
