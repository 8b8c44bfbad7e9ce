"""Stays in the hospitals."""

from carelab.fhir.tables.engine import Subject

READMISSION = Subject("readmission", columns={}, tables={})
