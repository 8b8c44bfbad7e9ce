"""Patients' messages and discharge summaries: text whose truth is known."""
