# %% [markdown]
"""
# Project J0: a readmission cohort that somebody can sign

The board wants a model that says who will be back in hospital within 30 days. Before anybody trains anything, one page has to exist: which stays count, what was repaired, what was known when, and who answers for it.

| | |
|---|---|
| **You deliver** | a cohort with every exclusion counted, a signed quality report, a lineage record, and a one-page memo; the figures go to the folder `portfolio` beside this notebook |
| **Time** | about 115 minutes in two sittings (a break suits after step 4); the memo alone takes 25 |
| **Checked by machine** | eight gates, without points; all have to pass before anybody reads your text. Of limits, owners and reasons they check the form only; a person judges the rest |
| **Graded by a person** | two written answers, 10 points, by the rubrics printed above them; alone, grade yourself with them; a model answer of each stands in the folder `solutions` of the course |
| **Data** | synthetic; the stays of three hospitals, July 2024 to June 2026 |
| **In the room** | CTO, product manager, clinical informaticist, laboratory manager, head of coding, compliance officer |

How a gate stands, `check("w02-j0-episodes")` tells you in words, in any cell. Of cells marked *machinery*, product managers may read only what they print.

The first cell loads the tables and asks a first query: sort the inpatient stays of each patient record, and call it a return when the next one begins within 30 days.
"""

# %%
import hashlib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from carelab import check, fhir, hint, plots
from carelab.fhir.hl7v2 import read_hl7
from carelab.fhir.matching import Weights
from carelab.fhir.readmissions import read_stays
from carelab.learner.artefacts import keep
from carelab.paths import data

# %xmode Minimal
stays, patients, labs = (pd.read_parquet(data(f"tables/{name}.parquet")) for name in ("stays", "patients", "labs"))
until = pd.Timestamp("2026-06-30 20:00")  # when the extract was made, local time

inpatient = stays[stays["class"] == "IMP"].sort_values(["patient_id", "admitted", "stay_id"], ignore_index=True)
gap = inpatient.groupby("patient_id")["admitted"].shift(-1) - inpatient["discharged"]
first_query = ((gap >= pd.Timedelta(0)) & (gap < pd.Timedelta(days=30))).mean()
print(f"{len(inpatient):,} inpatient stays of {len(stays):,}, returns within 30 days: {first_query:.1%}")

# %% [markdown]
"""
The figure looks plausible. But it counts the second half of a transfer as a return, the next planned cycle of chemotherapy as a failure, and the patients who died as successes. You make the rule that does not. It follows the idea of the measures of CMS (the US Centers for Medicare & Medicaid Services), unplanned and within 30 days, but is not theirs: CMS looks at Medicare's people of 65 and more, leaves out psychiatric, rehabilitation and cancer-treatment stays, and tells planned from unplanned by codes.

## Step 1: one stay or two?

*About 5 min from the start. Stuck? `hint("w02-j0-episodes")`*

Stays that belong together are one **episode**. A stay continues the one just before it, of the same patient, in two cases:

- it begins **before** that one has ended (an error of the record, and no return either);
- it is a **transfer**, and begins at most one day after that one has ended. A transfer shows in either of two places: the earlier `disposition` is `transfer`, or this `admission` is.

Write three columns of true and false: `overlaps`, `moved` (a transfer, in either place) and `next_day` (at most one day after); the last line, given, combines them. `before` is given too: in each row, the patient's stay before. For a first stay it is empty, and `<`, `<=` and `==` with an empty value are false. `|` is *or*, `&` is *and*; put each comparison into round brackets. One day is `pd.Timedelta(days=1)`.
"""


# %% exercise="w02-j0-episodes" skills="C1"
def continues(stays):
    """True where a stay continues the one just before it.

    stays: table with patient_id, admitted, discharged (date and time), admission, disposition (words);
    sorted by patient and admission. Returns a Series of True and False, on the index of the table.
    """
    before = stays.groupby("patient_id").shift()
    ### BEGIN SOLUTION
    overlaps = stays["admitted"] < before["discharged"]
    moved = (before["disposition"] == "transfer") | (stays["admission"] == "transfer")
    next_day = stays["admitted"] - before["discharged"] <= pd.Timedelta(days=1)
    ### END SOLUTION
    return overlaps | (moved & next_day)


