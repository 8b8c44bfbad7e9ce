# %% [markdown]
"""
# Projects J10 and J9: two queues, two policies

Two teams at Lakeshore Health have more in their queue than they have hands. A nurse with two visits a day faces the alerts of three hospitals. Reviewers with a legal clock face prior-authorization requests. Both ask you who comes first, and who signs for it.

| | |
|---|---|
| **You deliver** | two one-page policies in this notebook, and their figures and charts in the folder `portfolio` beside it |
| **Time** | about 120 minutes: Part A (J10, alerts) 60, Part B (J9, prior authorization) 60; each stands alone |
| **You need** | this week's lesson; the exercises help |
| **Checked by machine** | gates in both parts: they carry no points, and all have to pass before anybody reads your text |
| **Graded by a person** | two written answers, 10 points, by the rubrics printed above them; alone, grade yourself with them; a model answer of each stands in the folder `solutions` of the course |
| **Data** | synthetic; no patient is real |
| **In the room** | medical director, rapid-response nurse, ward nurses, utilization manager, CTO, product manager, compliance officer |

How a gate stands, `check("w03-j10-help")` tells you in words, in any cell.
"""

# %% [markdown]
"""
## Part A (J10): who gets the nurse?

*About 0 min from the start of Part A.*

Since January 2025 a vendor's score raises **deterioration alerts** on the wards. Lakeshore has one rapid-response nurse who joins the bedside team by video at any of the three hospitals. Beyond her own calls she has time for **two more visits a day**. Some seventeen alerts fire every day. By which rule does she choose, who hears about the others, and what do all these alerts do to the people who read them?
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

from carelab import check, hint, plots
from carelab.learner.artefacts import keep
from carelab.paths import data

# %xmode Minimal
fired, falls = (pd.read_parquet(data(f"tables/{name}.parquet")) for name in ("alerts", "deteriorations"))
# The last day is left out: what follows within 24 hours is not known yet.
fired = fired[(fired["kind"] == "deterioration") & (fired["fired_at"] < "2026-06-30")]
alerts = fired.merge(falls[["stay_id", "met_at"]], on="stay_id", how="left", validate="m:1")
alerts = alerts.sort_values(["fired_at", "alert_id"], ignore_index=True)
alerts["day"] = alerts["fired_at"].dt.normalize()
print(
    f"{len(alerts):,} alerts on {alerts['stay_id'].nunique():,} stays, {len(alerts) / alerts['day'].nunique():.0f} a day"
)
one = alerts[alerts["stay_id"] == "enc-0020530"][
    ["fired_at", "score", "alerts_24h", "lactate_ordered", "met_at", "action"]
]
print(one.to_string(index=False))

# %% [markdown]
"""
## Step 1: whom would a visit still help?

*About 5 min from the start of Part A. Stuck? `hint("w03-j10-help")`*

`met_at`: when the criteria of deterioration were met, by chart review (empty: never). `lactate_ordered`: in the two days before; somebody suspects a sepsis.

The medical director's rule: **a visit at this alert would still help** if the criteria are met *after* the alert and *at most 24 hours* after it, and no lactate has been ordered. It is a stand-in: nobody knows what a visit would have changed.

