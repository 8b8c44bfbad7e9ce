"""Prior authorizations."""

from carelab.fhir.tables.engine import Subject

AUTHORIZATION = Subject("authorization", columns={}, tables={})
