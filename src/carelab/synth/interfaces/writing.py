"""The other systems' feeds in files, and the truth about them."""

from pathlib import Path
from typing import Any

import pandas as pd

from carelab.synth.config import World
from carelab.synth.interfaces.claims import Claim, claim_files, make_claims
from carelab.synth.interfaces.hl7v2 import LOCAL, Planted, Writer, files
from carelab.synth.interfaces.source import Source, read_source

HL7_README = """# HL7 v2 feeds

What three hospital groups send for the patients of the FHIR sample: one file a feed and group, messages one after the
other in the order in which they were sent. ADT: stays of the last half year (A01, A03), changed records (A08), merged
records (A40). ORU: results of the stays (R01). SIU: appointments of the last two months and the next two weeks (S12
booked, S14 moved, S15 cancelled, S26 not come). DFT: charges (P03).

PV1-19 is the number of the visit: the id of the Appointment or the Encounter in FHIR, and `REF*VISIT` in a claim. PID-3
holds the network's record number (assigner LAKESHORE) and the hospital's own. EVN-2 is when something happened, MSH-7
when the message was sent. `local-codes.csv` is one laboratory's directory of its own codes. Charges have HCPCS Level II
or the course's own codes.
"""
CLAIMS_README = """# Claims

One claim a visit, as billing sends them, in the general shape of an X12 837: segments that end in `~`, elements between
`*`. **It is a teaching shape, not a conforming X12 transaction**: qualifiers are plain words, loops and envelopes are
shortened, and no code list of X12, NUBC or the AMA is used. Diagnoses are ICD-10-CM without the point, the principal one
first; services have HCPCS Level II or the course's own codes. `professional.txt` holds visits, `institutional.txt` stays.

| segment | meaning |
|---|---|
| CLM | claim number, amount charged (dollars) |
| REF*VISIT | number of the visit: Appointment or Encounter in FHIR, PV1-19 in HL7 v2 |
| DTP*SERVICE | local day of the visit, or first and last day of the stay |
| HI | diagnoses |
| LX, SV1 or SV2 | lines: code, amount, units |
"""


def derive(folder: Path, world: World) -> None:
    """Write `hl7v2/`, `claims/` and the truth tables `interface_*` from the sample's feed."""
    source, planted = read_source(folder, world), Planted()
    writer = Writer(source, world, _doubles(folder, source))
    writer.admissions()
    numbers = writer.updates(planted)
    writer.merges(planted)
    writer.results(planted)
    writer.bookings()
    writer.charges(planted)
    messages_by_file, messages = files(writer, planted)
    claims = make_claims(source, world, planted)
    codes = "local_code,loinc\n" + "".join(f"{local},{loinc}\n" for loinc, local in sorted(LOCAL.items()))
    written = messages_by_file | claim_files(claims)
    written |= {
        "hl7v2/README.md": HL7_README.encode(), "hl7v2/local-codes.csv": codes.encode(),
        "claims/README.md": CLAIMS_README.encode(),
    }  # fmt: skip
    for name, content in written.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    phones = [(patient, true, last) for patient, (true, last) in numbers.items()]
    truth = {
        "interface_messages": messages,
        "interface_links": links(source, messages, claims),
        "interface_feeds": feeds(source, messages, claims),
        "interface_faults": pd.DataFrame(planted.rows, columns=["fault", "where", "visit_id", "detail"]),
        "interface_phones": pd.DataFrame(phones, columns=["patient_id", "phone", "phone_sent_last"]),
    }
    for name, frame in truth.items():
        frame.to_parquet(folder / "truth" / f"{name}.parquet", index=False, compression="zstd")


