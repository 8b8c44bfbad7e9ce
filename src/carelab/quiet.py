"""Nothing the course starts reports its use to anybody."""

# Set before the libraries are imported. onnxruntime and mlflow report home by default; a course about patient data
# switches that off for its readers.
QUIET_ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
}
