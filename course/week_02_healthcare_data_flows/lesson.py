# %% [markdown]
"""
# Week 2: Can we trust this feed?

July 2026. The board of Lakeshore Health asks for a model that says who will be back in hospital within 30 days. (The CTO track builds it in weeks 11 and 12.) Before anybody trains anything, somebody has to say which of Lakeshore's feeds a model may learn from, and put a name under it. This week the name is yours; the extract on your desk is of 30 June.

| | |
|---|---|
| **Afterwards you can** | read one visit in FHIR, HL7 v2 and a claim; say what a validation proves and what not; find a column that knows the future |
| **Time** | 50 minutes; an hour if messages and SQL are new to you |
| **You need** | week 1. Product managers: where the text says *pass over the code*, it only loads, joins or draws; read what comes out |
| **Data** | tables of three hospitals, two years, and a sample of their feeds; synthetic, every patient is invented |
| **In the room** | CTO, product manager, clinical informaticist, head of billing |
"""

# %% [markdown]
"""
## 1. One visit, three stories

*About 0 min from the start.*

A woman of 93 is in Lakeshore Harbor Hospital for two nights, number of the stay `enc-0061131`. Three systems report it: the record as **FHIR** (Fast Healthcare Interoperability Resources, JSON over an interface), the admission desk as **HL7 v2** messages (lines with bars, the older standard that still moves most hospital events), billing as a **claim** (in the shape of an 837, the claim format of the United States; shortened for teaching).

Here they are as they arrive. Look for three things: when she left, why she was there, the money (one of the three is silent on it). What her blood showed is in none: FHIR has it in Observation resources, HL7 in messages called ORU (results), as it has charges in DFT. Pass over the code.

(Invented. In life every line here is protected health information, and an age over 89 is itself an identifier under Safe Harbor, 45 CFR 164.514(b)(2): look on a secured system, and at no more than you need.)
"""

# %%
import json
import re
import textwrap
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binomtest

from carelab import fhir, plots
from carelab.fhir.hl7v2 import read_hl7
from carelab.paths import data

CHICAGO = ZoneInfo("America/Chicago")
STAY = "enc-0061131"


def lines(name):
    return data(name).read_text(encoding="utf-8").splitlines()


# The resource as it arrives; only the line breaks are ours.
line = next(text for text in lines("fhir/Encounter.ndjson") if f'"{STAY}"' in text)
print(*textwrap.wrap(line.replace(",", ", "), 116, break_on_hyphens=False), sep="\n")

# %%
about_her = [m for _, m in read_hl7(data("hl7v2/adt-hosp-1.hl7")) if m["PV1-19"] == STAY]
print("\n".join(segment.text for segment in about_her[-1]), "\n")
claims = data("claims/institutional.txt").read_text(encoding="utf-8").split("ST*837*")[1:]
claim = next(text for text in claims if STAY in text)
print("ST*837*" + claim)

# %% [markdown]
"""
In FHIR, names say what things are (`period`, `diagnosis`); diagnoses are references to other files. In HL7, the place says it: `A03` means discharge; `PV1` is the visit, its field 19 the visit's number, 45 the discharge; `DG1` lines are diagnoses, in this feed in order of rank. (The standard has a field for the rank, DG1-15, and one that says admitting, working or final, DG1-6; this feed sends neither, so ask.) In the claim, `HI` holds the diagnoses with the principal one first, `CLM` the amount.

**Predict before you run:** for time, reason, blood and money, which source would you trust? The next cell picks them out of each source; pass over the code.
"""

# %%
encounter, message = json.loads(line), about_her[-1]
conditions = {c["id"]: c for c in map(json.loads, lines("fhir/Condition.ndjson"))}
first = conditions[encounter["diagnosis"][0]["condition"]["reference"].removeprefix("Condition/")]
cost = next(e["valueMoney"]["value"] for e in encounter["extension"] if e["url"].endswith("total-cost"))
in_claim = [r"SERVICE\*\d+-(\d+)", r"ICD10CM:(\w+)", r"CLM\*\w+\*([\d.]+)", r"BHT\*\w+\*(\d+)"]
day, principal, charged, sent = (re.search(pattern, claim)[1] for pattern in in_claim)
three = {
    "FHIR": [encounter["period"]["end"], first["code"]["coding"][0]["code"], "Observation", f"{cost} cost", "-"],
    "HL7 A03": [message["PV1-45"], message["DG1-3.1"], "ORU messages", "DFT messages", message["MSH-7"]],
    "claim": [day, principal, "none", f"{charged} charged", sent],
}
print(pd.DataFrame(three, index=["discharged", "first diagnosis", "blood", "money", "sent"]).to_string())

