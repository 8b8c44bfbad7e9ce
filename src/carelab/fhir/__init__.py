"""FHIR R4 at work: read it, check its shape and its meaning, quarantine what is bad, make tables of it.

>>> from carelab import fhir
>>> fhir.report("export/")                                    # what is in it, and what is wrong
>>> clean = fhir.read("export/", quarantine="bad/", shape=True)
>>> clean.save("clean/")                                      # one NDJSON file a type
>>> fhir.standard_table("Encounter", "clean/")                # a DataFrame
"""

from carelab.fhir.feed import Feed, Tally
from carelab.fhir.meaning import check_feed
from carelab.fhir.read import read, read_ndjson
from carelab.fhir.references import check_references
from carelab.fhir.report import Report, report
from carelab.fhir.tables import TABLES, flatten
from carelab.fhir.validate import validate

__all__ = [
    "TABLES",
    "Feed",
    "Report",
    "Tally",
    "check_feed",
    "check_references",
    "flatten",
    "read",
    "read_ndjson",
    "report",
    "validate",
]