# %% check="w02-j0-episodes" points=0
table = pd.DataFrame(
    [
        ("ana", "2025-03-01", "2025-03-05", "emergency", "transfer"),
        ("ana", "2025-03-05", "2025-03-09", "emergency", "home"),
        ("ana", "2025-03-09", "2025-03-12", "emergency", "home"),
        ("ben", "2025-03-01", "2025-03-08", "emergency", "home"),
        ("ben", "2025-03-07", "2025-03-20", "urgent", "home"),
        ("eve", "2025-03-19", "2025-03-21", "transfer", "home"),
        ("eve", "2025-04-02", "2025-04-04", "transfer", "home"),
        ("eve", "2025-04-05", "2025-04-08", "transfer", "home"),
    ],
    columns=["patient_id", "admitted", "discharged", "admission", "disposition"],
)
table[["admitted", "discharged"]] = table[["admitted", "discharged"]].apply(pd.to_datetime)
found = continues(table)
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(found, pd.Series) and len(found) == len(table), (
    "Return one column of True and False, a row for each stay."
)
assert found[1], (
    "Row 1 of the small table: Ana's first stay ended with a transfer, so her second one continues it. You said it does not."
)
assert not found[2], (
    "Row 2: Ana came home on 9 March and back on the same day, as an emergency. That is a return, not a transfer."
)
assert found[4], "Row 4: Ben's second stay begins before his first has ended. Nobody is in two beds; it continues."
assert not found[5], (
    "Row 5: Eve's first stay has none of hers before it, so it continues nothing. Compare with `before` only."
)
assert not found[6], (
    "Row 6: twelve days lie between Eve's stays. Transfer or not, more than one day apart is another episode."
)
assert found[7], (
    "Row 7: `admission` says transfer, one day after the stay before. The earlier `disposition` is silent; look at both places."
)
print(f"Passed. {continues(inpatient).sum():,} of {len(inpatient):,} inpatient stays continue the one before.")
### BEGIN HIDDEN TESTS
_number = continues(inpatient).sum()
assert _number == 491, (
    f"On the real extract {_number:,} stays continue the one before; apply both cases, with both places for a transfer."
)
_late = table.iloc[[0, 1]].assign(admitted=pd.to_datetime(["2025-03-01T00:00", "2025-03-06T12:00"]))
assert not continues(_late).any(), (
    "A transfer that begins a day and a half after the stay before begins a new episode: at most one day."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-j0-episodes"
"""
1. Three lines: `overlaps = ...`, `moved = ...`, `next_day = ...`.
2. `overlaps` compares `stays["admitted"]` with `before["discharged"]`; `moved` asks `before["disposition"]` or `stays["admission"]`.
3. `next_day` subtracts `before["discharged"]` and compares with `pd.Timedelta(days=1)`. `before` was made by `shift`, which moves each patient's rows down by one; print it if you are lost.
"""

# %% [markdown]
"""
## Step 2: which stays can be a start?

*About 14 min from the start. Stuck? `hint("w02-j0-reasons")`*

The prediction is made at the **minute of discharge**: where the patient goes (`disposition`) is known then. A **start** is a stay after which somebody goes out through the door, and can be followed for 30 days. Give each stay the **first** reason that applies:

| reason | when |
|---|---|
| `continues` | not `last_of_episode`: another stay of the same episode follows |
| `still-in` | `discharged` is empty (`.isna()`) |
| `died` | `disposition` is `expired` (deaths after the discharge: step 3) |
| `against-advice` | `disposition` is `ama` |
| `transferred` | `disposition` is `transfer`: to a hospital we do not see |
| `last-30-days` | `discharged` plus 30 days is later than `until` |
| `start` | none of these |

Write the list `conditions = [..., ...]`, in the order of `words`. In the last line, which is given, `np.select` takes, row by row, the word of the first condition that is true. `~` in front of a column means *not*.
"""


# %% exercise="w02-j0-reasons" skills="C1 P1"
def reason(stays, until):
    """Why each stay is no start, or "start" if it is one; the first reason that applies.

    stays: table with discharged (date and time), disposition (words), last_of_episode (True or False);
    until: Timestamp, when the extract was made. Returns a Series of words, on the index of the table.
    """
    went = stays["disposition"]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    ### BEGIN SOLUTION
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    ### END SOLUTION
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% check="w02-j0-reasons" points=0
day = [
    "2026-01-05",
    "2026-01-05",
    None,
    "2026-06-20",
    "2026-01-05",
    "2026-01-05",
    "2026-06-01",
    "2026-05-31",
    "2026-01-05",
]
went = ["home", "transfer", None, "expired", "ama", "transfer", "home", "snf", "hospice"]
table = pd.DataFrame(
    {"discharged": pd.to_datetime(day), "disposition": went, "last_of_episode": [True, False] + [True] * 7}
)
table.index = list("abcdefghi")
found = reason(table, pd.Timestamp("2026-06-30"))
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(found, pd.Series), (
    f"reason gave a {type(found).__name__}; put it into pd.Series(..., index=stays.index)."
)
assert list(found.index) == list("abcdefghi"), (
    f"The rows came back under {list(found.index)}; keep the index of the table."
)
assert found["b"] == "continues", (
    f"Stay b goes on in another hospital of ours and came out as {found['b']}. Ask that first: the order of the reasons matters."
)
assert found["c"] == "still-in", f"Stay c has no discharge yet and came out as {found['c']}."
assert found["d"] == "died", (
    f"Stay d ended in death and came out as {found['d']}. The dead cannot come back, and are no success."
)
assert found["e"] == "against-advice", f"Stay e was left against advice (ama) and came out as {found['e']}."
assert found["f"] == "transferred", f"Stay f went on where nobody of us looks, and came out as {found['f']}."
assert found["g"] == "last-30-days", (
    f"Discharge on 1 June, extract on 30 June: 30 days have not passed. Stay g came out as {found['g']}."
)
assert found["h"] == "start", (
    f"Stay h was discharged exactly 30 days before the extract and came out as {found['h']}. It has had its 30 days."
)
assert found["i"] == "start", (
    f"Stay i went to hospice, alive and out of the door, and came out as {found['i']}. Only the word transfer is one."
)
print("Passed. Every stay has one reason.")
### BEGIN HIDDEN TESTS
_found = reason(table, pd.Timestamp("2026-07-15"))
assert list(_found) == [
    "start",
    "continues",
    "still-in",
    "died",
    "against-advice",
    "transferred",
    "start",
    "start",
    "start",
], f"With an extract of 15 July the reasons came out as {list(_found)}; use `until`, and every row of the list."
_other = table.iloc[[0, 2]].assign(disposition=[None, "home"])
_found = reason(_other, pd.Timestamp("2026-06-30"))
assert list(_found) == ["start", "still-in"], (
    f"On another table the reasons came out as {list(_found)}; an empty `discharged` means still in, an empty `disposition` does not."
)
_order = table.iloc[[3, 4]].assign(last_of_episode=[False, True], discharged=pd.Timestamp("2026-06-20"))
assert list(reason(_order, pd.Timestamp("2026-06-30"))) == ["continues", "against-advice"], (
    "Where two reasons apply, the one that stands first in the list is given; the order of your conditions is another."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-j0-reasons"
"""
1. `conditions = [~stays["last_of_episode"], ..., ...]`: six conditions, one for each word, in the order of the table.
2. The last condition is `stays["discharged"] + pd.Timedelta(days=30) > until`; three others compare `went` with a word.
3. The first condition that is true decides: compare your order with the table above. Lesson, section 7, on what is known at the discharge.
"""

# %% [markdown]
"""
## Step 3: who came back, unplanned?

*About 22 min from the start.*

The rule of exercise 10, given: the **next** episode of the same patient begins less than 30 days after the discharge and was not planned (not `elective`). Who **dies after the discharge** counts as not returned, and most such deaths are not known here: report them beside the rate.
"""


# %% tags=["uses-answer"]
# Machinery: exercise 10 on episodes, and with your two functions the cohort rule.
def came_back(episodes):
    """True where the patient's next episode began unplanned, less than 30 days after the discharge."""
    following = episodes.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    soon = following["admitted"] - episodes["discharged"] < pd.Timedelta(days=30)
    return soon & (following["admission"] != "elective")


def cohort(stays, until):
    """Inpatient stays with episode, its beginning, reason, and readmitted (only where the stay is a start)."""
    found = stays[stays["class"] == "IMP"].sort_values(["patient_id", "admitted", "stay_id"], ignore_index=True)
    found["episode"] = (~continues(found)).cumsum()
    found["last_of_episode"] = ~found["episode"].duplicated(keep="last")
    found["reason"] = reason(found, until)
    columns = {"patient_id": "first", "admitted": "first", "admission": "first", "discharged": "max"}
    whole = found.groupby("episode").agg(columns)
    back = found["episode"].map(came_back(whole)).astype("boolean")
    return found.assign(
        began=found["episode"].map(whole["admitted"]), readmitted=back.where(found["reason"] == "start")
    )


by_record = cohort(stays, until)
begun = by_record[by_record["reason"] == "start"]
print(
    f"by patient record: {begun['readmitted'].sum():,} returns of {len(begun):,} starts, {begun['readmitted'].mean():.1%}"
)
hospice = begun.loc[begun["disposition"] == "hospice", "readmitted"]
print(f"of these to hospice: {len(hospice)} starts, {hospice.mean():.1%} returned; most deaths would not be known")

# %% [markdown]
"""
## Step 4: one person, two records

*About 25 min from the start. Stuck? `hint("w02-j0-persons")`*

A return is one of a **person**; so far the rule looked at patient records. Two ways to find second records: the same name and birth date exactly, and the lesson's `match_patients`, which gives points for what agrees (threshold set low, so that you see the doubtful pairs too).
"""

# %%
exact = patients.duplicated(["given_name", "family_name", "birth_date"]).sum()
pairs = fhir.match_patients(patients, Weights(threshold=4))
print(f"stays whose record is among those compared: {stays['patient_id'].isin(patients['patient_id']).mean():.1%}")
print(f"exact matches: {exact}")
by_score = pairs.groupby("score")["why"].agg(pairs="size", example="first").sort_index(ascending=False)
for score, row in by_score.iterrows():
    print(f"\nscore {score:>4.0f}, {row['pairs']:>2} pairs, such as: {row['example']}")

# %% [markdown]
"""
Only clinic records are compared. Whom only a hospital knows (`hpt-`) may have a second record too: **not known**.

A program never merges records: you link them, in a table that can be undone. Write `person_of`, and choose in it the score from which on a pair is linked without asking a clerk. Medical records accepts it if **of 100 true pairs at least 95 are linked** (recall) and **no two strangers are**: their histories would mix. A doubtful pair goes to a clerk.

Each linked record goes by the `first_id` of its pair, every other by its own. `dict(zip(a, b))` makes a dictionary from two columns; `ids.replace(dictionary)` puts the new value where it knows one, and leaves the others.
"""


# %% exercise="w02-j0-persons" skills="C1"
def person_of(patient_ids, pairs):
    """The person behind each record: `first_id` where the record is the second of a linked pair, else the id itself.

    patient_ids: Series of text; pairs: table with first_id, second_id (text) and score (points); only those with a
    score that you find sure enough are linked. Returns a Series of text, on the index of patient_ids.
    """
    ### BEGIN SOLUTION
    linked = pairs[pairs["score"] >= 10]
    return patient_ids.replace(dict(zip(linked["second_id"], linked["first_id"], strict=True)))
    ### END SOLUTION


# %% check="w02-j0-persons" points=0
some = pd.DataFrame({"first_id": ["p1", "p3"], "second_id": ["p2", "p4"], "score": [17.0, 0.0]})
records = person_of(pd.Series(["p1", "p2", "p3", "p4", "p5", "p2"], index=list("abcdef")), some)
assert records is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert records.notna().all(), (
    "Records without a pair came back empty. They keep their own id; `replace` leaves what it does not know."
)
assert list(records)[3] == "p4", "p3 and p4 have a score of 0, and you linked them. Keep the sure pairs first."
assert list(records) == ["p1", "p1", "p3", "p4", "p5", "p1"], (
    f"p1, p2, p3, p4, p5, p2 became {list(records)}. p1 and p2 have a score of 17: both go by first_id."
)
true_pairs = {tuple(pair) for pair in pd.read_parquet(data("truth/duplicates.parquet")).to_numpy()}
ids = patients["patient_id"]
mine = {(one, record) for one, record in zip(person_of(ids, pairs), ids, strict=True) if one != record}
recall = len(mine & true_pairs) / len(true_pairs)
assert recall >= 0.95, f"You link {recall:.2f} of the true pairs; 0.95 is asked for. How are the scores spread?"
merged = "; ".join(f"{one} with {record}" for one, record in sorted(mine - true_pairs))
assert not merged, f"You linked {merged}, and these are two people. Read the reasons of your lowest score."
print(f"Passed. {len(mine)} pairs linked: precision 1.00, recall {recall:.2f}")
### BEGIN HIDDEN TESTS
_records = person_of(pd.Series(["p4", "p2", "p9"]), some.assign(score=[0.0, 17.0]))
assert list(_records) == ["p3", "p2", "p9"], "With other scores other records are linked; read them from `pairs`."
### END HIDDEN TESTS

# %% [markdown] hint="w02-j0-persons"
"""
1. Keep the sure pairs first: `linked = pairs[pairs["score"] >= ...]`. Where would you put the limit?
2. The dictionary goes from `second_id` to `first_id`. Which column is `a`, which is `b`, in `dict(zip(a, b))`?
3. For the limit, look for the gap in the scores, and read the reasons on both sides of it. Lesson, section 6.
"""

# %% tags=["uses-answer"]
linked = stays.assign(patient_id=person_of(stays["patient_id"], pairs))
by_person = cohort(linked, until)
who = by_person[by_person["reason"] == "start"]
ledger = pd.DataFrame(
    {"by record": by_record["reason"].value_counts(), "by person": by_person["reason"].value_counts()}
)
ledger.loc["under observation"] = (stays["class"] != "IMP").sum()
order = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days", "start"]
ledger = ledger.reindex(["under observation", *order]).fillna(0).astype(int).rename_axis(None)
ledger.loc["all stays"] = ledger.sum()
ledger.loc["returns, of the starts"] = begun["readmitted"].sum(), who["readmitted"].sum()
print(ledger.to_string())
people = who["patient_id"].nunique(), who.loc[who["readmitted"].astype(bool), "patient_id"].nunique()
print(f"\npeople behind the starts: {people[0]:,}; behind the returns: {people[1]:,}")

# %% [markdown]
"""
The column *by person* is the one that you sign. Two transfers had gone "out of sight" because the receiving hospital used the person's other record; two people had come back under their second record.

The check knows the true pairs because this world is invented. In life two clerks review a sample, blind to each other, and you report an interval.

The next cell forgets one part of the rule at a time. Before you run it: which mistake makes the hospitals look **best**?
"""

# %% tags=["uses-answer"]
# Machinery: hides from the rule what one part of it looks at, and counts again.
hidden = {
    "planned returns counted": linked.replace({"admission": {"elective": "urgent"}}),
    "transfers counted": linked.replace({"disposition": {"transfer": "home"}, "admission": {"transfer": "urgent"}}),
    "observation counted": linked.assign(**{"class": "IMP"}),
    "deaths and against advice kept": linked.replace({"disposition": {"expired": "home", "ama": "home"}}),
}
rates = {"first query": first_query} | {
    name: cohort(table, until)["readmitted"].mean() for name, table in hidden.items()
}
rates["last 30 days kept"] = cohort(linked, pd.Timestamp("2100-01-01"))["readmitted"].mean()
rates["the rule"] = by_person["readmitted"].mean()
rates = {name: round(100 * float(rate), 1) for name, rate in rates.items()}
oncology = [
    cohort(table, until).query("ward == 'oncology'")["readmitted"].mean()
    for table in (hidden["planned returns counted"], linked)
]
print(
    pd.Series(rates).to_string(),
    f"\n\noncology ward: {oncology[0]:.1%} with planned returns counted, {oncology[1]:.1%} by the rule",
)

# %% tags=["uses-answer"]
# Machinery: draws the rates.
fig_rates, ax = plt.subplots()
ax.hlines(list(rates)[::-1], rates["the rule"], list(rates.values())[::-1], color=plots.GREY)
colours = [plots.BLUE if name == "the rule" else plots.ORANGE for name in rates]
ax.scatter(list(rates.values())[::-1], list(rates)[::-1], s=90, color=colours[::-1], zorder=3)
ax.axvline(rates["the rule"], color=plots.BLUE, linestyle="--", linewidth=1)
plots.label(
    ax,
    "Each mistake moves the rate, up or down",
    "returns in 30 days, of 100 starts (first query: of 100 stays)",
    "",
)
plt.show()

# %% [markdown]
"""
*In words:* seven points on a line of rates. The rule stands at 15.6 in 100 (the lesson counts other months). The first query is highest (18.3); planned returns (18.1) and transfers (16.9) lift the rate too. Hospitals look best if those who died or left against advice are kept (15.2): the dead do not return. The last 30 days and observation do nearly the same (15.3).

The mistakes pull in both directions, so a plausible total proves nothing. With planned returns counted, more than half of the oncology ward's starts have a "return".

**For the CTO:** ask for the ledger before the rate. **For the product manager:** "2 points fewer returns" can be met by changing the query.
"""

# %% [markdown]
"""
## Step 5: a repair that somebody confirmed

*About 37 min from the start. Stuck? `hint("w02-j0-units")`*

The laboratory of the lesson again: creatinine is usually about 1 mg/dL, and mg/dL is what every row says.
"""

# %%
creatinine = labs[labs["loinc"] == "2160-0"].merge(stays[["stay_id", "site_id"]], on="stay_id")
month = creatinine["taken"].dt.to_period("M").rename("month")
print(creatinine.groupby([month, "site_id"])["value"].median().unstack().tail(6).round(2).to_string())

# %% [markdown]
"""
As in the lesson this is first a **patient-safety event**: you file it, and ask what the wards see. The laboratory manager of hosp-2 confirms in writing: **µmol/L since 1 February 2026**, under the old unit; corrected reports are issued. Only then do you repair your own table.

Results that were **taken at the confirmed site, on or after the confirmed day**, are divided by 88.4; every other result stays as it is, however large: site and day decide, never size. Write `changed`, true where both hold; the last line, given, converts there. Whatever is then still above 20 goes into the quality report, as a question for the laboratory.
"""


# %% exercise="w02-j0-units" skills="C1"
def creatinine_mg_dl(results, site_id, since):
    """Creatinine in mg/dL: converted where the laboratory confirmed it, and only there.

    results: table with site_id (text), taken (date and time), value (as delivered); site_id: text, the confirmed site;
    since: Timestamp, from this moment on its values are in umol/L. Returns a Series of numbers, on the same index.
    """
    ### BEGIN SOLUTION
    changed = (results["site_id"] == site_id) & (results["taken"] >= since)
    ### END SOLUTION
    return results["value"].where(~changed, results["value"] / 88.4)


# %% check="w02-j0-units" points=0
table = pd.DataFrame(
    {
        "site_id": ["h1", "h1", "h1", "h2", "h2", "h1"],
        "taken": pd.to_datetime(["2026-01-31", "2026-02-01", "2026-03-01", "2026-03-01", "2026-03-01", "2026-01-10"]),
        "value": [1.1, 88.4, 15.0, 1.3, 97.0, 90.0],
    }
)
found = creatinine_mg_dl(table, "h1", pd.Timestamp("2026-02-01"))
assert found is not None, "Your function gives nothing back. Its last line was given: `return ...`."
assert found[0] == 1.1, f"Row 0 was taken before the change and stays 1.1; you gave {found[0]:.3f}."
assert found[3] == 1.3, f"Row 3 is of another site, which changed nothing, and stays 1.3; you gave {found[3]:.3f}."
assert abs(found[1] - 1) < 1e-6, (
    f"Row 1, 88.4 umol/L taken on the day of the change, is 1 mg/dL; you gave {found[1]:.3f}."
)
assert abs(found[2] - 15 / 88.4) < 1e-6, (
    f"Row 2 was taken at the confirmed site after the change; you gave {found[2]:.2f}. Site and time decide, not the size of the value."
)
assert found[4] == 97, (
    f"Row 4: 97 at a site that confirmed nothing became {found[4]:.2f}. A guess that looks right is still a guess."
)
assert found[5] == 90, f"Row 5: 90 before the confirmed day became {found[5]:.2f}. Nobody said what it is; leave it."
print("Passed. What is repaired is what was confirmed.")
### BEGIN HIDDEN TESTS
_found = creatinine_mg_dl(table, "h2", pd.Timestamp("2026-03-01"))
assert (_found != table["value"]).tolist() == [False, False, False, True, True, False], (
    "With h2 as the confirmed site other rows are converted; use `site_id`."
)
_other = table.assign(value=[1.2, 70.0, 88.4, 20.5, 20.0, 0.9])
_found = creatinine_mg_dl(_other, "h1", pd.Timestamp("2026-03-01"))
assert (_found != _other["value"]).tolist() == [False, False, True, False, False, False], (
    "With a later `since`, row 1 was taken before the change; compare `taken` with `since`."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-j0-units"
"""
1. One line: `changed = (...) & (...)`.
2. The first bracket compares `results["site_id"]` with `site_id`, the second `results["taken"]` with `since`.
3. "On or after" is `>=`. Lesson, section 5, shows the same laboratory.
"""

# %% tags=["uses-answer"]
creatinine["mg_dl"] = creatinine_mg_dl(creatinine, "hosp-2", pd.Timestamp("2026-02-01"))
print(creatinine.groupby([month, "site_id"])["mg_dl"].median().unstack().tail(6).round(2).to_string())
converted = int((creatinine["mg_dl"] < creatinine["value"]).sum())
print(f"\nconverted: {converted:,} of {len(creatinine):,}; still above 20: {(creatinine['mg_dl'] > 20).sum()}")

# %% [markdown]
"""
## Step 6: what was known at the door

*About 43 min from the start. Stuck? `hint("w02-j0-history")`*

A colleague took all columns of `stays` and added how many stays each person has, because those who come often come again. A plain model is our **detector**: trained on discharges before December 2025, tested on those from January 2026 on (December's 30 days run into January). In this world no honest score beats an AUC of 0.779, but for chance.
"""

# %% tags=["uses-answer"]
# Machinery: a plain model on the columns it is given.
CEILING = 0.779  # best AUC on this world's readmissions: data/synthetic/CALIBRATION.md


def detector(table, columns):
    """Outcome, score and AUC of a plain model on the discharges from 1 January 2026 on."""
    earlier, later = table["discharged"] < "2025-12-01", table["discharged"] >= "2026-01-01"
    numbers = make_column_selector(dtype_include=["number", "bool"])
    words = make_column_selector(dtype_exclude=["number", "bool"])
    prepare = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words))
    x, y = table[columns], table["readmitted"].astype(int)
    x = x.fillna(x[earlier].median(numeric_only=True))  # unknown: the usual value of the time before
    model = make_pipeline(prepare, LogisticRegression(max_iter=1000)).fit(x[earlier], y[earlier])
    score = model.predict_proba(x[later])[:, 1]
    return y[later], score, roc_auc_score(y[later], score)


starts = by_person[by_person["reason"] == "start"].copy()
starts["stays_in_extract"] = starts["patient_id"].map(linked.groupby("patient_id").size())
names = ["stay_id", "patient_id", "class", "admitted", "discharged", "principal"]
names += ["episode", "last_of_episode", "reason", "began", "readmitted"]
everything = [column for column in starts.columns if column not in names]
candidates = [column for column in everything if column not in ("site_id", "ward")]
look_ahead = detector(starts, everything)[2]
alone = detector(starts, ["stays_in_extract"])[2]
print(f"all columns: AUC {look_ahead:.3f}; stays_in_extract alone: {alone:.3f}; ceiling of this world: {CEILING}")

# %% [markdown]
"""
Better than the best possible: **something has seen the future**. The count of stays alone beats the ceiling, because it counts the return it is meant to predict. The same fact, asked as of the right moment, is a fair feature: how many stays of this person had **ended** in the year before this episode began?

`pairs` is given: in each row a start (`began`) and a stay of the same person (`discharged`). Write the condition under the name `known = ...`: the stay ended at or before `began`, and less than 365 days before it. The last line, which counts, is given; leave it.
"""


# %% exercise="w02-j0-history" skills="C1"
def stays_before(starts, stays):
    """For each start, how many stays of the same person ended in the 365 days before it began.

    starts: table with stay_id, patient_id, began (date and time); stays: table with patient_id, discharged (date and
    time, empty while the patient is in). Returns a Series of whole numbers, on the index of starts.
    """
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    ### BEGIN SOLUTION
    since = pairs["began"] - pairs["discharged"]
    known = (since >= pd.Timedelta(0)) & (since < pd.Timedelta(days=365))
    ### END SOLUTION
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% check="w02-j0-history" points=0
some = pd.DataFrame(
    {"stay_id": ["s1", "s2", "s3", "s4"], "patient_id": ["ana", "ana", "ben", "eve"]}, index=list("abcd")
)
some["began"] = pd.to_datetime(["2026-03-10", "2026-04-01", "2026-03-01", "2026-03-01"])
ended = ["2026-03-15", "2026-04-06", "2026-03-01", "2025-03-01", "2025-03-02", None]
others = pd.DataFrame({"patient_id": ["ana", "ana", "ben", "ben", "ben", "ben"], "discharged": pd.to_datetime(ended)})
counted = stays_before(some, others)
assert counted["a"] == 0, (
    f"Ana's first stay was given {counted['a']}. Nothing of hers had ended when it began: its own end and the next stay lie in the future."
)
assert counted["b"] == 1, f"Ana's second stay was given {counted['b']}; one of hers had ended by then, 17 days before."
assert counted["c"] == 2, (
    f"Ben was given {counted['c']}. Ended on the very day: counts. 364 days before: counts. 365 days before: does not. Still in: does not."
)
print("Passed. The count knows the past of each start, and nothing else.")
### BEGIN HIDDEN TESTS
_some = pd.DataFrame({"stay_id": ["x"], "patient_id": ["fay"], "began": pd.to_datetime(["2027-06-01"])})
_ended = pd.to_datetime(["2026-06-02", "2026-12-24", "2027-05-31", "2027-06-02", "2027-05-01", "2026-05-01"])
_others = pd.DataFrame({"patient_id": ["fay"] * 4 + ["gus", "fay"], "discharged": _ended})
assert list(stays_before(_some, _others)) == [3], (
    f"On another table you counted {list(stays_before(_some, _others))}: from the beginning back, less than 365 days."
)
### END HIDDEN TESTS

# %% [markdown] hint="w02-j0-history"
"""
1. Subtract: `since = pairs["began"] - pairs["discharged"]` is positive when the stay had ended before.
2. `known = (...) & (...)`: `since` is at least `pd.Timedelta(0)`, and less than `pd.Timedelta(days=365)`.
3. Lesson, section 7: when something happened, and when it was known, are two columns.
"""

# %% tags=["uses-answer"]
starts["stays_before"] = stays_before(starts, linked)
by_quarter = starts["stays_before"].groupby(starts["discharged"].dt.to_period("Q")).mean()
print("stays before, mean of a start:", by_quarter.round(2).rename(str).to_dict())
print("to decide on:", ", ".join(candidates))

# %% [markdown]
"""
The extract begins in July 2024, so early starts have no past *here*: 0.19 stays in the first quarter, 0.54 in the last. Our detector keeps them; the memo says so.

### What may the model see?

*About 53 min from the start. Stuck? `hint("w02-j0-columns")`*

You sign this list, so you write it: `left_out`, a dict from each column that you leave out to the reason, in four words or more. (Hospital, ward and principal diagnosis are set aside already.)

| out goes | columns |
|---|---|
| what becomes final only **after the minute of discharge** | five of those printed: find them; `DATA_DICTIONARY.md` (folder `data/synthetic`) tells what each column is |
| what compliance wants out | `payer`, as registered on the day of the extract, and `area_deprivation`, until the fairness review |
| what you choose | at most two more, or none. Open is `n_diagnoses`: final codes may come days later, so the lesson left it out |

The prediction is made at the discharge, so `disposition` and `length_of_stay` are known.
"""

# %% exercise="w02-j0-columns" skills="C1 P1"
# left_out: dict from column to reason
### BEGIN SOLUTION
# the prediction is made at the minute of discharge
left_out = {
    "follow_up_within_14d": "happens after the discharge",
    "cost_year_after": "is about the year after",
    "stays_in_extract": "counts the return it should predict",
    "cost": "is billed after the discharge",
    "episode_diagnosis_count": "billing goes on counting after the discharge",
    "payer": "compliance: as registered on the day of the extract",
    "area_deprivation": "compliance: not before the fairness review",
}
### END SOLUTION

# %% check="w02-j0-columns" points=0
assert isinstance(left_out, dict), (
    f'`left_out` is a {type(left_out).__name__}; write a dict, such as {{"column": "why it goes"}}.'
)
strange = [name for name in left_out if name not in candidates]
assert not strange, f"{strange}: no such column among those to decide on. Write the names as printed above."
stay = [name for name in candidates if name not in left_out]
happens = {"follow_up_within_14d", "cost_year_after", "stays_in_extract"}
assert not happens & set(stay), (
    "A column stays whose value depends on the days or the year after the discharge. When is each one final?"
)
billed = {"cost", "episode_diagnosis_count"}
assert not billed & set(stay), (
    "A column stays that the billing department goes on filling after the patient has left. Who writes each one?"
)
asked = {"payer", "area_deprivation"}
assert not asked & set(stay), (
    f"{sorted(asked & set(stay))}: compliance asked for it to stay out, however well it predicts."
)
more = sorted(set(left_out) - happens - billed - asked)
assert len(more) <= 2, (
    f"{more}: besides the seven that have to go, leave out two at most. To leave out everything helps no patient."
)
short = [name for name, why in left_out.items() if len(str(why).split()) < 4]
assert not short, f"{short}: the reason is too short for somebody who reads it in a year. Four words at least."
alike = len(left_out) - len(set(left_out.values()))
assert alike <= len(left_out) // 2, (
    "Most columns have the same reason. They know the future in different ways; say how each one does."
)
print(f"Passed. {len(left_out)} columns left out; the model may see: {', '.join(stay)}")

