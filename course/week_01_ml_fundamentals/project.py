# %% [markdown]
"""
# Project J11: a no-show policy that somebody can sign

The operations committee meets on Thursday. It does not want a model. It wants to know what happens to whom: who gets a text, who gets a call, who gets a ride, whose visit is moved, and whether a model is needed for it at all.

| | |
|---|---|
| **You deliver** | a one-page policy in this notebook, and its figures and chart in the folder `portfolio` beside it |
| **Time** | about 90 minutes, in five steps |
| **Checked by machine** | four gates: they carry no points, and all four have to pass before anybody reads your text |
| **Graded by a person** | two written answers, 10 points, by the rubrics printed above them; alone, grade yourself with them; a model answer of each stands in the folder `solutions` of the course |
| **Data** | synthetic; the same extract as in the lesson |
| **In the room** | operations committee, nurse manager, transport coordinator, compliance officer |

How a gate stands, `check("w01-j11-features")` tells you in words, in any cell.
"""

# %% [markdown]
"""
The policy runs twice. **Every day at 16:00** for the visits of the next working day: a person acts on the first 15 places of the list (the nurse manager owns that number), up to 3 of them by a ride (transport coordinator) and the others by a call; for the next 20 places, texts that ask for an answer can be read (front desk). **Every Tuesday** for the visits that are 7 to 13 days away: the scheduling desk can offer 20 patients an earlier slot, and owns that number.
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

from carelab import check, hint, plots
from carelab.learner.artefacts import keep
from carelab.paths import data

# %xmode Minimal
visits = pd.read_parquet(data("tables/visits.parquet"))
tomorrow = pd.Timestamp("2026-07-01")
seen = visits[(visits["start"] < tomorrow) & visits["status"].isin(["fulfilled", "noshow"])].copy()
seen["missed"] = (seen["status"] == "noshow").astype(int)
seen["day"] = seen["start"].dt.normalize()
usual_rate = seen.loc[seen["start"] < "2025-10-01", "missed"].mean()  # for patients without a history
seen["known_rate"] = (seen["prior_no_shows"] / seen["prior_visits"]).fillna(usual_rate)

# %% [markdown]
"""
## Step 1: what may the model know?

*About 5 min from the start.*

*Stuck? `hint("w01-j11-features")`*

The committee's rule: **only what is known when the list is made**. Below are the columns of the extract; `missed`, `day` and `known_rate` (the honest history of exercise 6) were added above. Some are no features at all (who, when, the outcome), and some see the future; you met both kinds in the lesson.
"""

# %%
print(", ".join(seen.columns))

# %% [markdown]
"""
Write the list `features`: at least five columns that are known in time, and no other. Numbers, yes/no columns and words may be mixed; `new_model` below sorts them out. Three rules of the house:

- Leave `sms_reminder` out. It follows today's rule for texting; when the policy changes that rule, the column changes its meaning and the model goes wrong.
- Leave `snow_cm_forecast` out. It is known one day ahead, and the Tuesday list looks a week ahead.
- Leave `payer`, `language` and `sex` out. Here a high risk brings help and never a refusal, but compliance has not signed them, and they add nothing measurable. Week 3 looks at who is helped.
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
test = seen[seen["start"] >= "2026-04-01"]  # the lesson has used January to March already

# %% exercise="w01-j11-features" skills="P1"
# features: list of column names, at least five, all known when the list is made
### BEGIN SOLUTION
features = ["lead_days", "known_rate", "prior_no_shows", "prior_visits", "age", "distance_km"]
features += ["transport_need", "specialty", "hour", "new_patient"]
### END SOLUTION

