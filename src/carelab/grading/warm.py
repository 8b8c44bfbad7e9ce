"""Let libraries load what they otherwise load at their first use, once for all forks."""

import importlib
import sys


def warm() -> None:
    """To be called when the provided cells have run: what they imported is used once, on next to nothing."""
    if "matplotlib.pyplot" in sys.modules:
        importlib.import_module("matplotlib.backends.backend_agg")
    if "sklearn.linear_model" in sys.modules:
        import pandas as pd
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import roc_auc_score

        table = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
        roc_auc_score([0, 0, 1, 1], LogisticRegression().fit(table, [0, 0, 1, 1]).predict_proba(table)[:, 1])
