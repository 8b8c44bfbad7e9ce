"""What one submission may use."""

import json
from dataclasses import asdict, dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits of one submission's process and everything it starts. Sizes are in bytes."""

    memory: int = 1536 * MIB  # on top of what the imports and provided cells already hold
    processes: int = 64  # threads count too
    open_files: int = 256
    file_size: int = 256 * MIB
    scratch: int = 256 * MIB  # of each writable place: /tmp, home with the work folder, shared memory
    cpu_seconds: int = 300  # of each process
    frame: int = 64 * MIB  # of one request or reply

    def dump(self) -> str:
        """As text, for the process that enforces them."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Limits":
        """The limits that `dump` wrote."""
        return cls(**json.loads(text))
