"""Truth that an area derives from the finished folder, written as the panels' own is."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def write_truth(frame: pd.DataFrame, path: Path) -> None:
    """A frame as Parquet, with times in microseconds and without pandas' notes, which change with its version."""
    times = {name: "datetime64[us]" for name in frame.columns if pd.api.types.is_datetime64_dtype(frame[name])}
    table = pa.Table.from_pandas(frame.astype(times), preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", compression_level=12)
