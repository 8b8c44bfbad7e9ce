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
        "id": "varchar", "use": "varchar", "created": "varchar", "request": REF,
        "preAuthPeriod": 'struct("start" varchar, "end" varchar)', "adjudication": f"struct(reason {CODE})[]",
    },
    "ServiceRequest": {
        "id": "varchar", "code": CODE, "requester": REF, "performer": f"{REF}[]", "occurrenceDateTime": "varchar",
    },
    "CoverageEligibilityResponse": {
        "id": "varchar", "insurance": f"struct(item struct(network {CODE})[])[]",
    },
    "DocumentReference": {
        "id": "varchar", "type": CODE, "subject": REF, "author": f"{REF}[]", "date": "varchar",
        "content": "struct(attachment struct(data varchar))[]", "context": f"struct(related {REF}[])",
    },
}  # fmt: skip

# What a form says, as one JSON object: facts by name, in the order of the form.
_FORM = """
    '{' || array_to_string(list_transform(
        list_filter(c.supportingInfo, lambda f: f.code is not null),
        lambda f: '"' || f.code.coding[1].code || '": ' || coalesce(
            (f.valueQuantity."value")::varchar, f.valueBoolean::varchar, '"' || f.valueString || '"')), ', ') || '}'"""

TABLES = {
    "authorizations": f"""
        with asked as (select * from raw_Claim where use = 'preauthorization' and related is null),
        answers as (
            select ref_id(request.reference) as claim_id, local(created) as decided, preAuthPeriod,
                   adjudication[1].reason.coding[1].code as reason
            from raw_ClaimResponse where use = 'preauthorization'),
        appeals as (
            select ref_id(c.related[1].claim.reference) as claim_id, local(c.created) as appealed_on,
                   a.decided as appeal_decided_on,
                   case when a.decided is null then 'pending' when a.reason is null then 'overturned' else 'upheld' end
                       as appeal_outcome,
                   a.preAuthPeriod
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
               local(c.created) as requested, a.decided,
               case when a.decided is null then 'pending' when a.reason is null then 'approved' else 'denied' end as status,
               a.reason, p.appealed_on, p.appeal_decided_on, p.appeal_outcome,
               coalesce(a.preAuthPeriod, p.preAuthPeriod)."end"::timestamp as approved_until,
               date_trunc('day', local(s.occurrenceDateTime))::timestamp as performed_on,
               c.item[1].quantity."value"::integer as units,
               round(list_sum(list_transform(c.item, lambda i: i.net."value")), 2) as items_total, c.total."value" as total,
               {_FORM} as form,
               coalesce(len(list_filter(c.supportingInfo, lambda i: i.valueReference is not null)), 0) > 0 as has_note
        from asked c
        left join raw_ServiceRequest s on s.id = ref_id(c.referral.reference)
        left join raw_CoverageEligibilityResponse e on e.id = replace(c.id, 'cli-', 'els-')
        left join answers a on a.claim_id = c.id
        left join appeals p on p.claim_id = c.id""",
    "referral_notes": """
        select c.id as request_id, ref_id(d.subject.reference) as patient_id,
               ref_id(d.author[1].reference) as practitioner_id, local(d.date) as written,
               decode(from_base64(d.content[1].attachment.data)) as text
        from raw_DocumentReference d
        join raw_Claim c on c.referral.reference = d.context.related[1].reference and c.related is null
        where d.type.coding[1].code = '57133-1'""",
}

AUTHORIZATION = Subject("authorization", COLUMNS, TABLES)
