"""Measures that several areas use on the built world."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score


def auc(outcome: pd.Series, score: pd.Series | np.ndarray) -> float:
    """Area under the ROC curve of a score for an outcome (0 or 1)."""
    return float(roc_auc_score(outcome, score))