Hours from a to b: `(alerts["b"] - alerts["a"]) / pd.Timedelta(hours=1)`. Join conditions with `&`, each in round brackets; `~column` turns true and false round. Comparing with an empty time gives false.
"""


# %% exercise="w03-j10-help" skills="C2 P2"
def helps(alerts):
    """1 where a visit at this alert would still help by the medical director's rule, else 0.

    alerts: table with fired_at and met_at (times; met_at may be empty) and lactate_ordered (True or False), a row an alert.
    Returns a Series of 0 and 1 on the index of `alerts`.
    Example: fired 08:00, met 20:00 the same day, no lactate ordered -> 1
    """
    ### BEGIN SOLUTION
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours > 0) & (hours <= 24) & ~alerts["lactate_ordered"]).astype(int)
    ### END SOLUTION


# %% check="w03-j10-help" points=0
when = pd.Timestamp("2026-02-03 08:00")
met = [when + pd.Timedelta(hours=h) for h in (12, 12, -3, 30)] + [pd.NaT, when + pd.Timedelta(hours=24)]
table = pd.DataFrame(
    {"fired_at": when, "met_at": met, "lactate_ordered": [False, True, False, False, False, False]},
    index=list("abcdef"),
)
label = helps(table)
assert label is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(label, pd.Series), f"helps gave a {type(label).__name__}; return a Series, one column of 0 and 1."
assert list(label.index) == list("abcdef"), (
    f"The index came out as {list(label.index)}; keep a row for each alert, on its own index."
)
assert label["b"] == 0, (
    "Alert b has a lactate ordered: the team already suspects it, and a visit tells them nothing new."
)
assert label["c"] == 0, "Alert c fired three hours after the criteria were met. That is no warning, so it is 0."
assert label["d"] == 0, "Alert d came 30 hours ahead; the rule says at most 24 hours."
assert label["e"] == 0, (
    "Stay e never met the criteria (met_at is empty), and its alert still counts as helped by a visit."
)
assert label["a"] == 1, (
    "Alert a fired twelve hours ahead, with no lactate ordered: a visit would still help, so it is 1."
)
assert label["f"] == 1, "Alert f came exactly 24 hours ahead; at most 24 hours includes 24."
print(f"Passed. A visit would still help at {helps(alerts).mean():.1%} of the alerts.")
### BEGIN HIDDEN TESTS
_hours = pd.Series([0.0, 0.5, 24.5, 6.0])
_table = pd.DataFrame(
    {
        "fired_at": when,
        "met_at": when + pd.to_timedelta(_hours, unit="h"),
        "lactate_ordered": [False, False, False, True],
    }
)
assert list(helps(_table)) == [0, 1, 0, 0], (
    f"Criteria met 0, 0.5, 24.5 and 6 hours after the alert (lactate at the last) gave {list(helps(_table))}: only after it, up to 24 hours, and before a lactate."
)
### END HIDDEN TESTS

# %% [markdown] hint="w03-j10-help"
"""
1. Three conditions have to hold at once: after the alert, not too long after it, and nobody suspects it yet.
2. First a line `hours = ...` with the difference of the two times. Which one is subtracted from which, so that a later event is positive?
3. Lesson, section 2, keeps only the scores from before suspicion. Here that is `~alerts["lactate_ordered"]`; end with `.astype(int)`.
"""

# %% [markdown]
"""
Three ways to order a day's alerts: the **vendor's** score; a model of who **meets the criteria soon** (within 24 hours, suspected or not), proposed for its AUC; a model of where **a visit still helps**, your label. Both are logistic regressions on what is known when an alert fires: score, breathing rate, operational context. `action` and `reason` are written afterwards and stay out.

On the test months, January to June 2026, each order gets the same two visits a day, **each patient once**. Two figures for each: the AUC on the team's slide, and how many of 100 visits would still help. **Can the slide be trusted?** Which order wins which? Write your guess down.
"""

# %% tags=["uses-answer"]
numbers = ["score", "respiratory_rate", "log_hours", "alerts_24h", "lactate_ordered"]
alerts["log_hours"] = np.log1p(alerts["hours_since_admission"])
alerts["helps"] = helps(alerts)
alerts["soon"] = helps(alerts.assign(lactate_ordered=False))  # the same rule, suspected or not
train = alerts[alerts["fired_at"] < "2025-10-01"]
for label, name in {"soon": "chance_soon", "helps": "chance"}.items():
    prepare = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), ["ward"]))
    model = make_pipeline(prepare, LogisticRegression(max_iter=1000)).fit(train[[*numbers, "ward"]], train[label])
    alerts[name] = model.predict_proba(alerts[[*numbers, "ward"]])[:, 1]
validation = alerts[(alerts["fired_at"] >= "2025-10-01") & (alerts["fired_at"] < "2026-01-01")]
test = alerts[alerts["fired_at"] >= "2026-01-01"]

# %% tags=["uses-answer"]
VISITS_A_DAY = 2
orders = {"vendor's score": "score", "meets the criteria soon": "chance_soon", "a visit still helps": "chance"}


def day_list(part, order):  # each day's alerts seen together, ties by the alert's number
    rows = part.sort_values(["day", order, "alert_id"], ascending=[True, False, True])
    return rows.drop_duplicates(["day", "stay_id"]).groupby("day").head(VISITS_A_DAY)


lists = {name: day_list(test, order) for name, order in orders.items()}
for name, visits in lists.items():
    auc, shares = roc_auc_score(test["soon"], test[orders[name]]), 100 * visits[["helps", "lactate_ordered"]].mean()
    print(f"{name:24} AUC {auc:.2f}  of 100 visits {shares['helps']:4.1f} help")
    print(f"{'':35}{shares['lactate_ordered']:3.0f} are to patients already suspected")

# %% [markdown]
"""
The order with the best AUC makes the worst list. The slide is computed correctly and answers another question: it finds the patients whom the team already suspects, and sends the nurse to them. By that AUC your order is no better than the vendor's, and for the nurse it is the best, because its label says what a visit is for.

