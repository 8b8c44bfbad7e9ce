"""Deterioration alerts on the wards, and what clinicians do with them."""
