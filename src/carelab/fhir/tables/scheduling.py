"""Visits to the clinics: sites, staff, patients, appointments, reminders."""

from carelab.fhir.tables.engine import CODE, REF, SID, US_CORE, ZONE, Subject

# Resource type -> the elements we read, with their types.
COLUMNS = {
    "Location": {
        "id": "varchar", "name": "varchar", "type": f"{CODE}[]",
        "address": "struct(city varchar, postalCode varchar)", "partOf": REF,
        "extension": "struct(url varchar, valueDate varchar)[]",
    },
    "PractitionerRole": {
        "id": "varchar", "practitioner": REF, "location": f"{REF}[]", "specialty": f"{CODE}[]",
    },
    "Practitioner": {
        "id": "varchar", "name": "struct(family varchar, given varchar[])[]", "identifier": 'struct("value" varchar)[]',
    },
    "Patient": {
        "id": "varchar", "name": "struct(family varchar, given varchar[])[]", "gender": "varchar", "birthDate": "varchar",
        "deceasedDateTime": "varchar", "identifier": 'struct(system varchar, "value" varchar)[]',
        "telecom": 'struct(system varchar, "value" varchar)[]',
        "address": "struct(city varchar, postalCode varchar)[]", "communication": f"struct(language {CODE})[]",
        "extension": f"struct(url varchar, valueDecimal double, valueReference {REF},"
        " extension struct(url varchar, valueString varchar)[])[]",
    },
    "Coverage": {"id": "varchar", "beneficiary": REF, "type": CODE},
    "Condition": {"id": "varchar", "subject": REF, "code": CODE, "recordedDate": "varchar"},
    "Appointment": {
        "id": "varchar", "status": "varchar", "start": "varchar", "end": "varchar", "created": "varchar",
        "minutesDuration": "integer", "specialty": f"{CODE}[]", "appointmentType": CODE, "cancelationReason": CODE,
        "slot": f"{REF}[]", "participant": f"struct(actor {REF})[]",
        "extension": 'struct(url varchar, valueDateTime varchar, valueQuantity struct("value" double))[]',
    },
    "Communication": {
        "id": "varchar", "status": "varchar", "category": f"{CODE}[]", "sent": "varchar", "about": f"{REF}[]", "recipient": f"{REF}[]",
    },
}  # fmt: skip

