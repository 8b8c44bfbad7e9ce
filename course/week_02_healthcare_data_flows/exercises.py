# %% [markdown]
"""
# Week 2 exercises: eleven questions to ask of a feed

Each exercise is a small test that you can put to a feed, yours included (real records only inside your own protected environment, with permission).

| | |
|---|---|
| **You need** | week 1, the lesson of this week, about 95 minutes |
| **You earn** | 20 points, checked by machine |
| **Data** | HL7 v2 messages, claims, FHIR R4 resources and tables of Lakeshore Health (synthetic, patients invented) |
| **In the room** | CTO (owns the feeds), clinical informaticist (knows the codes), billing (knows the claims), product manager (owns the rule) |

Each exercise is one function. Replace the line `raise NotImplementedError(...)` by your own lines, run the cell, run the check below it. When your work is graded, the same rule is tried on other data. Under each heading stands the call that gives you a hint; call it again for the next one. `%xmode Plain` in a cell of its own makes errors say where.
"""

# %%
import json

import duckdb
import numpy as np
import pandas as pd
from fhir.resources.encounter import Encounter as EncounterR5
from fhir.resources.R4B.encounter import Encounter as EncounterR4B
from fhir.resources.R4B.provenance import Provenance
from pydantic import ValidationError

from carelab import check, fhir, hint
from carelab.paths import data

# %xmode Minimal

# %%
patients = pd.read_parquet(data("tables/patients.parquet"))
stays = pd.read_parquet(data("tables/stays.parquet"))
labs = pd.read_parquet(data("tables/labs.parquet"))
messages = data("hl7v2/adt-hosp-2.hl7").read_text(encoding="utf-8-sig").splitlines()
claims = data("claims/institutional.txt").read_text(encoding="utf-8").split("ST*837*")[1:]
encounters = [json.loads(line) for line in data("fhir/Encounter.ndjson").read_text(encoding="utf-8").splitlines()]
print(f"{len(patients):,} patient records, {len(stays):,} stays, {len(labs):,} laboratory results")
print(f"{len(messages)} segments of HL7 v2, {len(claims)} claims, {len(encounters)} Encounter resources")

# %% [markdown]
"""
## Before you start: five pieces of Python

*Skip this if you write Python. Week 1's exercises explain `return`, rows of a table, `for`, `if` and dicts.*

| you want | you write |
|---|---|
| to cut a text at a sign | `"a^b^c".split("^")` gives the list `["a", "b", "c"]` |
| one piece of a list | `parts[0]` is the first, `parts[3]` the fourth |
| a part of a text | `code[:3]` is its first three characters, `code[3:]` everything after them, `code[:3] + "."` puts two texts together |
| to try something that may fail | `try:`, and under it, indented, what may fail; then `except ValidationError:`, and under it what to do in that case (`pass` does nothing) |
| each thing once, whatever the order | a **set**: `{"a", "b", "a"}` has two members; `one & other` is what is in both |

`return` ends a function at once, inside a `for` too. Here is a solved exercise: *the birth year in a PID segment of HL7 v2, whose eighth piece is the birth date.*
"""


# %%
def birth_year(pid):
    fields = pid.split("|")
    return fields[7][:4]


print(birth_year("PID|1||LH006014^^^LAKESHORE^MR||Thorngate^Karen||19320618|F"))

# %% [markdown]
"""
## Part 1: read what the systems say

*About 5 min from the start.*

### Exercise 1: whose number is it? (2 points)

*Stuck? `hint("w02-record-number")`*

A PID segment says who a message is about. Its fields are separated by `|`, and the fourth piece (the standard calls it PID-3) holds the patient's numbers:

`2-006014^^^HOSP-2^PI~LH006014^^^LAKESHORE^MR`

Numbers are separated by `~`. Cut one number at `^`: its first part is the number itself, its fourth part is the **assigner**, who gave it out. One hospital sends its own number first, another the network's. Whoever takes "the first number" joins strangers.

Write `record_number`: the number that a given assigner gave out. If there is none, return `None`; another series' number would be another person's.

Go through `pid.split("|")[3].split("~")` with a `for`, cut each at `^`, and return as soon as the fourth part **is** the assigner. After the loop, `return None`.
"""


# %% exercise="w02-record-number" skills="C1"
def record_number(pid, assigner):
    """The patient's number from one assigner.

    pid: text of a PID segment; each number in its fourth field has at least four parts.
    assigner: text, for example "LAKESHORE".
    Returns the number as text, or None when this assigner gave none.

    Example: "PID|1||77^^^HOSP-9^PI~LH42^^^LAKESHORE^MR", "LAKESHORE" -> "LH42"
    """
    ### BEGIN SOLUTION
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if parts[3] == assigner:
            return parts[0]
    return None
    ### END SOLUTION


# %% check="w02-record-number" points=2
pid = "PID|1||2-006014^^^HOSP-2^PI~LH006014^^^LAKESHORE^MR||Thorngate^Karen||19320618|F"
number = record_number(pid, "LAKESHORE")
assert number is not None, (
    "Your function gives nothing back for a number that is there. Is there a `return` inside the `if`, and no other in the loop?"
)
assert isinstance(number, str), f"You returned a {type(number).__name__}; return one text, the number."
assert number != "2-006014", "You returned the number of HOSP-2, which stands first. Go by the assigner, not by the place."
assert "^" not in number, f"You returned {number!r}, all the parts together; the number is the first of them."
assert record_number(pid, "HOSP-2") == "2-006014", (
    f"Asked for the number of HOSP-2 you gave {record_number(pid, 'HOSP-2')!r}. Compare with `assigner`, whoever that is."
)
stranger = "PID|1||HOSP2-0060000^^^HOSP-2^PI||Quillfield^Ada||19510203|F"
assert record_number(stranger, "LAKESHORE") is None, (
    f"LAKESHORE gave this patient no number, and you returned {record_number(stranger, 'LAKESHORE')!r}. Return None."
)
near = record_number("PID|1||51^^^HOSP-10^PI~62^^^HOSP-1^PI||Alder^Jo||19600101|M", "HOSP-1")
assert near == "62", f"Asked for HOSP-1 you gave {near!r}; 51 is a number of HOSP-10. The fourth part must be equal (==), not similar."
pids = [line for line in messages if line.startswith("PID")]
known = sum(record_number(pid, "LAKESHORE") is not None for pid in pids)
print(f"Passed. Of {len(pids)} messages of hospital 2, {known} carry a number of the network; the others are strangers to it.")
### BEGIN HIDDEN TESTS
_pids = [_line for _line in data("hl7v2/adt-hosp-3.hl7").read_text(encoding="utf-8-sig").splitlines() if _line[:3] == "PID"]
for _pid in _pids[:40]:
    _entry = [_part.split("^") for _part in _pid.split("|")[3].split("~") if "^LAKESHORE^" in _part]
    assert record_number(_pid, "LAKESHORE") == (_entry[0][0] if _entry else None), (
        f"On hospital 3's messages you gave {record_number(_pid, 'LAKESHORE')!r} for the field {_pid.split('|')[3]}."
    )
