# %% [markdown]
"""
# Week 2: Can we trust this feed?

July 2026. The board of Lakeshore Health asks for a model that says who will be back in hospital within 30 days. Before anybody trains anything, somebody has to say which of Lakeshore's feeds a model may learn from, and put a name under it. This week the name is yours; the extract on your desk is of 30 June.

| | |
|---|---|
| **Afterwards you can** | read one visit in FHIR, HL7 v2 and a claim; say what a validation proves and what not; find a column that knows the future |
| **Time** | 60 minutes if messages and SQL are new to you, 45 if not |
| **You need** | week 1. Product managers may pass over all code here and read what it prints |
| **Data** | tables of three hospitals, two years, and a sample of their feeds; synthetic, every patient is invented |
| **In the room** | CTO, product manager, clinical informaticist, head of billing |
"""

# %% [markdown]
"""
## 1. One visit, three stories

*About 0 min from the start.*

A woman of 93 is in Lakeshore Harbor Hospital for two nights, stay `enc-0061131`. Three systems report it: the record as **FHIR** (Fast Healthcare Interoperability Resources, JSON over an interface), the admission desk as **HL7 v2** messages (lines with bars, the older standard), billing as a **claim** (in the shape of an 837, the claim format of the United States; shortened).

Here they are as they arrive. Look for three things: when she left, why she was there, the money. (Her blood is in none of them: results come in resources and messages of their own.)

(Invented. In life every line is protected health information, and an age over 89 is itself an identifier under Safe Harbor, 45 CFR 164.514(b)(2).)
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
In FHIR, names say what things are (`period`, `diagnosis`); diagnoses are references to other files. In HL7, the place says it: `A03` means discharge, field 45 of `PV1` its time, and `DG1` lines are diagnoses. (DG1-6, admitting or final, is required in 2.5.1, the version this message declares, and left out: ask.) In the claim, `HI` holds the diagnoses with the principal one first, `CLM` the amount.

**Predict before you run:** for time, reason and money, which source would you trust? The next cell picks them out, and three lines of the discharge summary with them.
"""

# %%
encounter, message = json.loads(line), about_her[-1]
conditions = {c["id"]: c for c in map(json.loads, lines("fhir/Condition.ndjson"))}
first = conditions[encounter["diagnosis"][0]["condition"]["reference"].removeprefix("Condition/")]
cost = next(e["valueMoney"]["value"] for e in encounter["extension"] if e["url"].endswith("total-cost"))
in_claim = [r"SERVICE\*\d+-(\d+)", r"ICD10CM:(\w+)", r"CLM\*\w+\*([\d.]+)", r"BHT\*\w+\*(\d+)"]
day, principal, charged, sent = (re.search(pattern, claim)[1] for pattern in in_claim)
three = {
    "FHIR": [encounter["period"]["end"], first["code"]["coding"][0]["code"], f"{cost} cost", "-"],
    "HL7 A03": [message["PV1-45"], message["DG1-3.1"], "other messages", message["MSH-7"]],
    "claim": [day, principal, f"{charged} charged", sent],
}
print(pd.DataFrame(three, index=["discharged", "first diagnosis", "money", "sent"]).to_string())
summary = pd.read_parquet(data("tables/documents.parquet")).set_index("stay_id").loc[STAY, "text"]
for text in summary.splitlines():
    if text.startswith(("DISCHARGE DIAG", "HISTORY", "DISCHARGE MED")):
        print("", *textwrap.wrap(text, 116), sep="\n")

# %% [markdown]
"""
FHIR and HL7 name the same minute: `Z` is UTC, `-0500` Chicago in summer. The claim knows only a day. Nobody says what was *paid*: 8,050 is what the stay cost by billing's reckoning, 3,380 what was charged (invented; in US hospitals charges stand well above cost).

And the first diagnosis? Cellulitis of the leg (L03.115) in the record, heart failure (I50.9) on the claim. The rules ask for the condition "established after study to be chiefly responsible for occasioning the admission" (ICD-10-CM Official Guidelines, section II), so a claim coded later may rightly differ. Not here: she came with a red calf, the new drug is an antibiotic, and heart failure is treated as before. A claim is written to be paid, and payment starts from its first diagnosis. How often do they differ?
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
print(f"first diagnosis differs: {len(differ)}, {len(differ) / len(pairs):.0%} (95 % interval {low:.0%} to {high:.0%})")
print(pd.DataFrame(differ, columns=["stay", "HL7 A03", "claim"]).to_string(index=False))

# %% [markdown]
"""
These files do not say why. It need not be upcoding (a code chosen because it pays more): blood pressure (I10) before a bowel obstruction (K56.609) hardly does. So trust is decided **for each fact**: discharge time from the messages, results from the laboratory, charges from billing, the reason from the final coded record, checked against the summary.

