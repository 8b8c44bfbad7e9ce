"""Nothing the course starts reports its use to anybody, or takes a core for waiting."""

import os
import sys

# Set before the libraries are imported. onnxruntime and mlflow report home by default; a course about patient data
# switches that off for its readers.
QUIET_ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
    # llama.cpp's threads spin while they wait; on busy cores one short answer took minutes.
    "OMP_WAIT_POLICY": "PASSIVE",
}

# Where results must be the same everywhere, no model answers that is not the course's own: builds, checks, grading.
RECORDED_ONLY = {"CARELAB_LLM": "recorded", "CARELAB_EMBEDDINGS": "minilm-l6-v2-int8"}


def hush() -> None:
    """Set what is not set yet, for a process that the course did not start; before the libraries are imported."""
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def without_grammars() -> None:
    """Spare a command the 2 s in which a package compiles grammars of web addresses, for a check that no notebook needs."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