### END HIDDEN TESTS

# %% [markdown] hint="w02-record-number"
"""
1. Four lines: a `for` over the numbers, a line that cuts one at `^`, an `if`, a `return`.
2. Counting starts at 0, so the fourth part is `parts[3]`. Which part do you give back?
3. A last line after the `for`, not indented under it, says what happens when no number fitted. Lesson, section 1.
"""

# %% [markdown]
"""
### Exercise 2: what the claim says (2 points)

*Stuck? `hint("w02-claim")`*

*About 15 min from the start.*

A claim tells the same stay as billing saw it. Its segments end in `~` and stand on lines of their own; the pieces of a segment are separated by `*`. You need two:

| segment | holds |
|---|---|
| `REF*VISIT*enc-0061131` | the number of the stay |
| `HI*ICD10CM:I509*ICD10CM:L03115` | the diagnoses; the **first** is the principal one |

Claims leave the point out of an ICD-10-CM code: `I509` is I50.9. It belongs after the third character, when there are more than three: `I10` stays I10.

Write `read_claim`. Go through `claim.split("~")`; `parts = segment.strip().split("*")` takes the line break off and cuts; `parts[0]` is the name of the segment; `parts[1].split(":")[1]` is the code in the second piece of `HI`. `len(code) > 3` is true when it needs a point.
"""


# %% exercise="w02-claim" skills="C1"
def read_claim(claim):
    """Number of the stay and principal diagnosis in one claim.

    claim: text; it holds one REF segment and one HI segment, in any order, among others.
    Returns a dict with the keys "visit" and "principal", both text; the diagnosis with its point.

    Example: "REF*VISIT*enc-1~HI*ICD10CM:J189~" -> {"visit": "enc-1", "principal": "J18.9"}
    """
    ### BEGIN SOLUTION
    for segment in claim.split("~"):
        parts = segment.strip().split("*")
        if parts[0] == "REF":
            visit = parts[2]
        if parts[0] == "HI":
            code = parts[1].split(":")[1]
    if len(code) > 3:
        code = code[:3] + "." + code[3:]
    return {"visit": visit, "principal": code}
    ### END SOLUTION


# %% check="w02-claim" points=2
claim = "CLM*CLM0004*3380.00~\nREF*VISIT*enc-0061131~\nHI*ICD10CM:I509*ICD10CM:L03115*ICD10CM:I110~\nLX*1~\n"
found = read_claim(claim)
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(found, dict) and set(found) == {"visit", "principal"}, (
    f"You returned {found!r}; return a dict with the two names visit and principal."
)
assert found["visit"] == "enc-0061131", f"visit is {found['visit']!r}; it is the third piece of the REF segment."
assert found["principal"] != "I509", "principal is I509, without its point. Put one after the third character."
assert found["principal"] != "I11.0", "principal is I11.0, the last diagnosis. The principal one is the first."
assert found["principal"] == "I50.9", (
    f"principal is {found['principal']!r}; take the first diagnosis of HI, without the words before the colon."
)
short = read_claim("REF*VISIT*enc-7~HI*ICD10CM:I10*ICD10CM:E119~")
assert short["principal"] == "I10", f"From the code I10 you made {short['principal']!r}; three characters need no point."
billed = pd.DataFrame([read_claim(claim) for claim in claims]).merge(stays, left_on="visit", right_on="stay_id")
differ = (billed["principal_x"] != billed["principal_y"]).sum()
print(f"Passed. In {differ} of {len(billed)} claims the first diagnosis is not the one the hospital coded first.")
### BEGIN HIDDEN TESTS
for _claim in data("claims/professional.txt").read_text(encoding="utf-8").split("ST*837*")[1:41]:
    _visit = _claim.split("REF*VISIT*")[1].split("~")[0]
    _code = _claim.split("HI*ICD10CM:")[1].split("~")[0].split("*")[0]
    _code = _code if len(_code) <= 3 else f"{_code[:3]}.{_code[3:]}"
    assert read_claim(_claim) == {"visit": _visit, "principal": _code}, (
        f"From a claim of a clinic you read {read_claim(_claim)}; read the pieces of `claim` each time."
    )
### END HIDDEN TESTS

# %% [markdown] hint="w02-claim"
"""
1. One `for` over the segments with two `if` under it: one for `REF`, one for `HI`. Each keeps what it found under a name.
2. The third piece is `parts[2]`, the second `parts[1]`. `"ICD10CM:I509".split(":")` gives two texts.
3. After the `for`, add the point where it is needed: `code[:3] + "." + code[3:]`. Then return the dict. Lesson, section 1.
"""

