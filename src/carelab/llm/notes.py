"""What a recording run notes while it goes on: each request that was sent, with the answer that belongs to it.

A run of this kind is known by the environment variable CARELAB_RECORD, a folder. `carelab.build.record` starts it and
makes the recordings from the notes when it has come to its end; interrupted, the notes serve the next run.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

from carelab.llm.catalogue import OpenWeights
from carelab.llm.recordings import Body, Recording, key

FOLDER, ALL, ASKER = "CARELAB_RECORD", "CARELAB_RECORD_ALL", "CARELAB_RECORD_FOR"


class Notes:
    """The notes of all processes of a recording run: one file a process, a line for each request."""

    def __init__(self, folder: Path, again: bool = False, asker: str = ""):
        """`again`: ask the live model even for what is recorded. `asker`: the notebook that is running."""
        self.folder, self.again, self.asker = folder, again, asker

    @classmethod
    def of_this_run(cls) -> Notes | None:
        """The notes to write to, or None outside a recording run."""
        folder = os.environ.get(FOLDER)
        return cls(Path(folder), os.environ.get(ALL) == "1", os.environ.get(ASKER, "")) if folder else None

    def known(self, model: OpenWeights, asked: Body, recorded: Recording | None) -> Recording | None:
        """The answer to use again: one this run has, or the recorded one unless all are asked again. It is noted."""
        mine = next((entry for entry in self.entries(model) if entry.key == key(asked)), None)
        found = mine or (None if self.again else recorded)
        if found:
            self._note(model, found)
        return found

    def keep(self, model: OpenWeights, asked: Body, response: Body, seconds: float) -> None:
        """Note a live answer."""
        kept = {name: response[name] for name in ("choices", "usage", "object")}
        self._note(model, Recording(key(asked), date.today().isoformat(), seconds, (), asked, kept))

    def entries(self, model: OpenWeights) -> list[Recording]:
        """Everything noted for `model` by any process."""
        paths = sorted(self.folder.glob(f"{model.name}.*.jsonl"))
        return [Recording.from_line(line) for path in paths for line in path.read_bytes().splitlines(keepends=True)
                if line.endswith(b"\n")]  # a process that was killed may have left half a line  # fmt: skip

    def _note(self, model: OpenWeights, entry: Recording) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{model.name}.{os.getpid()}.jsonl"
        with path.open("ab") as notes:
            notes.write(replace(entry, asked_by=(self.asker,)).line())
