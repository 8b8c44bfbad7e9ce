# %% [markdown]
"""
# Project J11: a no-show policy that somebody can sign

The operations committee meets on Thursday. It does not want a model. It wants to know what happens to whom: who gets a text, who gets a call, who gets a ride, whose visit is moved, and whether that is better than what Lakeshore does today.

| | |
|---|---|
| **You deliver** | a one-page policy with the figures behind it, kept in your portfolio |
| **Time** | about 90 minutes, in five steps |
| **Checked by machine** | four gates: they carry no points, and all four have to be green before anybody reads your text |
| **Graded by a person** | two written answers, 10 points, by the rubrics printed above them |
| **Data** | synthetic; the same extract as in the lesson |
| **In the room** | operations committee, nurse manager, transport coordinator, compliance officer |
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from carelab import hint, plots
from carelab.learner.artefacts import keep
from carelab.paths import data

visits = pd.read_parquet(data("tables/visits.parquet"))
tomorrow = pd.Timestamp("2026-07-01")
seen = visits[(visits["start"] < tomorrow) & visits["status"].isin(["fulfilled", "noshow"])].copy()
seen["missed"] = (seen["status"] == "noshow").astype(int)
seen["day"] = seen["start"].dt.normalize()
seen["known_rate"] = (seen["prior_no_shows"] / seen["prior_visits"]).fillna(seen["missed"].mean())

# %% [markdown]
"""
## Step 1: what may the model know?

*About 5 min from the start.*

The committee's rule: **only what is known on the evening before the visit**. Every column below is in the extract. Some are not features at all (who, when, the outcome), and some see the future; you met both kinds in the lesson.
"""

# %%
print(", ".join(seen.columns))

# %% [markdown]
"""
Write the list `features`: at least five columns that are known in time, and no other. Leave `sms_reminder` out as well; step 4 shows why. Numbers, yes/no columns and words may be mixed: `new_model` below sorts them out.
"""


# %%
def new_model():
    """A logistic regression that scales numbers and turns words into yes/no columns."""
    prepare = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include=["number", "bool"])),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude=["number", "bool"])),
    )
    return make_pipeline(prepare, LogisticRegression(max_iter=1000))


train = seen[seen["start"] < "2025-10-01"]
validation = seen[(seen["start"] >= "2025-10-01") & (seen["start"] < "2026-01-01")]
test = seen[seen["start"] >= "2026-01-01"]

# %% exercise="w01-j11-features"
# features: list of column names, at least five, all known on the evening before the visit
### BEGIN SOLUTION
features = ["lead_days", "known_rate", "prior_no_shows", "prior_visits", "age", "distance_km", "transport_need"]
features += ["snow_cm_forecast", "specialty", "payer", "language", "hour"]
### END SOLUTION

# %% check="w01-j11-features" points=0
unknown = sorted(set(features) - set(seen.columns))
assert not unknown, f"{unknown}: no such column in the extract. Compare with the names printed above."
late = {
    "wait_minutes": "is written when the patient has come",
    "no_show_rate": "was computed over all visits, this one too",
}
late |= {"status": "is the outcome", "missed": "is the outcome"}
seen_late = [f"{name} {why}" for name, why in late.items() if name in features]
assert not seen_late, f"Not known on the evening before: {'; '.join(seen_late)}."
names = [name for name in ("patient_id", "appointment_id", "start", "day", "booked_on", "site_id") if name in features]
assert not names, f"{names}: a name or a date is no feature; the model would learn who or when by heart, not why."
assert "sms_reminder" not in features, "Leave sms_reminder out: step 4 shows what goes wrong with it."
assert len(set(features)) >= 5, f"{len(set(features))} features; the committee asked for at least five."
scout = new_model().fit(train[features], train["missed"])
auc = roc_auc_score(validation["missed"], scout.predict_proba(validation[features])[:, 1])
print(f"AUC on the validation months: {auc:.3f}")
assert auc >= 0.68, f"AUC {auc:.3f}. Lead time and history carry most of what can be known; is one of them missing?"

# %% [markdown] hint="w01-j11-features"
"""
1. Write the names in quotes, with commas, in square brackets: `features = ["lead_days", "age", ...]`.
2. Go through the printed columns one by one and ask of each: does the nurse manager have it at 19:00 on the evening before? Lesson, section 5.
3. `known_rate` is the honest form of the history; with lead time, age and where the patient lives you are nearly there.
"""

# %% [markdown]
"""
## Step 2: three bands

*About 25 min from the start.*

