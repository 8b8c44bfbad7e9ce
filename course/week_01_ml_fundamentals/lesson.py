# %% [markdown]
"""
# Week 1: Who will miss their appointment?

It is 16:00 on 30 June 2026 at Lakeshore Health. From today on, the nurse line has time for **15 calls** every evening, to patients who are booked for the next day. More are booked than that, and some of them will stay away. Who gets a call?

| | |
|---|---|
| **Afterwards you can** | build and read a ranked call list; say whether a score can be trusted; turn a risk into a staffing plan |
| **Time** | 45 minutes |
| **You need** | to be able to run a cell (Shift+Enter); Python helps, mathematics does not |
| **Data** | two years of scheduling at three hospitals and twelve clinics; synthetic, every patient is invented |
| **In the room** | CTO, product manager, nurse manager, compliance officer |
"""

# %% [markdown]
"""
## 1. A call list in ten minutes

*About 0 min from the start.*

First the result, then its foundations. Run the cells from here to the list for tomorrow. Take nothing on trust: the rest of the lesson takes this list apart. The next cell fetches tools and the data; read only its last two lines.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from carelab import plots
from carelab.paths import data

visits = pd.read_parquet(data("tables/visits.parquet"))
visits[["start", "site_name", "specialty", "lead_days", "prior_no_shows", "status"]].sample(6, random_state=4)

# %% [markdown]
"""
Each row is one appointment. `lead_days` is how far ahead it was booked, `prior_no_shows` how often this patient had stayed away by then, `status` how it ended. Appointments from 1 July 2026 on have not happened, and are `booked`.

A model needs examples whose end is known: the patient came (`fulfilled`) or stayed away (`noshow`; for a child: was not brought). Visits that were `cancelled` had been called off by somebody. A few past ones are `booked` to this day: nobody ever recorded how they ended. We leave both kinds out, and note that this is a choice.
"""

# %%
tomorrow = pd.Timestamp("2026-07-01")
seen = visits[(visits["start"] < tomorrow) & visits["status"].isin(["fulfilled", "noshow"])].copy()
seen["missed"] = (seen["status"] == "noshow").astype(int)
booked = visits[(visits["start"].dt.date == tomorrow.date()) & (visits["status"] == "booked")]
print(f"{len(seen):,} past visits to learn from, {len(booked)} patients booked for tomorrow")

# %% [markdown]
"""
The model gets eight columns that are known this evening, called **features**. Numbers are brought to a common scale; the specialty becomes yes/no columns. (Payer and language are in the extract. Compliance asks to do without them here, and it costs nothing; week 3 looks at who is helped.) Then a **logistic regression**, the plainest classifier there is, gives every feature a weight.
"""

# %%
numbers = ["lead_days", "prior_visits", "prior_no_shows", "age", "distance_km", "transport_need", "snow_cm_forecast"]
words = ["specialty"]


def new_model():
    prepare = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words))
    return make_pipeline(prepare, LogisticRegression(max_iter=1000))


model = new_model().fit(seen[numbers + words], seen["missed"])

# %%
call_list = booked.assign(risk=model.predict_proba(booked[numbers + words])[:, 1]).nlargest(15, "risk")
call_list[["start", "site_name", "patient_id", "lead_days", "prior_no_shows", "risk"]].round(2).reset_index(drop=True)

# %% [markdown]
"""
That is a call list. `risk` is the model's estimate of the chance that the patient stays away: of 100 patients at 0.30, about 30 should. Whether that holds we check in section 6. It took examples with a known end, features known in time, and a model that learns from the first to score the second: **supervised learning**. Most of what vendors will show you is this, with more features.

**For the CTO:** ask where each column comes from and when it is written. **For the product manager:** ask who calls, what they say, and what happens when nobody answers. Neither question is about the model, and both decide whether it works.
"""

# %% [markdown]
"""
## 2. What is a miss, and how common is it?

*About 10 min from the start.*

