"""Flat tables of anybody's FHIR R4: one row a resource, the columns an analyst asks for first.

Unlike the subjects of Lakeshore Health these know nothing of the sender: references may be `Type/id`, `urn:uuid:` or
full addresses, times may be partial. A column `..._id` holds the id at the end of a reference. A column `..._utc` is an
instant in UTC; a date without a time counts as its first instant, a year as its first day, and what was written stands in
the column without `_utc` beside it where dates are often partial. The first code of a concept is taken.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from carelab.errors import UserError
from carelab.fhir.read import read
from carelab.fhir.scan import fhir_files
from carelab.fhir.tables.engine import US_CORE

_MACROS = r"""
create or replace macro target(reference) as
    case when reference like '#%' then null when reference like 'urn:%' then split_part(reference, ':', -1)
         else split_part(split_part(reference, '/_history/', 1), '/', -1) end;
create or replace macro instant(text) as
    case when length(text) > 10 then timezone('UTC', try_cast(text as timestamptz))
         when length(text) = 10 then try_cast(text as timestamp)
         else try_cast(left(text || '-01-01', 10) as timestamp) end;
create or replace macro code_of(concept) as concept.coding[1].code;
create or replace macro system_of(concept) as concept.coding[1].system;
create or replace macro name_of(concept) as coalesce(concept.text, concept.coding[1].display);
create or replace macro part(extensions, address) as
    coalesce(list_filter(list_filter(extensions, lambda e: e.url = address)[1].extension, lambda e: e.url = 'text')[1].valueString,
             list_filter(list_filter(extensions, lambda e: e.url = address)[1].extension,
                         lambda e: e.url = 'ombCategory')[1].valueCoding.display);