A committee cannot talk about 0.37. It can talk about three bands: **low** (the usual reminder), **medium** (a text on the evening before), **high** (a person acts). Write the function that puts each risk into its band. `np.where(condition, a, b)` takes `a` where the condition is true and `b` elsewhere, and one `np.where` can stand inside another.
"""


# %% exercise="w01-j11-bands"
def risk_bands(risk, medium_from, high_from):
    """The band of each risk: "low", "medium" or "high".

    risk: array of shape (n,), between 0 and 1; medium_from < high_from: the lowest risk of each band.
    A risk equal to a limit belongs to the higher band. Returns an array of n strings.
    """
    ### BEGIN SOLUTION
    return np.where(risk >= high_from, "high", np.where(risk >= medium_from, "medium", "low"))
    ### END SOLUTION


# %% check="w01-j11-bands" points=0
bands = list(risk_bands(np.array([0.05, 0.20, 0.30, 0.50, 0.90]), 0.20, 0.50))
assert set(bands) <= {"low", "medium", "high"}, (
    f"Bands found: {sorted(set(bands))}; use the words low, medium and high."
)
assert bands[1] == "medium" and bands[3] == "high", (
    f"A risk of exactly 0.20 and 0.50 gave {bands[1]} and {bands[3]}; a limit belongs to the higher band."
)
assert bands == ["low", "medium", "medium", "high", "high"], f"The risks 0.05, 0.20, 0.30, 0.50, 0.90 gave {bands}."
### BEGIN HIDDEN TESTS
_bands = list(risk_bands(np.array([0.7, 0.11, 0.02]), 0.1, 0.6))
assert _bands == ["high", "medium", "low"], (
    f"With the limits 0.1 and 0.6, the risks 0.7, 0.11, 0.02 gave {_bands}; use the arguments."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-j11-bands"
"""
1. Ask for the highest band first: what is true of a risk in the band "high"?
2. `np.where(risk >= high_from, "high", ...)`: the dots are for everybody else, and for them there is one more question.
3. The second question is `risk >= medium_from`, and its two answers are the other two words.
"""

# %% [markdown]
"""
Now set the limits, on the validation months, by what people can do: **at most 15 patients a day in the band high** (calls and rides), and **at most 20 a day in medium** (texts that ask for an answer, which somebody has to read). Unused capacity is a patient overlooked, so use at least 12 and at least 15 of it.

Change the two numbers until the table fits; it shows patients per working day.
"""

# %% exercise="w01-j11-limits"
# medium_from, high_from: two risks between 0 and 1
### BEGIN SOLUTION
risk = new_model().fit(train[features], train["missed"]).predict_proba(validation[features])[:, 1]
days = validation["day"].nunique()
high_from = np.sort(risk)[-14 * days]
medium_from = np.sort(risk)[-(14 + 18) * days]
### END SOLUTION

# %% check="w01-j11-limits" points=0
assert 0 < medium_from < high_from < 1, (
    f"medium_from is {medium_from:.2f} and high_from {high_from:.2f}; both lie between 0 and 1, medium below high."
)
model = new_model().fit(train[features], train["missed"])
found = risk_bands(model.predict_proba(validation[features])[:, 1], medium_from, high_from)
per_day = pd.Series(found).value_counts() / validation["day"].nunique()
print(per_day.round(1).to_string())
assert per_day.get("high", 0) <= 15, (
    f"{per_day['high']:.1f} patients a day are in the band high; people can act on 15. Raise high_from."
)
assert per_day.get("high", 0) >= 12, (
    f"Only {per_day.get('high', 0):.1f} patients a day are in the band high; there are 15 calls. Lower high_from."
)
assert per_day.get("medium", 0) <= 20, (
    f"{per_day['medium']:.1f} texts a day want an answer; somebody can read 20. Raise medium_from."
)
assert per_day.get("medium", 0) >= 15, (
    f"Only {per_day.get('medium', 0):.1f} patients a day are in medium; 20 texts can be read. Lower medium_from."
)

# %% [markdown] hint="w01-j11-limits"
"""
1. Start with two lines, `medium_from = 0.2` and `high_from = 0.4`, run the check, read the table, change one number.
2. Too many patients in a band? Then its lower limit is too low.
3. Without guessing: `np.sort(risk)[-14 * days]` is the limit above which 14 patients a day lie. Lesson, section 6.
"""

# %% [markdown]
"""
## Step 3: from a band to an action

*About 45 min from the start.*

| band | and | action |
|---|---|---|
| high | visit is seven or more days away | `offer_slot`: offer an earlier slot, because long waits are when people are lost |
| high | visit is nearer, patient has a transport need | `ride` |
| high | otherwise | `call` |
| medium | | `text` |
| low | | `usual` |