**For the CTO:** ask of each column which system it was born in, and for what. **For the product manager:** a model trained on claim diagnoses predicts billing; say so on its label.

## 2. The pilot passed

*About 14 min from the start.*

The integration team checked 200 patients and 200 results with the library `fhir.resources`, which knows what each type may hold. **Would you sign for all 28 types?** Run one cell, write yes or no, then run the next.
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
From 100 % to nothing. Is the feed broken? `class` should be a list, `payor` should not exist; yet in every stay the vendor sends `class` as one thing. When *all* of something fails in the *same* way, suspect the ruler. Which version of FHIR does our feed declare, and which does the library measure by?
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
Nobody had chosen. The plain import follows the library's newest default, **R5**. The feed is **R4** (4.0.1), which certified records in the United States have to speak (45 CFR 170.215); `R4B` is the nearest this library has. Patient and Observation, as this feed uses them, have hardly changed between the two: a sample of the *easy* types tests nothing.

**For the CTO:** the release belongs in the interface contract and in the import line. **For the product manager:** ask which types the pilot left out.
"""

# %% [markdown]
"""
## 3. Valid is not true

*About 22 min from the start.*

The feed, so far, is valid R4B. What does that promise? The folder `faults` holds copies of resources in which one thing is wrong, of 23 kinds, and some untouched ones. How many kinds does the schema find? `check_feed` adds rules about the meaning; we run them on the copies, then on the feed. (Which line has which fault, we read from `truth/`. In life nobody hands you this.)
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
untouched = faults[faults["corruption"] == "none"]
print(f"false alarms: schema {untouched['schema'].sum()}, rules {untouched['rules'].sum()}, of {len(untouched)} untouched copies")
print(kinds.loc[["unknown-status", "dangling-reference", "death-before-birth", "number-as-string"]].astype(bool).to_string())
on_feed = pd.Series([problem.rule for problem in fhir.check_feed(whole_feed)]).value_counts()
print("the rules on the feed itself:", on_feed.to_dict())

# %% [markdown]
"""
The library's schema sees **shape**: what is missing, misplaced or misspelt. It does not see that a status is none of FHIR's, that a reference leads to nobody, that somebody died before birth, and it turns the text "5.1" into a number without a word. (FHIR's official validator, run with the US Core profiles, checks codes, too.) The rules find these; they were written with such faults in mind, so expect less elsewhere. On our valid feed they find 22 values that cannot be, all creatinine (section 5), and three claims whose total is not the sum of its lines.

**For the CTO:** "100 % valid" is the entry ticket; ask which checks go beyond it. **For the product manager:** each rule needs an owner who answers when it fires.

*Optional:* the next cell reports on FHIR R4 files of made-up patients in a folder `own_files` beside this notebook.
"""

# %%
own = Path("own_files")
print(fhir.report(own).text() if own.is_dir() else "No folder own_files here; nothing to read.")

# %% [markdown]
"""
## 4. From an export to a table

*About 29 min from the start.*

A bulk export gives one file a resource type, one resource a line (NDJSON). **DuckDB**, a database in a library, queries it where it lies: *select* these fields *from* the file, where `columns` says what to expect (`struct(…)` is a box with names in it, `[]` a list of boxes). `loinc` is the public code for the test. Note `taken` and `issued`: blood is drawn at one time, its result known at another. You need both in section 7.
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
print(f"{len(results):,} results of {results['stay_id'].nunique()} stays, {results.isna().sum().sum()} empty values")
print(results[results["stay_id"] == STAY].drop(columns="stay_id").head(4).to_string(index=False))

# %% [markdown]
"""
A name misspelt in `columns` gives an empty column without a complaint, so count what is empty. And give every query an order without ties (two stays can begin on the same day): nobody signs a number that changes overnight.

## 5. Complete, plausible, on time?

*About 33 min from the start.*

**Is it there?** Ask by site: an average hides the one that differs.
"""

# %%
patients = pd.read_parquet(data("tables/patients.parquet"))
sites = pd.read_parquet(data("tables/sites.parquet")).set_index("site_id")["site_name"]
unknown = patients["race"].isna().groupby(patients["home_site_id"].map(sites)).agg(["mean", "size"]).sort_values("mean")
margin = 1.96 * np.sqrt(unknown["mean"] * (1 - unknown["mean"]) / unknown["size"])  # 95 % interval
print(f"race is empty in {patients['race'].isna().mean():.1%} of records")
fig, ax = plt.subplots(figsize=(7, 3.6))
ax.errorbar(100 * unknown["mean"], unknown.index, xerr=100 * margin, fmt="o", color=plots.BLUE)
ax.set_xlim(0, 36)
plots.label(ax, "Race is missing more at some clinics", "records without race (%), with 95 % interval", "")
plt.show()

# %% [markdown]
"""
*In words:* a dot for each of twelve clinics: race is missing in 4 % to 28 % of records, and the intervals of the extremes lie far apart. Dropping empty rows drops some clinics' people more than others'; keep "unknown" as a group of its own.