# %% check="w01-j11-features" points=0
assert isinstance(features, list), f"`features` is a {type(features).__name__}; write a list, names in square brackets."
unknown = sorted(set(features) - set(seen.columns))
assert not unknown, f"{unknown}: no such column in the extract. Compare with the names printed above."
late = {
    "wait_minutes": "is written when the patient has come",
    "no_show_rate": "was computed over all visits, this one too",
}
late |= {"status": "is the outcome", "missed": "is the outcome", "snow_cm_forecast": "is known one day ahead only"}
seen_late = [f"{name} {why}" for name, why in late.items() if name in features]
assert not seen_late, f"Not known when the list is made: {'; '.join(seen_late)}."
names = [name for name in ("patient_id", "appointment_id", "start", "day", "booked_on", "site_id") if name in features]
assert not names, f"{names}: a name or a date is no feature; the model would learn who or when by heart, not why."
assert "sms_reminder" not in features, "Leave sms_reminder out: it follows today's texting rule, which your policy will change."
unsigned = [name for name in ("payer", "language", "sex") if name in features]
assert not unsigned, f"{unsigned}: compliance has not signed these; the house rules leave them out."
assert len(set(features)) >= 5, f"{len(set(features))} features; the committee asked for at least five."
scout = new_model().fit(train[features], train["missed"])
auc = roc_auc_score(validation["missed"], scout.predict_proba(validation[features])[:, 1])
assert auc >= 0.68, f"AUC {auc:.3f}. Lead time and history carry most of what can be known; is one of them missing?"
print(f"Passed. AUC on the validation months: {auc:.2f}")

# %% [markdown] hint="w01-j11-features"
"""
1. Write the names in quotes, with commas, in square brackets: `features = ["lead_days", "age", ...]`.
2. Go through the printed columns one by one and ask of each: does the nurse manager have it at 16:00 on the day before? Lesson, section 5.
3. `known_rate` is the honest form of the history; with lead time, age and where the patient lives you are nearly there.
"""

# %% [markdown]
"""
## Step 2: three bands

*About 20 min from the start. Stuck? `hint("w01-j11-bands")`*

A committee cannot talk about 0.37. It can talk about three bands: **high** (a person acts), **medium** (a text that asks for an answer), **low** (the usual reminder). And it cannot staff a fixed threshold, as the lesson showed. So the bands follow from each patient's **place** in the list, 1 being the highest risk: the first `n_high` places are high, the next `n_medium` are medium, the rest low.

`np.where(condition, a, b)` takes `a` where the condition is true and `b` elsewhere. It works on a whole column at once (an `if` does not), and one `np.where` can stand inside another.
"""


# %% exercise="w01-j11-bands" skills="P2"
def bands(place, n_high, n_medium):
    """The band of each place in a list: "high", "medium" or "low".

    place: array of shape (n,), whole numbers from 1 (highest risk); n_high, n_medium: places in each band, 0 or more.
    Returns an array of n strings. Example: places 1, 2, 3 with n_high 1 and n_medium 1 -> high, medium, low
    """
    ### BEGIN SOLUTION
    return np.where(place <= n_high, "high", np.where(place <= n_high + n_medium, "medium", "low"))
    ### END SOLUTION


# %% check="w01-j11-bands" points=0
found = bands(np.array([1, 2, 3, 4, 5, 6]), 2, 3)
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
found = list(found)
assert set(found) <= {"low", "medium", "high"}, f"Bands found: {sorted(set(found))}; use the words low, medium and high."
assert found[1] == "high", f"Place 2 of 2 in the band high came out as {found[1]}: the last place of a band belongs to it."
assert found[3] == "medium", f"Place 4 came out as {found[3]}. The three places of medium come after the two of high: 3, 4 and 5."
assert found == ["high", "high", "medium", "medium", "medium", "low"], f"Places 1 to 6, two high and three medium, gave {found}."
assert list(bands(np.array([6, 30]), 20, 0)) == ["high", "low"], "With 20 high and no medium places, place 6 is high and place 30 is low: use the arguments."
print("Passed. The capacity is exact on every day.")
### BEGIN HIDDEN TESTS
assert list(bands(np.array([9, 10, 11]), 9, 1)) == ["high", "medium", "low"], "With 9 high places and a single medium one, place 10 is medium and place 11 is low: use `n_medium`."
### END HIDDEN TESTS

# %% [markdown] hint="w01-j11-bands"
"""
1. Ask for the highest band first: which places are high?
2. `np.where(place <= n_high, "high", ...)`: the dots are for everybody else, and for them there is one more question.
3. Medium ends at place `n_high + n_medium`. Its two answers are the other two words.
"""