# %% [markdown]
"""
FHIR and HL7 name the same minute: `Z` is UTC, `-0500` Chicago in summer. This shortened claim knows only a day. Nobody says what was *paid*: 8,050 is what billing reckons the stay cost, 3,380 what was charged. (An invented price list: in US hospitals charges stand well above cost.)

And the first diagnosis? Cellulitis of the leg (L03.115) in the record, heart failure (I50.9) on the claim. The coding rules ask for the condition "established after study to be chiefly responsible for occasioning the admission" (ICD-10-CM Official Guidelines, section II), so a claim coded later may rightly differ. Here the discharge summary does not bear it out: redness of the calf, an antibiotic (table `documents`). (A coder sees a second fault, in all three: I11.0 goes before I50.9.) A claim is written to be paid, and payment starts from its first diagnosis. How often do they differ?
"""

# %%
at_discharge = {}
for hospital in (1, 2, 3):
    for _, m in read_hl7(data(f"hl7v2/adt-hosp-{hospital}.hl7")):
        if m.kind == "ADT^A03":
            at_discharge[m["PV1-19"]] = m["DG1-3.1"].replace(".", "")
pairs = [re.search(r"VISIT\*([\w-]+)[\s\S]*?ICD10CM:(\w+)", text).groups() for text in claims]
differ = [(stay, at_discharge[stay], code) for stay, code in pairs if at_discharge.get(stay, code) != code]
print(f"claims of a stay with a discharge message: {sum(stay in at_discharge for stay, _ in pairs)}")
low, high = binomtest(len(differ), len(pairs)).proportion_ci(method="wilson")
print(f"first diagnosis differs: {len(differ)} (95 % interval of the share: {low:.0%} to {high:.0%})")
print(pd.DataFrame(differ, columns=["stay", "HL7 A03", "claim"]).to_string(index=False))

# %% [markdown]
"""
These files do not say why. It need not be upcoding: blood pressure (I10) before a bowel obstruction (K56.609) hardly pays better. So trust is decided **for each fact**: discharge time from the messages, results from the laboratory, charges from billing, reason for the stay from the final coded record, checked against the summary.

**For the CTO:** ask of each column which system it was born in, and for what. **For the product manager:** a model trained on claim diagnoses predicts billing; say so on its label.

## 2. The pilot passed

*About 11 min from the start.*

The integration team checked 200 patients and 200 results with the open-source library `fhir.resources`, which knows what each type may hold. **Would you sign for all 28 types?** Run one cell, write yes or no, then run the next.
"""

# %%
from fhir.resources.observation import Observation
from fhir.resources.patient import Patient


def complaints(model, text):
    """What a model says against a resource; nothing when it is valid."""
    try:
        model.model_validate_json(text)
    except ValueError as problem:
        return problem.errors()
    return []


def share_valid(model, kind):
    return np.mean([not complaints(model, text) for text in lines(f"fhir/{kind}.ndjson")[:200]])


print(f"Patient      {share_valid(Patient, 'Patient'):.0%}")
print(f"Observation  {share_valid(Observation, 'Observation'):.0%}")

# %%
from fhir.resources.appointment import Appointment
from fhir.resources.coverage import Coverage
from fhir.resources.encounter import Encounter

for model in (Encounter, Appointment, Coverage):
    kind = model.__name__
    print(f"{kind:12} {share_valid(model, kind):.0%} valid. The first complaints about the first resource:")
    for complaint in complaints(model, lines(f"fhir/{kind}.ndjson")[0])[:3]:
        print("    ", ".".join(map(str, complaint["loc"])), "-", complaint["msg"])

# %% [markdown]
"""
From 100 % to nothing. Is the feed broken? Look at the complaints before you blame it: `class` should be a list, `payor` should not exist. Yet in section 1 you saw `class`: one thing, not a list, and the vendor sends it like that in every stay. When *all* of something fails in the *same* way, suspect the ruler. Which version of FHIR does our feed declare, and which does the library measure by? The feed says it in `DATA_DICTIONARY.md`; ask the library, too.
"""

# %%
from fhir.resources import R4B
from fhir.resources import __fhir_version__ as default_version