def _doubles(folder: Path, source: Source) -> pd.DataFrame:
    """Pairs of records of one person in the sample: the one that is kept and the one that is merged into it."""
    pairs = pd.read_parquet(folder / "truth" / "duplicates.parquet")
    second = pd.read_parquet(folder / "truth" / "patients.parquet").set_index("patient_id")["duplicate"]
    pairs = pairs[pairs["patient_id"].isin(source.patients) & pairs["patient_id_2"].isin(source.patients)]
    swap = pairs["patient_id"].map(second).astype(bool)
    kept = pairs["patient_id_2"].where(swap, pairs["patient_id"])
    return pd.DataFrame({"kept": kept, "merged": pairs["patient_id"].where(swap, pairs["patient_id_2"])})


def links(source: Source, messages: pd.DataFrame, claims: list[Claim]) -> pd.DataFrame:
    """One row a visit: visit_id, patient_id, fhir (its resource), style, and where it occurs elsewhere.

    booked, last_siu, admitted, discharged, charged: control ids of the messages (empty for none); results: number of
    ORU messages; claim_id.
    """
    first = messages.drop_duplicates(["visit_id", "kind"]).pivot(index="visit_id", columns="kind", values="control_id")
    last = messages[messages["kind"].str.startswith("SIU")].groupby("visit_id")["control_id"].last()
    results = messages.loc[messages["kind"].eq("ORU^R01"), "visit_id"].value_counts()
    visits = source.visits.assign(fhir="Appointment/" + source.visits["visit_id"], style="visit")
    stays = source.stays.assign(fhir="Encounter/" + source.stays["visit_id"], style="stay")
    made = pd.concat(
        [f[["visit_id", "patient_id", "fhir", "style"]] for f in (visits, stays) if len(f)], ignore_index=True
    )
    named = {"booked": "SIU^S12", "admitted": "ADT^A01", "discharged": "ADT^A03", "charged": "DFT^P03"}
    for column, kind in named.items():
        made[column] = made["visit_id"].map(first[kind]) if kind in first else None
    made["last_siu"] = made["visit_id"].map(last)
    made["results"] = made["visit_id"].map(results).fillna(0).astype("int32")
    made["claim_id"] = made["visit_id"].map({claim.visit_id: claim.claim_id for claim in claims})
    texts = [*named, "last_siu", "claim_id"]
    made[texts] = made[texts].astype(object).where(made[texts].notna(), None)
    return made.sort_values("visit_id", ignore_index=True)


def feeds(source: Source, messages: pd.DataFrame, claims: list[Claim]) -> pd.DataFrame:
    """One row a feed: messages, median and 90th percentile of its delay (hours after the event), and completeness: the
    share of the visits that took place, up to a month before the extract, which it has.
    """
    until = source.extract - pd.Timedelta(days=30)
    kept = source.visits[source.visits["status"].eq("fulfilled") & (source.visits["end"] < until)]
    ended = source.stays[source.stays["end"] < until]
    due = {"SIU": set(kept["visit_id"]), "ADT": set(ended["visit_id"])}
    due |= {"DFT": due["SIU"] | due["ADT"], "claim": due["SIU"] | due["ADT"]}
    end = pd.concat([source.visits, source.stays]).set_index("visit_id")["end"]
    sent = messages.assign(
        feed=messages["kind"].str[:3], hours=(messages["sent_utc"] - messages["event_utc"]) / pd.Timedelta(hours=1)
    )
    billed = pd.DataFrame(
        [("claim", c.visit_id, (c.sent - end[c.visit_id]) / pd.Timedelta(hours=1)) for c in claims],
        columns=["feed", "visit_id", "hours"],
    )
    rows: list[dict[str, Any]] = []
    for feed, found in pd.concat([sent[["feed", "visit_id", "hours"]], billed]).groupby("feed"):
        wanted = due.get(str(feed), set())
        rows.append(
            {
                "feed": feed, "messages": len(found), "median_delay_hours": round(float(found["hours"].median()), 3),
                "p90_delay_hours": round(float(found["hours"].quantile(0.9)), 3),
                "completeness": len(wanted & set(found["visit_id"])) / len(wanted) if wanted else None,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).astype({"completeness": "float64", "messages": "int32"})