180 days with two visits each are not many. How sure is the difference? The lists share their days, so draw whole days with replacement, 2,000 times, and look at the **difference** each time.
"""

# %% tags=["uses-answer"]
by_day = pd.DataFrame({name: visits.groupby("day")["helps"].sum() for name, visits in lists.items()}).to_numpy()
n_days = len(by_day)
draw = np.random.default_rng(3).integers(0, n_days, (2000, n_days))
drawn = by_day[draw].sum(axis=1) * 100 / (VISITS_A_DAY * n_days)  # of 100 visits: a row a draw, a column a list
low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
useful = pd.Series(by_day.sum(axis=0) * 100 / (VISITS_A_DAY * n_days), index=list(orders))
gain = useful["a visit still helps"] - useful["vendor's score"]
gain_low, gain_high = np.percentile(drawn[:, 2] - drawn[:, 0], [2.5, 97.5])
print(f"by help, against the vendor's order: {gain:.1f} more of 100 visits")
print(f"95 % interval of that difference: {gain_low:.1f} to {gain_high:.1f}")

# %% tags=["uses-answer"]
CEILING = 19  # of 100: best possible on this world, from data/synthetic/truth/traps.json (alert-capacity)
fig, ax = plt.subplots()
colours, edges = [plots.GREY, plots.GREY, plots.BLUE], [useful - low, high - useful]
ax.barh(useful.index, useful, xerr=edges, color=colours, capsize=4)
ax.invert_yaxis()
ax.axvline(CEILING, color=plots.RED, linestyle="--")
ax.text(CEILING + 0.2, 0, "best possible\non this world", color=plots.RED, va="center")
ax.set_xlim(0, 24)
plots.label(
    ax, "Rank by whom a visit would still help", "visits of 100 that would still help, January to June 2026", ""
)
plt.show()

# %% [markdown]
"""
*In words:* three bars with 95 % intervals. The vendor's score sends about 8 of 100 visits where they would still help, "meets the criteria soon" about 7, "a visit still helps" about 14. A dashed line at 19 marks the best possible.

**For the CTO:** ask of every AUC which outcome, at which moment, and what a hit lets somebody do. **For the product manager:** even the best list is wrong about six visits in seven. That is a fact about rare events; say so before the nurse finds out.
"""

# %% [markdown]
"""
## Step 2: three rungs

*About 25 min from the start of Part A. Stuck? `hint("w03-j10-escalate")`*

The list above sorts a whole day at once, and at 8:00 nobody knows what fires at 20:00. A policy decides **alert by alert**, with what is left. The first row that fits wins:

| when | rung | what happens |
|---|---|---|
| the patient was visited today | `list` | no new interruption; the nurse follows this patient on her screen |
| the chance that a visit helps is `visit_from` or more, and a visit is left | `visit` | the rapid-response nurse comes by video |
| the chance is `ward_from` or more | `ward` | the alert is shown to the ward nurse, who answers it |
| otherwise | `list` | on the screen for whoever looks; nobody is interrupted |

