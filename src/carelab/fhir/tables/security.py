"""The audit log and what patients agreed to."""

from carelab.fhir.tables.engine import CODE, REF, Subject

COLUMNS = {
    "AuditEvent": {
        "id": "varchar", "recorded": "varchar", "action": "varchar", "subtype": "struct(code varchar)[]",
        "purposeOfEvent": f"{CODE}[]", "agent": f"struct(altId varchar, location {REF})[]",
        "source": "struct(observer struct(display varchar))", "entity": f"struct(what {REF})[]",
    },
    "Consent": {
        "id": "varchar", "status": "varchar", "patient": REF, "category": f"{CODE}[]",
        "provision": 'struct(type varchar, period struct(start varchar, "end" varchar))',
    },
}  # fmt: skip

TABLES = {
    "audit_events": """
        select id as event_id, utc(recorded) as recorded_utc, agent[1].altId as user_id, action,
               subtype[1].code as operation, ref_id(entity[1].what.reference) as patient_id,
               ref_id(agent[1].location.reference) as site_id, source.observer.display as system,
               purposeOfEvent[1].coding[1].code as purpose
        from raw_AuditEvent""",
    "consents": """
        select id as consent_id, ref_id(patient.reference) as patient_id, category[1].coding[1].code as subject,
               status, provision.type as decision, utc(provision.period.start) as from_utc,
               utc(provision.period."end") as until_utc
        from raw_Consent""",
}

SECURITY = Subject("security", COLUMNS, TABLES)
