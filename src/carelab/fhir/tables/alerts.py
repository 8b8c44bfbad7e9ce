"""Alerts on the wards: scores, alerts with the response to them, and deteriorations."""

from carelab.fhir.tables.engine import CODE, REF, Subject

# Resource type -> the elements we read, with their types.
COLUMNS = {
    "RiskAssessment": {
        "id": "varchar", "subject": REF, "encounter": REF,
        "prediction": "struct(probabilityDecimal double)[]",
        "extension": "struct(url varchar, valueInteger integer, valueBoolean boolean)[]",
    },
    "DetectedIssue": {
        "id": "varchar", "code": CODE, "patient": REF, "identifiedDateTime": "varchar", "implicated": f"{REF}[]",
        "extension": "struct(url varchar, valueDecimal double, valueInteger integer, valueBoolean boolean,"
        ' valueString varchar, valueQuantity struct("value" double))[]',
        "mitigation": f"struct(action {CODE}, extension struct(url varchar, valueCode varchar)[])[]",
    },
    "Flag": {
        "id": "varchar", "code": CODE, "subject": REF, "encounter": REF, "period": 'struct("start" varchar)',
    },
}  # fmt: skip

# Table -> SQL over the raw resources and the tables before it. The first column is the key.
TABLES = {
    "alerts": """
        with fired as (
            select id as alert_id, ref_id(patient.reference) as patient_id,
                   ref_id(list_filter(implicated, lambda r: starts_with(r.reference, 'Encounter/'))[1].reference)
                       as stay_id,
                   ref_id(list_filter(implicated, lambda r: starts_with(r.reference, 'Location/'))[1].reference)
                       as site_id,
                   ext(extension, 'ward').valueString as ward, code.coding[1].code as kind, local(identifiedDateTime) as fired_at,
                   ext(extension, 'score').valueDecimal as score,
                   ext(extension, 'hours-since-admission').valueInteger as hours_since_admission,
                   ext(extension, 'respiratory-rate').valueQuantity.value as respiratory_rate,
                   ext(extension, 'lactate-ordered').valueBoolean as lactate_ordered,
                   ext(extension, 'unit-alerts-today').valueInteger as unit_alerts_today,
                   mitigation[1].action.coding[1].code as action,
                   ext(mitigation[1].extension, 'override-reason').valueCode as reason
            from raw_DetectedIssue
            where list_contains(['deterioration', 'drug-interaction', 'allergy'], code.coding[1].code))
        select alert_id, stay_id, patient_id, site_id, ward, kind, fired_at, score, hours_since_admission,
               (count(*) over (partition by stay_id order by fired_at
                               range between interval 24 hours preceding and current row)
                - count(*) over (partition by stay_id, fired_at))::integer as alerts_24h,
               unit_alerts_today, respiratory_rate, lactate_ordered, action, reason
        from fired""",
    "scores": """
        select id as score_id, ref_id(encounter.reference) as stay_id, ref_id(subject.reference) as patient_id,
               ext(extension, 'hours-since-admission').valueInteger as hours_since_admission,
               prediction[1].probabilityDecimal as score, ext(extension, 'lactate-ordered').valueBoolean as lactate_ordered
        from raw_RiskAssessment""",
    "deteriorations": """
        select id as flag_id, ref_id(encounter.reference) as stay_id, ref_id(subject.reference) as patient_id,
               local(period.start) as met_at
        from raw_Flag where code.coding[1].code = 'deterioration-criteria-met'""",
}

ALERTS = Subject("alerts", COLUMNS, TABLES)
