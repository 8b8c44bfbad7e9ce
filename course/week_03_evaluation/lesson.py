# %% [markdown]
"""
# Week 3: Is it useful, and for whom?

July 2026 at Lakeshore Health. Two scores are on the table. The vendor of the **deterioration score**, which has raised alerts on the wards since January 2025, offers a new contract. And the nurse line wants to know what the **no-show risk** of week 1 is worth. At the end you decide on both.

| | |
|---|---|
| **Afterwards you can** | tell a good evaluation from a flattering one; turn a risk into costs, a threshold and a roster; find those for whom a score fails |
| **Time** | 60 minutes |
| **You need** | week 1 |
| **Data** | alerts, stays and visits of the same three hospitals and twelve clinics; synthetic, every patient is invented |
| **In the room** | CTO, product manager, rapid-response nurse, biostatistician, patient advocate |

**Product managers** may pass over the code; read what it prints.

**Words:** *odds* set a risk against its rest (0.20 is 1 to 4), *log-odds* are their logarithm; *PPV*, or precision, is the share of flags that are right.
"""

# %% [markdown]
"""
## 1. How often is the vendor right?

*About 0 min from the start.*

A patient **deteriorates** when chart review finds a sepsis with organ failure or a transfer to intensive care. The vendor's score is computed every four hours, and alerts above a threshold. The vendor's report holds the highest score of each stay, and the highest before the team noticed anything.

Guess before you run the cell after it: in how many of 100 stays is the vendor right (an alert where the patient deteriorates, none where not)? And a rule that never alerts?
"""

# %%
import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import logit
from scipy.stats import binomtest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from carelab import plots
from carelab.paths import data

names = ["stays", "scores", "alerts", "deteriorations", "visits", "patients"]
stays, scores, alerts, met, visits, patients = (pd.read_parquet(data(f"tables/{name}.parquet")) for name in names)
alerts = alerts[alerts["kind"] == "deterioration"].merge(met[["stay_id", "met_at"]], how="left", on="stay_id")
scores = scores.merge(stays[["stay_id", "admitted"]], on="stay_id").merge(met[["stay_id", "met_at"]], how="left")
scores["at"] = scores["admitted"] + pd.to_timedelta(scores["hours_since_admission"], unit="h")
watched = scores.groupby("stay_id").agg(patient_id=("patient_id", "first"), highest=("score", "max"))
watched["deteriorated"] = watched.index.isin(met["stay_id"])
watched["alerted"] = watched.index.isin(alerts["stay_id"])
print(f"{len(watched):,} stays with a score, {watched['deteriorated'].mean():.1%} with a deterioration")

# %%
print(f"accuracy of the vendor:     {(watched['deteriorated'] == watched['alerted']).mean():.1%}")
print(f"accuracy of never alerting: {(~watched['deteriorated']).mean():.1%}")
table = pd.crosstab(watched["deteriorated"].astype(int), watched["alerted"].astype(int)) / len(watched) * 1000
table = table.loc[[1, 0], [1, 0]].round().astype(int)
print("\nper 1,000 stays")
print(table.set_axis(["deteriorated", "did not"]).set_axis(["alert", "no alert"], axis=1).to_string())

# %% [markdown]
"""
Silence wins, and it finds nobody. Where an event is rare, accuracy pays for saying no. The vendor's slide shows an AUC instead: 0.82.

## 2. Too good to be true?

*About 5 min from the start.*

Elsewhere a study found 0.63 for a widely sold sepsis score (Wong and others, *JAMA Internal Medicine*, 2021, PMC8218233). Its successor reached 0.82 to 0.92 at four health systems (*JAMA Network Open*, 2026, PMC12949446). So 0.82 is possible, and ours, on 15,000 stays, has a narrow interval. (With other patients like these, drawn again and again, a **95 % interval** would hold the true figure about 95 times in 100.)

**Can this evaluation be trusted, or is it too good to be true?** Decide before you read on. Below, the patient whose score rose most before the event.
"""

# %%
rows = scores[scores["at"] < scores["met_at"]].sort_values("at").groupby("stay_id")["score"]
one = scores[scores["stay_id"] == (rows.last() - rows.first()).idxmax()].sort_values("at")
print(one[["at", "score", "lactate_ordered", "met_at"]].to_string(index=False))

