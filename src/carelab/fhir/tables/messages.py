"""Messages and documents."""

from carelab.fhir.tables.engine import Subject

MESSAGES = Subject("messages", columns={}, tables={})