print("the feed says: ", re.search(r"FHIR R\w+ \([\d.]+\)", data("DATA_DICTIONARY.md").read_text(encoding="utf-8"))[0])
print("the import is: ", default_version)
print("R4B would be:  ", R4B.__fhir_version__)
kinds = sorted(file.stem for file in data("fhir/Patient.ndjson").parent.glob("*.ndjson"))
by_r4b = pd.Series({kind: share_valid(R4B.get_fhir_model_class(kind), kind) for kind in kinds})
print(by_r4b[["Encounter", "Appointment", "Coverage"]].map("{:.0%} by R4B".format).to_string())
print(f"all {len(kinds)} types, up to 200 lines of each: the lowest share is {by_r4b.min():.0%}")

# %% [markdown]
"""
Nobody had chosen. The plain import follows the library's newest default, **R5** (5.0.0). The feed is **R4** (4.0.1), the release that certified records in the United States have to speak (45 CFR 170.215). `R4B` (4.3.0) is the nearest that this library still has; it reshaped a few types that we do not use.

The pilot passed because Patient and Observation have hardly changed between the two, as this feed uses them. A sample of the *easy* types tests nothing.

**For the CTO:** the release belongs in the interface contract and in the import line. **For the product manager:** ask which types the pilot left out.
"""

# %% [markdown]
"""
## 3. Valid is not true

*About 18 min from the start.*

As far as 200 lines of each type tell, the feed is valid R4B. What does that promise? The folder `faults` holds copies of resources in which one thing is wrong, of 23 kinds, and some untouched ones. How many of the 23 does the schema find? `check_feed` adds rules about the meaning; we run them on these copies, then on the feed itself. Pass over the code. (Which line has which fault, we read from `truth/`. In life nobody hands you this.)
"""

# %%
faults = pd.read_parquet(data("truth/faults.parquet")).sort_values("line")
models = [R4B.get_fhir_model_class(kind) for kind in faults["resource_type"]]
corrupted = zip(models, lines("faults/corrupted.ndjson"), strict=True)
faults["schema"] = [bool(complaints(model, text)) for model, text in corrupted]
whole_feed = data("fhir/Patient.ndjson").parent  # the other files, to look references up
told = {problem.origin.line for problem in fhir.check_feed(data("faults/corrupted.ndjson"), context=[whole_feed])}
faults["rules"] = faults["line"].isin(told)
found = faults.groupby("corruption")[["schema", "rules"]].mean()
kinds = found.drop("none")
by_schema, by_neither = (kinds["schema"] == 1).sum(), (kinds.max(axis=1) < 1).sum()
print(f"kinds of faults: {len(kinds)}, found by the schema: {by_schema}, by neither: {by_neither}")
print(textwrap.fill("passes the schema: " + ", ".join(kinds.index[kinds["schema"] == 0]), 100, break_on_hyphens=False))
on_feed = pd.Series([problem.rule for problem in fhir.check_feed(whole_feed)]).value_counts()
print("the rules on the feed itself:", on_feed.to_dict())

# %% [markdown]
"""
A schema sees **shape**: what is missing, misplaced or misspelt. It does not see that a status is none of FHIR's, that a reference leads to nobody, that somebody died before birth. (`number-as-string`: the library turns "5.1" into 5.1 without a word.) Rules on meaning find these here; they were written with such faults in mind, so expect less elsewhere. On the feed, valid by R4B, they find 22 values that cannot be (section 5) and three claims whose total is not the sum of its lines.

**For the CTO:** "100 % valid" is the entry ticket. Ask which checks go beyond the schema. **For the product manager:** each rule needs an owner who answers when it fires.

*For your own files:* put FHIR R4 of made-up patients (Synthea, US Core examples) into a folder `own_files` beside this notebook; the next cell reports on it.
"""

# %%
own = Path("own_files")
print(fhir.report(own).text() if own.is_dir() else "No folder own_files here; nothing to read.")

# %% [markdown]
"""
## 4. From an export to a table

*About 23 min from the start.*

A bulk export gives one file a resource type, one resource a line (NDJSON). **DuckDB**, a database in a library, queries it where it lies. The query reads: *select* these fields *from* the file, where `columns` says what to expect: `struct(reference varchar)` is a box with one text in it, called `reference`, and `[]` after it a list of such boxes. `replace` leaves the bare number of the stay; `loinc` is the code for the test (LOINC, a public list). Note `taken` and `issued`: the blood is drawn at one time, the result can be known at another. You need both in section 7.
"""