# %% [markdown]
"""
`lactate_ordered` means: somebody ordered a lactate (a blood test, often for suspected sepsis) within the 48 hours before. By then a clinician probably suspects something, and the score may read the order. So keep only scores without such an order, from before the event.

A deterioration with no score left? Whoever buys a *warning* counts it as missed (score 0); the other reading leaves it out. For the intervals the **bootstrap** draws whole patients again, as stays of one patient are alike; **Wilson's** formula, for shares, takes stays as independent.
"""


# %%
def interval(table, figure, by="patient_id", times=300):
    """95 % interval of figure(table, weight): patients (or days) are drawn again, with replacement."""
    # mostly 120 or 300 draws, to be quick; take 2,000 for a report
    rng = np.random.default_rng(3)
    number, units = pd.factorize(table[by])
    equal = np.full(len(units), 1 / len(units))
    draws = [figure(table, rng.multinomial(len(units), equal)[number]) for _ in range(times)]
    return np.quantile(draws, [0.025, 0.975])


in_time = scores[~scores["lactate_ordered"] & ~(scores["at"] >= scores["met_at"])]
watched["early"] = in_time.groupby("stay_id")["score"].max().reindex(watched.index)
views = {"every score, as on the slide": watched.assign(use=watched["highest"])}
views["before suspicion; none in time = missed"] = watched.assign(use=watched["early"].fillna(0))
views["before suspicion; none in time = left out"] = watched.assign(use=watched["early"]).dropna()
for name, part in views.items():
    low, high = interval(part, lambda t, w: roc_auc_score(t["deteriorated"], t["use"], sample_weight=w), times=120)
    print(f"{name:42} AUC {roc_auc_score(part['deteriorated'], part['use']):.2f} ({low:.2f} to {high:.2f})")
hours = (met.merge(stays).set_index("stay_id")["met_at"] - stays.set_index("stay_id")["admitted"]) / pd.Timedelta("1h")
none = watched.index[watched["deteriorated"] & watched["early"].isna()]
print(f"deteriorations without a score in time: {len(none)}; {(hours[none] < 4).mean():.0%} in the first four hours")

# %%
early_alerts = alerts[~alerts["lactate_ordered"] & ~(alerts["fired_at"] >= alerts["met_at"])]
events = watched[watched["deteriorated"]]
for name, stay_ids in {"any alert": alerts["stay_id"], "an alert in time": early_alerts["stay_id"]}.items():
    found = events.index.isin(stay_ids).sum()
    ci = binomtest(found, len(events)).proportion_ci(method="wilson")
    share = f"{found / len(events):.0%} ({ci.low:.0%} to {ci.high:.0%})"
    print(f"{name:16} {found} of {len(events):,} deteriorations: {share}")

# %% [markdown]
"""
Too good to be true: *when* was each score taken? An interval speaks of chance only. Take two figures to the vendor: 0.63, and 35 of 100 deteriorations with an alert in time. (0.73 is for stays that had a score in time; most of the others deteriorated before the first one, at four hours. *In time* means any time before, here and in the exercises; in the project at most 24 hours.)

Two things are hard on the score. A highest score grows with time, and stays without a deterioration go on. A fair test asks at a fixed hour who deteriorates in the next 24; highest scores cannot answer that. And the alerts are live: a patient rescued by one counts as in vain. Only a silent period (scores kept, not shown) or a trial tells.

**For the CTO:** ask for every score with its time. **For the product manager:** ask what share of events was flagged before anybody knew.

## 3. The same score, two pictures

*About 14 min from the start.*

For every threshold, the **ROC curve** sets deteriorations flagged (sensitivity, recall) against the other stays flagged; AUC is the area below. The **precision-recall curve** shows how many of the flagged deteriorate.
"""