Write it for **one** alert, with `if` and `return`. No rung forbids anything: any nurse may call the rapid-response team for any patient at any time. And `chance` is a place on the model's scale; whether 0.08 is 8 in 100 was not checked here, so nobody reads it out as a percentage.
"""


# %% exercise="w03-j10-escalate" skills="P2 P3"
def escalate(chance, visit_from, ward_from, visited_today, visits_left):
    """The rung of one alert: "visit", "ward" or "list".

    chance, visit_from, ward_from: between 0 and 1, with ward_from below visit_from; visited_today: True or False, this
    patient; visits_left: whole number, the visits that the nurse has left today.
    Example: chance 0.12, visit_from 0.08, ward_from 0.04, not visited today, 1 visit left -> "visit"
    """
    ### BEGIN SOLUTION
    if visited_today:
        return "list"
    if chance >= visit_from and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from else "list"
    ### END SOLUTION


# %% check="w03-j10-escalate" points=0
rung = escalate(0.12, 0.08, 0.04, False, 1)
assert rung is not None, "Your function gives nothing back. Does every way through it end in `return`?"
assert rung in ("visit", "ward", "list"), f"{rung!r} is none of the three rungs; use the words visit, ward and list."
assert rung == "visit", f"Chance 0.12, visits from 0.08, one visit left: that gave {rung}. The last visit may be used."
rung = escalate(0.12, 0.08, 0.04, False, 0)
assert rung != "visit", "A visit with none left: the nurse would have three on that day. Ask for `visits_left` as well."
assert rung == "ward", (
    f"A high chance with no visit left gave {rung}. Nobody falls off the ladder: the ward hears of it."
)
rung = escalate(0.12, 0.08, 0.04, True, 1)
assert rung == "list", f"A patient who was visited today gave {rung}. Each patient once a day: ask for that first."
assert escalate(0.08, 0.08, 0.04, False, 2) == "visit", "A chance of exactly `visit_from` is enough for a visit."
assert escalate(0.04, 0.08, 0.04, False, 2) == "ward", "A chance of exactly `ward_from` is enough for the ward."
assert escalate(0.03, 0.08, 0.04, False, 2) == "list", (
    "A chance below both limits interrupts nobody: its rung is the list."
)
print("Passed. Every alert has one rung, and the capacity holds on every day.")
### BEGIN HIDDEN TESTS
assert escalate(0.12, 0.20, 0.15, False, 2) == "list" and escalate(0.16, 0.20, 0.15, False, 2) == "ward", (
    "With visits from 0.20 and the ward from 0.15, a chance of 0.12 is for the list and 0.16 for the ward: use the arguments, not their numbers of today."
)
assert escalate(0.05, 0.08, 0.04, True, 0) == "list", (
    "A patient visited today stays on the list, however many visits are left."
)
### END HIDDEN TESTS

# %% [markdown] hint="w03-j10-escalate"
"""
1. Follow the table from the top: one `if` for each row, and `return` with the word in quotes.
2. The second row has two conditions. What does an alert with a high chance get when the second one fails? Read on in the table.
3. "Or more" is `>=`. The lesson's section 6 tells how a roster becomes a limit.
"""

# %% [markdown]
"""
The nurse owns the two visits; the limit `visit_from` follows from them, as in the lesson. Choose it on the validation months, October to December 2025: high enough that visits are worth it, low enough that they are used.
"""


# %% tags=["uses-answer"]
def run(part, visit_from, ward_from):  # one alert after the other, in the order in which they fire
    rungs, left, visited = [], dict.fromkeys(part["day"], VISITS_A_DAY), set()
    for alert in part.itertuples():
        patient = (alert.stay_id, alert.day)
        rungs.append(escalate(alert.chance, visit_from, ward_from, patient in visited, left[alert.day]))
        if rungs[-1] == "visit":
            left[alert.day] -= 1
            visited.add(patient)
    return pd.Series(rungs, index=part.index)


for limit in (0.06, 0.08, 0.10, 0.12):
    visits = validation[run(validation, limit, 0.04) == "visit"]
    a_day = len(visits) / validation["day"].nunique()
    print(f"visits from {limit:.2f}: {a_day:.1f} a day, {100 * visits['helps'].mean():.0f} of 100 would help")

# %% [markdown]
"""
We take 0.08: most of the two visits are used, and much of the worth is kept. A lower limit spends visits in the morning that the evening would have needed. (`WARD_FROM` starts at 0.04, near the middle of all alerts; step 3 moves it.) Now the test months, and the medical director's question: of all patients who deteriorated, **how many does this policy reach?** (In time means by the rule of step 1.) Guess first.
"""

# %% tags=["uses-answer"]
VISIT_FROM, WARD_FROM = 0.08, 0.04
test = test.assign(rung=run(test, VISIT_FROM, WARD_FROM))
a_day = test["rung"].value_counts() / n_days
worth = 100 * test.loc[test["rung"] == "visit", "helps"].mean()
print(
    f"a day: {a_day['visit']:.1f} visits ({worth:.0f} of 100 would help), {a_day['ward']:.1f} to the ward, {a_day['list']:.1f} on the list"
)
where = pd.read_parquet(data("tables/stays.parquet"))[["stay_id", "site_id", "ward"]]
fell = falls[(falls["met_at"] >= "2026-01-02") & (falls["met_at"] < "2026-06-30")].merge(where, on="stay_id")
in_time = test[test["helps"] == 1]
fell["alert_in_time"] = fell["stay_id"].isin(in_time["stay_id"])
fell["visit_in_time"] = fell["stay_id"].isin(in_time.loc[in_time["rung"] == "visit", "stay_id"])
reach = (
    fell.assign(deteriorated=True)
    .groupby(["site_id", "ward"])[["deteriorated", "alert_in_time", "visit_in_time"]]
    .sum()
)
silent = alerts.loc[(alerts["site_id"] == "hosp-3") & (alerts["ward"] == "surgery"), "fired_at"].max()
print(reach.to_string(), reach.sum().to_string(), f"last alert, surgery at hosp-3: {silent:%d %B %Y}", sep="\n\n")

# %% [markdown]
"""
Seven in ten of those who deteriorated had no alert in time, and no order of alerts finds them. Surgery at hosp-3 has been silent for a year, while its patients deteriorate: somebody seems to have switched the alerts off. A ranking of alerts cannot see that; a count by ward can. The visits reach about one patient in nine. The wards' own eyes stay the safety net.

