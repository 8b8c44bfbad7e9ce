"""Nothing in the data may need somebody's licence, or reach a real person: every file, every text inside a file.

Each check is a function from a JSON node or a text to what it found; each has a case below that must fail.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest

from carelab.paths import DATA, ROOT

# Systems of codes that may be passed on; THO, FHIR and the course's own by their beginning.
SYSTEMS = {
    "http://hl7.org/fhir/sid/icd-10-cm", "http://www.cms.gov/Medicare/Coding/ICD10",
    "http://hl7.org/fhir/sid/icd-10-pcs", "http://hl7.org/fhir/sid/cvx", "http://hl7.org/fhir/sid/ndc",
    "http://loinc.org", "http://unitsofmeasure.org", "http://www.nlm.nih.gov/research/umls/rxnorm",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://terminology.hl7.org/CodeSystem/hcpcs-Level-II", "urn:ietf:bcp:47", "urn:ietf:bcp:13", "urn:ietf:rfc:3986",
    "urn:oid:2.16.840.1.113883.6.238", "urn:iso:std:iso:3166",
}  # fmt: skip
PREFIXES = (
    "https://example.org/fhir/CodeSystem/", "http://terminology.hl7.org/CodeSystem/", "http://hl7.org/fhir/",
)  # fmt: skip
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"  # its codes are plain numbers, some of five digits
HOSTS = (
    "example.org", "hl7.org", "loinc.org", "unitsofmeasure.org", "nlm.nih.gov", "cms.gov", "mlcommons.org", "schema.org",
    "purl.org", "creativecommons.org", "w3.org", "cdc.gov",
)  # fmt: skip
FORBIDDEN = re.compile(
    r"snomed\.info|ama-assn|www\.ada\.org|x12\.org|nubc\.org|nucc\.org|/nubc|/nucc|codesystem/(?:carc|rarc)\b"
    r"|claim-adjustment-reason|remittance-advice|2\.16\.840\.1\.113883\.6\.(?:96|12|13|301|101)\b",
    re.IGNORECASE,
)
PROCEDURE = r"(?:\d{5}|\d{4}[FTU]|D\d{4})"  # the form of CPT and CDT codes
SAID = re.compile(  # such a code in a text: named as one, or in the place of one in an HL7 v2 or X12 segment
    rf"\b(?:CPT|CDT|procedure|service|billing)(?:[- ]?4)?(?: codes?| no\.?)?\s*[:#(=]?\s*{PROCEDURE}\b"
    rf"|\bHC:{PROCEDURE}\b|\bAD:D\d{{4}}\b|{PROCEDURE}\^[^|\r\n^]*\^(?:C4|C5|CPT|CDT|CD2)\b",
    re.IGNORECASE,
)
PHONE = re.compile(r"(?<![\w.-])(?:\(?\d{3}\)?[-. ])?\d{3}[-.]\d{4}(?![\w.-])")
SOCIAL = re.compile(r"(?<![\w-])(\d{3})-\d{2}-\d{4}(?![\w-])")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
NPI = re.compile(r"\bXX\*(\d{10})\b|(?<!\d)(\d{10})(?=\^[^|\r\n]*\bNPI\b)")
ZIP = re.compile(r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b|\bZIP(?: code)?:? \d{5}\b")
URL = re.compile(r"https?://([\w.-]+)", re.IGNORECASE)


def bad_codes(node: Any) -> Iterator[str]:
    """Codings of other systems than those allowed, and codes in the form of a procedure code, in a JSON node."""
    if isinstance(node, dict):
        system, code = node.get("system"), node.get("code")
        if isinstance(code, str) and "resourceType" not in node:
            known = system in SYSTEMS or str(system).startswith(PREFIXES)
            if not known or (re.fullmatch(PROCEDURE, code) and system != RXNORM):
                yield f"{system}|{code}"
        for child in node.values():
            yield from bad_codes(child)
    elif isinstance(node, list):
        for child in node:
            yield from bad_codes(child)


def bad_identity(node: Any) -> Iterator[str]:
    """Clinician numbers that could be somebody's, and addresses closer than three digits of a ZIP code."""
    if isinstance(node, dict):
        number = str(node.get("value", ""))
        if str(node.get("system", "")).endswith("us-npi") and not re.fullmatch(r"9\d{9}", number):
            yield f"NPI {number}"
        if node.get("system") == "phone" and not re.fullmatch(r"(?:\+?1[-. ])?(?:\(?\d{3}\)?[-. ])?555-01\d\d", number):
            yield f"phone {number}"
        if (code := node.get("postalCode")) is not None and not re.fullmatch(r"\d{3}", str(code)):
            yield f"postal code {code}"
        for child in node.values():
            yield from bad_identity(child)
    elif isinstance(node, list):
        for child in node:
            yield from bad_identity(child)