# %%
THRESHOLD = alerts["score"].min()  # no alert fires below it
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4))
for name, column, colour in [("every score", "highest", plots.GREY), ("in time", "early", plots.BLUE)]:
    value = watched[column].fillna(0)
    false, true, _ = roc_curve(watched["deteriorated"], value)
    precision, recall, _ = precision_recall_curve(watched["deteriorated"], value)
    flag = value >= THRESHOLD  # the dot
    share = flag.groupby(watched["deteriorated"]).mean()
    axes[0].plot(false, true, color=colour, label=name)
    axes[1].plot(recall[recall > 0.02], precision[recall > 0.02], color=colour, label=name)
    axes[0].scatter(share[False], share[True], s=60, color=colour, zorder=3)
    axes[1].scatter(share[True], watched.loc[flag, "deteriorated"].mean(), s=60, color=colour, zorder=3)
axes[0].plot([0, 1], [0, 1], color=plots.RED, linestyle="--", label="a coin")
axes[1].axhline(watched["deteriorated"].mean(), color=plots.RED, linestyle="--", label="a coin")
axes[1].set_ylim(0, 1)
axes[1].legend(loc="upper right")
plots.label(axes[0], "ROC: better than a coin", "others flagged (share)", "deteriorations flagged (share)")
plots.label(axes[1], "Precision: most flags are in vain", axes[0].get_ylabel(), "flagged that deteriorate (share)")
plt.show()

# %% [markdown]
"""
*In words:* two panels, each with a grey curve for every score, a blue one for scores in time and a dashed line for a coin; dots mark the vendor's threshold. Left: the grey bows far above the diagonal; the blue less, with a step at its end, the 148 without a score in time. Right: the blue soon falls below 0.2, towards the coin's 0.07.

Neither picture is wrong; the right one is what a nurse lives with. The next cell carries its blue dot to wards where fewer or more deteriorate, all else equal.
"""

# %%
flag, sick = watched["early"].fillna(0) >= THRESHOLD, watched["deteriorated"]
sensitivity, false_alarms = flag[sick].mean(), flag[~sick].mean()
print(f"{flag.sum():,} stays flagged in time; {(flag & sick).sum()} of them deteriorate: {sick[flag].mean():.0%}")
for share in [0.01, 0.07, 0.20]:
    right, wrong = share * sensitivity, (1 - share) * false_alarms
    ppv = right / (right + wrong)
    print(f"if {share:3.0%} deteriorate, {ppv:3.0%} of the flagged do: {wrong / right:4.1f} in vain for one right")

# %% [markdown]
"""
Definitions move the figure: section 1 has 42 right of 177 alerted stays, 24 %, whenever the alert came; here it is 16 % of those flagged in time. And 392 deteriorations were flagged in time, 374 alerted: one ward's alerts are off (section 7).

**For the CTO:** a precision without the event's frequency beside it does not travel from one site to another. **For the product manager:** "how many in vain for one right" is a sentence a ward understands.

## 4. What a risk means

*About 21 min from the start.*

Now the no-show model of week 1: it ranked well, and promised more misses than happened. A score is **calibrated** if, of the patients at 0.30, about 30 in 100 stay away. We mend it and leave the model alone. January to March 2026 become **validation** months: the mend is fitted there. April to June are the **test**: nothing in this lesson is chosen on them.
"""

# %%
past = visits[(visits["start"] < "2026-07-01") & visits["status"].isin(["fulfilled", "noshow"])]
past = past.assign(missed=(past["status"] == "noshow").astype(int))
numbers = ["lead_days", "prior_visits", "prior_no_shows", "age", "distance_km", "transport_need", "snow_cm_forecast"]
columns = [*numbers, "specialty"]
prepare = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), ["specialty"]))
train, later = past[past["start"] < "2025-10-01"], past[(past["start"] >= "2026-01-01") & (past["lead_days"] >= 1)]
model = make_pipeline(prepare, LogisticRegression(max_iter=1000)).fit(train[columns], train["missed"])
later = later.assign(risk=model.predict_proba(later[columns])[:, 1])
validation, test = later[later["start"] < "2026-04-01"], later[later["start"] >= "2026-04-01"].copy()
print(f"{len(train):,} visits to learn from, {len(validation):,} to mend with, {len(test):,} to judge by")

# %% [markdown]
"""
The mend is called **recalibration**: a logistic regression with one input, the log-odds of the old risk (0.60 is odds of 1.5 to 1, log-odds 0.41). It learns two numbers: new log-odds = shift + slope × old. A slope below 1: the old risks were too extreme. Will the AUC rise, fall or stay?
"""