**Can it be?** The same question by site *and month*, of creatinine, a blood value of the kidneys.
"""

# %%
stays = pd.read_parquet(data("tables/stays.parquet"))
labs = pd.read_parquet(data("tables/labs.parquet")).merge(stays[["stay_id", "site_id", "discharged"]], on="stay_id")
creatinine = labs[labs["loinc"] == "2160-0"]
month = creatinine["taken"].dt.to_period("M").dt.to_timestamp()
typical = creatinine.groupby([month, creatinine["site_id"].map(sites)])["value"].median().unstack()
print(f"units of creatinine in the table: {sorted(creatinine['unit'].unique())}")
fig, ax = plt.subplots(figsize=(7, 3.4))
for (name, values), style in zip(typical.items(), ("-", "--", "-."), strict=True):
    ax.plot(values.index, values, style, label=name)
ax.set_yscale("log")
ax.set_yticks([1, 10, 100], ["1", "10", "100"])
ax.xaxis.set_major_formatter(plt.matplotlib.dates.ConciseDateFormatter(ax.xaxis.get_major_locator()))
ax.legend(loc="upper left")
plots.label(ax, "One hospital's creatinine jumps 90-fold", "month", "monthly median ('mg/dL', log)")
plt.show()

# %% [markdown]
"""
*In words:* the monthly median of creatinine at three hospitals: all near 1 until January 2026, then one (North, hospital 2) jumps to nearly 90 and stays there.

A median of 87 mg/dL is no sick month: it is µmol/L (88.4 to 1 mg/dL) under the old label. In a live feed that is first a **patient-safety event**: ask today what the wards see, and have the laboratory name the day and correct its reports. Only then repair your table, by hospital and day, never by size: a dialysis patient may really have 17 mg/dL. Here the laboratory names 1 February 2026.

Is it the only one? The messages say in which unit each value was sent (field OBX-6).
"""

# %%
sent_as = []
for hospital in (1, 2, 3):
    for _, m in read_hl7(data(f"hl7v2/oru-hosp-{hospital}.hl7")):
        for obx in (segment.text.split("|") for segment in m):
            if obx[0] == "OBX" and obx[3].startswith(("2160-0", "CREA")):  # CREA: a code of hospital 3's own
                sent_as.append((f"hosp-{hospital}", obx[6], m["OBR-7"][:6], float(obx[5])))
sent_as = pd.DataFrame(sent_as, columns=["hospital", "unit in OBX-6", "month", "value"]).groupby(["hospital", "unit in OBX-6"])
print(sent_as.agg({"month": ["min", "max"], "value": ["min", "max"]}).to_string())

# %% [markdown]
"""
**Who ignores the label breaks hospital 1; who believes it, hospital 2.** Since December 2025 hospital 1 sends µmol/L too and *says so* (FHIR and the tables have it converted).

**Did it come in time?** Some changed records wait two days in a queue, and an old telephone number can overwrite a newer one: the project counts them. And ask whose clock it is: hospital 2 writes no time zone, hospital 3's laboratory writes UTC.

**For the CTO:** a limit with an owner for each of the three questions. **For the product manager:** "missing" is a fact about a place.
"""

# %% [markdown]
"""
## 6. One person, two records

*About 42 min from the start.*

A model that counts earlier stays needs to know who is who. Lakeshore took over the Prairie hospital group, so many patients have two *numbers*; some people also have two *records*. `match_patients` gives points for names, birth dates, telephones and more that agree, and takes points for what differs. The true pairs we read from `truth/`; in life two clerks review a sample, each on their own.
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
Equal digits are a trap: `LH008209` and `P-008-209` belong to strangers, because a number means something only **with the system that gave it**. Exact agreement finds nobody: second records come from typing errors. Points find all 65 and accuse nobody, *here* (65 of 65 right does not rule out a true precision of 0.95). Real records are harder: twins, changed names. So the program proposes and a person merges: a wrong merge mixes two people's allergies.

**For the CTO:** precision and recall of the matching, measured, on the quality report. **For the product manager:** ask who undoes a wrong merge, and how.
"""

# %% [markdown]
"""
## 7. The analyst is faster