Write it for **one** visit, with `if` and `return`. The first line that fits wins.
"""


# %% exercise="w01-j11-action"
def action(band, transport_need, days_ahead):
    """What happens for one visit.

    band: "low", "medium" or "high"; transport_need: True or False; days_ahead: days until the visit, 0 or more.
    Returns "offer_slot", "ride", "call", "text" or "usual".
    """
    ### BEGIN SOLUTION
    if band == "high" and days_ahead >= 7:
        return "offer_slot"
    if band == "high":
        return "ride" if transport_need else "call"
    return "text" if band == "medium" else "usual"
    ### END SOLUTION


# %% check="w01-j11-action" points=0
assert action("low", True, 1) == "usual", (
    f"low with a transport need gave {action('low', True, 1)}: rides are for the band high."
)
assert action("medium", False, 10) == "text", (
    f"medium, ten days ahead, gave {action('medium', False, 10)}; earlier slots are for the band high."
)
assert action("high", True, 7) == "offer_slot", (
    f"high, seven days ahead, gave {action('high', True, 7)}; seven or more days mean an earlier slot."
)
assert action("high", True, 6) == "ride", f"high with a transport need, six days ahead, gave {action('high', True, 6)}."
assert action("high", False, 1) == "call", f"high without a transport need, tomorrow, gave {action('high', False, 1)}."
### BEGIN HIDDEN TESTS
assert (
    action("high", False, 12) == "offer_slot"
    and action("medium", True, 1) == "text"
    and action("low", False, 9) == "usual"
), "Another row of the table gave another action; go through the table from the top."
### END HIDDEN TESTS

# %% [markdown] hint="w01-j11-action"
"""
1. Begin with the first row: `if band == "high" and days_ahead >= 7:` and under it, indented, `return "offer_slot"`.
2. The second row needs no `days_ahead`: whoever is seven or more days away has been answered by then.
3. After the three rows for high, `medium` and `low` need one line each.
"""

# %% [markdown]
"""
Put it to work on everybody who is booked for the next two weeks. The transport service has **3 rides a day**; beyond that, the riders with the lower risk get a call.
"""

# %% tags=["uses-answer"]
model = new_model().fit(pd.concat([train, validation])[features], pd.concat([train, validation])["missed"])
coming = visits[(visits["start"] >= tomorrow) & (visits["status"] == "booked")].copy()
coming["known_rate"] = (coming["prior_no_shows"] / coming["prior_visits"]).fillna(seen["missed"].mean())
coming["day"], coming["days_ahead"] = (
    coming["start"].dt.normalize(),
    (coming["start"].dt.normalize() - tomorrow).dt.days,
)
coming["risk"] = model.predict_proba(coming[features])[:, 1]
coming["band"] = risk_bands(coming["risk"].to_numpy(), medium_from, high_from)
coming["action"] = [action(*row) for row in coming[["band", "transport_need", "days_ahead"]].itertuples(index=False)]
ride_place = coming[coming["action"] == "ride"].groupby("day")["risk"].rank(ascending=False)
coming.loc[ride_place[ride_place > 3].index, "action"] = "call"
print(pd.crosstab(coming["day"].dt.strftime("%m-%d %a"), coming["action"]).to_string())

# %% [markdown]
"""
## Step 4: is it better than today?

*About 60 min from the start.*

Today the nurse line calls the fifteen patients of the day who **booked longest ago**. Open the test months, once: same days, same fifteen calls, two orders. Of 100 calls, how many go to somebody who would have stayed away?
"""

# %% tags=["uses-answer"]
test = test.assign(risk=model.predict_proba(test[features])[:, 1])
orders = {"today: booked longest ago": "lead_days", "policy: highest risk": "risk"}
per_100 = {}
for name, column in orders.items():
    place = test.groupby("day")[column].rank(ascending=False, method="first")
    per_100[name] = 100 * test.loc[place <= 15, "missed"].mean()
per_100["any fifteen"] = 100 * test["missed"].mean()
print(pd.Series(per_100).round(1).to_string())

# %% tags=["uses-answer"]
fig, ax = plt.subplots()
ax.barh(list(per_100)[::-1], list(per_100.values())[::-1], color=[plots.GREY, plots.BLUE, plots.ORANGE])
plots.label(ax, "Calls that are worth it, of 100", "calls to somebody who would stay away, January to June 2026", "")
plt.show()

# %% [markdown]
"""
*In words:* three bars. Calling the highest risks reaches the most, today's rule fewer, and any fifteen patients about one in five.
"""

# %% [markdown]
"""
So the policy reaches more of the right people. Does a **text** do any good? The extract says who got one. Compare.
"""

# %%
by_text = seen.groupby("sms_reminder")["missed"].agg(["size", "mean"]).rename(index={False: "no text", True: "text"})
print(by_text.assign(mean=by_text["mean"].map("{:.1%}".format)).to_string())

# %% [markdown]
"""
Patients who got a text stayed away **more** often. A board member concludes: "Texting makes it worse. Stop it, and save the money."