# %%
mend = LogisticRegression(C=1e6).fit(logit(validation[["risk"]]), validation["missed"])  # 1e6: hardly penalised
test["mended"] = mend.predict_proba(logit(test[["risk"]]))[:, 1]
high, low = mend.predict_proba(logit(pd.DataFrame({"risk": [0.60, 0.05]})))[:, 1]
print(f"shift {mend.intercept_[0]:.2f}, slope {mend.coef_[0, 0]:.2f}: 0.60 becomes {high:.2f}, 0.05 becomes {low:.2f}")
print(f"January to March: {validation['missed'].mean():.3f} stayed away")
low, high = interval(test, lambda t, w: np.average(t["missed"], weights=w))
print(f"April to June:    {test['missed'].mean():.3f} stayed away ({low:.3f} to {high:.3f})\n")
for name in ["risk", "mended"]:
    auc = roc_auc_score(test["missed"], test[name])
    print(f"{name:6} promises {test[name].mean():.3f} on average, AUC {auc:.4f}")

# %%
fig, ax = plt.subplots(figsize=(7, 4.6))
for name, colour, mark in [("risk", plots.ORANGE, "s"), ("mended", plots.BLUE, "o")]:
    groups = test.groupby(pd.qcut(test[name], 8, labels=False))
    found = groups.agg(promised=(name, "mean"), missed=("missed", "sum"), n=("missed", "size"))
    share = found["missed"] / found["n"]
    ci = [binomtest(k, n).proportion_ci(method="wilson") for k, n in zip(found["missed"], found["n"], strict=True)]
    bars = [share - [c.low for c in ci], [c.high for c in ci] - share]
    ax.errorbar(found["promised"], share, yerr=bars, color=colour, marker=mark, label=name, capsize=3)
ax.plot([0, 0.65], [0, 0.65], color=plots.GREY, linestyle="--", label="as promised")
ax.legend(loc="upper left")
plots.label(ax, "At the top, the mended risk comes closer", "promised risk", "stayed away (share, 95 % interval)")
plt.show()

# %% [markdown]
"""
*In words:* promised against observed shares for eight groups of visits, with a dashed diagonal. At the top the orange line lies far below it: promised 0.62, observed 0.39. There the blue line is closer; in four of the other seven groups the orange one is.

The AUC has not moved: it sees order only. Nor is the mend perfect: in the test months fewer stayed away than before. It needs an owner.

## 5. What a mistake costs

*About 28 min from the start.*

A call takes a nurse 12 minutes: its *cost* is 9 dollars. The *value* of a kept visit is 150. Of 10 patients who would stay away and are called, 3 come after all: the share *kept*. All this is **assumed** (the CTO track's weeks 7 and 8 measure). From which risk on does a call pay? The next cell counts what four lists win.
"""

# %%
COST, MINUTES, VALUE, KEPT = 9, 12, 150, 0.3
pays_from = COST / (KEPT * VALUE)
test["day"] = test["start"].dt.normalize()
test["place"] = test.groupby("day")["risk"].rank(ascending=False, method="first")
lists = {"everybody": test["risk"] >= 0, "by risk": test["risk"] >= pays_from}
lists |= {"by mended": test["mended"] >= pays_from, "first 15": test["place"] <= 15}
n_days = test["day"].nunique()
print(f"a call pays from a risk of {pays_from:.2f} on\n")
print("per day    calls  nurse hours  dollars won (95 % interval, days drawn again)")
for name, called in lists.items():
    won = test.assign(won=called * (KEPT * VALUE * test["missed"] - COST))
    low, high = interval(won, lambda t, w: np.sum(t["won"] * w) / n_days, by="day", times=2000)
    hours = called.sum() * MINUTES / 60 / n_days
    dollars = won["won"].sum() / n_days
    print(f"{name:10} {called.sum() / n_days:5.1f} {hours:12.1f} {dollars:12.0f} ({low:.0f} to {high:.0f})")

