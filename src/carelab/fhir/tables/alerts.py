"""Alerts on the wards."""

from carelab.fhir.tables.engine import Subject

ALERTS = Subject("alerts", columns={}, tables={})
