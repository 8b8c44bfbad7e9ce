"""What every section of `world.toml` is made of."""

from pydantic import BaseModel, ConfigDict

Shares = dict[str, float]
Band = tuple[float, float]


class Section(BaseModel):
    """A section of the file: unknown or missing keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")