## Step 3: what alerts do to their readers

*About 38 min from the start of Part A. Stuck? `hint("w03-j10-feedback")`*

Most alerts go to ward nurses. `action` is empty where nobody opened one. Do wards with more alerts (`unit_alerts_today`, of all systems) read a smaller share? Guess first.
"""

# %%
alerts["read"] = alerts["action"].notna()
by_ward = alerts.groupby("ward")[["unit_alerts_today", "read"]].mean().sort_values("unit_alerts_today")
print(by_ward.round(2).to_string())
known = pd.get_dummies(alerts[["unit_alerts_today", "alerts_24h", "ward"]], dtype=float)
known["unit_alerts_today"] /= 10
past = alerts[alerts["fired_at"] < "2026-01-01"]

# %%
rows_of_day = [rows.index for _, rows in past.groupby("day")]
rng = np.random.default_rng(5)
draws = [rng.integers(0, len(rows_of_day), len(rows_of_day)) for _ in range(200)]
drawn_rows = [np.concatenate([rows_of_day[n] for n in draw]) for draw in draws]
for name, columns in {"all wards together": known.columns[:1], "within a ward": known.columns}.items():
    fits = []
    for rows in [past.index, *drawn_rows]:  # first all days, then days drawn with replacement
        reading = LogisticRegression(C=1e4, solver="newton-cholesky")  # hardly penalised
        fits.append(np.exp(reading.fit(known.loc[rows, columns], alerts.loc[rows, "read"]).coef_[0][0]))
    per_ten, (from_, to) = fits[0], np.percentile(fits[1:], [2.5, 97.5])
    print(f"{name}: ten alerts more, odds of reading times {per_ten:.2f} (95 % interval {from_:.2f} to {to:.2f})")

# %% [markdown]
"""
Between wards, more alerts go with **more** reading: cardiology watches its monitors. Within a ward, on a day with ten alerts more, the odds that an alert is read are a third lower. It is an association; busy days may differ in other ways too.

Committees often close this loop the wrong way: after each missed patient, show more. Yours looks every Monday at the share of last week's alerts that was read:

| share read | the limit `ward_from` |
|---|---|
| below `goal` | goes up by 0.005 (fewer alerts are shown), but never above `cap` |
| more than 0.05 above `goal` | goes down by 0.005, but never below 0 |
| otherwise | stays |