# %% [markdown]
"""
The threshold is a ratio of costs; no data went into it. Calling everybody seems to lose; each of the other three lists wins about 85 dollars a day. (The intervals hold chance, not the assumptions. Same-day bookings, which nobody can call, are left out, here and in the exercises.)

**Net benefit** (Vickers and Elkin, *Medical Decision Making*, 2006) says it without dollars. Count, per 100 visits, the calls to a miss, and subtract the needless calls. At the threshold *t* a needless call weighs *t* / (1 − *t*): at 0.20 a quarter. Drawn for every *t* it is a **decision curve**: who weighs a call otherwise reads elsewhere. A model has to beat *call everybody* and *call nobody*.
"""


# %%
def net_benefit(table, weight, called, t):
    worth = np.where(table["missed"] == 1, 1, -t / (1 - t))
    return 100 * np.average(called * worth, weights=weight)


grid, once = np.linspace(0.02, 0.6, 59), np.ones(len(test))
fig, ax = plt.subplots()
for name, colour, line in [("risk", plots.ORANGE, "-."), ("mended", plots.BLUE, "-")]:
    ax.plot(grid, [net_benefit(test, once, test[name] >= t, t) for t in grid], line, color=colour, label=f"by {name}")
ax.plot(grid, [net_benefit(test, once, 1, t) for t in grid], "--", color=plots.GREY, label="call everybody")
ax.axhline(0, color=plots.GREY, linewidth=1, label="call nobody")
ax.axvline(pays_from, color=plots.GREY, linestyle=":")
ax.set_ylim(-4, 18)
ax.legend()
plots.label(ax, "In the middle, both models lead", "threshold t", "net benefit per 100 visits")
plt.show()

# %% [markdown]
"""
*In words:* net benefit against the threshold. *Call everybody* falls steeply and crosses zero near 0.19. From 0.10 on both model curves lie above it, and above zero up to about 0.38; further right the orange one, the unmended risk, falls further below. A dotted line marks our 0.20.

Which differences are more than chance? The next cell draws patients again, for our 0.20, for 0.10, and for 0.50, where a needless call weighs as much as a right one.
"""

# %%
for t, one, other in [(0.2, "mended", 0), (0.2, "mended", "risk"), (0.1, "mended", 1), (0.5, "risk", 0)]:

    def gain(table, weight, t=t, one=one, other=other):
        against = table[other] >= t if other in table else other
        return net_benefit(table, weight, table[one] >= t, t) - net_benefit(table, weight, against, t)

    low, high = interval(test, gain)
    name = {1: "everybody", 0: "nobody"}.get(other, other)
    print(f"t = {t:.2f}: {one:6} - {name:9} {gain(test, once):5.2f} ({low:.2f} to {high:.2f})")

# %% [markdown]
"""
At our threshold the model is worth having; whether it is mended makes no difference that these months could show (the interval holds 0). At 0.50 the unmended risk does worse than calling nobody.

**For the CTO:** keep the mend's two numbers in configuration, with their months. **For the product manager:** ask for calibration before anybody reads out a percentage.

## 6. The roster decides

*About 35 min from the start.*

The cost says *from 0.20 on*. The roster says *fifteen a day*. Which of the two stops the list? The function draws the risk at each place of the day's list, and what happened there. Places go by the old risk: the mend keeps the order.
"""