# %% [markdown] hint="w02-j0-columns"
"""
1. The form is `left_out = {"cost": "...", ...}`. Seven to nine columns go.
2. Go through the printed columns one by one: who writes this value, and on which day is it final? Two are named in the text.
3. A count over the whole extract knows the future, too. Lesson, section 7.
"""

# %% tags=["uses-answer"]
# Machinery: the last result issued before the discharge; 50 minutes after the sample, as in the FHIR sample, is assumed.
results = labs.assign(issued=labs["taken"] + pd.Timedelta(minutes=50), raw=labs["value"])
results.loc[results["loinc"] == "2160-0", "value"] = creatinine["mg_dl"].to_numpy()
times = {"by": "stay_id", "prediction_time": "discharged", "time": "taken", "known_at": "issued"}
for name, code in {"creatinine": "2160-0", "sodium": "2951-2", "hemoglobin": "718-7", "albumin": "1751-7"}.items():
    one = results.loc[results["loinc"] == code, ["stay_id", "taken", "issued", "value", "raw"]]
    known = fhir.as_of(starts[["stay_id", "discharged"]], one, **times)
    starts[name] = known["value"]
    if name == "creatinine":
        starts["creatinine_as_delivered"] = known["raw"]
starts["albumin_measured"] = starts["albumin"].notna()  # it is measured where somebody worries