*About 46 min from the start.*

An analyst does not wait for you. Her model is to speak **at the minute of discharge**. She takes the table `stays` and the library's label of unplanned returns in less than 30 days (you build the rule in the project), learns from discharges up to November 2025 (their 30 days are over by January) and tests on January to May 2026. `cost_year_after`, empty for every recent stay, she leaves out, as week 1 taught. Everything else is filled. **Can this be trusted, or is it too good to be true?**
"""

# %%
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from carelab.fhir.readmissions import lace, readmissions

label = readmissions(stays, until=pd.Timestamp("2026-06-30 20:00"))
starts = stays.merge(label[label["eligible"]], on="stay_id")
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
The best score possible on this world is 0.779 (`data/synthetic/CALIBRATION.md`; AUC is the share of pairs ranked in the right order, week 1). Far above it, something has seen the future. In life nobody prints that line: drop each column in turn, and question first the one whose loss costs most. Here are two; read their descriptions and figures. **When was each value known?**
"""

# %%
print("follow_up_within_14d:    A follow-up visit took place within 14 days of the discharge.")
came = outcome.groupby(test["follow_up_within_14d"]).mean()
print(f"  came back, with a follow-up visit: {came[True]:.0%}, without: {came[False]:.0%}")
print("episode_diagnosis_count: Diagnoses billed in the episode of care, as the billing department counts them.")
more = (test["episode_diagnosis_count"] - test["n_diagnoses"]).groupby(outcome.map({0: "did not", 1: "came back"}))
print("  diagnoses in the episode beyond those of the stay, mean:", more.mean().round(1).to_dict())
for name in ("follow_up_within_14d", "episode_diagnosis_count"):
    rest = scores_with([column for column in numbers if column != name], words)
    print(f"AUC without {name}: {roc_auc_score(outcome, rest):.2f}")

# %% [markdown]
"""
Who is back in hospital on day five cannot keep the appointment of day ten: the visit is in part a **consequence** of not returning. (So the figure does not say that follow-up visits help, or do not.) The episode runs on for weeks, so the codes of the *return* are counted in. The name does not tell; the billing department does, if you ask.

Now ask it of every column. Out go `cost` (known once billed), `n_diagnoses` and `principal` (final codes may come days after the discharge), payer and area (compliance asks to do without), `class` (one value only). Blood has two times: `labs` holds only when it was taken. When was it known? The FHIR sample has both.
"""

# %%
sample = results[results["loinc"] == "2160-0"].copy()
for column in ("taken", "issued"):
    sample[column] = sample[column].dt.tz_convert(CHICAGO).dt.tz_localize(None)
print("her creatinine\n", sample.loc[sample["stay_id"] == STAY, ["taken", "issued", "value"]].to_string(index=False), sep="")
print("from sample to result, all in the FHIR sample:", *(results["issued"] - results["taken"]).unique())
print(f"from sample to discharge, shortest in the table: {(labs['discharged'] - labs['taken']).min()}")
asked = stays[stays["stay_id"].isin(sample["stay_id"]) & stays["discharged"].notna()]
times = {"by": "stay_id", "prediction_time": "discharged", "time": "taken"}
seen, wished = (fhir.as_of(asked, sample, known_at=at, **times)["value"] for at in ("issued", "taken"))
differ = (seen.fillna(-1) != wished.fillna(-1)).sum()
print(f"at the minute of discharge, another value by `taken` than by `issued`: {differ} of {len(asked)} stays")

# %% [markdown]
"""
From 06:00 to 06:50 a join by `taken` uses a value that nobody had. At the discharge it makes no difference: these data hold no sample of the last four hours. **We assume** that all results of the table came as fast as the FHIR sample's; in life that depends on test and hour.

Now the ladder: every filled column; what is known at discharge, with creatinine as it is and converted; and for comparison **LACE** (van Walraven 2010), points for length of stay, acuity, comorbidity and emergency visits that a nurse can add up. (It counts the stay's codes, so it is favoured here.)
"""