# Table -> SQL over the raw resources and the tables before it. The first column is the key.
TABLES = {
    "sites": """
        select id as site_id, name as site_name, type[1].coding[1].code as kind, address.city as city,
               address.postalCode as zip3, ref_id(partOf.reference) as hospital_id,
               ext(extension, 'opened-on').valueDate::timestamp as opened_on
        from raw_Location""",
    "practitioners": """
        select p.id as practitioner_id, p.name[1].given[1] as given_name, p.name[1].family as family_name,
               p.identifier[1].value as npi, r.specialty[1].coding[1].code as specialty,
               ref_id(r.location[1].reference) as site_id
        from raw_Practitioner p left join raw_PractitionerRole r on ref_id(r.practitioner.reference) = p.id""",
    "patients": f"""
        select p.id as patient_id, list_filter(p.identifier, lambda i: i.system = '{SID}/mrn')[1].value as mrn,
               p.name[1].given[1] as given_name, p.name[1].family as family_name, p.birthDate::timestamp as birth_date, p.gender as sex,
               list_filter(p.telecom, lambda t: t.system = 'phone')[1].value as phone,
               p.address[1].city as city, p.address[1].postalCode as zip3,
               p.communication[1].language.coding[1].code as language,
               coalesce(c.type.coding[1].code, 'self-pay') as payer,
               list_filter(list_filter(p.extension, lambda e: e.url = '{US_CORE}/us-core-race')[1].extension,
                           lambda e: e.url = 'text')[1].valueString as race,
               list_filter(list_filter(p.extension, lambda e: e.url = '{US_CORE}/us-core-ethnicity')[1].extension,
                           lambda e: e.url = 'text')[1].valueString as ethnicity,
               ref_id(ext(p.extension, 'home-clinic').valueReference.reference) as home_site_id,
               z.recorded as transport_need_recorded_on,
               ext(p.extension, 'no-show-rate').valueDecimal as no_show_rate,
               p.deceasedDateTime::timestamp as deceased_on,
               list_filter(p.identifier, lambda i: i.system = '{SID}/prairie-number')[1].value as former_mrn
        from raw_Patient p
        left join raw_Coverage c on ref_id(c.beneficiary.reference) = p.id
        left join (select ref_id(subject.reference) as patient_id, min(recordedDate::timestamp) as recorded
                   from raw_Condition where code.coding[1].code = 'Z59.82' group by all) z on z.patient_id = p.id
        where ext(p.extension, 'home-clinic') is not null -- not those whom only a hospital knows""",
    "appointments": """
        select id as appointment_id, actor(participant, 'Patient') as patient_id,
               actor(participant, 'Practitioner') as practitioner_id, actor(participant, 'Location') as site_id,
               specialty[1].coding[1].code as specialty, appointmentType.coding[1].code as visit_type, status,
               cancelationReason.coding[1].code as cancel_reason, utc(start) as start_utc, utc("end") as end_utc,
               utc(created) as created_utc, minutesDuration as minutes,
               ext(extension, 'travel-distance').valueQuantity.value as distance_km,
               utc(ext(extension, 'checked-in-at').valueDateTime) as checked_in_utc,
               utc(ext(extension, 'roomed-at').valueDateTime) as roomed_utc
        from raw_Appointment""",
    "reminders": """
        select id as reminder_id, ref_id(about[1].reference) as appointment_id,
               ref_id(recipient[1].reference) as patient_id, status, utc(sent) as sent_utc
        from raw_Communication
        where category[1].coding[1].code = 'appointment-reminder'""",
    # One row per appointment. Whatever the desk could not know when it booked (visits), or the evening before
    # (reminder, forecast, transport), stays out of the joins; the vendor's own fields are passed on as they are.
    "visits": f"""
        with booked as (
            select *, timezone('{ZONE}', timezone('UTC', start_utc)) as start,
                   timezone('{ZONE}', timezone('UTC', created_utc)) as booked_on
            from appointments),
        history as (
            select a.appointment_id, count(h.status) as prior_visits,
                   count(h.status) filter (where h.status = 'noshow') as prior_no_shows
            from appointments a
            left join appointments h on h.patient_id = a.patient_id and h.start_utc < a.created_utc
                and h.status in ('fulfilled', 'noshow')
            group by all)
        select a.appointment_id, a.patient_id, a.site_id, s.site_name, a.specialty, a.start, a.booked_on,
               date_diff('day', a.booked_on, a.start)::integer as lead_days,
               (isodow(a.start) - 1)::integer as weekday, hour(a.start)::integer as hour,
               date_sub('year', p.birth_date, a.start)::integer as age, p.sex, p.payer, p.language, a.distance_km,
               coalesce(p.transport_need_recorded_on < date_trunc('day', a.start), false) as transport_need,
               a.visit_type = 'new' as new_patient, h.prior_visits::integer as prior_visits,
               h.prior_no_shows::integer as prior_no_shows,
               exists (select 1 from reminders r where r.appointment_id = a.appointment_id
                       and r.status in ('completed', 'preparation')) as sms_reminder,
               w.snow_cm_forecast, p.no_show_rate,
               date_diff('minute', a.checked_in_utc, a.roomed_utc)::double as wait_minutes, a.status
        from booked a
        join history h using (appointment_id)
        join patients p using (patient_id)
        join sites s using (site_id)
        left join weather w on w.zip3 = s.zip3 and w.date = date_trunc('day', a.start)""",
}

SCHEDULING = Subject(
    "scheduling",
    COLUMNS,
    TABLES,
    needs=("Location", "PractitionerRole", "Practitioner", "Patient", "Appointment"),
)