"""

_CODING = "struct(system varchar, code varchar, display varchar)"
_CONCEPT = f"struct(coding {_CODING}[], text varchar)"
_REF = "struct(reference varchar, display varchar)"
_PERIOD = 'struct("start" varchar, "end" varchar)'
_QUANTITY = 'struct("value" double, comparator varchar, unit varchar, code varchar)'
_MONEY = 'struct("value" double, currency varchar)'
_NAME = "struct(use varchar, family varchar, given varchar[], text varchar)[]"
_IDENTIFIER = f'struct(system varchar, "value" varchar, type {_CONCEPT})[]'
_ADDRESS = "struct(line varchar[], city varchar, state varchar, postalCode varchar, country varchar)"
_TELECOM = 'struct(system varchar, "value" varchar)[]'

# Resource type -> the elements that are read, with their types.
COLUMNS: dict[str, dict[str, str]] = {
    "Patient": {
        "identifier": _IDENTIFIER, "active": "boolean", "name": _NAME, "telecom": _TELECOM, "gender": "varchar",
        "birthDate": "varchar", "deceasedBoolean": "boolean", "deceasedDateTime": "varchar", "address": f"{_ADDRESS}[]",
        "maritalStatus": _CONCEPT, "communication": f"struct(language {_CONCEPT})[]",
        "extension": f"struct(url varchar, extension struct(url varchar, valueString varchar, valueCoding {_CODING})[])[]",
    },
    "Encounter": {
        "status": "varchar", "class": _CODING, "type": f"{_CONCEPT}[]", "subject": _REF, "period": _PERIOD,
        "participant": f"struct(individual {_REF})[]", "reasonCode": f"{_CONCEPT}[]", "serviceProvider": _REF,
        "hospitalization": f"struct(admitSource {_CONCEPT}, dischargeDisposition {_CONCEPT})",
    },
    "Condition": {
        "clinicalStatus": _CONCEPT, "verificationStatus": _CONCEPT, "category": f"{_CONCEPT}[]", "code": _CONCEPT,
        "subject": _REF, "encounter": _REF, "onsetDateTime": "varchar", "abatementDateTime": "varchar",
        "recordedDate": "varchar",
    },
    "Observation": {
        "status": "varchar", "category": f"{_CONCEPT}[]", "code": _CONCEPT, "subject": _REF, "encounter": _REF,
        "effectiveDateTime": "varchar", "effectivePeriod": _PERIOD, "effectiveInstant": "varchar", "issued": "varchar",
        "valueQuantity": _QUANTITY, "valueCodeableConcept": _CONCEPT, "valueString": "varchar", "valueBoolean": "boolean",
        "valueInteger": "bigint", "valueDateTime": "varchar", "dataAbsentReason": _CONCEPT,
        "interpretation": f"{_CONCEPT}[]",
        "component": f"struct(code {_CONCEPT}, valueQuantity {_QUANTITY}, valueCodeableConcept {_CONCEPT})[]",
    },
    "MedicationRequest": {
        "status": "varchar", "intent": "varchar", "medicationCodeableConcept": _CONCEPT, "medicationReference": _REF,
        "subject": _REF, "encounter": _REF, "authoredOn": "varchar", "requester": _REF,
        "dosageInstruction": "struct(text varchar)[]",
    },
    "Procedure": {
        "status": "varchar", "code": _CONCEPT, "subject": _REF, "encounter": _REF, "performedDateTime": "varchar",
        "performedPeriod": _PERIOD,
    },
    "Immunization": {
        "status": "varchar", "vaccineCode": _CONCEPT, "patient": _REF, "encounter": _REF, "occurrenceDateTime": "varchar",
        "primarySource": "boolean",
    },
    "Claim": {
        "status": "varchar", "use": "varchar", "type": _CONCEPT, "patient": _REF, "provider": _REF, "insurer": _REF,
        "created": "varchar", "billablePeriod": _PERIOD, "priority": _CONCEPT, "item": f"struct(net {_MONEY})[]",
        "insurance": f"struct(coverage {_REF})[]", "total": _MONEY,
    },
    "ExplanationOfBenefit": {
        "status": "varchar", "use": "varchar", "type": _CONCEPT, "patient": _REF, "provider": _REF, "insurer": _REF,
        "claim": _REF, "created": "varchar", "billablePeriod": _PERIOD, "outcome": "varchar",
        "item": "struct(sequence bigint)[]", "total": f"struct(category {_CONCEPT}, amount {_MONEY})[]",
        "payment": f"struct(amount {_MONEY})",
    },
    "Coverage": {
        "status": "varchar", "type": _CONCEPT, "beneficiary": _REF, "subscriberId": "varchar", "payor": f"{_REF}[]",
        "period": _PERIOD,
    },
    "AllergyIntolerance": {
        "clinicalStatus": _CONCEPT, "verificationStatus": _CONCEPT, "type": "varchar", "category": "varchar[]",
        "criticality": "varchar", "code": _CONCEPT, "patient": _REF, "recordedDate": "varchar", "onsetDateTime": "varchar",
    },
    "DiagnosticReport": {
        "status": "varchar", "category": f"{_CONCEPT}[]", "code": _CONCEPT, "subject": _REF, "encounter": _REF,
        "effectiveDateTime": "varchar", "effectivePeriod": _PERIOD, "issued": "varchar", "result": f"{_REF}[]",
        "conclusion": "varchar",
    },
    "DocumentReference": {
        "status": "varchar", "docStatus": "varchar", "type": _CONCEPT, "category": f"{_CONCEPT}[]", "subject": _REF,
        "date": "varchar", "author": f"{_REF}[]", "context": f"struct(encounter {_REF}[])",
        "content": "struct(attachment struct(contentType varchar, url varchar, title varchar))[]",
    },
    "Practitioner": {
        "identifier": _IDENTIFIER, "active": "boolean", "name": _NAME, "gender": "varchar", "address": f"{_ADDRESS}[]",
    },
    "Organization": {
        "identifier": _IDENTIFIER, "active": "boolean", "type": f"{_CONCEPT}[]", "name": "varchar", "telecom": _TELECOM,
        "address": f"{_ADDRESS}[]", "partOf": _REF,
    },
    "Location": {
        "status": "varchar", "name": "varchar", "type": f"{_CONCEPT}[]", "address": _ADDRESS, "managingOrganization": _REF,
        "partOf": _REF,
    },
    "Appointment": {
        "status": "varchar", "start": "varchar", "end": "varchar", "created": "varchar", "minutesDuration": "bigint",
        "specialty": f"{_CONCEPT}[]", "appointmentType": _CONCEPT, "cancelationReason": _CONCEPT,
        "participant": f"struct(actor {_REF})[]",
    },
    "ServiceRequest": {
        "status": "varchar", "intent": "varchar", "priority": "varchar", "code": _CONCEPT, "subject": _REF,
        "encounter": _REF, "authoredOn": "varchar", "requester": _REF,
    },
    "ClaimResponse": {
        "status": "varchar", "use": "varchar", "patient": _REF, "insurer": _REF, "request": _REF, "created": "varchar",
        "outcome": "varchar", "disposition": "varchar", "preAuthRef": "varchar",
    },
    "CarePlan": {
        "status": "varchar", "intent": "varchar", "category": f"{_CONCEPT}[]", "subject": _REF, "encounter": _REF,
        "period": _PERIOD,
    },
}  # fmt: skip

_PERSON_NAME = "coalesce(list_filter(name, lambda n: n.use = 'official')[1], name[1])"


def _concept(element: str, prefix: str = "") -> str:
    """The three columns of a concept: code, its system, its name."""
    return f"code_of({element}) as {prefix}code, system_of({element}) as {prefix}code_system, name_of({element}) as {prefix}name"


def _actor(kind: str) -> str:
    found = f"list_filter(participant, lambda p: contains(p.actor.reference, '{kind}/'))[1].actor.reference"
    return f"target({found}) as {kind.lower()}_id"


_CARE = "target(subject.reference) as patient_id, target(encounter.reference) as encounter_id"
_EFFECTIVE = "coalesce(effectiveDateTime, effectivePeriod.start)"

# Resource type -> what is selected, after the id.
SELECTED: dict[str, str] = {
    "Patient": f"""
        coalesce(list_filter(identifier, lambda i: code_of(i.type) = 'MR')[1].value, identifier[1].value) as mrn,
        active, array_to_string({_PERSON_NAME}.given, ' ') as given_name, {_PERSON_NAME}.family as family_name, gender,
        birthDate as birth_date, coalesce(deceasedBoolean, false) or deceasedDateTime is not null as deceased,
        instant(deceasedDateTime) as deceased_utc, code_of(maritalStatus) as marital_status,
        part(extension, '{US_CORE}/us-core-race') as race, part(extension, '{US_CORE}/us-core-ethnicity') as ethnicity,
        code_of(communication[1].language) as language,
        list_filter(telecom, lambda t: t.system = 'phone')[1].value as phone,
        array_to_string(address[1].line, ', ') as address, address[1].city as city, address[1].state as state,
        address[1].postalCode as postal_code, address[1].country as country""",
    "Encounter": f"""
        target(subject.reference) as patient_id, status, class.code as class, {_concept("type[1]")},
        instant(period.start) as start_utc, instant(period.end) as end_utc,
        date_diff('minute', instant(period.start), instant(period.end)) as minutes,
        {_concept("reasonCode[1]", "reason_")}, code_of(hospitalization.admitSource) as admit_source,
        code_of(hospitalization.dischargeDisposition) as discharge_disposition,
        target(participant[1].individual.reference) as practitioner_id,
        target(serviceProvider.reference) as organization_id""",
    "Condition": f"""
        {_CARE}, code_of(clinicalStatus) as clinical_status, code_of(verificationStatus) as verification_status,
        code_of(category[1]) as category, {_concept("code")}, onsetDateTime as onset, instant(onsetDateTime) as onset_utc,
        abatementDateTime as abatement, instant(abatementDateTime) as abatement_utc, instant(recordedDate) as recorded_utc""",
    "Observation": f"""
        {_CARE}, status, code_of(category[1]) as category, {_concept("code")},
        instant(coalesce({_EFFECTIVE}, effectiveInstant)) as effective_utc, instant(issued) as issued_utc,
        coalesce(valueQuantity.value, valueInteger) as value, valueQuantity.comparator as comparator,
        coalesce(valueQuantity.code, valueQuantity.unit) as unit, code_of(valueCodeableConcept) as value_code,
        coalesce(name_of(valueCodeableConcept), valueString, valueBoolean::varchar, valueDateTime) as value_text,
        code_of(interpretation[1]) as interpretation, code_of(dataAbsentReason) as absent_reason,
        coalesce(len(component), 0) as components""",
    "MedicationRequest": f"""
        {_CARE}, status, intent, {_concept("medicationCodeableConcept")},
        target(medicationReference.reference) as medication_id, instant(authoredOn) as authored_utc,
        target(requester.reference) as requester_id, dosageInstruction[1].text as dosage""",
    "Procedure": f"""
        {_CARE}, status, {_concept("code")}, instant(coalesce(performedDateTime, performedPeriod.start)) as start_utc,
        instant(performedPeriod.end) as end_utc""",
    "Immunization": f"""
        target(patient.reference) as patient_id, target(encounter.reference) as encounter_id, status,
        {_concept("vaccineCode")}, instant(occurrenceDateTime) as occurred_utc, primarySource as primary_source""",
    "Claim": """
        target(patient.reference) as patient_id, target(provider.reference) as provider_id,
        target(insurer.reference) as insurer_id, target(insurance[1].coverage.reference) as coverage_id, status, use,
        code_of(type) as type, code_of(priority) as priority, instant(created) as created_utc,
        instant(billablePeriod.start) as start_utc, instant(billablePeriod.end) as end_utc,
        coalesce(len(item), 0) as items, list_sum(list_transform(item, lambda i: i.net.value)) as items_net,
        total.value as total, total.currency as currency""",
    "ExplanationOfBenefit": """
        target(patient.reference) as patient_id, target(provider.reference) as provider_id,
        target(insurer.reference) as insurer_id, target(claim.reference) as claim_id, status, use, code_of(type) as type,
        outcome, instant(created) as created_utc, instant(billablePeriod.start) as start_utc,
        instant(billablePeriod.end) as end_utc, coalesce(len(item), 0) as items,
        list_filter(total, lambda t: code_of(t.category) = 'submitted')[1].amount.value as submitted,
        payment.amount.value as paid, coalesce(payment.amount.currency, total[1].amount.currency) as currency""",
    "Coverage": f"""
        target(beneficiary.reference) as patient_id, status, {_concept("type")}, subscriberId as subscriber_id,
        target(payor[1].reference) as payor_id, payor[1].display as payor_name, instant(period.start) as start_utc,
        instant(period.end) as end_utc""",
    "AllergyIntolerance": f"""
        target(patient.reference) as patient_id, code_of(clinicalStatus) as clinical_status,
        code_of(verificationStatus) as verification_status, type, category[1] as category, criticality,
        {_concept("code")}, onsetDateTime as onset, instant(recordedDate) as recorded_utc""",
    "DiagnosticReport": f"""
        {_CARE}, status, code_of(category[1]) as category, {_concept("code")}, instant({_EFFECTIVE}) as effective_utc,
        instant(issued) as issued_utc, coalesce(len(result), 0) as results, conclusion""",
    "DocumentReference": f"""
        target(subject.reference) as patient_id, target(context.encounter[1].reference) as encounter_id, status,
        docStatus as doc_status, {_concept("type")}, code_of(category[1]) as category, instant(date) as date_utc,
        target(author[1].reference) as author_id, content[1].attachment.contentType as content_type,
        content[1].attachment.title as title, content[1].attachment.url as url""",
    "Practitioner": f"""
        list_filter(identifier, lambda i: i.system = 'http://hl7.org/fhir/sid/us-npi')[1].value as npi, active,
        array_to_string({_PERSON_NAME}.given, ' ') as given_name, {_PERSON_NAME}.family as family_name, gender,
        address[1].city as city, address[1].state as state""",
    "Organization": f"""
        list_filter(identifier, lambda i: i.system = 'http://hl7.org/fhir/sid/us-npi')[1].value as npi, active, name,
        {_concept("type[1]", "type_")}, list_filter(telecom, lambda t: t.system = 'phone')[1].value as phone,
        address[1].city as city, address[1].state as state, address[1].postalCode as postal_code,
        target(partOf.reference) as part_of_id""",
    "Location": f"""
        status, name, {_concept("type[1]", "type_")}, address.city as city, address.state as state,
        address.postalCode as postal_code, target(managingOrganization.reference) as organization_id,
        target(partOf.reference) as part_of_id""",
    "Appointment": f"""
        {_actor("Patient")}, {_actor("Practitioner")}, {_actor("Location")}, status, code_of(specialty[1]) as specialty,
        code_of(appointmentType) as type, code_of(cancelationReason) as cancel_reason, instant("start") as start_utc,
        instant("end") as end_utc, instant(created) as created_utc, minutesDuration as minutes""",
    "ServiceRequest": f"""
        {_CARE}, status, intent, priority, {_concept("code")}, instant(authoredOn) as authored_utc,
        target(requester.reference) as requester_id""",
    "ClaimResponse": """
        target(patient.reference) as patient_id, target(insurer.reference) as insurer_id,
        target(request.reference) as claim_id, status, use, outcome, disposition, preAuthRef as pre_auth_ref,
        instant(created) as created_utc""",
    "CarePlan": f"""
        {_CARE}, status, intent, {_concept("category[1]")}, instant(period.start) as start_utc,
        instant(period.end) as end_utc""",
}  # fmt: skip

STANDARD = tuple(COLUMNS)


def standard_tables(
    path: Path | str, kinds: Sequence[str] = STANDARD, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with one table a resource type, named as the type; empty where the path has none.

    path: a bulk export (`Patient.ndjson`, `Patient.000.ndjson.gz` ...), which DuckDB reads itself, or anything else that
    `read` takes, which is written as NDJSON to a temporary folder first. Raises UserError for an unknown type, a path
    without FHIR, and for a line that is no resource: then `read(path, quarantine=...).save(folder)` sorts it out.
    """
    for kind in kinds:
        if kind not in COLUMNS:
            raise UserError(f"There is no standard table for {kind!r}; choose from {', '.join(STANDARD)}.")
    files = fhir_files(path)
    if all(_kind_of(file) for file in files):
        return _connect(files, kinds, threads)
    with tempfile.TemporaryDirectory() as folder:
        read(path).save(Path(folder) / "ndjson")
        return _connect(sorted((Path(folder) / "ndjson").iterdir()), kinds, threads)