`min(a, b)` is the smaller of two numbers, `max(a, b)` the larger.
"""


# %% exercise="w03-j10-feedback" skills="P2 P3"
def next_limit(ward_from, share_read, goal, cap):
    """Next week's `ward_from`, from this week's and the share of its alerts that was read.

    All between 0 and 1, ward_from at most cap. Returns a number between 0 and cap; differences below 0.0001 do not matter.
    Example: ward_from 0.040, share_read 0.62, goal 0.70, cap 0.060 -> 0.045
    """
    ### BEGIN SOLUTION
    if share_read < goal:
        return min(ward_from + 0.005, cap)
    if share_read > goal + 0.05:
        return max(ward_from - 0.005, 0)
    return ward_from
    ### END SOLUTION


# %% check="w03-j10-feedback" points=0
limit = next_limit(0.040, 0.62, 0.70, 0.060)
assert limit is not None, "Your function gives nothing back. Does every way through it end in `return`?"
assert limit > 0.0399, (
    f"Too little was read, and the limit went from 0.040 down to {limit:.3f}: that shows more alerts to people who do not keep up."
)
assert abs(limit - 0.045) < 1e-4, f"62 % read, goal 70 %: the limit went from 0.040 to {limit:.3f}. One step is 0.005."
limit = next_limit(0.060, 0.62, 0.70, 0.060)
assert abs(limit - 0.060) < 1e-4, (
    f"At the cap of 0.060 the limit went to {limit:.3f}. Never above the cap, or the loop may silence a ward."
)
limit = next_limit(0.040, 0.80, 0.70, 0.060)
assert abs(limit - 0.035) < 1e-4, (
    f"80 % read, more than 0.05 above the goal: the limit went from 0.040 to {limit:.3f}; there is room to show more."
)
limit = next_limit(0.040, 0.72, 0.70, 0.060)
assert abs(limit - 0.040) < 1e-4, (
    f"72 % read is above the goal by less than 0.05, and the limit went from 0.040 to {limit:.3f}; leave it."
)
limit = next_limit(0.002, 0.80, 0.70, 0.060)
assert limit > -1e-4, f"The limit went to {limit:.3f}: never below 0, where every alert is shown."
print("Passed. The loop has a goal, a step and a stop.")
### BEGIN HIDDEN TESTS
assert abs(next_limit(0.010, 0.548, 0.50, 0.012) - 0.010) < 1e-4, (
    "With a goal of 0.50, a share of 0.548 leaves the limit alone: use `goal`."
)
assert abs(next_limit(0.010, 0.40, 0.50, 0.012) - 0.012) < 1e-4, (
    "With a cap of 0.012, one step from 0.010 ends at 0.012: use `cap`."
)
assert abs(next_limit(0.010, 0.50, 0.50, 0.012) - 0.010) < 1e-4, (
    "A share of exactly the goal is not below it: the limit stays."
)
assert abs(next_limit(0.010, 0.552, 0.50, 0.012) - 0.005) < 1e-4, (
    "A share of 0.552 is more than 0.05 above a goal of 0.50: the limit goes down."
)
assert abs(next_limit(0.002, 0.90, 0.50, 0.012)) < 1e-4, "One step down from 0.002 ends at 0."
### END HIDDEN TESTS

# %% [markdown] hint="w03-j10-feedback"
"""
1. Three cases, two `if`s: too little read, much more read than the goal, and everything else.
2. Raising the limit shows fewer alerts. Put the new value and `cap` into `min(..., ...)`; for lowering, think what stands in the `max`.
3. Lesson, section 6: a limit follows from what people can do, so it moves when that does.
"""

# %% [markdown]
"""
What follows is **a simulation, not a measurement**: the alerts of 25 weeks of 2026, shown from a limit on. It assumes that each ward reads as in 2025; that ten alerts fewer change the odds as measured, as if that were an effect; that the ward's other systems are cut by the same share as ours; that nobody gets used to anything.

