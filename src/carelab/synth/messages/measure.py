"""What calibration and traps of the texts read: the built tables with their truth."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from carelab.synth.config import World
from carelab.synth.prose import repetition

TABLES = ("messages", "documents", "patients", "medications", "diagnoses", "labs", "allergies")
TRUTH = ("message_labels", "message_spans", "document_spans", "summary_facts", "summary_flaws")


@dataclass(frozen=True)
class Data:
    """The texts, what else is known of the stays they are about, and the truth.

    messages: the learners' table with its labels. medications, diagnoses, labs: of the stays that have a summary.
    """

    world: World
    messages: pd.DataFrame
    documents: pd.DataFrame
    patients: pd.DataFrame
    medications: pd.DataFrame
    diagnoses: pd.DataFrame
    labs: pd.DataFrame
    allergies: pd.DataFrame
    message_spans: pd.DataFrame
    document_spans: pd.DataFrame
    facts: pd.DataFrame
    flaws: pd.DataFrame

    @cached_property
    def spans(self) -> pd.DataFrame:
        """All spans, with text_id."""
        return pd.concat(
            [
                self.message_spans.rename(columns={"message_id": "text_id"}),
                self.document_spans.rename(columns={"document_id": "text_id"}),
            ],
            ignore_index=True,
        )

    @cached_property
    def texts(self) -> pd.Series:
        """All texts, by text_id."""
        messages = self.messages.set_index("message_id")["text"]
        every: pd.Series = pd.concat([messages, self.documents.set_index("document_id")["text"]])
        return every

    @cached_property
    def message_repetition(self) -> dict[str, float]:
        """How much the messages repeat one another."""
        return repetition(list(self.messages["text"]))

    @cached_property
    def summary_repetition(self) -> dict[str, float]:
        """How much the summaries repeat one another."""
        return repetition(list(self.documents["text"]))


def load(folder: Path, world: World) -> Data:
    """Read a built world's tables and truth."""
    table = {name: pd.read_parquet(folder / "tables" / f"{name}.parquet") for name in TABLES}
    truth = {name: pd.read_parquet(folder / "truth" / f"{name}.parquet") for name in TRUTH}
    stays = set(table["documents"]["stay_id"])
    about = {
        name: table[name][table[name]["stay_id"].isin(stays)].reset_index(drop=True)
        for name in ("medications", "diagnoses", "labs")
    }
    messages = table["messages"].merge(truth["message_labels"], on="message_id", validate="1:1")
    return Data(
        world, messages, table["documents"], table["patients"], about["medications"], about["diagnoses"], about["labs"],
        table["allergies"], truth["message_spans"], truth["document_spans"], truth["summary_facts"], truth["summary_flaws"],
    )  # fmt: skip