# %% tags=["uses-answer"]
# Machinery: three tables for the detector; whole persons are drawn again 200 times for the intervals.
features = [name for name in candidates if name not in left_out]
features += ["creatinine", "sodium", "hemoglobin", "albumin", "albumin_measured", "stays_before"]
as_delivered = ["creatinine_as_delivered" if name == "creatinine" else name for name in features]
tables = {"look-ahead": everything, "point in time, units broken": as_delivered, "point in time, repaired": features}
rng, auc, interval = np.random.default_rng(2), {}, {}
for name, columns in tables.items():
    y, score, auc[name] = detector(starts, columns)
    person = starts.loc[y.index, "patient_id"].factorize()[0]
    draws = [
        np.bincount(rng.integers(0, person.max() + 1, person.max() + 1), minlength=person.max() + 1) for _ in range(200)
    ]
    interval[name] = np.quantile(
        [roc_auc_score(y, score, sample_weight=draw[person]) for draw in draws], [0.025, 0.975]
    )
for name in tables:
    print(f"{name:<28} {auc[name]:.3f} (95 % interval {interval[name][0]:.3f} to {interval[name][1]:.3f})")
others = [name for name in features if name != "n_diagnoses"]
print(f"repaired, without n_diagnoses: {detector(starts, others)[2]:.3f}")