Where are the most **useful** alerts read: today, with "show more after a miss", or in your loop?
"""

# %% tags=["uses-answer"]
reading = LogisticRegression(C=1e4, solver="newton-cholesky").fit(known.loc[past.index], past["read"])
test["odds"] = np.exp(reading.decision_function(known.loc[test.index]))
test["week"] = (test["day"] - pd.Timestamp("2026-01-05")).dt.days // 7 + 1


def simulate(rule, limit, others_follow=True):  # rule(limit, share read, useful alerts missed) gives the next limit
    rows = []
    for week, fired in test[test["week"].between(1, 25)].groupby("week"):
        shown = fired[fired["chance"] >= limit]
        fewer = len(shown) / len(fired) - 1 if others_follow else 0
        odds = shown["odds"] * per_ten ** (fewer * shown["unit_alerts_today"] / 10)
        read = odds / (1 + odds)
        rows.append((week, limit, len(shown), 100 * read.mean(), read[shown["helps"] == 1].sum()))
        limit = rule(limit, read.mean(), fired["helps"].sum() - rows[-1][-1])
    return pd.DataFrame(rows, columns=["week", "limit", "shown", "read", "useful"]).set_index("week")


# %% tags=["uses-answer"]
def loop(limit, share, missed):
    return next_limit(limit, share, 0.70, 0.06)


runs = {
    "today: all shown": simulate(lambda limit, share, missed: 0, 0),
    "show more after a miss": simulate(lambda limit, share, missed: max(limit - 0.005 * (missed >= 1), 0), WARD_FROM),
    "your loop, goal 70 %": simulate(loop, WARD_FROM),
    "your loop, others go on": simulate(loop, WARD_FROM, others_follow=False),
    "goal 80 %, no cap": simulate(lambda limit, share, missed: next_limit(limit, share, 0.80, 1.0), WARD_FROM),
}
for name, r in runs.items():
    print(
        f"{name:23} {r['shown'].mean():4.0f} shown a week, {r['read'].mean():.0f} % read, {r['useful'].sum():4.0f} useful ones read"
    )

# %% tags=["uses-answer"]
fig_loop, axes = plt.subplots(1, 3, figsize=(10, 3.6))
for (name, r), colour, line in zip(
    runs.items(), (plots.GREY, plots.ORANGE, plots.BLUE), (":", "--", "-"), strict=False
):
    for ax, values in zip(axes, (r["shown"], r["read"], r["useful"].cumsum()), strict=True):
        ax.plot(r.index, values, color=colour, linestyle=line, label=name)
plots.label(axes[0], "Far fewer interruptions", "week of 2026 (simulated)", "alerts shown a week")
plots.label(axes[1], "A larger share is read", "week of 2026 (simulated)", "alerts read, of 100")
plots.label(axes[2], "Fewer useful ones, too", "week of 2026 (simulated)", "useful alerts read since week 1")
axes[0].set_ylim(0)
axes[2].set_ylim(0, 175)
axes[2].legend(loc="upper left", fontsize=9)
plt.show()

# %% [markdown]
"""
*In words:* three panels over 25 simulated weeks. Your loop (solid) shows about 50 alerts a week, today (dotted) about 115; a larger share is read; useful alerts read grow more slowly. "Show more after a miss" (broken) is back at today's after eight weeks.

The loop is not free: it spares the wards more than half of the interruptions, and some useful alerts are never shown. Two rows warn you. If the other systems go on, reading hardly improves: ours are few among all that a ward is shown. And a goal of 80 % without a cap chases its share into **silence**. Such a share needs a cap, and a count beside it.
"""

# %% [markdown]
"""
### Written answer 1: the escalation policy (5 points)

*About 50 min from the start of Part A.*

One page for the medical director and the ward nurses. A person grades it:

| points | for |
|---|---|
| 1 | who is called when: the three rungs in plain words, the capacity and both limits, an owner (a role) for each number |
| 1 | what it is worth: the list against the vendor's order with its interval, on which months, that the data are synthetic; and whom it does not reach |
| 1 | the person in the loop: what staff may override, what is never taken from them, what is logged |
| 1 | the feedback loop: goal, cap and owner, what is simulated and assumed, and why the share read alone is no measure of success |
| 1 | when it is switched off: one figure that gets worse when the policy does, one limit, one owner, and what happens on the wards then |
"""

# %% [markdown] written="w03-j10-policy" points=5 skills="P2 P3"
"""
<!-- BEGIN SOLUTION -->
**Who is called when.** Each deterioration alert gets one of three answers. A chance of 0.08 or more that a visit would still help, a patient who was not visited today, and one of the day's two visits left: the rapid-response nurse joins the bedside by video. A chance of 0.04 or more, or no visit left: the ward nurse sees an alert. Everybody else stands on a list that interrupts nobody. The rapid-response lead owns the two visits and the 0.08, the nurse manager of each ward the 0.04.