# %%
duckdb.sql("set timezone = 'UTC'")
query = """
select replace(encounter.reference, 'Encounter/', '') as stay_id, code.coding[1].code as loinc,
       effectiveDateTime as taken, issued, valueQuantity.value as value, valueQuantity.unit as unit
from read_json($file, format = 'newline_delimited', columns = {
    id: 'varchar', encounter: 'struct(reference varchar)', code: 'struct(coding struct(code varchar)[])',
    effectiveDateTime: 'timestamptz', issued: 'timestamptz', valueQuantity: 'struct("value" double, unit varchar)'})
order by id"""
results = duckdb.sql(query, params={"file": str(data("fhir/Observation.ndjson"))}).df()
print(f"{len(results):,} results of {results['stay_id'].nunique()} stays")
print(results[results["stay_id"] == STAY].drop(columns="stay_id").head(4).to_string(index=False))

# %% [markdown]
"""
No server, no import. Two traps are waiting. First: leave `columns` out, and DuckDB guesses the table from the first lines, by default some twenty thousand. To see what that means on a small file, let it look at five. Second: "the stay before this one" needs an order, and two stays can begin on the same *day* (our shortened claims know only days). `lag(x) over (partition by patient_id order by …)` gives each stay the x of the same patient's stay before it. The query counts returns in less than 30 days twice; where two stays share a day, the lower number comes first, then the higher. Predict: do the two counts agree?
"""

# %%
for n in (5, 20_480):
    guess = duckdb.sql(
        "describe select * from read_json($file, sample_size = $n)",
        params={"file": str(data("fhir/Encounter.ndjson")), "n": n},
    ).df()
    print(f"guessed from {n:6,} lines: {len(guess)} columns, 'type' among them: {'type' in set(guess['column_name'])}")
stays = pd.read_parquet(data("tables/stays.parquet"))
tie = """select count(*) filter (day - before_a between 0 and 29) as returns_lower_first,
                count(*) filter (day - before_b between 0 and 29) as returns_higher_first from (
    select admitted::date as day,
        lag(discharged::date) over (partition by patient_id order by admitted::date, stay_id) as before_a,
        lag(discharged::date) over (partition by patient_id order by admitted::date, stay_id desc) as before_b
    from stays where class = 'IMP')"""
print(duckdb.sql(tie).df().to_string(index=False))

# %% [markdown]
"""
The guess lost a column **without a complaint**; in an export of a million lines, what first occurs after the sampled ones can go the same way. And the two counts differ although the data do not. With no tie-break at all the engine may choose afresh on each run, and nobody signs a number that changes overnight.

**For the CTO:** types are written down, not guessed, and no "one before" without an order that leaves no ties. **For the product manager:** ask for the same figure twice.

## 5. Complete, plausible, on time?

*About 28 min from the start.*

Is it there? Can it be? Did it come in time? Ask by **site and month**: an average hides the one that differs. The two cells count and draw; pass over the code.
"""

