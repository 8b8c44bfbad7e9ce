"""Does a resource make sense? Our own rules for what the schema lets pass; one resource at a time, or a whole feed."""

from carelab.fhir.meaning.check import check, check_feed, gather
from carelab.fhir.meaning.rules import RULES, Index, Problem, Rule

__all__ = ["RULES", "Index", "Problem", "Rule", "check", "check_feed", "gather"]