# %% tags=["uses-answer"]
# Machinery: draws the three scores.
fig_auc, ax = plt.subplots()
for name, colour in zip(tables, (plots.RED, plots.ORANGE, plots.BLUE), strict=True):
    ax.plot(interval[name], [name, name], color=colour)
    ax.plot(auc[name], name, "o", color=colour, markersize=9)
ax.axvline(CEILING, color=plots.GREY, linestyle="--")
ax.text(CEILING + 0.005, -0.35, "best possible\non this world", color=plots.GREY, va="center")
ax.set(xlim=(0.5, 1), ylim=(2.5, -0.7))
plots.label(
    ax, "The table that looks best is the one that cheats", "AUC on discharges from January 2026 on (0.5 = a coin)", ""
)
plt.show()

# %% [markdown]
"""
*In words:* three points with 95 % intervals. The look-ahead table lies above 0.9, far right of the best possible 0.779. The honest table lies near 0.75 (your choices move it a little); with the units of one laboratory broken it falls to about 0.65. (Results count as known 50 minutes after the sample: an assumption, for the memo.)

**For the CTO:** in life nobody prints the ceiling. Ask when each column becomes known, and drop each in turn. **For the product manager:** the score is no promise of use. `n_diagnoses` gains almost nothing; is it worth the question to the head of coding?
"""

