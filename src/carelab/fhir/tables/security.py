"""The audit log."""

from carelab.fhir.tables.engine import Subject

SECURITY = Subject("security", columns={}, tables={})