def standard_table(kind: str, path: Path | str) -> pd.DataFrame:
    """The table of one resource type as a DataFrame, in the order of its ids; see `standard_tables`."""
    with standard_tables(path, [kind]) as connection:
        frame: pd.DataFrame = connection.sql(f'select * from "{kind}" order by id').df()
    return frame


def _kind_of(file: Path) -> str | None:
    """The resource type that an NDJSON file of a bulk export is named after, when DuckDB can read it as it is."""
    name = file.name.removesuffix(".gz")
    if not name.endswith(".ndjson"):
        return None
    kind = name.split(".")[0].split("-")[0].split("_")[0]
    if file.suffix != ".gz":
        with file.open("rb") as stream:
            if stream.read(3).startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
                return None
    return kind if kind.isalpha() and kind[0].isupper() else None


def _connect(files: Sequence[Path], kinds: Sequence[str], threads: int | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set preserve_insertion_order = true")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    connection.execute(_MACROS)
    for kind in kinds:
        columns = {"resourceType": "varchar", "id": "varchar", **COLUMNS[kind]}
        mine = [file for file in files if _kind_of(file) == kind]
        if mine:
            listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in mine)
            literal = "{" + ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items()) + "}"
            source = f"read_json([{listed}], format = 'newline_delimited', columns = {literal})"
        else:
            source = "(select " + ", ".join(f'null::{type_} as "{name}"' for name, type_ in columns.items()) + ")"
        try:
            connection.execute(
                f"create table \"{kind}\" as select id, {SELECTED[kind]} from {source} where resourceType = '{kind}'"
            )
        except duckdb.Error as error:
            connection.close()
            raise UserError(
                f"{kind} cannot be flattened ({str(error).splitlines()[0]}); "
                "sort out what is bad with read(path, quarantine=folder, shape=True).save(folder)."
            ) from error
    return connection