# %% [markdown]
"""
## Step 7: limits that somebody signs

*About 66 min from the start. Stuck? `hint("w02-j0-quality")`*

The quality report has five lines, each a share: smaller is better. In life limits come before figures. Here you have seen some (creatinine, race, second records), so give yours a reason that would hold without them.

| key | share of |
|---|---|
| `creatinine` | results above 20 mg/dL, worst hospital and month |
| `race` | patients with race or ethnicity unknown, worst clinic |
| `late messages` | ADT messages sent over 24 hours after the event, worst hospital |
| `second records` | clinic records that are a person's second |
| `coding gap` | how far the hospital with the fewest diagnoses per stay lies below the one with the most |

Write `limits`: for each key `(limit, owner, what then)`. The limit is a share, 0.05 for 5 in 100; the owner one role that can change something; the third part begins with "stop", "label" or "page". One line as an example:

`"creatinine": (0.01, "laboratory manager", "stop training until it is mended")`

*Because* true values above 20 are rarer than 1 in 100, while a changed unit lifts nearly all; only the laboratory can mend it; and a wrong unit is wrong for every patient. The gate checks the form only.
"""

# %% exercise="w02-j0-quality" skills="C1 P1"
# limits: dict from each of the five keys to (limit, owner, what then)
### BEGIN SOLUTION
limits = {
    "creatinine": (0.01, "laboratory manager", "stop training until it is mended"),
    "race": (0.10, "head of registration", "label every comparison of groups"),
    "late messages": (0.05, "interface engineer", "page the engineer on call"),
    "second records": (0.02, "head of medical records", "label the rate as too low"),
    "coding gap": (0.10, "head of coding", "label every comparison of hospitals"),
}
### END SOLUTION

# %% check="w02-j0-quality" points=0
assert isinstance(limits, dict), (
    f'`limits` is a {type(limits).__name__}; write a dict, such as {{"race": (0.1, "owner", "label ..."), ...}}.'
)
keys = ("creatinine", "race", "late messages", "second records", "coding gap")
missing = [key for key in keys if key not in limits]
assert not missing, f"{missing}: to be measured, and nobody set a limit. Write one for each of the five keys."
threes = [key for key, value in limits.items() if not (isinstance(value, tuple) and len(value) == 3)]
assert not threes, (
    f"{threes}: each entry has three parts in round brackets: the limit, the owner, what happens when it fails."
)
shares = {key: float(value[0]) for key, value in limits.items()}
too_big = [f"{key}: {share:g}" for key, share in shares.items() if not 0 <= share < 1]
assert not too_big, (
    f"{'; '.join(too_big)}. A share: write 5 in 100 as 0.05; and a limit of 1, which is all, can never fail."
)
nobody = {"", "it", "everybody", "everyone", "the team", "team", "all", "nobody", "tbd", "?"}
unsigned = [key for key, value in limits.items() if str(value[1]).strip().lower() in nobody]
assert not unsigned, f"{unsigned}: no single role answers for this limit. Who can be called on the day it fails?"
idle = [
    key for key, value in limits.items() if str(value[2]).lower().split()[:1] not in (["stop"], ["label"], ["page"])
]
assert not idle, (
    f"{idle}: say what a failing limit does, beginning with stop, label or page. Otherwise it fails, and nothing happens."
)
print("Passed. Every line has a limit, an owner and a consequence. Now measure.")

# %% [markdown] hint="w02-j0-quality"
"""
1. The form is `limits = {"creatinine": (0.01, "laboratory manager", "stop ..."), "race": (..., "...", "..."), ...}`, five entries.
2. Ask for each line what share you would still accept before a model learns from it, and who could lower it.
3. Nothing in percent. What race or ethnicity unknown at one clinic means for a comparison of groups stands in section 5 of the lesson.
"""


# %% tags=["uses-answer"]
# Machinery: measures the five lines, each in its worst place, with a 95 % interval.
def worst(flag, places):
    counts = flag.groupby(places).agg(["sum", "size"])
    place = (counts["sum"] / counts["size"]).idxmax()
    hits, of = (int(number) for number in counts.loc[place])
    interval = binomtest(hits, of).proportion_ci(method="wilson")
    place = " ".join(map(str, place)) if isinstance(place, tuple) else place
    return place, f"{hits:,} of {of:,}", hits / of, interval.low, interval.high


unknown = patients["race"].isna() | patients["ethnicity"].isna()
adt = [(name, m) for name in ("hosp-1", "hosp-2", "hosp-3") for _, m in read_hl7(data(f"hl7v2/adt-{name}.hl7"))]
late = pd.Series([m.time("MSH-7").at - m.time("EVN-2").at > pd.Timedelta(hours=24) for _, m in adt])
second = person_of(patients["patient_id"], pairs) != patients["patient_id"]
codes = inpatient.groupby("site_id")["n_diagnoses"].agg(["mean", "sem"]).sort_values("mean")
(few, few_sem), (most, most_sem) = codes.iloc[0], codes.iloc[-1]
gap, error = 1 - few / most, 1.96 * few / most * np.hypot(few_sem / few, most_sem / most)
where = [creatinine["site_id"], month]
measured = {
    "creatinine": worst(creatinine["value"] > 20, where),
    "race": worst(unknown, patients["home_site_id"]),
    "late messages": worst(late, pd.Series([name for name, _ in adt])),
    "second records": worst(second, np.repeat("all clinics", len(second))),
    "coding gap": (codes.index[0], f"{few:.2f} v {most:.2f}", gap, gap - error, gap + error),
}