# %%
def draw(calls):
    at = test[test["place"] <= 45]
    seen = at.groupby((at["place"] - 1) // 3 * 3 + 2)["missed"].agg(["sum", "size"])  # three places a dot
    ci = [binomtest(int(k), int(n)).proportion_ci(method="wilson") for k, n in seen.to_numpy()]
    fig, ax = plt.subplots()
    ax.vlines(seen.index, [c.low for c in ci], [c.high for c in ci], color=plots.GREEN)
    ax.scatter(seen.index, seen["sum"] / seen["size"], color=plots.GREEN, label="stayed away (95 % interval)")
    ax.plot(at.groupby("place")["mended"].mean(), color=plots.BLUE, label="mended risk, mean")
    ax.axhline(pays_from, color=plots.GREY, linestyle="--", label="a call pays above")
    ax.axvspan(0.5, calls + 0.5, color=plots.GREY, alpha=0.15)
    ax.set(xlim=(0.5, 45.5), ylim=(0, 0.75))
    ax.legend(loc="upper right")
    hit = test.loc[test["place"] <= calls, "missed"].mean() * calls
    title = f"{calls} calls a day: {hit:.1f} aimed at a miss, {calls - hit:.1f} not"
    plots.label(ax, title, "place on the day's list", "share that stays away")
    plt.show()


# %%
print("if kept is   a call pays from   calls a day that pay")
for kept in [0.2, 0.3, 0.4]:
    limit = COST / (kept * VALUE)
    print(f"{kept:10.0%} {limit:18.2f} {(test['mended'] >= limit).sum() / n_days:15.0f}")
draw(15)

# %% [markdown]
"""
*In words:* share against place on the list. The mended risk falls from 0.66 at the first place to 0.22 at the fifteenth, where the grey band of the 15 calls ends, and on to 0.1. What happened, as dots with intervals, lies well below it at the first three places, near it up to place 21, and a little below it after that. A dashed line marks 0.20, where a call pays.

Where this page can run code, the next cell moves the number of calls.
"""

# %% tags=["nbval-ignore-output"]
slider = widgets.IntSlider(value=15, min=1, max=45, description="calls a day", continuous_update=False)
explorer = widgets.interact(draw, calls=slider)

# %% [markdown]
"""
On these assumptions the roster stops the list shortly before the cost does. A roster becomes a limit when you take the risk at its last place: here 0.22, and for use read off earlier months. The table says where to argue: whether 2 of 10 or 4 are kept matters more than which of our two risks is used.

**For the CTO:** log place, risk and threshold of each call, or nobody can redo this sum. **For the product manager:** before you ask for more nurses, ask for a trial of the call.

## 7. For whom?

*About 40 min from the start.*

First the twelve clinics and three hospitals, as recorded from July 2024 to March 2026. Which one would you send the others to visit?
"""

# %%
known = visits[(visits["start"] < "2026-04-01") & (visits["status"] != "booked")]
clinics = known.groupby("site_name")["status"].value_counts().unstack()
came_or_not = clinics["noshow"] + clinics["fulfilled"]
ci = [binomtest(k, n).proportion_ci(method="wilson") for k, n in zip(clinics["noshow"], came_or_not, strict=True)]
missed, cancelled = clinics["noshow"] / came_or_not, clinics["cancelled"] / clinics.sum(axis=1)
fig, ax = plt.subplots()
ax.vlines(cancelled, [c.low for c in ci], [c.high for c in ci], color=plots.GREY)
ax.scatter(cancelled, missed, color=np.where(cancelled > 0.15, plots.RED, plots.BLUE), zorder=3)
ax.text(cancelled.max() - 0.003, missed.min(), cancelled.idxmax(), ha="right", va="center", color=plots.RED)
ax.set(xlim=(0, 0.2), ylim=(0, 0.3))
plots.label(ax, "Fourteen sites lie together, one lies apart", "cancelled (share)", "missed, of those not cancelled")
plt.show()

# %% [markdown]
"""
*In words:* fifteen dots, missed against cancelled visits. Fourteen lie together, at 7 to 9 % cancelled and 17 to 24 % missed. Millpond Clinic (`clinic-05`) lies alone, at 18 % cancelled and 12 % missed.

Is it the best clinic, or the one that writes misses down as cancellations? A reminder goes out on the afternoon before, to visits that still stand. So a *cancelled* visit with a delivered reminder was called off at the last moment, or not at all. The next cell counts these.
"""

# %%
here = known["site_name"] == "Millpond Clinic"
late = known[known["status"] == "cancelled"].groupby(here)["sms_reminder"].mean()
print(f"cancelled visits with a reminder: {late[True]:.0%} at Millpond, {late[False]:.0%} elsewhere")

truth = known[here].merge(pd.read_parquet(data("truth/appointments.parquet"))[["appointment_id", "true_status"]])
really = (truth["true_status"] == "noshow").sum() / truth["true_status"].isin(["noshow", "fulfilled"]).sum()
print(f"missed at Millpond: {missed.min():.2f} as recorded, {really:.2f} in truth")

# %% [markdown]
"""
(In life nobody hands you the last line; you ring the desk.) Every metric that uses this label lies, and the next model would learn that these patients need no calls.

Now groups of patients, on the list of 15 a day in the test months. How many stay away for each miss that the mended risk promises? And of those who stayed away, whom did the list reach? *Not stated* stays a group of its own; a group with fewer than 50 misses gets its name and no figure.
"""

# %%
test["race"] = test["patient_id"].map(patients.set_index("patient_id")["race"]).fillna("not stated")
test["on_list"] = test["place"] <= 15
gone = test[test["missed"] == 1]


def ratio(table, weight):
    return np.sum(table["missed"] * weight) / np.sum(table["mended"] * weight)


def reached(table, weight):
    return np.average(table["on_list"], weights=weight)


few = []
print(f"{'':27} misses   for each promised      reached by the list")
for column in ["payer", "race"]:
    for group, part in test.groupby(column):
        away = part[part["missed"] == 1]
        if len(away) < 50:
            few.append(group)
            continue
        (a, b), (low, high) = interval(part, ratio), interval(away, reached)
        told = f"{ratio(part, 1):.2f} ({a:.2f} to {b:.2f})   {reached(away, None):.0%} ({low:.0%} to {high:.0%})"
        print(f"{group:27} {len(away):6}   {told}")
print(f"too few misses to say: {', '.join(few)}\n")
for column, one, other in [("payer", "medicaid", "medicare"), ("race", "not stated", "White")]:

    def gap(table, weight, one=gone[column] == one, other=gone[column] == other):
        return reached(table, weight * one) - reached(table, weight * other)

    low, high = 100 * interval(gone, gap, times=2000)
    print(f"{one} minus {other}: {100 * gap(gone, 1):.0f} points ({low:.0f} to {high:.0f})")

# %% [markdown]
"""
Of the Medicare patients who stay away the list reaches 28 points fewer than of the Medicaid patients. They are older and miss less often: one list for all would do that even if every group's risk were right. It is not: of each miss promised, 0.81 came for the commercially insured, 1.10 for Medicaid. Whether one list is fair is a decision.

Overlapping intervals do not make two groups alike: those of *not stated* and White overlap, yet the difference is 14 points (1 to 26). Found by looking, among many comparisons, it is a question for the next quarter.

Last, the surgical wards since July 2025. One of them has no alerts. Does nothing happen there, or does nobody hear it?
"""

# %%
recent = stays[(stays["ward"] == "surgery") & (stays["admitted"] >= "2025-07-01")]
recent = recent.merge(watched[["highest", "deteriorated", "alerted"]], left_on="stay_id", right_index=True)
for site, part in recent.groupby("site_id"):
    ci = binomtest(int(part["deteriorated"].sum()), len(part)).proportion_ci(method="wilson")
    print(f"{site}: {len(part):,} stays, {(part['highest'] >= THRESHOLD).mean():.0%} above the threshold, ", end="")
    share = f"{part['deteriorated'].mean():.1%} ({ci.low:.1%} to {ci.high:.1%})"
    print(f"{part['alerted'].mean():.0%} alerted; deteriorated {share}")

# %% [markdown]
"""
At `hosp-3` scores pass the threshold and patients deteriorate as elsewhere, yet no alert is shown. Report it today, as a safety event; then ask who switched it off.

**For the CTO:** watch outcomes, scores and alerts side by side, by ward. **For the product manager:** no ranking of sites before somebody has asked how they write things down.

## 8. Who gets a place?

*About 49 min from the start.*

A care programme has places for a tenth of the patients after a stay. A vendor ranks by next year's **cost**, a clinician by diagnoses. Our groups are addresses: 18 of 100 patients live in the most deprived areas (index 0.8 and more). Guess: how many of 100 places would they get on each list?
"""

# %%
people = stays.dropna(subset="cost_year_after").sort_values(["admitted", "stay_id"]).drop_duplicates("patient_id")
people = people.assign(deprived=people["area_deprivation"] >= 0.8)
people["illnesses"] = people["n_diagnoses"].clip(upper=6)
fig, ax = plt.subplots()
for deprived, colour, name in [(False, plots.BLUE, "other areas"), (True, plots.ORANGE, "most deprived areas")]:
    cost = people[people["deprived"] == deprived].groupby("illnesses")["cost_year_after"].agg(["mean", "sem"]) / 1000
    ax.errorbar(cost.index, cost["mean"], yerr=1.96 * cost["sem"], color=colour, marker="o", capsize=3, label=name)
ax.set(ylim=(0, 30), xticks=range(1, 7), xticklabels=["1", "2", "3", "4", "5", "6 and more"])
ax.legend(loc="upper left")
plots.label(ax, "Equally ill on paper, about 30 % cheaper", "diagnoses coded", "next year's cost (1,000 $, mean)")
plt.show()

# %% [markdown]
"""
*In words:* the mean cost of the year after a first stay, against the number of diagnoses coded, with 95 % intervals. Both lines rise, from below 10,000 to above 15,000 dollars. The one for the most deprived areas lies about 30 % below the other throughout.

With equally many diagnoses, less is spent on them: in this world because care is out of reach, which the columns alone could not say. What does that do to the list?
"""

# %%
truth = pd.read_parquet(data("truth/readmission_stays.parquet"), columns=["stay_id", "need"])
people = people.merge(truth, on="stay_id")
tenth = len(people) // 10


def share_deprived(table, weight):
    return np.average(table["deprived"], weights=weight)


lists = {"all": people, "by cost": people.nlargest(tenth, "cost_year_after")}
lists["by diagnoses"] = people.nlargest(tenth, ["n_diagnoses", "emergency_visits_6m"])
lists["by true need"] = people.nlargest(tenth, "need")
for name, part in lists.items():
    low, high = interval(part, share_deprived)
    print(f"{name:13} {len(part):5,} people, {share_deprived(part, None):.1%} deprived areas ({low:.1%} to {high:.1%})")

# %% [markdown]
"""
(The last line is the world's truth.) **Cost is not need**: a *perfect* model of cost makes the second line; no metric on that label shows the fault. Obermeyer and others (*Science*, 2019, 366:447) showed at one hospital what such a label did to Black patients: repairing it would raise their share of those offered extra help from 17.7 to 46.5 %. Diagnoses are no pure measure either.

**For the CTO:** write beside each model what its label stands in for. **For the product manager:** ask who costs little because they are well, and who because they cannot come.

## 9. Elsewhere, and later

*About 55 min from the start.*

A small model of unplanned returns, trained at `hosp-1` and `hosp-2` on discharges before December 2025, was tried on 2026 (computed beforehand). It ranks alike at all three hospitals (AUC 0.72 to 0.76). But for each return that it promises, 0.82 come at `hosp-1`, which it knows (0.72 to 0.95), and 1.25 at `hosp-3`, which it does not (1.11 to 1.38): fewer diagnoses are coded there. **Time and place are two tests**, and ranking can pass both while calibration fails.
"""

# %% [markdown]
"""
## 10. Decide

*About 56 min from the start.*

**The vendor's score.** It may go on as one prompt among others. It may not be relied on, nor be bought on the 0.82: in time it flags one deterioration in three. Before anybody signs: every score with its time, to test it at fixed hours; a silent period in some wards; results by ward; the surgical ward's alerts explained.

**The no-show risk.** Fifteen calls a day win 86 dollars (66 to 105) after the nurse's time: about 21,000 a year (250 days) for all fifteen sites, if 3 in 10 are kept. The nurse's three hours are paid in that sum; software and upkeep must cost less than it. So: no purchase yet, a trial of the call first.

**To take with you**

1. **First the question, then the score.** Which moment, which patients, which label?
2. **A risk has two qualities**: order (AUC) and size (calibration). A threshold from costs needs the size; a roster needs the order.
3. **Look where the average hides**: by site, by ward, by group. First ask how the label is written there.

**On Monday**

- Ask one vendor for every score with its time, and for what counts as a miss.
- Ask what a false alarm costs, in minutes, and who said so.
- Ask which site or ward has had no alert this quarter.

**Next:** [the exercises](exercises.ipynb) (100 min), then [the project](project.ipynb), in two sittings: an alert policy and a triage queue. **To read:** Wong and others, *JAMA Internal Medicine*, 2021 (20 min); Obermeyer and others, *Science*, 2019 (30 min); Burkov, *The Hundred-Page Machine Learning Book*, chapter 5 (30 min); DeepLearning.AI, *AI for Medicine Specialization*, course 1 (about 2 weeks).
"""