# %%
patients = pd.read_parquet(data("tables/patients.parquet"))
sites = pd.read_parquet(data("tables/sites.parquet")).set_index("site_id")["site_name"]
labs = pd.read_parquet(data("tables/labs.parquet")).merge(stays[["stay_id", "site_id"]], on="stay_id")
unknown = patients["race"].isna().groupby(patients["home_site_id"].map(sites)).agg(["mean", "size"]).sort_values("mean")
margin = 1.96 * np.sqrt(unknown["mean"] * (1 - unknown["mean"]) / unknown["size"])  # 95 % interval
creatinine = labs[labs["loinc"] == "2160-0"]
month = creatinine["taken"].dt.to_period("M").dt.to_timestamp()
typical = creatinine.groupby([month, creatinine["site_id"].map(sites)])["value"].median().unstack()
print(f"race is empty in {patients['race'].isna().mean():.1%} of records")
print(f"units of creatinine in the table: {sorted(creatinine['unit'].unique())}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.4))
left.errorbar(100 * unknown["mean"], unknown.index, xerr=100 * margin, fmt="o", color=plots.BLUE)
left.set_xlim(0, 36)
plots.label(left, "Race is missing more at some clinics", "records without race (%), with 95 % interval", "")
for (name, values), style in zip(typical.items(), ("-", "--", "-."), strict=True):
    right.plot(values.index, values, style, label=name)
right.set_yscale("log")
right.set_yticks([1, 10, 100], ["1", "10", "100"])
right.xaxis.set_major_formatter(plt.matplotlib.dates.ConciseDateFormatter(right.xaxis.get_major_locator()))
right.legend(loc="upper left")
plots.label(right, "One hospital's creatinine jumps 90-fold", "month", "median creatinine in the table ('mg/dL', log)")
plt.show()

# %% [markdown]
"""
*In words:* on the left a dot for each of twelve clinics: race is missing in 4 % to 28 % of records, with intervals far apart. On the right the monthly median of creatinine at three hospitals: all near 1 until January 2026, then one (North, hospital 2) jumps to nearly 90 and stays there.

**Complete.** Dropping empty rows drops some clinics' people more than others'. Keep "unknown" as a group of its own.

**Plausible.** A median of 87 mg/dL is no sick month: it is µmol/L (88.4 to 1 mg/dL) under the old label. The code lies too: 2160-0 means mass per volume; µmol/L belongs to 14682-9.
"""

# %% [markdown]
"""
Five months of it in a live feed are first a **patient-safety event**. Ask today what the wards see. Have the laboratory name the day and correct its reports (laboratories in the United States must: 42 CFR 493.1291(k)). Only then repair your table, by hospital and day, never by size: a dialysis patient may really have 17 mg/dL. Here the laboratory names 1 February 2026; section 7 uses it.

Is it the only one? The next cell reads the messages themselves: creatinine with the unit it was sent in, then how late each kind of message comes (an A40 says that two records are one person), then coding and returns by hospital. Pass over the code.
"""

# %%
from carelab.fhir.readmissions import readmissions

rows, sent_as = [], []
for kind in ("adt", "oru", "dft"):
    for hospital in (1, 2, 3):
        for _, m in read_hl7(data(f"hl7v2/{kind}-hosp-{hospital}.hl7")):
            # Recorded or drawn (here: when it happened), and sent; without a zone, Chicago's clock.
            happened, sent = m.time("EVN-2", CHICAGO) or m.time("OBR-7", CHICAGO), m.time("MSH-7", CHICAGO)
            rows.append((m.kind, (sent.at.timestamp() - happened.at.timestamp()) / 3600))
            for obx in (segment.text.split("|") for segment in m):
                if obx[0] == "OBX" and obx[3].startswith(("2160-0", "CREA")):  # CREA: a code of hospital 3's own
                    sent_as.append((f"hosp-{hospital}", obx[6], m["OBR-7"][:6], float(obx[5])))
sent_as = pd.DataFrame(sent_as, columns=["hospital", "unit in OBX-6", "month", "value"]).groupby(["hospital", "unit in OBX-6"])
print("creatinine in the messages\n", sent_as.agg({"month": ["min", "max"], "value": ["min", "max"]}).to_string(), sep="")
late = pd.DataFrame(rows, columns=["message", "hours"]).groupby("message")["hours"]
late = late.describe(percentiles=[0.5, 0.95])[["count", "50%", "95%", "max"]].astype({"count": int}).round(1)
print("\nhours from the event to its message\n", late.to_string(), sep="")
label = readmissions(stays, until=pd.Timestamp("2026-06-30 20:00"))
starts = stays.merge(label[label["eligible"]], on="stay_id")
print("\n", starts.groupby("site_id")[["n_diagnoses", "readmitted"]].mean().astype(float).round(3).to_string(), sep="")

# %% [markdown]
"""
**Two units, one honest.** Since December 2025 hospital 1 sends µmol/L too and *says so*: 82 to 184 `umol/L` (FHIR and the tables have it converted). Who ignores the label (OBX-6) breaks hospital 1; who believes it, hospital 2.

**On time.** Discharges (A03) come within the hour; some changed records (A08) hang in a queue for two days: in the order sent (MSH-7), an old telephone number can overwrite a newer one. Sort by when it was recorded (EVN-2; in life people enter discharges late). And ask whose clock it is: hospital 2 writes no time zone, hospital 3's laboratory writes UTC.

**Coded alike?** Hospital 3 codes the fewest diagnoses, and its patients return most often. A model that learned elsewhere may read silence as health.

**For the CTO:** a limit with an owner for each of the three questions; the project writes it. **For the product manager:** "missing" is a fact about a place.
"""

# %% [markdown]
"""
## 6. One person, two records

*About 36 min from the start.*

A model that counts earlier stays needs to know who is who. Lakeshore took over the Prairie hospital group, so many patients have two *numbers*; some people also have two *records*. `match_patients` compares names, birth dates, sex, telephones and areas, adds points for what agrees, takes points for what differs, and says why. The pairs that are truly one person we read from `truth/`. In life nobody hands you this: two clerks review a sample, each on their own.
"""

# %%
true_pairs = pd.read_parquet(data("truth/duplicates.parquet"))
true = {frozenset(pair) for pair in true_pairs.itertuples(index=False)}
numbers = patients.melt("patient_id", ["mrn", "former_mrn"], value_name="number").dropna(subset="number")
numbers["digits"] = numbers["number"].str.replace(r"\D", "", regex=True)
same = numbers.merge(numbers, on="digits").query("patient_id_x < patient_id_y")
exact = patients.merge(patients, on=["given_name", "family_name", "birth_date"]).query("patient_id_x < patient_id_y")
matched = fhir.match_patients(patients)
ways = {
    "same digits in a number": same[["patient_id_x", "patient_id_y"]],
    "same name and birth date": exact[["patient_id_x", "patient_id_y"]],
    "points for what agrees": matched[["first_id", "second_id"]],
}
for name, table in ways.items():
    proposed = {frozenset(pair) for pair in table.itertuples(index=False)}
    print(f"{name:25} proposes {len(proposed):3}, right {len(proposed & true):3}, of {len(true)} to find")
print("one of the pairs:", matched.iloc[-1]["why"])

# %% [markdown]
"""
Equal digits are a trap: `LH008209` and `P-008-209` belong to strangers, because a number means something only **with the system that gave it**. Exact agreement finds nobody: where a second record was made, something had been mistyped. Points find all 65 and accuse nobody. That is a precision and a recall of 1 *here* (with 65 of 65 right, a true precision of 0.95 would not be ruled out). Real records are harder: twins, changed names, shared telephones.

The program proposes; a person merges. A wrong merge mixes two people's allergies.

**For the CTO:** precision and recall of the matching, measured, on the quality report. **For the product manager:** ask who undoes a wrong merge, and how.
"""

# %% [markdown]
"""
## 7. The analyst is faster

*About 40 min from the start.*

An analyst does not wait for you. Her model is to speak **at the minute of discharge**. She takes the table `stays` and the library's label of unplanned returns in less than 30 days (you build the rule in the project), learns from discharges up to November 2025 (their 30 days are over by January) and tests on January to May 2026. She has even learned from week 1: `cost_year_after` is empty for every recent stay, so it is out. Everything else is filled. (Two cells join the tables and define the model; pass over the code.) **Can this be trusted, or is it too good to be true?**
"""

# %%
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

names = {"2160-0": "creatinine", "2951-2": "sodium", "718-7": "hemoglobin", "1751-7": "albumin", "mended": "converted"}
confirmed = (creatinine["site_id"] == "hosp-2") & (creatinine["taken"] >= "2026-02-01")  # by its laboratory
mended = creatinine.assign(loinc="mended", value=creatinine["value"].where(~confirmed, creatinine["value"] / 88.4))
last = pd.concat([labs[labs["loinc"].isin(names)], mended]).sort_values(["taken", "stay_id"])
last = last.drop_duplicates(["stay_id", "loinc"], keep="last").pivot(index="stay_id", columns="loinc", values="value")
starts = starts.merge(last.rename(columns=names), on="stay_id", how="left")
train = starts[starts["discharged"] < "2025-12-01"]
test = starts[(starts["discharged"] >= "2026-01-01")]


# %%
def scores_with(numbers, words):
    """Risk of each test stay by a logistic regression that learned from the training stays."""
    fill = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    prepare = make_column_transformer((fill, numbers), (OneHotEncoder(handle_unknown="ignore"), words))
    model = make_pipeline(prepare, LogisticRegression(max_iter=3000))
    model.fit(train[numbers + words].astype(dict.fromkeys(numbers, float)), train["readmitted"].astype(int))
    return model.predict_proba(test[numbers + words].astype(dict.fromkeys(numbers, float)))[:, 1]


# Every column of the table that is filled, as it comes.
words = ["site_id", "class", "ward", "admission", "disposition", "principal", "sex", "payer"]
numbers = ["n_diagnoses", "length_of_stay", "age", "area_deprivation", "emergency_visits_6m", "cost"]
numbers += ["follow_up_within_14d", "episode_diagnosis_count"]
outcome = test["readmitted"].astype(int)
everything = scores_with(numbers, words)
print(f"{len(train):,} stays to learn from, {len(test):,} to test on, {outcome.mean():.1%} of them came back")
share = test[["cost_year_after", *numbers]].notna().mean()
print(f"filled: cost_year_after {share.iloc[0]:.0%}, the other numbers at least {share.iloc[1:].min():.1%}")
print(f"AUC with every filled column of the table: {roc_auc_score(outcome, everything):.2f}")

# %% [markdown]
"""
The best score possible on this world is 0.779 (`data/synthetic/CALIBRATION.md`; AUC is the share of pairs ranked in the right order, week 1). Far above it, something has seen the future. Everything is filled, so the fill rate is blind this time. The question that is left: **when was each value known?** Read the descriptions of the two columns below, then the figures, and name what is wrong with each.
"""

# %%
print("follow_up_within_14d:    A follow-up visit took place within 14 days of the discharge.")
came = outcome.groupby(test["follow_up_within_14d"]).mean()
print(f"  came back, with a follow-up visit: {came[True]:.0%}, without: {came[False]:.0%}\n")
print("episode_diagnosis_count: Diagnoses billed in the episode of care, as the billing department counts them.")
more = (test["episode_diagnosis_count"] - test["n_diagnoses"]).groupby(outcome.map({0: "did not", 1: "came back"}))
print("  diagnoses in the episode beyond those of the stay, mean:", more.mean().round(1).to_dict())

# %% [markdown]
"""
Who is back in hospital on day five cannot keep the appointment of day ten. The visit is in part a **consequence** of not returning, and at the discharge nobody knows it. (So the first figure does not say that follow-up visits help; nor that they do not.) The episode runs on for weeks, so the codes of the *return* are counted in. The name of the column does not tell; the billing department does, if you ask.

Now the ladder: every filled column, then only what is known at the minute of discharge, with creatinine as the table has it and converted. `cost` goes too (known once billed), `class` (one value only), payer and area (the payer is that of the extract's day, and compliance asks to do without either). Pass over the code; it draws the intervals, too.
"""

# %%
known = ["n_diagnoses", "length_of_stay", "age", "emergency_visits_6m", "sodium", "hemoglobin", "albumin"]
known_words = ["site_id", "ward", "admission", "disposition", "principal", "sex"]
ladder = {
    "every filled column": everything,
    "known at discharge, creatinine as it is": scores_with([*known, "creatinine"], known_words),
    "known at discharge, creatinine converted": scores_with([*known, "converted"], known_words),
}
rng = np.random.default_rng(2)
person, n = pd.factorize(test["patient_id"])[0], test["patient_id"].nunique()
# People are drawn again, with all their stays: 200 times.
weights = [rng.multinomial(n, np.full(n, 1 / n))[person] for _ in range(200)]
auc = pd.Series({name: roc_auc_score(outcome, risk) for name, risk in ladder.items()})
spread = {name: [roc_auc_score(outcome, r, sample_weight=w) for w in weights] for name, r in ladder.items()}
bounds = pd.DataFrame(spread).quantile([0.025, 0.975]).T
print(pd.concat([auc.rename("AUC"), bounds.set_axis(["from", "to"], axis=1)], axis=1).round(2).to_string())
CEILING = 0.779  # data/synthetic/CALIBRATION.md
fig, ax = plt.subplots(figsize=(8, 3))
colours = [plots.RED, plots.GREY, plots.BLUE]
ax.hlines(auc.index, bounds[0.025], bounds[0.975], color=colours, linewidth=3)
ax.scatter(auc, auc.index, s=80, color=colours, zorder=3)
ax.axvline(CEILING, color=plots.RED, linestyle="--")
ax.text(CEILING + 0.004, 2.35, "best possible on this world", color=plots.RED, va="center")
ax.set(xlim=(0.6, 0.95), ylim=(2.6, -0.5))
plots.label(ax, "Right of the line: the future. Far left: a unit", "AUC, January to May 2026 (95 % interval)", "")
plt.show()

# %% [markdown]
"""
*In words:* three dots with intervals. Every filled column scores about 0.90, far right of the dashed line of the best possible. What is known at discharge scores about 0.65 with creatinine as the table has it, and about 0.75 converted, just left of the line.

0.75 is honest, and one laboratory's false label alone costs 0.10 of it. The last step is finer: a **point-in-time** join asks when each value was *known*. Suppose the model ran at rounds instead, 06:30 on the day of discharge: disposition and the codes of the stay would have to go, too. And which creatinine does it see? `fhir.as_of` wants both times; beside it, the join most people write. Pass over the code.
"""

# %%
ends = duckdb.sql(
    """select id as stay_id, period."end" as left_at from read_json($file, format = 'newline_delimited', columns = {
    id: 'varchar', class: 'struct(code varchar)', period: 'struct("end" timestamptz)'})
    where class.code = 'IMP' and period."end" is not null order by id""",
    params={"file": str(data("fhir/Encounter.ndjson"))},
).df()
ends["asked"] = (ends["left_at"].dt.tz_convert(CHICAGO).dt.normalize() + pd.Timedelta("6h30min")).dt.tz_convert("UTC")
of_creatinine = results[results["loinc"] == "2160-0"]
times = {"by": "stay_id", "prediction_time": "asked", "time": "taken"}
seen = fhir.as_of(ends, of_creatinine, known_at="issued", **times).set_index("stay_id")["value"]
wished = fhir.as_of(ends, of_creatinine, known_at="taken", **times).set_index("stay_id")["value"]
print(f"{STAY}: taken by 06:30: {wished[STAY]}, known by 06:30: {seen[STAY]}")
print(f"the two differ in {(wished.fillna(-1) != seen.fillna(-1)).sum()} of {len(ends)} stays")

# %% [markdown]
"""
Her blood is drawn at 06:00, the result is issued at 06:50. A model at 06:30 has the value of the day she came. (In the FHIR feed each result takes 50 minutes; the result messages of section 5 come later, 1.2 hours at the median. In life it depends on test and hour.) Who joins on `taken` trains on a morning that no morning will offer. Final codes may come days after the discharge, so even for the minute of discharge ask before `n_diagnoses` may stay.

**For the CTO:** two times for every event, when it happened and when it was known, or it does not enter the feature table. **For the product manager:** at what hour does the model run, and who acts on it then?
"""

# %% [markdown]
"""
## 8. Who made this table, from what?

*About 47 min from the start.*

In a year somebody asks where the training table came from. FHIR has a resource for the answer: **Provenance** says what was made (`target`), from what (`entity`), when, and by whom (`agent`). The fingerprint (SHA-256) shows later whether a source is still the same file. What if the agent is left out, or is nobody?
"""

# %%
import hashlib

sources = ["tables/stays.parquet", "tables/labs.parquet"]
prints = {name: hashlib.sha256(data(name).read_bytes()).hexdigest() for name in sources}
what = {
    name: {"identifier": {"system": "https://example.org/fhir/sid/sha256", "value": prints[name]}, "display": name}
    for name in sources
}
lineage = {
    "resourceType": "Provenance",
    "target": [{"display": "readmission features, version 1"}],
    "recorded": "2026-07-06T09:00:00-05:00",
    "activity": {"text": "starts by the rule; creatinine of hosp-2 from 2026-02-01 divided by 88.4, as its laboratory confirmed"},
    "agent": [{"who": {"display": "Chief Technology Officer, Lakeshore Health"}}],
    "entity": [{"role": "source", "what": what[name]} for name in sources],
}
model = R4B.get_fhir_model_class("Provenance")
print(model.model_validate(lineage).model_dump_json(indent=1)[:480], "...")
for name, agent in {"no agent": {}, "an agent who is nobody": {"agent": [{"who": {}}]}}.items():
    try:
        model.model_validate({key: value for key, value in lineage.items() if key != "agent"} | agent)
        print(f"{name}: valid")
    except ValueError as problem:
        print(f"{name}:", problem.errors()[0]["msg"])

# %% [markdown]
"""
R4B wants the key, not a person. That a name stands there is a rule of your own.

## 9. What to take with you

*About 49 min from the start.*

1. **Trust is given for a fact, not for a feed.** Who wrote it, and for whose purpose?
2. **Valid is not true.** Check the release, then meaning; and look at every input by site and month.
3. **Each value has two times.** What happened before the prediction may not have been known by then.

**On Monday**

- Ask which FHIR release your import line names, and which resource types its test left out.
- Ask for the median of one laboratory value by site and month, for two years.
- Pick one column of a model in use, and find somebody who can say when it is written.

**Next:** [the exercises](exercises.ipynb) (95 min), then [the project](project.ipynb): a readmission cohort that somebody can sign. **To read:** the FHIR service of the cloud you use (Amazon, Microsoft or Google): a bundle, a bulk export (a weekend); Burkov, *The Hundred-Page Machine Learning Book*, chapter 5, on features and missing values (20 min); the ICD-10-CM Official Guidelines, section II (10 min); the FHIR R4 page on Provenance, hl7.org/fhir/R4/provenance.html (15 min).
"""
