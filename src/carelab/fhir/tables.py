"""From FHIR resources to flat tables, in SQL.

DuckDB reads the NDJSON files with the columns written out: guessed types differ between files and versions, take four
times as long, and turn wide objects into maps. Times in FHIR are instants; a clinic's day and hour are local.
"""

from pathlib import Path

import duckdb
import pandas as pd

from carelab.errors import UserError

ZONE = "America/Chicago"
EXTENSION = "https://example.org/fhir/StructureDefinition"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"

# Small helpers inside SQL. A list is searched with a lambda; index 1 of an empty list is NULL.
_MACROS = f"""
create or replace macro ref_id(reference) as split_part(reference, '/', 2);
create or replace macro ext(list, name) as list_filter(list, lambda e: e.url = '{EXTENSION}/' || name)[1];
create or replace macro actor(list, kind) as
    ref_id(list_filter(list, lambda p: starts_with(p.actor.reference, kind || '/'))[1].actor.reference);
create or replace macro local(instant) as timezone('{ZONE}', instant::timestamptz);
create or replace macro utc(instant) as timezone('UTC', instant::timestamptz);
"""

_CODE = "struct(coding struct(code varchar, display varchar)[], text varchar)"
_REF = "struct(reference varchar)"

# Resource type -> the elements we read, with their types.
_COLUMNS: dict[str, dict[str, str]] = {
    "Location": {
        "id": "varchar", "name": "varchar", "type": f"{_CODE}[]",
        "address": "struct(city varchar, postalCode varchar)", "partOf": _REF,
        "extension": "struct(url varchar, valueDate varchar)[]",
    },
    "PractitionerRole": {
        "id": "varchar", "practitioner": _REF, "location": f"{_REF}[]", "specialty": f"{_CODE}[]",
    },
    "Practitioner": {
        "id": "varchar", "name": "struct(family varchar, given varchar[])[]", "identifier": 'struct("value" varchar)[]',
    },
    "Patient": {
        "id": "varchar", "name": "struct(family varchar, given varchar[])[]", "gender": "varchar", "birthDate": "varchar",
        "identifier": 'struct("value" varchar)[]', "telecom": 'struct(system varchar, "value" varchar)[]',
        "address": "struct(city varchar, postalCode varchar)[]", "communication": f"struct(language {_CODE})[]",
        "extension": f"struct(url varchar, valueDecimal double, valueReference {_REF},"
        " extension struct(url varchar, valueString varchar)[])[]",
    },
    "Coverage": {"id": "varchar", "beneficiary": _REF, "type": _CODE},
    "Condition": {"id": "varchar", "subject": _REF, "code": _CODE, "recordedDate": "varchar"},
    "Appointment": {
        "id": "varchar", "status": "varchar", "start": "varchar", "end": "varchar", "created": "varchar",
        "minutesDuration": "integer", "specialty": f"{_CODE}[]", "appointmentType": _CODE, "cancelationReason": _CODE,
        "slot": f"{_REF}[]", "participant": f"struct(actor {_REF})[]",
        "extension": 'struct(url varchar, valueDateTime varchar, valueQuantity struct("value" double))[]',
    },
    "Communication": {
        "id": "varchar", "status": "varchar", "sent": "varchar", "about": f"{_REF}[]", "recipient": f"{_REF}[]",
    },
}  # fmt: skip

# Table -> SQL over the raw resources and the tables before it. The first column is the key.
_TABLES: dict[str, str] = {
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
        select p.id as patient_id, p.identifier[1].value as mrn, p.name[1].given[1] as given_name,
               p.name[1].family as family_name, p.birthDate::timestamp as birth_date, p.gender as sex,
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
               ext(p.extension, 'no-show-rate').valueDecimal as no_show_rate
        from raw_Patient p
        left join raw_Coverage c on ref_id(c.beneficiary.reference) = p.id
        left join (select ref_id(subject.reference) as patient_id, min(recordedDate::timestamp) as recorded
                   from raw_Condition where code.coding[1].code = 'Z59.82' group by all) z on z.patient_id = p.id""",
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
        from raw_Communication""",
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

# A feed without these files simply has none of them; without the others there is nothing to flatten.
_OPTIONAL = {"Coverage", "Condition", "Communication"}
WEATHER_COLUMNS = {
    "zip3": "varchar", "date": "timestamp", "temp_c": "double", "snow_cm": "double", "rain_mm": "double",
    "temp_c_forecast": "double", "snow_cm_forecast": "double", "rain_mm_forecast": "double",
}  # fmt: skip
TABLES = (*_TABLES, "weather")


def _literal(columns: dict[str, str]) -> str:
    """Column types as a DuckDB struct literal."""
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"


def _source(kind: str, folders: tuple[Path, ...]) -> str:
    """SQL that reads all files of a resource type (or the weather) from the folders."""
    columns = WEATHER_COLUMNS if kind == "weather" else _COLUMNS[kind]
    names = ["weather.csv"] if kind == "weather" else [f"{kind}.ndjson", f"{kind}.ndjson.gz"]
    files = [folder / name for folder in folders for name in names if (folder / name).is_file()]
    if not files:
        if kind not in _OPTIONAL:
            where = ", ".join(str(folder) for folder in folders)
            raise UserError(f"{names[0]} is not in {where}; give the folder of the whole FHIR export.")
        empty = ", ".join(f'null::{type_} as "{name}"' for name, type_ in columns.items())
        return f"select {empty} where false"
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    if kind == "weather":
        return f"select * from read_csv([{listed}], header = true, columns = {_literal(columns)})"
    return f"select * from read_json([{listed}], format = 'newline_delimited', columns = {_literal(columns)})"


def open_tables(*folders: Path | str, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that holds every table of `TABLES`, made from the NDJSON files of the folders.

    The folders hold one `<ResourceType>.ndjson` (or `.ndjson.gz`) a type, and `weather.csv`. Raises UserError when a
    needed file is missing or a line does not have the expected shape.
    """
    paths = tuple(Path(folder) for folder in folders)
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set preserve_insertion_order = true")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    connection.execute(_MACROS)
    try:
        for kind in (*_COLUMNS, "weather"):
            name = kind if kind == "weather" else f"raw_{kind}"
            connection.execute(f'create table "{name}" as {_source(kind, paths)}')
        for name, sql in _TABLES.items():
            connection.execute(f"create table {name} as {sql}")
    except duckdb.Error as error:
        raise UserError(f"The export cannot be flattened: {str(error).splitlines()[0]}") from error
    return connection


def in_order(table: str) -> str:
    """SQL that selects a table in its order: by key, weather by area and day. Raises UserError for other names."""
    if table not in TABLES:
        raise UserError(f"There is no table {table!r}; choose one of {', '.join(TABLES)}.")
    return f"select * from {table} order by {'1, 2' if table == 'weather' else '1'}"


def flatten(table: str, *folders: Path | str) -> pd.DataFrame:
    """One table of the export as a DataFrame, sorted by its key (its first column).

    table: one of `TABLES`; folders: where the NDJSON files lie. Raises UserError as `open_tables` does.
    """
    query = in_order(table)
    with open_tables(*folders) as connection:
        frame: pd.DataFrame = connection.sql(query).df()
    return frame