# %% tags=["uses-answer"]
report = pd.DataFrame(measured, index=["place", "count", "measured", "low", "high"]).T
report[["measured", "low", "high"]] = report[["measured", "low", "high"]].astype(float).round(3)
report["limit"], report["owner"], report["if it fails"] = zip(*(limits[key] for key in report.index), strict=True)
limit = report["limit"].astype(float)
report["verdict"] = np.select([report["high"] <= limit, report["low"] > limit], ["inside", "outside"], "undecided")
print(report[["place", "count", "measured", "low", "high", "limit", "verdict"]].to_string(), "\n")
for key, row in report[report["verdict"] != "inside"].iterrows():
    print(f"{key}, {row['verdict']}. {row['owner']}: {row['if it fails']}")
after = worst(creatinine["mg_dl"] > 20, where)[2]
print(f"\ncreatinine after the repair, worst hospital and month: {after:.3f}")

# %% [markdown]
"""
The interval, `low` to `high`, is where the share plausibly lies. **Inside** or **outside**: all of it lies on one side of the limit. **Undecided**: the limit lies in it, as 5 in 100 does in the interval of 4 to 16 for 7 late messages of 83. Undecided is no pass: the owner counts more before a launch. (Report and verdict are of the feed as delivered; the worst of several places looks a little worse than it is.)

Outside means for a launch what the third part says: with *stop* nobody trains until it is mended, as creatinine now is in our table; with *label* training goes on and a claim is limited; with *page* somebody is called today.
"""

# %% [markdown]
"""
### Written answer 1: which feed do we trust for what? (3 points)

*About 76 min from the start; give it 8.*

Think of the lesson's one visit in three feeds, and of the tables you have now worked with. Answer for the CTO in four to eight sentences or a small table. A person grades it:

| points | for |
|---|---|
| 1 | names the source to trust for at least three of: time of discharge, principal diagnosis, laboratory result, who the person is, money; each with a reason from what you saw |
| 1 | says where two sources disagree, which one wins for the model, and why codes written for billing can mislead a model |
| 1 | names one thing no source can be trusted for yet, with its figure from the report, and who has to act before it can |
"""

# %% [markdown] written="w02-j0-trust" points=3 skills="C1 P1"
"""
<!-- BEGIN SOLUTION -->
| fact | we trust | because |
|---|---|---|
| time of discharge | ADT message A03, discharge time (PV1-45) | it is written when the patient leaves; our shortened claim knows only the day |
| laboratory result | the laboratory's feed, after our check by hospital and month | it has value, unit and time; but the unit column was wrong at one hospital since February |
| who the person is | none alone: linked records, reviewed by clerks | neither series of numbers finds the second records |
| money charged | the claim | it is what we asked for; what was paid stands in the payer's answer (remittance), which we do not have |
| principal diagnosis | the final coded record, checked against the summary; not the claim's first line | see below |

For one visit the claim puts heart failure first and the ADT message cellulitis, as the discharge summary does. On a claim payment starts from the first diagnosis. Whichever of the two is right, a model that learns from the claim's order learns how we bill. For the model the codes of the stay win, and their order is not used, until coding and clinicians have looked at such cases together.

For comparing groups of patients no source is good enough yet: race or ethnicity is unknown for 28 of 100 patients of one clinic. The head of registration has to act first. And hosp-3 codes fewer diagnoses per stay than the others, which may be habit and not health.
<!-- END SOLUTION -->
"""

# %% [markdown]
"""
## Step 8: lineage

*About 84 min from the start. Stuck? `hint("w02-j0-lineage")`*

`Provenance`, as in exercise 11: the next cell takes a fingerprint of each source and fills in all but two things. `activity = {"text": "..."}` says the rule, the repairs and from which score on you linked records, as a number (the gate compares it with your `person_of`). `agent = [{"who": {"display": "..."}}]` names the role that answers.
"""

# %% tags=["uses-answer"]
files = [f"tables/{name}.parquet" for name in ("stays", "patients", "labs")]
files += [f"hl7v2/adt-{name}.hl7" for name in ("hosp-1", "hosp-2", "hosp-3")]
files += [f"fhir/{name}.ndjson" for name in ("Condition", "Encounter", "Observation")]
sources = {name: hashlib.sha256(data(name).read_bytes()).hexdigest() for name in files}
is_linked = person_of(pairs["second_id"], pairs) != pairs["second_id"]
lowest, refused = pairs.loc[is_linked, "score"].min(), pairs.loc[~is_linked, "score"].max()
print(f"{len(sources)} sources, such as {files[0]}: {sources[files[0]][:16]}...")
print(f"lowest score linked: {lowest:.0f}; highest not linked: {refused:.0f}")


def record(activity, agent):
    """A Provenance resource as a dict: the cohort, made by `activity` from all sources; `agent` answers for it."""
    target = [{"identifier": {"system": "https://example.org/fhir/sid/dataset", "value": "readmission-cohort-2026-06"}}]
    what = [{"display": name, "identifier": {"value": value}} for name, value in sources.items()]
    made = {"resourceType": "Provenance", "target": target, "recorded": "2026-07-06T09:00:00-05:00"}
    return made | {"activity": activity, "agent": agent, "entity": [{"role": "source", "what": one} for one in what]}


# %% exercise="w02-j0-lineage" skills="C1"
# activity: dict with a text; agent: list of dicts
### BEGIN SOLUTION
rule = "Episodes joined; deaths, discharges against advice and the last 30 days left out; planned returns not counted. "
repairs = "Creatinine of hosp-2 converted from umol/L since 2026-02-01; records linked from a score of 10 on; results known after 50 minutes."
activity = {"text": rule + repairs}
agent = [{"who": {"display": "Chief technology officer, Lakeshore Health"}}]
### END SOLUTION

# %% check="w02-j0-lineage" points=0
import re

from fhir.resources.R4B.provenance import Provenance
from pydantic import ValidationError

try:
    Provenance.model_validate(record(activity, agent))
    problems = []
except ValidationError as error:
    problems = sorted({".".join(map(str, one["loc"])) + ": " + one["msg"] for one in error.errors()})
assert not problems, f"Not valid as R4B: {'; '.join(problems)[:300]}"
assert agent, "`agent` is an empty list, so nobody answers for this table. Name one role at least."
assert all(len(one["who"].get("display", "")) >= 5 for one in agent), (
    "`agent`: name the role that answers, in `display`."
)
assert len(activity.get("text", "")) >= 40, (
    "`activity`: say rule and repairs in a sentence; 'made' helps nobody in a year."
)
numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", activity["text"])]
assert re.search("score|point", activity["text"].lower()) and any(refused <= number <= lowest for number in numbers), (
    f"`activity`: from which score on were records linked? Your `person_of` links from {lowest:.0f} and not {refused:.0f}."
)
print(f"Passed. {len(sources)} sources, answered for by: {agent[0]['who']['display']}")

# %% [markdown] hint="w02-j0-lineage"
"""
1. Two lines: `activity = {"text": "..."}` and `agent = [{"who": {"display": "..."}}]`.
2. Read your steps 1 to 6 again: what was joined, left out, converted, linked (from which score on), assumed? One clause for each.
3. Lists stand in square brackets even with one element. Lesson, section 8.
"""

# %% tags=["uses-answer"]
# The ledger that is signed, by person.
print(ledger["by person"].to_string())
print(f"of 100 starts {100 * who['readmitted'].mean():.1f} returned; the first query said {100 * first_query:.1f}")