What share of patients stays away? Write a number down before you run the cell.
"""

# %%
print(visits.loc[visits["start"] < tomorrow, "status"].value_counts().to_string())
print(f"\nmissed, of those with a known end: {seen['missed'].mean():.1%}")
print(f"accuracy of the rule 'everybody comes': {(seen['missed'] == 0).mean():.1%}")

# %% [markdown]
"""
A review of 105 studies found 23 % on average, from 13 % in Oceania to 43 % in Africa (Dantas and others, *Health Policy*, 2018); Lakeshore is built to lie near that. Now read the last line again: a rule that never calls anybody is right four times out of five. **Accuracy** cannot tell a model from a shrug when one answer is common, and no vendor slide that shows accuracy alone deserves a second meeting.

Note what the label leaves out, too. A clerk who marks a missed visit `cancelled` out of kindness makes the clinic look better and the model blinder. A label is somebody's habit, written down.
"""

# %% [markdown]
"""
## 3. Can it rank?

*About 16 min from the start.*

The nurse line works from the top of a list. So the question is not "right or wrong" but "in the right order?". Take one patient who stayed away and one who came: how often does the model give the first one the higher risk?

That share is called **AUC** (area under the ROC curve; week 3 draws it). 0.5 is a coin, 1.0 a clairvoyant. It has to be measured on visits the model has not learned from, so we hide the last nine months and look at three of them now. What do you expect: 0.6, 0.7, 0.9?
"""

# %%
train = seen[seen["start"] < "2025-10-01"]
later = seen[(seen["start"] >= "2025-10-01") & (seen["start"] < "2026-01-01")]
model = new_model().fit(train[numbers + words], train["missed"])
risk = model.predict_proba(later[numbers + words])[:, 1]

rng = np.random.default_rng(1)
away = rng.choice(risk[later["missed"] == 1], 20_000)
came = rng.choice(risk[later["missed"] == 0], 20_000)
print(f"20,000 random pairs, missed one ranked higher: {(away > came).mean():.2f}")
print(f"AUC from scikit-learn:                         {roc_auc_score(later['missed'], risk):.2f}")

# %% [markdown]
"""
The two lines agree: AUC is nothing but that game of pairs. Is the score good? A score means nothing alone. Before a model is worth a meeting it has to beat what can be had without one. Two rules need no learning: call those who booked longest ago (the front desk's proposal), and call those who have missed most often.
"""

# %%
rules = {
    "a coin": np.zeros(len(later)),
    "call who booked longest ago": later["lead_days"],
    "call who missed most often": later["prior_no_shows"],
    "logistic regression": risk,
}
scores = pd.Series({name: roc_auc_score(later["missed"], value) for name, value in rules.items()})
print(scores.round(2).to_string())

# %%
CEILING = 0.79  # of this world; see the next paragraph
fig, ax = plt.subplots()
ax.hlines(scores.index, 0.5, scores, color=plots.GREY)
ax.scatter(scores, scores.index, s=90, color=[plots.GREY, plots.GREY, plots.GREY, plots.BLUE], zorder=3)
ax.axvline(CEILING, color=plots.RED, linestyle="--")
ax.text(CEILING - 0.005, 0.4, "best possible\non this world", color=plots.RED, va="center", ha="right")
ax.set(xlim=(0.48, 0.85), ylim=(-0.5, 3.5))
plots.label(ax, "The model beats two simple rules", "AUC, October to December 2025 (0.5 is a coin)", "")
plt.show()

# %% [markdown]
"""
*In words:* four dots on a scale of AUC, measured from the coin at 0.5. The two simple rules lie a little above 0.6, the logistic regression at about 0.7. A dashed line at 0.79 marks the best possible score.
"""

# %% [markdown]
"""
Where does a ceiling come from? Whether a person comes is partly chance: a sick child, a missed bus. Lakeshore is synthetic, and its makers know each patient's true risk. Even that true risk reaches only an AUC of 0.79 (`data/synthetic/CALIBRATION.md`). In real life nobody hands you the ceiling, but it is there.

**For the CTO:** a score without a baseline beside it is not evidence. **For the product manager:** the two rules cost nothing. The model's worth is its distance to the best rule you can think of, not to the coin. In the project you meet a better one.
"""

# %% [markdown]
"""
## 4. Learned, or learned by heart?

*About 23 min from the start.*

A **decision tree** asks yes-or-no questions about the numbers in our list, and may go on asking until every training visit has a leaf of its own. Guess before you run: what will the deepest tree score on the visits it learned from, and what on later ones?
"""

# %%
depths = [1, 2, 3, 4, 6, 8, 12, 16, 24]
rows = []
for depth in depths:
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(train[numbers], train["missed"])
    known, new = (tree.predict_proba(part[numbers])[:, 1] for part in (train, later))
    rows.append((depth, roc_auc_score(train["missed"], known), roc_auc_score(later["missed"], new)))
trees = pd.DataFrame(rows, columns=["depth", "seen", "later"]).set_index("depth")
print(trees.round(2).to_string())

# %%
fig, ax = plt.subplots()
ax.plot(trees.index, trees["seen"], marker="o", label="visits it learned from")
ax.plot(trees.index, trees["later"], marker="s", label="later visits")
ax.axhline(CEILING, color=plots.RED, linestyle="--", label="best possible")
ax.legend(loc="upper left")
plots.label(
    ax, "Past a few questions the tree remembers more and predicts less", "depth of the tree (questions)", "AUC"
)
plt.show()

# %% [markdown]
"""
*In words:* AUC against the depth of the tree. On the visits it learned from the score climbs from about 0.6 to nearly 1. On later visits it rises to about 0.69 at a depth of four, then falls back to about 0.56.
"""

# %% [markdown]
"""
This is **overfitting**: the tree knows the past by heart, noise included. The gap between the two lines is the part that was learned by heart. Therefore three sets:

- **train**: the model learns from it;
- **validation**: you choose with it (depth, features, which model), as often as you like;
- **test**: opened once, at the end, for the number you will be held to.

So far we have looked at October to December only: they are our validation months. We split **by date**, because the model will be used on days that come after those it knows. A random split would put a patient's visit of May into train and her visit of March into the test, and the May row counts her misses so far. You measure that in the exercises.
"""

# %%
train = seen[seen["start"] < "2025-10-01"]
validation = later
test = seen[(seen["start"] >= "2026-01-01") & (seen["start"] < "2026-04-01")]
for name, part in {"train": train, "validation": validation, "test": test}.items():
    print(
        f"{name:10} {len(part):6,} visits, {part['start'].min():%d %b %Y} to {part['start'].max():%d %b %Y}, {part['missed'].mean():.1%} missed"
    )

# %% [markdown]
"""
## 5. Too good to be true

*About 30 min from the start.*

On Tuesday a vendor shows you the same model with two more columns from the same extract, `no_show_rate` and `wait_minutes`. The slide says what the next cell prints. **Can this evaluation be trusted, or is it too good to be true?** The split is by date, and the model has not learned from the visits that are scored. Decide before you read on.
"""


# %%
def score_with(extra, fill=0):
    prepare = make_column_transformer(
        (StandardScaler(), numbers + extra), (OneHotEncoder(handle_unknown="ignore"), words)
    )
    candidate = make_pipeline(prepare, LogisticRegression(max_iter=1000))
    columns = numbers + words + extra
    candidate.fit(train[columns].fillna(fill), train["missed"])
    return roc_auc_score(validation["missed"], candidate.predict_proba(validation[columns].fillna(fill))[:, 1])


print(f"without the two columns: {score_with([]):.2f}")
print(f"with both:               {score_with(['no_show_rate', 'wait_minutes']):.2f}")

# %% [markdown]
"""
The best possible score on this world is 0.79. A score far above it, on visits the model has not learned from, has seen the future. In real life you have no ceiling, only suspicion: a sudden jump when a column is added, or a score far above what others report for the same task. Which column is it? Add them one at a time.
"""

# %%
for column in ["wait_minutes", "no_show_rate"]:
    print(f"with {column:13} alone: AUC {score_with([column]):.2f}")
upcoming = visits[visits["start"] >= tomorrow]
for column in ["wait_minutes", "no_show_rate"]:
    gone, left = seen[column].notna().mean(), upcoming[column].notna().mean()
    print(f"{column:13} is filled in {gone:.0%} of past and {left:.0%} of upcoming visits")

# %% [markdown]
"""
Both. `wait_minutes` is the easy catch: who has waited has come. It is **empty for every upcoming visit**, so it cannot help tomorrow. Ask for the fill rate of each column on the evening before, and this trap is gone.

`no_show_rate` is the one that gets signed off. It is there for tomorrow's patients (only those without any past visit lack it), and it sounds like history. But when was it computed? Here are all visits of one patient.
"""

# %%
known_ends = seen.groupby("patient_id")["missed"].transform("size")
example = seen[(seen["no_show_rate"] == 0.5) & (known_ends == 6)].sort_values(["patient_id", "start"]).head(6)
print(example[["start", "prior_visits", "prior_no_shows", "no_show_rate", "missed"]].to_string(index=False))
print(f"\nthis patient missed {example['missed'].mean():.2f} of all six visits")
constant = seen.groupby("patient_id")["no_show_rate"].nunique().eq(1).mean()
print(f"patients whose no_show_rate is the same on every visit, first to last: {constant:.0%}")

# %% [markdown]
"""
(The third row counts no prior visit because it was booked before the first one took place.) A history grows with each visit. This rate is the same from the first visit to the last: it was computed once, on the day of the extract, **over all visits, the one to be predicted included**. That is **leakage**: the answer hides in the question. The honest form divides `prior_no_shows` by `prior_visits`, as known at the time of booking; you write it in the exercises.

**For the CTO:** veto any feature without a time stamp of when it was known. **For the product manager:** an improvement that looks like luck is an incident until somebody explains it.
"""

# %% [markdown]
"""
## 6. From a risk to fifteen calls

*About 36 min from the start.*

Back to the honest model, fitted on the training months again, and to months that no choice above has looked at: January to March 2026. (April to June stay closed for the project.) On each of those days take the 15 patients with the highest risk and count at whom calls would have been aimed (nobody made any). Visits booked on the day itself could not be on an evening list, so they are left out. Guess first: of 15 calls a day, how many go to somebody who stayed away?
"""

# %%
model = new_model().fit(train[numbers + words], train["missed"])
test = test[test["lead_days"] >= 1]
test = test.assign(risk=model.predict_proba(test[numbers + words])[:, 1], day=test["start"].dt.date)
test["place"] = test.groupby("day")["risk"].rank(ascending=False, method="first")
test["called"] = (test["place"] <= 15).astype(int)
table = pd.crosstab(test["missed"], test["called"]).loc[[1, 0], [1, 0]] / test["day"].nunique()
print(table.round(1).set_axis(["stayed away", "came"]).set_axis(["called", "not called"], axis=1).to_string())

# %% [markdown]
"""
Patients per day, in four kinds: this is a **confusion matrix**. Called and stayed away: these the calls would have reached. Called and came: a needless call. Not called and stayed away: overlooked. The rest were rightly left alone. (It counts at whom the calls are aimed. Whether a call changes what a patient does is another question, for week 7.)
"""

# %%
called, missed = test["called"] == 1, test["missed"] == 1
print(f"precision: {(called & missed).sum() / called.sum():.0%} of the calls go to somebody who stayed away")
print(f"recall:    {(called & missed).sum() / missed.sum():.0%} of those who stayed away were on the list")
print(f"at random: {missed.mean():.0%} of the calls would have")

# %% [markdown]
"""
**Precision** is the nurse's number: how many of my calls are worth it? (Clinicians call it positive predictive value.) **Recall** is the medical director's: how many of those who stayed away were on the list? (Clinicians: sensitivity.) Moving the threshold trades one for the other, and the exchange rate is staff. Only a better model raises both.
"""

# %%
calls = list(range(1, 61))
reached = [(missed & (test["place"] <= n)).sum() for n in calls]
made = [(test["place"] <= n).sum() for n in calls]
fig, ax = plt.subplots()
ax.plot(calls, np.divide(reached, made), label="precision: calls that were worth it")
ax.plot(calls, np.divide(reached, missed.sum()), linestyle="-.", label="recall: missed visits reached")
ax.axvline(15, color=plots.GREY, linestyle="--")
ax.text(15.5, 0.9, "today: 15 calls", color=plots.GREY)
ax.set_ylim(0, 1)
ax.legend(loc="center right")
plots.label(ax, "More calls reach more people, and more of them in vain", "calls a day", "share")
plt.show()

# %% [markdown]
"""
*In words:* a solid and a broken line against the number of calls a day. Precision falls from about one half at a single call to about one fifth at sixty. Recall, broken, rises steadily from near zero towards one. A dashed line marks today's 15 calls.
"""

# %%
before = validation[validation["lead_days"] >= 1]  # a threshold is chosen before it is tried
before = before.assign(risk=model.predict_proba(before[numbers + words])[:, 1], day=before["start"].dt.date)
threshold = before.groupby("day")["risk"].apply(lambda risk: risk.nlargest(15).min()).median()
flags = test.assign(flag=test["risk"] >= threshold).groupby("day")["flag"].sum()
print(f"risk of the 15th patient on a typical day, October to December: {threshold:.2f}")
print(f"calls a day at that fixed threshold, January to March: {flags.quantile(0.1):.0f} to {flags.quantile(0.9):.0f} on four days of five")

# %% [markdown]
"""
A **threshold** is the lowest risk that still gets a call. Nobody can staff a threshold: at a fixed one, some days bring far more calls than others. So Lakeshore writes the rule the other way round, *the fifteen highest risks of the day*, and the threshold follows from the roster.

**For the CTO:** the capacity belongs in configuration, with an owner and a history. **For the product manager:** "15 calls" is a decision about people. The model only says which fifteen.
"""

# %% [markdown]
"""
One debt is left: is a risk of 0.40 really 40 in 100? For the patients on the list, compare what the model promised with what happened. (The margin is that of a share counted on so many calls: twice its standard error.)
"""

# %%
on_list = test[called]
print(f"average risk of those on the list: {on_list['risk'].mean():.2f}")
margin = 2 * np.sqrt(on_list["missed"].var() / len(on_list))
print(f"share of them who stayed away:     {on_list['missed'].mean():.2f}, give or take {margin:.2f}")

# %% [markdown]
"""
The order is useful, the number is not: on this list the model promises more than happens, by more than chance explains. A score whose risks come true is called **calibrated**; this one, at the top of the day, is not. You may rank with it; you may not read a single risk to a nurse as a percentage. Week 3 looks at the whole range of risks, and mends it.
"""

# %% [markdown]
"""
## 7. What to take with you

*About 43 min from the start.*

1. **A score needs three companions**: the best rule that costs nothing, visits later than those it learned from, and the question of what is possible at all.
2. **Ask of every column when it was written.** Empty tomorrow is one sign of leakage; never changing over time is another.
3. **The threshold is a staffing decision.** Precision and recall say what it buys.

**On Monday**

- Ask for the baseline of one model you already pay for.
- Ask for the fill rate of its inputs on the evening before.
- Ask how many cases a day it flags, and how many your people can act on.

**Next:** [the exercises](exercises.ipynb) (90 min), then [the project](project.ipynb): a no-show policy that somebody can sign. **To read:** Burkov, *The Hundred-Page Machine Learning Book*, chapters 1 and 5 (60 min); DeepLearning.AI, *Machine Learning Specialization*, course 1, week 3 (about 3 h).
"""