# %% [markdown]
"""
### Exercise 3: how much of the feed is valid? (2 points)

*Stuck? `hint("w02-share-valid")`*

*About 25 min from the start.*

A vendor shows that 100 % of the sample validates. Against which release? Write the function that asks: the share of a list of resources that a **model** accepts.

A model of `fhir.resources` is a class for one type in one release: `EncounterR4B` and `EncounterR5` are imported above. `model.model_validate(resource)` does nothing visible when the resource fits, and raises a `ValidationError` when it does not. So go through the resources, `try` each, and **after** it went well add one: `good = 0` starts a count, `good = good + 1` adds one.
"""


# %% exercise="w02-share-valid" skills="C1"
def share_valid(resources, model):
    """Share of the resources that a model accepts.

    resources: list of dicts, at least one; model: a class of fhir.resources, for example EncounterR4B.
    Returns a float between 0 and 1.
    """
    ### BEGIN SOLUTION
    good = 0
    for resource in resources:
        try:
            model.model_validate(resource)
            good = good + 1
        except ValidationError:
            pass
    return good / len(resources)
    ### END SOLUTION


# %% check="w02-share-valid" points=2
inpatient = {"code": "IMP"}
made = [
    {"resourceType": "Encounter", "class": inpatient},
    {"resourceType": "Encounter", "status": "finished", "class": inpatient},
    {"resourceType": "Encounter", "status": "finished", "class": [{"coding": [inpatient]}]},
    {"resourceType": "Encounter", "status": "planned", "class": inpatient},
    {"resourceType": "Encounter", "status": "cancelled", "class": inpatient},
]
share = share_valid(made, EncounterR4B)
assert share is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert share != 1, "You found all of them valid; two of these five do not fit. Under `try`: first model.model_validate, then the count."
assert share != 0, "You found none valid; three of these five fit. Does one that fails, or a `return` too far to the right, end the count?"
assert 0 < share < 1, f"You returned {share}; divide the count by the number of resources."
assert abs(share - 0.4) > 1e-9, "0.4 is the share that failed. Count after model_validate, inside the `try`."
assert abs(share - 0.6) < 1e-9, f"You returned {share}; count each of the five that fits, and divide by five."
share = share_valid(made, EncounterR5)
assert abs(share - 0.2) < 1e-9, f"By the model of R5 one of the five fits, and you returned {share}. Use the `model` that is passed in."
of = {"R5": share_valid(encounters[:100], EncounterR5), "R4B": share_valid(encounters[:100], EncounterR4B)}
print(f"Passed. Of 100 encounters of our feed, {of['R5']:.0%} are valid as R5 and {of['R4B']:.0%} as R4B.")
### BEGIN HIDDEN TESTS
_broken = [{**_each, "status": ["finished"]} for _each in encounters[:10]]
assert abs(share_valid(_broken + encounters[10:40], EncounterR4B) - 0.75) < 1e-9, (
    "Of 40 encounters of the feed, of which 10 were broken, 30 are valid; go through all the `resources`."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-share-valid"
"""
1. Start with `good = 0` before the `for`. In the `for`: a `try`, and an `except` at the same depth.
2. Under `try:` stand two lines. If the first one fails, Python jumps to `except` and never reaches the second. What belongs there?
3. Under `except ValidationError:` stands `pass`. After the loop, divide by `len(resources)`. Lesson, section 2.
"""

# %% [markdown]
"""
### Exercise 4: from export to table, with SQL (2 points)

*Stuck? `hint("w02-sql")`*

*About 35 min from the start.*

A bulk export is one JSON text a line. Write this, with your own words for the dots:

```python
query = '''
select id as stay_id, ... as patient_id
from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
    class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
where status = ... and ...
order by stay_id
'''
return duckdb.execute(query, [path, code]).df()
```

Take the stays with the status `'finished'` and the class `class.code = ?`. Each `?` is filled in order from the list at the end, `[path, code]`; a value handed over like this is never taken for SQL. `subject.reference` is `Patient/pat-006014`; `replace(subject.reference, 'Patient/', '')` takes the first part off.
"""


# %% exercise="w02-sql" skills="C1"
def finished_stays(path, code):
    """Finished encounters of one class, from an NDJSON file of Encounter resources.

    path: text, the file; code: text, the class, for example "IMP" (inpatient).
    Returns a table with the columns `stay_id` and `patient_id` (such as pat-006014), sorted by `stay_id`.
    """
    ### BEGIN SOLUTION
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = ?
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()
    ### END SOLUTION


# %% check="w02-sql" points=2
path = str(data("fhir/Encounter.ndjson"))
try:
    table = finished_stays(path, "IMP")
except Exception as error:
    assert "count mismatch" not in str(error), "DuckDB got two values, path and code, for another number of `?`. Leave one `?` for each."
    raise
assert table is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(table, pd.DataFrame), f"You returned a {type(table).__name__}; end the last line with .df(), which makes a table."
assert list(table.columns) == ["stay_id", "patient_id"], f"The columns are {list(table.columns)}; name them with `as`."
going_on = {each["id"] for each in encounters if each["status"] == "in-progress"}
assert not going_on & set(table["stay_id"]), "Some of these patients are still in hospital. Ask for the status 'finished'."
inpatient = {each["id"] for each in encounters if each["class"]["code"] == "IMP"}
assert set(table["stay_id"]) <= inpatient, "Some of these are no inpatient stays. Compare the class with the second `?`."
assert len(table) == len(inpatient - going_on), f"{len(table)} stays; {len(inpatient - going_on)} are finished and inpatient."
assert not table["patient_id"].str.startswith("Patient/").any(), "patient_id begins with Patient/; it would join with no table. Take that off."
assert table["stay_id"].is_monotonic_increasing, "The rows are not sorted by stay_id; without an order, two runs may differ."
status = {each["id"]: each["status"] for each in encounters}
other = sorted({status[stay] for stay in finished_stays(path, "AMB")["stay_id"]} - {"finished"})
assert not other, f"With the class AMB your table holds stays of the status {', '.join(other)}. Ask for `status = 'finished'`."
print(f"Passed. {len(table)} finished inpatient stays of {table['patient_id'].nunique()} patients.")
### BEGIN HIDDEN TESTS
for _code in ("OBSENC", "EMER", "AMB"):
    _kept = [_each for _each in encounters if _each["status"] == "finished" and _each["class"]["code"] == _code]
    _wanted = {_each["id"]: _each["subject"]["reference"].removeprefix("Patient/") for _each in _kept}
    _table = finished_stays(path, _code)
    assert dict(zip(_table["stay_id"], _table["patient_id"], strict=True)) == _wanted, (
        f"For the class {_code} you found {len(_table)} stays, and there are {len(_wanted)}; hand `code` over to the query."
    )
### END HIDDEN TESTS

# %% [markdown] hint="w02-sql"
"""
1. Three places to fill in: what becomes `patient_id`, the value of `status`, and the condition on the class.
2. Text in SQL stands in single quotes: `'finished'`. The second `?` takes the place of a text and needs no quotes; leave it as it is, `code` fills it in.
3. The text under the frame gives the expression for `patient_id`; it goes before `as`. Lesson, section 4.
"""

# %% [markdown]
"""
## Part 2: is it complete, and can it be true?

*About 44 min from the start.*

### Exercise 5: missing, and where (1 point)

*Stuck? `hint("w02-missing-by-site")`*

"12 % of race is missing" sounds bearable, but it is not spread evenly. Count by home clinic.

`table["race"].isna()` is a column of true and false; the mean of such a column is a share. `column.groupby(table["home_site_id"]).mean()` takes it for each clinic, `.sort_values(ascending=False)` puts the largest first. A clinic where nothing is missing has the share 0.
"""


# %% exercise="w02-missing-by-site" skills="P1"
def missing_by_site(patients, column):
    """Share of patient records of each home clinic in which a column is empty.

    patients: table with `home_site_id` and other columns; column: name of one of them.
    Returns a Series of shares between 0 and 1, one a clinic (its index), the largest first.
    """
    ### BEGIN SOLUTION
    missing = patients[column].isna()
    return missing.groupby(patients["home_site_id"]).mean().sort_values(ascending=False)
    ### END SOLUTION


# %% check="w02-missing-by-site" points=1
table = pd.DataFrame(
    {
        "home_site_id": ["a", "a", "a", "a", "a", "b", "c", "c"],
        "race": ["White", None, "Black", None, "Asian", "White", None, "White"],
        "language": ["en", "en", "so", "en", "pl", None, "en", "en"],
    }
)
share = missing_by_site(table, "race")
assert share is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(share, pd.Series), f"You returned a {type(share).__name__}; return a Series with one share for each clinic."
assert "b" in share.index, "Clinic b is gone. Nothing is missing there, and a share of 0 is a result: keep all rows."
assert share["b"] != 1, "Clinic b recorded everybody and has the share 1: you count what is there, not what is missing."
assert share["b"] == 0, f"Clinic b, where nothing is missing, has the share {share['b']}, not 0. Take the mean of true and false over all its rows."
assert abs(share["c"] - 0.5) < 1e-9 and abs(share["a"] - 0.4) < 1e-9, (
    f"Clinic c has {share['c']:.2f} and clinic a {share['a']:.2f}; divide by the records of the same clinic."
)
assert list(share.index) == ["c", "a", "b"], f"The order is {list(share.index)}; put the largest share first."
share = missing_by_site(patients, "race")
print(f"Passed. Race is missing in {share.iloc[0]:.0%} of the records of {share.index[0]}, and in {share.iloc[-1]:.0%} at {share.index[-1]}.")
### BEGIN HIDDEN TESTS
assert abs(missing_by_site(table, "language")["b"] - 1) < 1e-9, "For the column language clinic b has the share 1; use `column`."
_share, _gone = missing_by_site(patients, "ethnicity"), patients["ethnicity"].isna()
_wanted = {_site: _gone[patients["home_site_id"] == _site].mean() for _site in patients["home_site_id"].unique()}
assert {_site: round(float(_part), 6) for _site, _part in _share.items()} == {_site: round(float(_part), 6) for _site, _part in _wanted.items()}, (
    f"On the real records you give shares of ethnicity for {len(_share)} clinics that are not theirs; there are {len(_wanted)}."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-missing-by-site"
"""
1. Two lines: a column of true and false for `patients[column]`, then its mean for each clinic.
2. Do not filter: the share is one of all rows of a clinic, full or empty, and a clinic without an empty row has 0.
3. The groups are `patients["home_site_id"]`. Lesson, section 5.
"""

# %% [markdown]
"""
### Exercise 6: one unit for all (2 points)

*Stuck? `hint("w02-units")`*

*About 51 min from the start.*

A glucose of 5.5 mmol/L is a usual value before breakfast; 5.5 mg/dL would be an emergency. Bring everything to mg/dL, by the unit that was **sent**:

| test | unit | to mg/dL |
|---|---|---|
| `creatinine` | `mg/dL` | as it is |
| `creatinine` | `umol/L` | divide by 88.4 |
| `glucose` | `mg/dL` | as it is |
| `glucose` | `mmol/L` | multiply by 18.02 |

(`umol/L` is how UCUM, the code for units, writes µmol/L.) Whatever is not in this table becomes `np.nan`, missing: an empty unit, `None`, and `MG/DL` too (UCUM tells capitals from small letters). Never guess a unit from the size of a value: a sick patient's is unusual, too.

One `if` for each way to convert, such as `if test == "glucose" and unit == "mmol/L":`; the last line is for all the rest.
"""


# %% exercise="w02-units" skills="C1"
def in_mg_dl(test, value, unit):
    """A laboratory value in mg/dL.

    test: "creatinine" or "glucose"; value: number; unit: text as sent, or None.
    Returns a float in mg/dL, or np.nan when test and unit are not in the table above.

    Example: "glucose", 10.0, "mmol/L" -> 180.2   (half a percent of difference is accepted)
    """
    ### BEGIN SOLUTION
    if unit == "mg/dL":
        return value
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02
    return np.nan
    ### END SOLUTION


# %% check="w02-units" points=2
plain = in_mg_dl("creatinine", 1.1, "mg/dL")
assert plain is not None, "Your function gives nothing back. Is there a `return` under each `if`?"
assert plain == 1.1, f"A creatinine of 1.1 mg/dL became {plain}; it is in the right unit already."
creatinine = in_mg_dl("creatinine", 97.0, "umol/L")
assert pd.notna(creatinine) and abs(creatinine - 1.097) < 0.006, f"A creatinine of 97 umol/L became {creatinine}; about 1.1 is what 97 stands for."
glucose = in_mg_dl("glucose", 5.5, "mmol/L")
assert pd.notna(glucose) and abs(glucose - 99.11) < 0.5, f"A glucose of 5.5 mmol/L became {glucose}; about 99 mg/dL is the same glucose."
mixed = in_mg_dl("creatinine", 0.1, "mmol/L")
assert pd.isna(mixed), f"A creatinine in mmol/L is not in the table, and you gave {mixed}. Does your `if` look at the test, too?"
empty = in_mg_dl("glucose", 99.0, "")
assert pd.isna(empty), f"A glucose without a unit became {empty}. 99 looks like mg/dL, but nobody said so: missing."
loud = in_mg_dl("creatinine", 1.1, "MG/DL")
assert pd.isna(loud), f"A creatinine in MG/DL became {loud}. UCUM tells capitals from small letters; the table has mg/dL."
try:
    empty = in_mg_dl("creatinine", 97.0, None)
except Exception as error:
    assert "NoneType" not in str(error), "With the unit None your function stops: None is no text. Compare with == and change nothing."
    raise
assert pd.isna(empty), f"A creatinine with the unit None became {empty}; nobody said what 97 is: missing."
print("Passed. What nobody vouched for is missing, and a missing value can be counted.")
### BEGIN HIDDEN TESTS
assert in_mg_dl("creatinine", 97.0, "mg/dL") == 97.0, "A creatinine of 97 under the unit mg/dL stays 97: go by the unit, do not guess."
for _test, _value, _unit in [("glucose", 5.5, "umol/L"), ("creatinine", 97.0, "UMOL/L"), ("glucose", 5.5, "g/L")]:
    assert pd.isna(in_mg_dl(_test, _value, _unit)), f"{_test} in the unit {_unit!r} is not in the table and must be missing."
for _value in (2.2, 14.0, 31.5):
    assert abs(in_mg_dl("glucose", _value, "mmol/L") / (_value * 18.02) - 1) < 0.005, "Convert every glucose in mmol/L with the same factor."
    assert in_mg_dl("glucose", _value * 18, "mg/dL") == _value * 18, "A glucose in mg/dL stays as it is."
    assert abs(in_mg_dl("creatinine", _value * 30, "umol/L") / (_value * 30 / 88.4) - 1) < 0.005, "Convert every creatinine in umol/L."
### END HIDDEN TESTS

# %% [markdown] hint="w02-units"
"""
1. Write the first line of the table as an `if` with a `return` under it, then the next.
2. Two of the four lines do the same, so three `if` are enough. Both test and unit must fit for the ones that convert.
3. The last line is reached only when no `if` fitted: return `np.nan` there. Lesson, section 5.
"""

# %% [markdown]
"""
### Exercise 7: when the label lies (2 points)

*Stuck? `hint("w02-suspicious")`*

*About 59 min from the start.*

A single high creatinine may be a sick patient. A whole month of them is a laboratory whose label lies.

So look at the **median of each hospital and month**: `results.groupby(["site_id", "month"])["value"].median()`. Keep those below `low` or above `high`: `(a < 1) | (a > 2)` is true where one of the two holds, and `list(column.index)` makes a list of the pairs.
"""


# %% exercise="w02-suspicious" skills="C1 P1"
def suspicious_months(results, low, high):
    """Hospitals and months in which the median of a test is not plausible.

    results: table of one test with the columns `site_id`, `month` (text such as "2026-02") and `value`.
    low, high: plausible medians lie between these two, both included.
    Returns a list of pairs (site_id, month), in any order.
    """
    ### BEGIN SOLUTION
    median = results.groupby(["site_id", "month"])["value"].median()
    return list(median[(median < low) | (median > high)].index)
    ### END SOLUTION


# %% check="w02-suspicious" points=2
rows = [("h1", "2026-01", 0.9), ("h1", "2026-01", 1.0), ("h1", "2026-01", 14.0)]
rows += [("h1", "2026-02", 1.3), ("h2", "2026-01", 80.0), ("h2", "2026-01", 97.0), ("h2", "2026-01", 0.7)]
rows += [("h2", "2026-02", 0.9), ("h3", "2026-01", 0.01)]
results = pd.DataFrame(rows, columns=["site_id", "month", "value"])
found = suspicious_months(results, low=0.6, high=1.3)
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(found, list), f"You returned a {type(found).__name__}; list(column.index) makes the list of pairs."
assert all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in found), f"You returned {found}; give pairs of hospital and month."
found = [tuple(pair) for pair in found]
assert len(set(found)) < 5, "You returned all five pairs. Keep those whose median is below `low` or above `high`."
assert ("h1", "2026-01") not in found, (
    "h1 is in your list for January: one patient with 14.0 among usual ones. A sick patient moves the mean, not the median."
)
assert ("h1", "2026-02") not in found, "h1 in February has the median 1.3, which is the limit itself and still plausible."
assert ("h2", "2026-02") not in found, "h2 is in your list for February, where it is fine. Group by hospital and month."
assert ("h3", "2026-01") in found, "h3's median is 0.01 and missing from your list. Too low is as impossible as too high."
assert ("h2", "2026-01") in found, f"Your list is {found}; the median of h2 in January is far above the limit."
creatinine = labs[labs["loinc"] == "2160-0"].merge(stays[["stay_id", "site_id"]], on="stay_id")
creatinine["month"] = creatinine["taken"].dt.strftime("%Y-%m")
odd = ", ".join(f"{site} {month}" for site, month in sorted(suspicious_months(creatinine, 0.6, 1.3)))
print("Passed. Creatinine, all labelled mg/dL, with a median outside 0.6 to 1.3 (the feed's reference range):", odd)
print("A month in which nothing came has no median and is not in such a list: count the rows, too.")
### BEGIN HIDDEN TESTS
assert len(suspicious_months(results, low=0.001, high=2.0)) == 1, "With the limits 0.001 and 2.0 one pair is left; use `low` and `high`."
_sodium = labs[labs["loinc"] == "2951-2"].merge(stays[["stay_id", "site_id"]], on="stay_id")
_sodium["month"] = _sodium["taken"].dt.strftime("%Y-%m")
_median = _sodium.groupby(["site_id", "month"])["value"].median()
_found = [tuple(_pair) for _pair in suspicious_months(_sodium, 138.0, 138.0)]
assert sorted(_found) == sorted(_median[_median != 138.0].index), (
    f"On sodium with narrow limits you found {len(_found)} pairs; work out the median of `results` each time."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-suspicious"
"""
1. Two lines: the medians, with `groupby`, and the list of those outside the limits.
2. `median[condition]` keeps some of the medians. The condition has two halves with `|` between them, each in brackets.
3. The index of what is left is the answer, as a list. Lesson, section 5, the figure by hospital and month.
"""

# %% [markdown]
"""
## Part 3: who, and known when?

*About 68 min from the start.*

### Exercise 8: how good is the matching? (2 points)

*Stuck? `hint("w02-match-quality")`*

`fhir.match_patients` proposes pairs of records that may be one person. Two clerks have looked at a sample and confirmed some pairs. **Precision**: what share of the proposed pairs is confirmed? (The rest would merge strangers.) **Recall**: what share of the confirmed pairs was proposed? (The rest stay two half histories.)

A pair has no first and second: `("a", "b")` is `("b", "a")`. And a pair that is listed twice is one pair. `tuple(sorted(pair))` writes a pair in one way, and a set holds each once: `{tuple(sorted(pair)) for pair in pairs}`.
"""


# %% exercise="w02-match-quality" skills="C1"
def match_quality(proposed, confirmed):
    """Precision and recall of proposed pairs.

    proposed, confirmed: lists of pairs of record ids, such as ("pat-1", "pat-2"); neither is empty.
    Returns two floats between 0 and 1, not rounded: precision, recall.
    """
    ### BEGIN SOLUTION
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return len(found & true) / len(found), len(found & true) / len(true)
    ### END SOLUTION


# %% check="w02-match-quality" points=2
proposed = [("a", "b"), ("d", "c"), ("e", "f"), ("g", "h"), ("b", "a")]
confirmed = [("b", "a"), ("c", "d"), ("i", "j")]
both = match_quality(proposed, confirmed)
assert both is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(both, tuple) and len(both) == 2, "Give back two numbers, with a comma between them: return precision, recall."
precision, recall = both
assert (precision, recall) != (2 / 3, 0.5), "The two are swapped. Precision divides by the proposed pairs, recall by the confirmed ones."
assert recall > 1 / 3 + 1e-9, f"Recall {recall:.2f}: (d, c) was proposed and (c, d) confirmed; they are the same pair."
assert abs(precision - 0.5) < 1e-9, f"Precision {precision:.2f}: four different pairs were proposed, and two of them are confirmed."
assert abs(recall - 2 / 3) < 1e-9 or abs(recall - 2 / 3) > 0.01, f"Recall is {recall}: do not round; whoever reads it decides how many digits to show."
assert abs(recall - 2 / 3) < 1e-9, f"Recall {recall:.2f}: three pairs are confirmed, and two of them were proposed."
matched = fhir.match_patients(patients)
print(f"Passed. On Lakeshore's {len(patients):,} records the rule proposes {len(matched)} pairs; the project measures how good they are.")
### BEGIN HIDDEN TESTS
_true = [(f"p{_n}", f"q{_n}") for _n in range(40)]
_found = [(f"q{_n}", f"p{_n}") for _n in range(25, 50)] + [("q30", "p30")]
_precision, _recall = match_quality(_found, _true)
assert abs(_precision - 15 / 25) < 1e-6, f"On other pairs precision came out as {_precision:.3f}; divide by the different pairs proposed."
assert abs(_recall - 15 / 40) < 1e-6, f"On other pairs recall came out as {_recall:.3f}; divide by the pairs confirmed."
### END HIDDEN TESTS

# %% [markdown] hint="w02-match-quality"
"""
1. Make one set of the proposed and one of the confirmed pairs, both written in the same way. `one & other` is what is in both.
2. `len(...)` counts the members of a set. Both shares have the same top.
3. Return two numbers with a comma between them; which one do you divide by the proposed pairs? Lesson, section 6.
"""

# %% [markdown]
"""
### Exercise 9: what did anybody know? (2 points)

*Stuck? `hint("w02-known")`*

*About 75 min from the start.*

A sample is **taken** at nine and its result **issued** at ten. A model that runs at half past nine must not use it. Keep what was issued by the time of the prediction (that very minute included), and of these take the one **taken** last: it tells most about the patient now.

`known = results[condition]` keeps rows. `known.sort_values("taken")` puts the latest at the end, and `["value"].iloc[-1]` reads the last value. If nothing is known, the value is missing: `if len(known) == 0:`, return `np.nan`.
"""


# %% exercise="w02-known" skills="C1"
def last_known(results, asked):
    """Value of the result that was taken last among those issued by a time.

    results: table of one patient's results of one test, in any order, with the columns `taken` and `issued`
    (date and time, no two taken at the same time) and `value`.
    asked: pandas Timestamp, the time of the prediction.
    Returns the value as a float, or np.nan when none was issued by then.
    """
    ### BEGIN SOLUTION
    known = results[results["issued"] <= asked]
    if len(known) == 0:
        return np.nan
    return float(known.sort_values("taken")["value"].iloc[-1])
    ### END SOLUTION


# %% check="w02-known" points=2
times = pd.DataFrame(
    {
        "taken": ["2026-03-02 11:00", "2026-03-02 09:00", "2026-03-02 06:00", "2026-03-02 08:00"],
        "issued": ["2026-03-02 12:30", "2026-03-02 09:40", "2026-03-02 07:00", "2026-03-02 10:00"],
    }
)
results = times.apply(pd.to_datetime).assign(value=[2.9, 1.4, 1.7, 1.2])
value = last_known(results, pd.Timestamp("2026-03-02 12:00"))
assert value is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert not isinstance(value, pd.Series), "You returned a column; .iloc[-1] reads its last value."
assert value != 2.9, "At noon you used 2.9, which was taken at 11:00 but issued at 12:30. Nobody could have known it."
assert value != 1.2, "1.2 was issued last, but its sample is an hour older than that of 1.4. Sort by `taken`."
assert value == 1.4, f"At noon you used {value}; take the latest sample among those issued by then."
value = last_known(results, pd.Timestamp("2026-03-02 09:40"))
assert value == 1.4, f"At 09:40 you used {value}. A result issued at that very minute counts."
value = last_known(results, pd.Timestamp("2026-03-02 06:30"))
assert pd.isna(value), f"At 06:30 nothing had been issued, and you used {value}. Return np.nan."
print("Passed. The model sees what the ward could see, and not a minute more.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(4)
_start = pd.Timestamp("2026-05-01")
_taken = _start + pd.to_timedelta(_rng.permutation(60) * 30, unit="min")
_many = pd.DataFrame({"taken": _taken, "issued": _taken + pd.to_timedelta(_rng.integers(10, 240, 60), unit="min"), "value": _rng.random(60).round(3)})
for _hours in (6, 12, 20, 40):
    _asked = _start + pd.Timedelta(hours=_hours)
    _known = _many[_many["issued"] <= _asked]
    _found = last_known(_many, _asked)
    assert abs(_found - _known.loc[_known["taken"].idxmax(), "value"]) < 1e-6, (
        f"With 60 other results, {_hours} hours on, you used {_found}; go by `issued` first and by `taken` after it."
    )
### END HIDDEN TESTS

# %% [markdown] hint="w02-known"
"""
1. Two different columns do two different jobs: one says what may be used, the other which of these is the latest.
2. `<=` lets a result count that was issued at the very minute. Deal with an empty table before you ask for its last row.
3. `known.sort_values(...)["value"].iloc[-1]`. Lesson, section 7, where `fhir.as_of` does this for whole tables.
"""

# %% [markdown]
"""
### Exercise 10: who came back? (2 points)

*Stuck? `hint("w02-returned")`*

*About 84 min from the start.*

The label of the readmission model. A stay counts as **followed by a return** when the patient's **next** stay begins less than 30 days after the discharge and was not planned (`admission` is not `elective`). A planned return, such as the next cycle of chemotherapy, does not count; and what comes after it belongs to it, so look at the next stay only. (Transfers are joined already.)

| you want | you write |
|---|---|
| stays in order | `ordered = stays.sort_values(["patient_id", "admitted"])` |
| two columns of the same patient's next stay | `following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)` |
| the time between | `gap = following["admitted"] - ordered["discharged"]` |
| thirty days | `pd.Timedelta(days=30)` |

Return the two conditions, joined with `&`, each in brackets. Where there is no next stay, `gap` is empty and `gap < ...` is false.
"""


# %% exercise="w02-returned" skills="P1 C1"
def returned(stays):
    """Which stays were followed by an unplanned return in less than 30 days?

    stays: table of finished inpatient stays in any order, with the columns `patient_id`, `admitted`, `discharged`
    (date and time) and `admission` (emergency, urgent or elective). No two stays of a patient overlap.
    Returns a Series of True and False on the index of `stays`, in any order.
    """
    ### BEGIN SOLUTION
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return (gap < pd.Timedelta(days=30)) & (following["admission"] != "elective")
    ### END SOLUTION


# %% check="w02-returned" points=2
rows = [
    ("eve", "2026-03-04 08:00", "2026-03-09 10:00", "urgent", "eve 2"),
    ("ana", "2026-01-20 08:00", "2026-01-22 10:00", "emergency", "ana 2"),
    ("ana", "2026-01-01 08:00", "2026-01-05 10:00", "elective", "ana 1"),
    ("ben", "2026-01-15 08:00", "2026-01-16 10:00", "elective", "ben 2"),
    ("ben", "2026-01-01 08:00", "2026-01-10 10:00", "emergency", "ben 1"),
    ("ben", "2026-01-25 08:00", "2026-01-27 10:00", "emergency", "ben 3"),
    ("dan", "2026-01-01 08:00", "2026-01-25 10:00", "urgent", "dan 1"),
    ("dan", "2026-02-10 08:00", "2026-02-12 10:00", "emergency", "dan 2"),
    ("eve", "2026-02-01 08:00", "2026-02-02 08:00", "emergency", "eve 1"),
    ("fay", "2026-03-01 08:00", "2026-03-03 10:00", "emergency", "fay 1"),
    ("fay", "2026-03-12 08:00", "2026-03-15 10:00", "urgent", "fay 2"),
]
table = pd.DataFrame(rows, columns=["patient_id", "admitted", "discharged", "admission", "name"]).set_index("name")
table[["admitted", "discharged"]] = table[["admitted", "discharged"]].apply(pd.to_datetime)
back = returned(table)
assert back is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(back, pd.Series), f"You returned a {type(back).__name__}; return a Series of True and False, one for each stay."
assert set(back.index) == set(table.index), f"{len(back)} of the 11 stays came back; every stay gets an answer, on its own index."
assert not back["ana 2"], "Ana's last stay has no next one, but you say she returned. Look at stays of the same patient only."
assert not back["eve 2"], "Eve's last stay has no next one, but an earlier one stands below it in the table. Put the stays in order first."
assert not back["ben 1"], "Ben's next stay was planned. It does not count, and what comes after it belongs to it."
assert not back["eve 1"], "Eve came back exactly 30 days after her discharge; the rule says less than 30."
assert back["dan 1"], "Dan was in for 24 days and back 16 days after he left. Count from the discharge, not from the admission."
assert back["ana 1"] and back["ben 2"], "A planned stay can be followed by a return, too: what matters is how the next one began."
assert back["fay 1"], "Fay was back nine days after she left, and urgently. Urgent is not planned: only `elective` is."
past = stays[(stays["class"] == "IMP") & stays["discharged"].notna() & (stays["admission"] != "transfer")]
print(f"Passed. Roughly {returned(past).mean():.1%} of Lakeshore's stays; the project says which of them may count at all.")
### BEGIN HIDDEN TESTS
_some = past[past["patient_id"].isin(sorted(past["patient_id"].unique())[::7])].sample(frac=1.0, random_state=2)
_back = returned(_some)
_list = _some.sort_values(["patient_id", "admitted"])[["patient_id", "admitted", "discharged", "admission"]]
_wanted = {}
for _now, _then in zip(_list.itertuples(), [*_list.iloc[1:].itertuples(), None], strict=True):
    _same = _then is not None and _then.patient_id == _now.patient_id
    _wanted[_now.Index] = bool(_same and (_then.admitted - _now.discharged) < pd.Timedelta(days=30) and _then.admission != "elective")
assert len(_back) == len(_some) and all(bool(_back[_key]) == _wanted[_key] for _key in _wanted), (
    f"On {len(_some):,} real stays you found {int(_back.sum()):,} followed by a return; there are {sum(_wanted.values()):,}."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-returned"
"""
1. Take the lines of the table one by one: order, next stay, gap. The last line returns `(...) & (...)`: without brackets around each comparison, `&` is worked out before `<` and `!=`, and Python complains.
2. `shift(-1)` after `groupby("patient_id")` moves the next row of the same patient up by one; without the groups it takes a stranger's.
3. One condition is about `gap`, the other about `following["admission"]`. The rule and its reasons are in [the project](project.ipynb).
"""

# %% [markdown]
"""
### Exercise 11: say where it comes from (1 point)

*Stuck? `hint("w02-provenance")`*

*About 91 min from the start.*

A **Provenance** resource says what was made from what, by whom, when; here for a discharge letter made from one stay:

```python
{
    "resourceType": "Provenance",
    "target": [{"reference": "DocumentReference/dsm-1"}],
    "recorded": "2026-05-04T09:00:00Z",
    "agent": [{"who": {"display": "Dr. Imani Okafor"}}],
    "entity": [{"role": "source", "what": {"reference": "Encounter/enc-1"}}],
}
```

Copy it and put the four arguments in. There is one `entity` for **each** source: `[{"role": "source", "what": {"reference": name}} for name in sources]`.
"""


# %% exercise="w02-provenance" skills="C1"
def provenance(made, sources, who, recorded):
    """A Provenance resource (FHIR R4) as a dict.

    made: reference of what was made, such as "Group/cohort-2026"; sources: list of references it was made from.
    who: name of the person who answers for it; recorded: text, date and time with zone.
    Returns a dict with resourceType, target, recorded, agent and entity.
    """
    ### BEGIN SOLUTION
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }
    ### END SOLUTION


# %% check="w02-provenance" points=1
lineage = provenance("Group/cohort-2026", ["Encounter/enc-1", "Encounter/enc-2"], "Sam Rivers", "2026-05-20T16:00:00Z")
assert lineage is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(lineage, dict), f"You returned a {type(lineage).__name__}; return a dict."
try:
    Provenance.model_validate(lineage)
    problem = ""
except ValidationError as error:
    first = error.errors()[0]
    said = "a dict {...} belongs there, not a text" if "JSON" in first["msg"] else first["msg"]
    problem = f"{'.'.join(str(part) for part in first['loc'])}: {said}"
assert not problem, f"R4B refuses it at {problem}. Compare brackets and names with the example."
assert lineage.get("resourceType") == "Provenance", "It does not say what it is: resourceType is missing."
assert lineage["target"] == [{"reference": "Group/cohort-2026"}], f"target is {lineage['target']}; it is what was made, the cohort."
named = [entity.get("what", {}).get("reference") for entity in lineage.get("entity", [])]
assert named == ["Encounter/enc-1", "Encounter/enc-2"], f"As sources you name {named}; there are two, each an entity of its own."
assert all(entity["role"] == "source" for entity in lineage["entity"]), "The role of each entity is source: it was read, not revised."
print("Passed. Valid as R4B, and it says what was made of what, by whom, and when.")
### BEGIN HIDDEN TESTS
_other = provenance("Group/x", ["Patient/p-1", "Encounter/e-1", "Claim/c-1"], "Lee Park", "2025-12-01T08:30:00-06:00")
assert _other["agent"][0]["who"].get("display") == "Lee Park", "For another author the agent's display is not that name; use `who`."
assert _other["recorded"] == "2025-12-01T08:30:00-06:00", "For another time `recorded` is not that time; use the argument as it is."
assert _other["target"][0]["reference"] == "Group/x" and len(_other["entity"]) == 3, "For another table with three sources, target or entity do not follow the arguments."
### END HIDDEN TESTS

# %% [markdown] hint="w02-provenance"
"""
1. What is about the letter becomes the name of an argument, without quotes.
2. `target` and `agent` are lists with one dict each; keep their brackets.
3. For `entity`, use the line at the end of the text as it is. Lesson, section 8.
"""

# %% [markdown]
"""
## Where you stand

Press **Check my work** above this notebook: it runs all checks of the week, hidden ones included, and keeps what is verified. (Without JupyterLab's button: `from carelab.learner import check_week; check_week(2)` in a cell of its own.)

Next: [the project](project.ipynb), where the answers become a cohort that somebody signs.
"""
