"""Prior authorizations: requests with answers and appeals, what the forms say, and the notes that came with them."""

from carelab.fhir.tables.engine import CODE, REF, Subject

_MONEY = 'struct("value" double)'
COLUMNS = {
    "Claim": {
        "id": "varchar", "use": "varchar", "created": "varchar", "patient": REF, "insurer": REF, "referral": REF,
        "related": f"struct(claim {REF})[]", "diagnosis": f"struct(diagnosisCodeableConcept {CODE})[]",
        "priority": CODE, "total": _MONEY,
        "item": f"struct(productOrService {CODE}, quantity {_MONEY}, net {_MONEY})[]",
        "supportingInfo": f"struct(code {CODE}, valueBoolean boolean, valueString varchar, valueQuantity {_MONEY},"
        f" valueReference {REF})[]",
    },
    "ClaimResponse": {
        "id": "varchar", "use": "varchar", "created": "varchar", "request": REF, "preAuthRef": "varchar",
        "preAuthPeriod": 'struct("start" varchar, "end" varchar)', "adjudication": f"struct(reason {CODE})[]",
    },
    "ServiceRequest": {
        "id": "varchar", "code": CODE, "requester": REF, "performer": f"{REF}[]", "occurrenceDateTime": "varchar",
    },
    "Task": {"id": "varchar", "focus": REF, "restriction": 'struct(period struct("end" varchar))'},
    "CoverageEligibilityResponse": {
        "id": "varchar", "insurance": f"struct(item struct(network {CODE})[])[]",
    },
    "DocumentReference": {
        "id": "varchar", "type": CODE, "subject": REF, "author": f"{REF}[]", "date": "varchar",
        "content": "struct(attachment struct(data varchar))[]", "context": f"struct(related {REF}[])",
    },
}  # fmt: skip

# Facts that a form may give: column -> which of the three kinds of value it holds.
FACTS = {
    **dict.fromkeys(
        [
            "ahi", "epworth", "study_age_days", "walk_feet", "exam_age_days", "insulin_doses", "fingersticks",
            "hypo_events", "a1c_age_days", "spo2_rest", "test_age_days", "ige", "exacerbations", "controller_months",
            "conservative_weeks", "oswestry", "xray_age_days", "stop_bang", "improvement_pct", "reassess_age_days",
            "visits_used", "bmi", "diet_months", "nicotine_free_weeks", "relatives", "youngest_diagnosis",
        ],
        'valueQuantity."value"',
    ),
    **dict.fromkeys(
        [
            "hypertension", "manual_unable", "home_assessed", "stable_state", "cor_pulmonale", "perennial_allergen",
            "red_flag", "neuro_deficit", "mechanical", "cardiopulmonary", "goals_written", "maintenance",
            "weight_comorbidity", "psych_eval", "prior_bariatric", "personal_history", "counseling",
        ],
        "valueBoolean",
    ),
    **dict.fromkeys(["diabetes_type", "home_test"], "valueString"),
}  # fmt: skip


def _fact(name: str, kind: str) -> str:
    """SQL of a column of `authorization_facts`."""
    return f"list_filter(supportingInfo, lambda s: s.code.coding[1].code = '{name}')[1].{kind} as {name}"


TABLES = {
    "authorizations": """
        with asked as (select * from raw_Claim where use = 'preauthorization' and related is null),
        answers as (
            select ref_id(request.reference) as claim_id, local(created) as decided, preAuthRef, preAuthPeriod,
                   adjudication[1].reason.coding[1].code as reason
            from raw_ClaimResponse where use = 'preauthorization'),
        appeals as (
            select ref_id(c.related[1].claim.reference) as claim_id, local(c.created) as appealed_on,
                   a.decided as appeal_decided_on,
                   case when a.decided is null then 'pending' when a.reason is null then 'overturned' else 'upheld' end
                       as appeal_outcome,
                   a.preAuthRef, a.preAuthPeriod
            from raw_Claim c left join answers a on a.claim_id = c.id
            where c.use = 'preauthorization' and c.related is not null)
        select c.id as request_id, ref_id(c.patient.reference) as patient_id,
               ref_id(s.requester.reference) as practitioner_id,
               replace(ref_id(c.insurer.reference), 'payer-', '') as payer, s.code.coding[1].code as service,
               c.item[1].productOrService.coding[1].code as code,
               c.diagnosis[1].diagnosisCodeableConcept.coding[1].code as diagnosis,
               ref_id(s.performer[1].reference) as supplier_id,
               e.insurance[1].item[1].network.coding[1].code = 'in' as in_network,
               c.priority.coding[1].code = 'stat' as urgent,
               local(c.created) as requested, local(t.restriction.period."end") as due, a.decided,
               case when a.decided is null then 'pending' when a.reason is null then 'approved' else 'denied' end as status,
               a.reason, p.appealed_on, p.appeal_decided_on, p.appeal_outcome,
               coalesce(a.preAuthRef, p.preAuthRef) as approval_number,
               coalesce(a.preAuthPeriod, p.preAuthPeriod)."start"::timestamp as approved_from,
               coalesce(a.preAuthPeriod, p.preAuthPeriod)."end"::timestamp as approved_until,
               local(s.occurrenceDateTime) as performed,
               c.item[1].quantity."value"::integer as units,
               round(list_sum(list_transform(c.item, lambda i: i.net."value")), 2) as items_total, c.total."value" as total,
               coalesce(len(list_filter(c.supportingInfo, lambda i: i.valueReference is not null)), 0) > 0 as has_note
        from asked c
        left join raw_ServiceRequest s on s.id = ref_id(c.referral.reference)
        left join raw_Task t on ref_id(t.focus.reference) = c.id
        left join raw_CoverageEligibilityResponse e on e.id = replace(c.id, 'cli-', 'els-')
        left join answers a on a.claim_id = c.id
        left join appeals p on p.claim_id = c.id""",
    "authorization_facts": f"""
        select id as request_id, {", ".join(_fact(name, kind) for name, kind in FACTS.items())}
        from raw_Claim where use = 'preauthorization' and related is null""",
    "referral_notes": """
        select c.id as request_id, ref_id(d.subject.reference) as patient_id,
               ref_id(d.author[1].reference) as practitioner_id, local(d.date) as written,
               decode(from_base64(d.content[1].attachment.data)) as text
        from raw_DocumentReference d
        join raw_Claim c on c.referral.reference = d.context.related[1].reference and c.related is null
        where d.type.coding[1].code = '57133-1'""",
}

AUTHORIZATION = Subject("authorization", COLUMNS, TABLES)