# %% [markdown]
"""
## Step 3: from a band to an action

*About 32 min from the start. Stuck? `hint("w01-j11-action")`*

| band | and | action |
|---|---|---|
| high | visit is seven or more days away (the Tuesday list) | `offer_slot`: offer an earlier slot, because long waits go with missed visits |
| high | visit is nearer, patient has a transport need | `ride` |
| high | otherwise | `call` |
| medium | | `text` |
| low | | `usual` |

Write it for **one** visit, with `if` and `return`. The first line that fits wins.
"""


# %% exercise="w01-j11-action" skills="P2"
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
print("Passed. Every visit has one action.")
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
Put it to work on the two lists of 30 June, a Tuesday: tomorrow's visits, and those 7 to 13 days away. The calls of `bands` carry the capacities: 15 and 20 places tomorrow, 20 and none on the Tuesday list. Beyond 3 rides, riders with the lower risk would get a call. (The model learns from the months up to December, so that the one that makes these lists is the one that step 4 judges; before a launch it would be fitted again to all months.)
"""

# %% tags=["uses-answer"]
known = pd.concat([train, validation])
model = new_model().fit(known[features], known["missed"])
coming = visits[(visits["start"] >= tomorrow) & (visits["status"] == "booked")].copy()
coming["known_rate"] = (coming["prior_no_shows"] / coming["prior_visits"]).fillna(usual_rate)
coming["days_ahead"] = (coming["start"].dt.normalize() - tomorrow).dt.days + 1
coming["risk"] = model.predict_proba(coming[features])[:, 1]
coming["list"] = np.select([coming["days_ahead"] == 1, coming["days_ahead"].between(7, 13)], ["tomorrow", "a week away"], "later")
coming = coming[coming["list"] != "later"]

# %% tags=["uses-answer"]
place = coming.groupby("list")["risk"].rank(ascending=False, method="first").to_numpy()
daily = (coming["list"] == "tomorrow").to_numpy()
coming["band"] = np.where(daily, bands(place, 15, 20), bands(place, 20, 0))
coming["action"] = [action(*row) for row in coming[["band", "transport_need", "days_ahead"]].itertuples(index=False)]
ride_place = coming[coming["action"] == "ride"]["risk"].rank(ascending=False)
coming.loc[ride_place[ride_place > 3].index, "action"] = "call"
print(coming.groupby(["list", "action"]).size().to_string())

# %% [markdown]
"""
If you see no ride for tomorrow, that is no mistake: only a few of tomorrow's patients have a transport need on record, and they need not be among the first 15 places. A need that the list does not reach is worth a remark in the policy.
"""

# %% [markdown]
"""
## Step 4: is the model needed?

*About 45 min from the start. Stuck? `hint("w01-j11-gain")`*

