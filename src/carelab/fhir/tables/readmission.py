"""Stays in the hospitals, with their diagnoses, laboratory results and drugs at discharge."""

from carelab.fhir.tables.engine import CODE, REF, Subject

COLUMNS = {
    "Encounter": {
        "id": "varchar", "status": "varchar", "class": "struct(code varchar)", "serviceType": CODE, "priority": CODE,
        "subject": REF, "period": 'struct("start" varchar, "end" varchar)',
        "diagnosis": f"struct(condition {REF}, rank integer)[]",
        "hospitalization": f"struct(admitSource {CODE}, dischargeDisposition {CODE})",
        "location": f"struct(location {REF})[]",
        "extension": "struct(url varchar, valueDecimal double, valueUnsignedInt integer,"
        ' valueMoney struct("value" double))[]',
    },
    "Condition": {"id": "varchar", "code": CODE, "encounter": REF},
    "Observation": {
        "id": "varchar", "code": CODE, "subject": REF, "encounter": REF, "effectiveDateTime": "varchar",
        "category": f"{CODE}[]", "valueQuantity": 'struct("value" double, unit varchar)',
    },
    "MedicationRequest": {
        "id": "varchar", "category": f"{CODE}[]", "medicationCodeableConcept": CODE, "subject": REF, "encounter": REF,
        "dosageInstruction": "struct(text varchar)[]", "reasonCode": f"{CODE}[]",
        "extension": "struct(url varchar, valueCode varchar, valueString varchar)[]",
    },
    "AllergyIntolerance": {
        "id": "varchar", "patient": REF, "code": CODE, "reaction": f"struct(manifestation {CODE}[])[]",
    },
    "Patient": {"id": "varchar", "gender": "varchar", "birthDate": "varchar"},
    "Coverage": {"id": "varchar", "beneficiary": REF, "type": CODE},
}  # fmt: skip

TABLES = {
    "diagnoses": """
        select e.id as stay_id, (e.d.rank)::utinyint as rank, c.code.coding[1].code as code
        from (select id, unnest(diagnosis) as d from raw_Encounter) e
        join raw_Condition c on c.id = ref_id(e.d.condition.reference)""",
    "labs": """
        select ref_id(encounter.reference) as stay_id, ref_id(subject.reference) as patient_id,
               local(effectiveDateTime) as taken, code.coding[1].code as loinc, valueQuantity.value::float as value,
               valueQuantity.unit as unit
        from raw_Observation where category[1].coding[1].code = 'laboratory' and encounter is not null""",
    "medications": """
        select ref_id(encounter.reference) as stay_id, medicationCodeableConcept.text as name, dosageInstruction[1].text as dosage,
               ext(extension, 'dose-before').valueString as dose_before,
               ext(extension, 'discharge-action').valueCode as action, reasonCode[1].text as reason
        from raw_MedicationRequest where category[1].coding[1].code = 'discharge'""",
    "allergies": """
        select id as allergy_id, ref_id(patient.reference) as patient_id, code.text as substance,
               reaction[1].manifestation[1].text as reaction
        from raw_AllergyIntolerance""",
    "stays": """
        with own as (
            select id, ref_id(subject.reference) as patient_id, class.code as class, local(period.start) as begun,
                   local(period.end) as ended, status
            from raw_Encounter),
        before as (
            select s.id, count(v.id) as visits
            from own s left join own v on v.patient_id = s.patient_id and v.class = 'EMER' and v.begun < s.begun
                and v.begun >= s.begun - interval 183 day
            where s.class in ('IMP', 'OBSENC') group by all),
        after as (
            select distinct s.id
            from own s join own v on v.patient_id = s.patient_id and v.class = 'AMB' and v.status = 'finished'
                and v.begun > s.ended and v.begun < s.ended + interval 14 day)
        select e.id as stay_id, s.patient_id, ref_id(e.location[1].location.reference) as site_id, s.class,
               e.serviceType.coding[1].code as ward, s.begun as admitted, s.ended as discharged,
               case when e.hospitalization.admitSource.coding[1].code = 'hosp-trans' then 'transfer'
                    else lower(e.priority.coding[1].display) end as admission,
               e.hospitalization.dischargeDisposition.coding[1].code as disposition, d.code as principal,
               len(e.diagnosis)::utinyint as n_diagnoses,
               date_diff('day', s.begun, s.ended)::usmallint as length_of_stay,
               date_sub('year', p.birthDate::timestamp, s.begun)::utinyint as age, p.gender as sex,
               coalesce(c.type.coding[1].code, 'self-pay') as payer,
               ext(e.extension, 'area-deprivation').valueDecimal::float as area_deprivation,
               b.visits::utinyint as emergency_visits_6m, ext(e.extension, 'total-cost').valueMoney.value::integer as cost,
               ext(e.extension, 'cost-year-after').valueMoney.value::integer as cost_year_after,
               a.id is not null as follow_up_within_14d,
               ext(e.extension, 'episode-diagnosis-count').valueUnsignedInt::usmallint as episode_diagnosis_count
        from raw_Encounter e
        join own s on s.id = e.id
        join before b on b.id = e.id
        left join after a on a.id = e.id
        left join diagnoses d on d.stay_id = e.id and d.rank = 1
        join raw_Patient p on p.id = s.patient_id
        left join raw_Coverage c on ref_id(c.beneficiary.reference) = p.id""",
}

READMISSION = Subject("readmission", COLUMNS, TABLES)