# %% [markdown]
"""
### Written answer 2: the data-readiness memo (7 points)

*About 90 min from the start; give it 25.*

One page to the board: may a readmission model be trained on this? It is read in five minutes, and somebody signs it. (The cell after it puts counts, report, lineage and both figures into your portfolio.)

| points | for |
|---|---|
| 1 | answers first: yes, no, or yes with conditions, and for which use |
| 2 | the cohort: starts, returns and rate by the rule; at least three exclusions with their counts; why the first query says something else |
| 1 | what was repaired, who was told before, on whose confirmation, and what it would have done to a model |
| 1 | what the model may not see: one column that knew the future, with a figure, and when the prediction is made |
| 1 | what is not known or assumed (for example: deaths after the discharge, returns elsewhere, people with two hospital records, when results were issued), and that the data are synthetic |
| 1 | one limit that is outside today: where, why the limit lies there, who owns it, what its failing does; and what is undecided |
"""

# %% [markdown] written="w02-j0-memo" points=7 skills="C1 P1"
"""
<!-- BEGIN SOLUTION -->
**Yes, on conditions: a readmission model may be trained on these data to plan follow-up after discharge, but not to compare hospitals or groups of patients.**

**The cohort.** 21,085 stays became 18,189 starts, of which 2,830 were followed by an unplanned return within 30 days: 15.6 %. Behind them are 12,796 and 2,057 people. Left out and counted: 763 stays under observation, 493 that continued in another stay, 518 deaths, 182 discharges against advice, 132 patients still in, 808 discharges of the last 30 days. A first query says 18.3 %, because it counts transfers and planned treatment as returns, and the dead as not returned.

**Repaired.** Since 1 February hosp-2 has reported creatinine in another unit under the old name. We filed a safety event the same day; the laboratory manager confirmed the change in writing and issues corrected reports; only then did we convert 2,461 results, and guessed none. Unrepaired it takes a simple model from an AUC of about 0.75 to 0.65. 65 pairs of clinic records were linked as one person; in this world none are strangers, in life two clerks review a sample.

**Not for the model.** We predict at the minute of discharge, when the disposition is known. A table with all columns reached 0.92, more than is possible here; the number of a person's stays, counted over the whole extract, alone reached 0.84, because it counts the return. Follow-up visits, costs and episode counts stay out too, and, by compliance's rule, payer and area deprivation. The number of codes stays in, though it gains almost nothing (AUC 0.752 against 0.749).

**Not known.** Whether every message and stay arrived (nobody counts the volume), and whether cancelled events (ADT A11 to A13) were taken back. Deaths after the discharge, for most stays: they count as not returned (461 starts went to hospice, and 7 of 100 of these returned, against 15.6 of all), so deaths have to be reported beside the rate. Returns to hospitals outside the network. Second records among the people whom only a hospital knows, which is 93.5 % of the stays. Whether the diagnosis codes were final at the discharge; coders usually work later. When results were issued: 50 minutes after sampling is assumed. History before July 2024, so that `stays_before` is too low for starts of the first year. All data are synthetic; every figure has to be measured again on ours.

**Limits.** Outside: race or ethnicity is unknown for 28 % at clinic-07 (limit 10 %, because beyond it the unknown could turn round a difference between groups; head of registration): comparisons of groups carry a label; hosp-3 codes a fifth fewer diagnoses per stay than the hospital that codes most (limit 10 %, head of coding): so do comparisons of hospitals. Undecided: 7 of 83 ADT messages of hosp-3 came over a day late (95 % interval 4 to 16 %, limit 5 %): the interface engineer counts another month before a launch. Inside: second records (1.6 %, limit 2 %). Creatinine failed at 100 % in the worst hospital and month (hosp-2), 0 % after the repair. If it fails its limit (1 %) again in any month, the laboratory manager is called the same day, a safety event is filed, and training stops until it is mended in writing.

Signed: (name), chief technology officer. Reviewed again in three months.
<!-- END SOLUTION -->
"""

# %% tags=["uses-answer"]
# Machinery: puts counts, report, lineage and figures into your portfolio.
reasons = by_person["reason"].value_counts()
lineage = record(activity, agent)
facts = {
    "stays in the extract": len(stays),
    "left out, by the first reason that applies": {"under observation": int((stays["class"] != "IMP").sum())}
    | {name: int(n) for name, n in reasons.items() if name != "start"},
    "starts": int(reasons["start"]),
    "unplanned returns within 30 days": int(by_person["readmitted"].sum()),
    "people behind starts and returns": list(people),
    "of 100 starts": round(100 * float(by_person["readmitted"].mean()), 1),
    "rate in 100, by rule and by mistake (by person; the first query by record, of inpatient stays)": rates,
    "records linked to another of the same person": int(second.sum()),
    "lowest score linked, highest not linked": [float(lowest), float(refused)],
    "creatinine results converted": {"hosp-2, since 2026-02-01, umol/L to mg/dL": converted},
    "time of the prediction": "the minute of discharge",
    "left out, and why": left_out,
    "the model may see": features,
    "AUC of a plain model (ceiling of this world 0.779)": {name: round(float(value), 3) for name, value in auc.items()},
    "quality report": report.reset_index(names="line"),
    "creatinine after the repair": float(after),
    "lineage (FHIR R4B Provenance)": lineage,
}
words = ", ".join(f"{name} {value}" for name, value in rates.items())
scores = ", ".join(f"{name} {value:.2f}" for name, value in auc.items())
figures = {
    "A table that beats the ceiling has seen the future": (
        fig_auc,
        f"Points with intervals, AUC: {scores}; best possible 0.779.",
    )
}
title = "A readmission cohort with its lineage"
path = keep(
    "J0",
    title,
    facts,
    fig_rates,
    f"Points, returns within 30 days of 100 starts (first query: of 100 inpatient stays): {words}.",
    figures=figures,
)
print("Kept for your portfolio:", path.name)

# %% [markdown]
"""
### Afterwards, if you like: the same rule on somebody else's data

Put an `Encounter.ndjson` (FHIR R4) of made-up patients (Synthea, US Core examples; never real ones) into a folder `own_files` beside this notebook. In a sample of 615 Synthea patients the first query finds 126 returns, all of 6 people; 44 are planned cancer care, and the rule counts 82. Ask of every rate: how many **people** is it?
"""

# %% tags=["uses-answer"]
own = Path("own_files") / "Encounter.ndjson"
if own.is_file():
    theirs = read_stays(own)
    theirs["admission"] = np.where(theirs["planned"], "elective", "urgent")
    enough = theirs["discharged"].max() + pd.Timedelta(days=31)
    for name, table in {"planned counted": theirs.assign(admission="urgent"), "the rule": theirs}.items():
        returned = cohort(table, enough).query("readmitted == True")
        print(f"{name}: {len(returned):,} returns of {returned['patient_id'].nunique():,} people")
else:
    print("No own_files/Encounter.ndjson here, so there is nothing to compare. Go on.")

# %% [markdown]
"""
## Where you stand

**Three takeaways.** A rate is a rule: ask for the exclusions first. A repair needs a confirmation, a limit an owner. A score above what is possible is a finding about the table.

**On Monday:**

- recount one rate of your dashboard with one exclusion left out;
- ask of one model in use when it predicts, and when each input becomes known;
- find out who would notice if a laboratory changed its unit tonight, or if messages stopped coming.

**Read next:** [the lesson](lesson.ipynb) again, section 8 on lineage (5 min); CMS, the hospital-wide readmission measure and its list of planned admissions (15 min).

Press **Check my work** above to have all gates verified, then **Make my portfolio** in the menu Course. What comes next stands on the course page.
"""