# %%
known = ["length_of_stay", "age", "emergency_visits_6m", "sodium", "hemoglobin", "albumin"]
known_words = ["site_id", "ward", "admission", "disposition", "sex"]
ladder = {
    "every filled column": everything,
    "known at discharge, creatinine as it is": scores_with([*known, "creatinine"], known_words),
    "known at discharge, creatinine converted": scores_with([*known, "converted"], known_words),
    "LACE, points on paper": lace(test, pd.read_parquet(data("tables/diagnoses.parquet"))),
}
rng = np.random.default_rng(2)
person, n = pd.factorize(test["patient_id"])[0], test["patient_id"].nunique()
# People are drawn again, with all their stays: 200 times.
weights = [rng.multinomial(n, np.full(n, 1 / n))[person] for _ in range(200)]
auc = pd.Series({name: roc_auc_score(outcome, risk) for name, risk in ladder.items()})
spread = {name: [roc_auc_score(outcome, r, sample_weight=w) for w in weights] for name, r in ladder.items()}
bounds = pd.DataFrame(spread).quantile([0.025, 0.975]).T
print(pd.concat([auc.rename("AUC"), bounds.set_axis(["from", "to"], axis=1)], axis=1).round(2).to_string())
gain = np.subtract(*(spread[name] for name in list(ladder)[2:]))
print(f"converted above LACE: {auc.iloc[2] - auc.iloc[3]:.2f}, 95 % interval {np.quantile(gain, 0.025):.2f} to {np.quantile(gain, 0.975):.2f}")

# %%
CEILING = 0.779  # data/synthetic/CALIBRATION.md
fig, ax = plt.subplots(figsize=(8, 3.4))
colours = [plots.RED, plots.GREY, plots.BLUE, plots.GREY]
ax.hlines(auc.index, bounds[0.025], bounds[0.975], color=colours, linewidth=3)
ax.scatter(auc, auc.index, s=80, color=colours, zorder=3)
ax.axvline(CEILING, color=plots.RED, linestyle="--")
ax.text(CEILING + 0.004, 3, "best possible on this world", color=plots.RED, va="center")
ax.set(xlim=(0.6, 0.95), ylim=(3.6, -0.5))
plots.label(ax, "Right of the line: the future. Far left: a false label", "AUC, January to May 2026 (95 % interval)", "")
plt.show()

# %% [markdown]
"""
*In words:* four dots with intervals. Every filled column scores about 0.90, far right of the dashed line of the best possible. What is known at discharge scores about 0.65 with creatinine as the table has it and about 0.75 converted, just left of the line; LACE about 0.72, less than the model by 0.02 to 0.06 (95 % interval).

0.75 is honest under the assumption above, and one laboratory's false label costs 0.10 of it.

**For the CTO:** two times for every event, when it happened and when it was known, or it does not enter the feature table. **For the product manager:** when does the model speak, who acts on it then, and is the gain over the score on paper worth it?
"""

# %% [markdown]
"""
## 8. Who made this table, from what?

*About 57 min from the start.*

In a year somebody asks where the training table came from. FHIR's **Provenance** says what was made (`target`), from what (`entity`), when, and by whom (`agent`). A fingerprint (SHA-256) of each source shows later whether it is still the same file. What if the agent is left out, or is nobody?
"""

# %%
import hashlib


def source(name):
    digest = hashlib.sha256(data(name).read_bytes()).hexdigest()
    what = {"identifier": {"system": "https://example.org/fhir/sid/sha256", "value": digest}, "display": name}
    return {"role": "source", "what": what}


lineage = {
    "resourceType": "Provenance",
    "target": [{"display": "readmission features, version 1"}],
    "recorded": "2026-07-06T09:00:00-05:00",
    "activity": {"text": "starts by the rule; creatinine of hosp-2 from 2026-02-01 divided by 88.4, as its laboratory confirmed"},
    "agent": [{"who": {"display": "Chief Technology Officer, Lakeshore Health"}}],
    "entity": [source("tables/stays.parquet"), source("tables/labs.parquet")],
}
model = R4B.get_fhir_model_class("Provenance")
print("valid:", model.model_validate(lineage).agent[0].who.display)
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

*About 58 min from the start.*

1. **Trust is given for a fact, not for a feed.** Who wrote it, and for whose purpose?
2. **Valid is not true.** Check the release, then meaning; and look at inputs by site and month.
3. **Each value has two times.** What happened before the prediction may not have been known by then.

**On Monday**

- Ask which FHIR release your import line names, and which resource types its test left out.
- Ask for the median of one laboratory value by site and month, for two years.
- Pick one column of a model in use; find somebody who can say when it is written.

**Next:** [the exercises](exercises.ipynb) (95 min), then [the project](project.ipynb): a readmission cohort that somebody can sign. **To read:** the FHIR service of the cloud you use (Amazon, Microsoft or Google): a bundle, a bulk export (a weekend); Burkov, *The Hundred-Page Machine Learning Book*, chapter 5, on features and missing values (20 min); the ICD-10-CM Official Guidelines, section II (10 min); the FHIR R4 page on Provenance, hl7.org/fhir/R4/provenance.html (15 min).
"""