def bad_text(text: str) -> Iterator[str]:
    """Names of licensed systems, procedure codes, and what could reach or name a real person, in a text."""
    yield from (found.group() for found in FORBIDDEN.finditer(text))
    yield from (found.group() for found in SAID.finditer(text))
    yield from (found.group() for found in PHONE.finditer(text) if not re.search(r"555[-.]01\d\d$", found.group()))
    yield from (found.group() for found in SOCIAL.finditer(text) if not re.match("000|666|9", found.group(1)))
    yield from (found.group() for found in MAIL.finditer(text) if not found.group().lower().endswith("@example.org"))
    yield from (found.group() for found in NPI.finditer(text) if not (found.group(1) or found.group(2)).startswith("9"))
    yield from (found.group() for found in ZIP.finditer(text))
    for found in URL.finditer(text):
        host = found.group(1).lower()
        if not any(host == allowed or host.endswith(f".{allowed}") for allowed in HOSTS):
            yield found.group()


def texts(node: Any) -> Iterator[str]:
    """Every text in a JSON node; of an attachment, what its base64 holds."""
    if isinstance(node, dict):
        for key, child in node.items():
            if key == "data" and isinstance(child, str):
                try:
                    yield base64.b64decode(child, validate=True).decode()
                    continue
                except (binascii.Error, UnicodeDecodeError):
                    pass
            yield from texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from texts(child)
    elif isinstance(node, str):
        yield node


def parsed(path: Path) -> Iterator[Any]:
    """JSON values of a file; a line that is broken on purpose counts as text."""
    lines = [path.read_bytes()] if path.suffix == ".json" else path.read_bytes().splitlines()
    for line in lines:
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            yield line.decode(errors="replace")


def table_texts(path: Path) -> Iterator[str]:
    """Every different text in a table."""
    frame = pd.read_parquet(path)
    for column in frame.columns:
        if frame[column].dtype == object:
            yield from {value for value in frame[column] if isinstance(value, str)}


def problems(path: Path) -> list[str]:
    """What is wrong with a file of the data."""
    if path.suffix in {".json", ".ndjson"}:
        nodes = list(parsed(path))
        found = [p for node in nodes for check in (bad_codes, bad_identity) for p in check(node)]
        return found + [p for node in nodes for text in set(texts(node)) for p in bad_text(text)]
    if path.suffix == ".parquet":
        return [p for text in table_texts(path) for p in bad_text(text)]
    return list(bad_text(path.read_text(encoding="utf-8", errors="replace")))


# What programs of the world write about it, with links of its own or names of those whose codes are absent.
ABOUT = {"croissant.json", "MANIFEST.json", "traps.json", "ceilings.json"}
FILES = sorted(path for path in DATA.rglob("*") if path.is_file() and path.name not in ABOUT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DATA).as_posix())
def test_nothing_needs_a_licence_or_reaches_anybody(path: Path) -> None:
    assert problems(path)[:5] == []


def test_clinician_numbers_of_the_tables_belong_to_nobody() -> None:
    npi = pd.read_parquet(DATA / "tables" / "practitioners.parquet")["npi"]
    assert npi.str.fullmatch(r"9\d{9}").all()
    assert pd.read_parquet(DATA / "tables" / "patients.parquet")["zip3"].str.fullmatch(r"\d{3}").all()


def coding(system: str | None, code: str) -> dict[str, Any]:
    return {"code": {"coding": [{"system": system, "code": code} if system else {"code": code}]}}


HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
OWN = "https://example.org/fhir/CodeSystem/course-service"


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (bad_codes, coding("http://snomed.info/sct", "44054006")),
        (bad_codes, coding("http://www.ama-assn.org/go/cpt", "99213")),
        (bad_codes, coding(OWN, "99213")),
        (bad_codes, coding(OWN, "0001U")),
        (bad_codes, coding(HCPCS, "D0120")),
        (bad_codes, coding("http://www.ada.org/cdt", "D0120")),
        (bad_codes, coding("https://codesystem.x12.org/005010/1034", "CO-45")),
        (bad_codes, coding("http://nucc.org/provider-taxonomy", "207Q00000X")),
        (bad_codes, coding("https://www.nubc.org/CodeSystem/RevenueCodes", "0450")),
        (bad_codes, coding(None, "office-visit")),
        (bad_identity, {"identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}]}),
        (bad_identity, {"telecom": [{"system": "phone", "value": "608-262-1234"}]}),
        (bad_identity, {"address": [{"postalCode": "53703"}]}),
        (bad_text, "see http://snomed.info/sct"),
        (bad_text, "urn:oid:2.16.840.1.113883.6.96"),
        (bad_text, "https://x12.org/codes/claim-adjustment-reason-codes"),
        (bad_text, "billed as CPT 99213"),
        (bad_text, "CPT-4 code: 70551"),
        (bad_text, "SV1*HC:99213*120*UN*1~"),
        (bad_text, "SV3*AD:D0120*60~"),
        (bad_text, "FT1|1|||20260101|||||99213^OFFICE VISIT^C4|"),
        (bad_text, "call 608-262-1234"),
        (bad_text, "call (608) 262-1234 today"),
        (bad_text, "SSN 123-45-6789"),
        (bad_text, "mail jane@hospital.com"),
        (bad_text, "NM1*82*1*DOE*JANE****XX*1234567893~"),
        (bad_text, "PV1|1|I|||||1234567893^Doe^Jane^^^^^^NPI|"),
        (bad_text, "Port Ansgar, WI 53703"),
        (bad_text, "https://www.nucc-codes.com"),
    ],
)  # fmt: skip
def test_each_check_can_fail(check: Callable[[Any], Iterator[str]], bad: Any) -> None:
    assert list(check(bad))


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (bad_codes, coding(RXNORM, "29046")),
        (bad_codes, coding(HCPCS, "E0601")),
        (bad_codes, coding("http://hl7.org/fhir/sid/icd-10-cm", "D64.9")),
        (bad_codes, coding("http://loinc.org", "2160-0")),
        (bad_identity, {"telecom": [{"system": "phone", "value": "555-0142"}]}),
        (bad_text, "White cells 10500 per uL; call 555-0142 or 414-555-0142, j.doe@example.org, SSN 900-12-3456."),
        (bad_text, "SV1*HC:E0601*120*UN*1~NM1*82*1*DOE*JANE****XX*9000010003~"),
        (bad_text, "2026-06-30T20:00:00-0500"),
    ],
)
def test_no_check_cries_wolf(check: Callable[[Any], Iterator[str]], good: Any) -> None:
    assert list(check(good)) == []


def test_what_is_packed_away_is_looked_at_too(tmp_path: Path) -> None:
    note = base64.b64encode(b"Billed as CPT 99213.").decode()
    path = tmp_path / "DocumentReference.ndjson"
    path.write_bytes(orjson.dumps({"content": [{"attachment": {"data": note}}]}))
    assert problems(path) == ["CPT 99213"]
    table = tmp_path / "t.parquet"
    pd.DataFrame({"note": ["Billed as CPT 99213."]}).to_parquet(table)
    assert problems(table) == ["CPT 99213"]


@pytest.mark.parametrize("name", ["LOINC", "UCUM"])
def test_the_notices_are_there(name: str) -> None:
    text = (ROOT / "LICENSE-CONTENT.md").read_text(encoding="utf-8")
    assert f"**{name}.**" in text
    assert "available at no cost under the license at http://loinc.org/license" in " ".join(text.split())