**What it is worth.** On January to June 2026, 14 of 100 visits would have come in time to help, against 8 in the vendor's order; the difference is 6.7 (95 % interval 3.3 to 10.0). That sorts a whole day at once; decided alert by alert, 15 of 100 visits would help, and 1.6 of the two a day are used. The records are synthetic, so we measure it again on ours before anybody is paged. "Would help" means that the criteria were met within a day and nobody had ordered a lactate; whether a visit changes the outcome is not known. Seven in ten of the patients who deteriorated had no alert in time, the visits reach one in nine, and surgery at hospital 3 has had no alert since June 2025. We find out who switched them off before we go live there.

**Who decides.** The nurse may skip or swap any visit with a word why. Any nurse may call the team for any patient at any time, and a patient's place on the list never counts against a call. We log for each alert the score, the chance, the version, the rung, who opened it and when, what was done, and the reason of an override. Each month two clinicians read a sample of overridden and of unshown alerts after which a patient deteriorated.

**The loop.** Every Monday the limit for the ward moves by 0.005 towards 70 % of alerts read, never above 0.06. The medical director owns goal and cap. In a simulation this more than halved the alerts and had fewer useful ones read; it assumes that the other systems are cut as well and that what we saw on busy days is an effect. A share read rises to 100 % when nothing is shown, so we report beside it how many patients deteriorated after an alert that we did not show.

**When it stops.** If in any month more than six patients deteriorate whose only alerts in time had stayed on the list, the medical director stops the policy the same day. The wards then see every alert of the vendor's, as today, and the visits go by the nurse's judgement.
<!-- END SOLUTION -->
"""

# %% tags=["uses-answer"]
# The result for the folder `portfolio` beside this notebook.
simulated = {
    name: {"shown_a_week": round(r["shown"].mean()), "useful_read": round(r["useful"].sum())}
    for name, r in runs.items()
}
facts = {
    "capacity": {"visits_a_day_at_three_hospitals": VISITS_A_DAY, "visit_from": VISIT_FROM, "ward_from": WARD_FROM},
    "of 100 visits, would still help": useful.round(1),
    "by help against the vendor": f"{gain:.1f} more of 100 visits (95 % interval {gain_low:.1f} to {gain_high:.1f})",
    "patients who deteriorated": reach.sum(),
    "odds of reading, ten alerts more": f"times {per_ten:.2f} (95 % interval {from_:.2f} to {to:.2f}), within wards",
    "25 weeks, simulated": simulated,
    "measured on": "January to June 2026, split by date",
    "what this does not show": "whether a visit or a read alert changes what happens to a patient",
}
in_words = f"Bars, of 100 visits that help: {', '.join(f'{name} {value:.0f}' for name, value in useful.items())}."
more = {
    "The feedback loop, simulated": (
        fig_loop,
        "Over 25 weeks: fewer alerts shown, more of them read, fewer useful ones.",
    )
}
print("Kept:", keep("J10", "An escalation policy for deterioration alerts", facts, fig, in_words, figures=more).name)

# %% [markdown]
"""
## What to take with you

1. **A list is for somebody's hands.** Rank by what a hit lets them do, each case once, within what a day allows.
2. **A figure answers one question.** The best AUC made the worst list, and a share that is read can be bought by silence.
3. **A person decides, and the log shows it.**

| on Monday | ask |
|---|---|
| of one alert you pay for | how many a day, who reads them, how many come in time? |
| of each ward | how many alerts, and why are there none? |
| of each threshold | who may lower it, who may raise it, and up to which cap? |

**To read:** DeepLearning.AI, *AI for Medicine Specialization*, how prognosis questions are judged (2 weeks for the first course); Wong and others, external validation of a proprietary sepsis model, *JAMA Internal Medicine* 2021, PMC8218233 (20 min): Lakeshore's score is built to behave like it.

Press **Check my work** above, then **Make my portfolio** in the menu Course. Week 4: when is a language model the wrong tool?
"""
