"""FHIR R4: read it, check its shape and its references, make tables of it."""

from carelab.fhir.read import read_ndjson
from carelab.fhir.references import check_references
from carelab.fhir.tables import TABLES, flatten
from carelab.fhir.validate import validate

__all__ = ["TABLES", "check_references", "flatten", "read_ndjson", "validate"]