Before you answer, look at who gets a text.
"""

# %%
who = seen.groupby("sms_reminder")[["lead_days", "prior_no_shows", "distance_km"]].mean().round(1)
print(who.rename(index={False: "no text", True: "text"}).to_string())

# %% [markdown]
"""
### Written answer 1: the board member (3 points)

Answer in three to six sentences. A person grades it:

| points | for |
|---|---|
| 1 | says whom Lakeshore texts today, with a figure from the table above |
| 1 | says why the comparison does not show the effect of a text, in words a board member understands |
| 1 | says what would show it (a fair comparison that Lakeshore could really run), and what happens to texting until then |
"""

# %% [markdown] written="w01-j11-texting" points=3
"""
<!-- BEGIN SOLUTION -->
We text the patients we already worry about: those who booked several weeks ahead and those who have missed before, as the table shows. They stay away more often because of who they are, so comparing them with the others tells us about our rule for texting, not about texting. It is like finding that people who see a doctor are ill more often.

To learn what a text does we would have to give it by lot: for eight weeks, half of the patients in the band medium get one, drawn at random, and the two halves are compared. Published trials found that reminders raise attendance (Cochrane review CD007458), so until we know better the texts go on.
<!-- END SOLUTION -->
"""

# %% [markdown]
"""
## Step 5: the page that is signed

*About 75 min from the start.*

### Written answer 2: the policy (7 points)

One page, for people who have not read any of this. The committee has ten minutes.

| points | for |
|---|---|
| 2 | who gets what: the bands in plain words, the daily capacities, who owns each number |
| 2 | what it is worth: the figure against today's rule, the months it was measured on, and that the data are synthetic |
| 1 | what it does not know (texts, reasons for staying away, a clinic whose records differ) |
| 1 | the person in the loop: what staff may override, and what is logged |
| 1 | when it is switched off: one figure, one limit, one name |
"""

# %% [markdown] written="w01-j11-policy" points=7
"""
<!-- BEGIN SOLUTION -->
**From 1 July, the nurse line calls the fifteen patients of the day who are most likely to stay away.** The list is ready at 19:00 on the evening before. Patients with a transport need get a ride instead (three a day, transport coordinator); patients a week or more ahead get the offer of an earlier slot (scheduling desk); about eighteen a day get a text that asks for an answer. Everybody else gets the usual reminder. The nurse manager owns the number fifteen and may change it on any day.

**What it is worth.** On the visits of January to June 2026, which the model had not seen, more of each hundred calls went to people who would have stayed away than under today's rule (see the figure), at the same cost. The figures come from Lakeshore's synthetic records; they have to be measured again on our own before we rely on them.

**What we do not know.** Whether a text or a call changes what a patient does; we count whom we reach, not whom we keep. Why people stay away. Whether every clinic records a missed visit in the same way: one that writes "cancelled" looks better than it is.

**Who decides.** The list is a proposal. A nurse may skip or add any patient; the system keeps the list, the change, the reason and the name. Nobody's visit is cancelled or double-booked because of a risk.

**When it stops.** If in any month fewer than 25 of 100 calls reach somebody who would have stayed away, the product manager switches back to today's rule on the same day and reports to the committee.
<!-- END SOLUTION -->
"""

# %% [markdown]
"""
Keep the result. This puts the policy's figures and the chart into the folder `portfolio` beside this notebook.
"""

# %% tags=["uses-answer"]
facts = {
    "features": features,
    "bands": {"medium_from": round(float(medium_from), 3), "high_from": round(float(high_from), 3)},
    "capacity_per_day": {"calls_and_rides": 15, "rides": 3, "texts": 20},
    "worth_calling_per_100_calls": {name: round(float(value), 1) for name, value in per_100.items()},
    "measured_on": "visits of January to June 2026, split by date",
    "actions_next_two_weeks": {name: int(n) for name, n in coming["action"].value_counts().sort_index().items()},
}
print(keep("J11", "A no-show policy in three bands", facts, fig).name)

# %% [markdown]
"""
## Where you stand

A model became a policy: a list of what may be known, bands cut by capacity, an action for each, a fair comparison with today, and a switch to turn it off. Run `from carelab.learner import check_week; check_week(1)` in a cell of its own to see all gates of the week.

Next week asks the question under this one: can the feed that all of it rests on be trusted?
"""