Three rules need no model: call those who **booked longest ago** (the front desk's proposal), who **missed most often**, or who missed the **largest share** of their earlier visits (`known_rate`). Open the test months, April to June, once: same days, same 15 calls and rides, different orders. Of 100 of them, how many go to somebody who stayed away? Nobody was called in those months, so the outcomes are not stained by calls (texts were sent; they are looked at below); visits booked on the day itself are left out. Where patients are level, the order is drawn by lot, not taken from the extract.
"""

# %% tags=["uses-answer"]
test = test.assign(risk=model.predict_proba(test[features])[:, 1])[test["lead_days"] >= 1]
test = test.sample(frac=1.0, random_state=1)
orders = {"highest risk": "risk", "largest share missed": "known_rate", "missed most often": "prior_no_shows"}
orders["booked longest ago"] = "lead_days"
per_100, aimed = {}, {}
for name, column in orders.items():
    place = test.groupby("day")[column].rank(ascending=False, method="first")
    aimed[name] = test[place <= 15].groupby("day")["missed"].agg(["sum", "size"])
    per_100[name] = round(100 * aimed[name]["sum"].sum() / aimed[name]["size"].sum(), 1)
per_100["any fifteen"] = round(100 * test["missed"].mean(), 1)
print(pd.Series(per_100).to_string())

# %% tags=["uses-answer"]
fig, ax = plt.subplots()
ax.barh(list(per_100)[::-1], list(per_100.values())[::-1], color=[plots.GREY] * 4 + [plots.BLUE])
plots.label(ax, "Calls that are worth it, of 100", "calls to somebody who stayed away, April to June 2026", "")
plt.show()

# %% [markdown]
"""
*In words:* five bars. Any fifteen patients reach fewest, the front desk's rule more, "missed most often" more still. "Largest share missed" and the model's highest risks stand almost level at the top.
"""

# %% [markdown]
"""
The committee will ask one thing: **what does the model add that a simpler rule would not?** Write that number down: calls worth making per 100, the model against the **best** rule that needs no model.
"""

# %% exercise="w01-j11-gain" skills="P2"
# gain: a number, calls per 100
### BEGIN SOLUTION
gain = per_100["highest risk"] - per_100["largest share missed"]
### END SOLUTION

# %% check="w01-j11-gain" points=0
assert abs(gain - (per_100["highest risk"] - per_100["any fifteen"])) > 0.15, (
    f"{gain:.1f} is the gain over calling anybody. Nobody proposes that; compare with the best rule that needs no model."
)
weaker = [per_100["booked longest ago"], per_100["missed most often"]]
assert all(abs(gain - (per_100["highest risk"] - rule)) > 0.15 for rule in weaker), (
    f"{gain:.1f} is the gain over one of the weaker rules. A rule without a model can do better than that one. What is left then?"
)
best_rule = max(value for name, value in per_100.items() if name != "highest risk")
assert abs(gain - (per_100["highest risk"] - best_rule)) < 0.15, (
    f"{gain:.1f} is not a difference between two rows of the table. Take the model's row and the best row that needs no model."
)
print(f"Passed. {gain:.1f} more in every 100. Is that more than luck, and is it worth owning a model?")

# %% [markdown] hint="w01-j11-gain"
"""
1. Which of the rows without a model is the highest? A committee can have that one for nothing.
2. Write `gain = ` and the difference of two numbers from the table, or of `per_100["..."]` and `per_100["..."]`.
3. Lesson, section 3: the model's worth is its distance to the best rule you can think of.
"""

# %% [markdown]
"""
Is that difference more than luck? Both lists were tried on the same days, so ask what other days like these would have shown: draw the days again, with repetition, 2,000 times, and take the difference each time. (This is a **paired bootstrap**; week 3 has you write one.)
"""

# %% tags=["uses-answer"]
best = max((name for name in orders if name != "highest risk"), key=per_100.get)
n_days = len(aimed[best])
drawn = np.random.default_rng(1).integers(0, n_days, (2000, n_days))
shares = {}
for name in ("highest risk", best):
    worth, made = (aimed[name][column].to_numpy()[drawn].sum(axis=1) for column in ("sum", "size"))
    shares[name] = 100 * worth / made
low, high = np.quantile(shares["highest risk"] - shares[best], [0.025, 0.975])
print(f"the model against '{best}': {low:+.1f} to {high:+.1f} calls of 100, in 95 of 100 draws")

# %% [markdown]
"""
So aiming helps, with or without a model. Does a **text** do any good? The extract says who got one. Compare.
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
who = seen.groupby("sms_reminder")[["lead_days", "prior_no_shows", "known_rate"]].mean().round(2)
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

# %% [markdown] written="w01-j11-texting" points=3 skills="P1 P2"
"""
<!-- BEGIN SOLUTION -->
We text the patients we already worry about: those who booked several weeks ahead and those who have missed before, as the table shows. They stay away more often because of who they are, so comparing them with the others tells us about our rule for texting, not about texting. Comparing like with like helps a little, but the staff also see things that the extract does not hold. It is like finding that people who see a doctor are ill more often.

To learn what a text does we would have to give it by lot: for eight weeks, half of the patients in the band medium get one, drawn at random, and the two halves are compared. Published trials found that reminders raise attendance (Cochrane review CD007458), so until we know better the texts go on.
<!-- END SOLUTION -->
"""

# %% [markdown]
"""
## Step 5: the page that is signed

*About 65 min from the start.*

### Written answer 2: the policy (7 points)

One page, for people who have not read any of this. The committee has ten minutes.

A warning about the last row: the share of called patients who stay away falls when calls **work**, so it cannot be the switch. Choose something that gets worse when the policy does, for example complaints, calls that reach nobody, or texts nobody reads.

| points | for |
|---|---|
| 2 | who gets what: model or rule, the bands in plain words, the capacities, who owns each number |
| 2 | what it is worth: the list against calling anybody, the model against the best simple rule, whether that difference is more than noise, on which months, and that the data are synthetic |
| 1 | what it does not know (for example: what a call or a text changes, why people stay away, whether every clinic records a miss in the same way) |
| 1 | the person in the loop: what staff may override, and what is logged |
| 1 | when it is switched off: one figure, one limit, one owner (a role will do) |
"""

# %% [markdown] written="w01-j11-policy" points=7 skills="P1 P2"
"""
<!-- BEGIN SOLUTION -->
**From 1 July, the nurse line calls those who have missed the largest share of their earlier visits.** Every day at 16:00 a list for the next working day is ready. The first 15 patients are called; up to three of them who need transport are offered a ride instead. The next 20 get a text that asks for an answer. Everybody else gets the usual reminder. Every Tuesday the first 20 of next week's list are offered an earlier slot. The nurse manager owns the 15, the transport coordinator the 3 rides, the front desk the 20 texts, the scheduling desk the 20 offers; each may change the number on any day.

**What it is worth.** On the visits of April to June 2026 31 of 100 calls by this list would have been aimed at people who stayed away, against 19 when anybody is called (the list is the best of three rules on these same months, so its figure is a little flattered). We also built a model. It was better by one or two calls in 100, and by chance alone the difference could as well be none; a model has to be owned, watched and explained. So we start with the rule, and keep the model for the next review. All figures come from synthetic records and have to be measured again on ours.

**What we do not know.** Whether a call, a ride or a text changes what a patient does: we count at whom we aim, not whom we keep. Why people stay away. Whether every clinic records a missed visit in the same way: one that writes "cancelled" looks better than it is.

**Who decides.** The list is a proposal. A nurse may skip or add any patient; the system keeps the list, the change, the reason and who made it. Nobody's visit is cancelled, double-booked or refused because of a place on the list. On voicemail staff say only who calls and ask to call back, never which clinic it is about.

**When it stops.** If in any month the nurse line reaches fewer than half of the patients on its list by telephone, or more than five patients complain about a call, the product manager stops the calls on the same day and reports to the committee.
<!-- END SOLUTION -->
"""

# %% [markdown]
"""
Keep the result: this puts the policy's figures and the chart into the folder `portfolio` beside this notebook.
"""

# %% tags=["uses-answer"]
facts = {
    "what the model may know": features,
    "capacity": {"calls_and_rides_a_day": 15, "rides_a_day": 3, "texts_a_day": 20, "earlier_slots_a_week": 20},
    "of 100 calls, to somebody who stayed away": {name: float(value) for name, value in per_100.items()},
    "the model against the best simple rule": f"{gain:.1f} calls of 100 more (95 % interval {low:+.1f} to {high:+.1f}, days drawn again)",
    "measured on": "visits of April to June 2026, split by date",
    "what this does not show": "whether a call, a ride or a text changes what a patient does",
    "first lists, if the model orders them": {f"{a}: {b}": int(n) for (a, b), n in coming.groupby(["list", "action"]).size().items()},
}
words = [f"{name} {value:.0f}" for name, value in per_100.items()]
in_words = f"Bars, calls of 100 that go to somebody who stayed away: {', '.join(words)}."
print("Kept for your portfolio:", keep("J11", "A no-show policy in three bands", facts, fig, in_words).name)

# %% [markdown]
"""
## Where you stand

A model became a policy: what it may know, bands cut by capacity, one action for each visit, a fair comparison with the best simple rule, and a switch to turn it off. Press **Check my work** above to have all gates verified, then **Make my portfolio** in the menu Course.

Week 2 asks the question under this one: can the feed that all of it rests on be trusted?
"""
