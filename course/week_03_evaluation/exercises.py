# %% [markdown]
"""
# Week 3 exercises: is it useful, and for whom?

Lakeshore pays for a score that warns of deterioration on the wards, and it has its own model of missed visits. Ten small pieces say what either is worth.

| | |
|---|---|
| **Afterwards you can** | count alerts fairly, mend a risk that is stated wrongly, price a mistake, draw up a list that fits the shift, and say for whom a score works and how sure you are |
| **Time** | 100 minutes |
| **You need** | week 1, the lesson of this week |
| **You earn** | 20 points, checked by machine |
| **Data** | alerts and deteriorations on the wards of three hospitals, visits of the network (synthetic, patients invented) |
| **In the room** | medical director (owns the definition of a useful alert), CTO, product manager, the rapid-response nurse |

Each exercise is one function, as in week 1: replace the line `raise NotImplementedError(...)`, run the cell, run the check below it. When your work is graded, the same rule is tried on other tables. Cells without a task prepare tables or print results; you may pass over their code.
"""

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from carelab import check, hint
from carelab.paths import data

# %xmode Minimal
stays = pd.read_parquet(data("tables/stays.parquet"))
deteriorations = pd.read_parquet(data("tables/deteriorations.parquet"))
scores = pd.read_parquet(data("tables/scores.parquet"))
alerts = pd.read_parquet(data("tables/alerts.parquet")).query("kind == 'deterioration'")
alerts = alerts.merge(deteriorations[["stay_id", "met_at"]], on="stay_id", how="left")  # met_at is empty without a deterioration
scored = pd.DataFrame({"stay_id": sorted(set(scores["stay_id"]))})
scored["deteriorated"] = scored["stay_id"].isin(deteriorations["stay_id"])
print(f"{len(alerts):,} alerts on {alerts['stay_id'].nunique():,} of {len(scored):,} stays, {len(deteriorations):,} deteriorations")

# %% [markdown]
"""
## Part 1: the vendor's alerts, counted fairly

*About 4 min from the start.*

### Exercise 1: in time (2 points)

*Stuck? `hint("w03-in-time")`*

An alert helps only before the team has noticed. When somebody has ordered a lactate, it probably repeats a suspicion; when the criteria of deterioration are met, it is too late. So an alert is **in time** when all three hold:

1. the stay goes on to a deterioration: `met_at` is not empty;
2. it fired **before** that moment: `fired_at` is earlier than `met_at`;
3. no lactate had been ordered: `lactate_ordered` is false.

A comparison with an empty time is false, so the second question answers the first. `~column` turns true into false, and `&` asks for both. **Put brackets around each comparison**, as in `(table["a"] < table["b"]) & ~table["c"]`: Python does `&` before `<` and `==`. Any time before counts, however long.
"""


# %% exercise="w03-in-time" skills="C2"
def in_time(alerts):
    """Which alerts came before the deterioration, and before anybody suspected it.

    alerts: table with `fired_at` and `met_at` (times; `met_at` is empty where the stay never deteriorated)
    and `lactate_ordered` (true or false).
    Returns a Series of true and false, on the index of `alerts`.

    Example: fired 08:00, met 13:00, no lactate -> True; the same with a lactate ordered -> False
    """
    ### BEGIN SOLUTION
    return (alerts["fired_at"] < alerts["met_at"]) & ~alerts["lactate_ordered"]
    ### END SOLUTION


# %% check="w03-in-time" points=2
table = pd.DataFrame(
    {
        "fired_at": pd.to_datetime(["2026-03-01 08:00"] * 7),
        "met_at": pd.to_datetime([f"2026-03-{t}" if t else None for t in ("01 13", "01 13", "01 06", None, "01 08", "04 09", "01 06")], format="%Y-%m-%d %H"),
        "lactate_ordered": [False, True, False, False, False, False, True],
    },
    index=list("abcdefg"),
)
try:
    good = in_time(table)
except (TypeError, ValueError) as error:
    assert "bitwise_and" not in str(error), "Without brackets Python does `&` first, before `<`. Put brackets around the comparison: (... < ...) & ~..."
    assert "ambiguous" not in str(error), "`and`, `or` and `not` are for single values. For columns take `&` and `~`, with brackets around each comparison."
    raise
assert good is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(good, pd.Series), f"in_time gave a {type(good).__name__}; return one column of true and false, a Series."
assert list(good.index) == list("abcdefg"), (
    f"{len(good)} rows came back, named {list(good.index)}; return one value for each of the 7 alerts, on their own index."
)
assert not (good["d"] and good["g"] and not good["b"]), (
    "Alert g, too late and after a lactate, is marked as in time. Do you ask `... & lactate_ordered == False`? Python does `&` before `==`: brackets around each comparison."
)
assert not good["d"], "Alert d is marked as in time, and that stay never deteriorated: there was nothing to be in time for."
assert not good["b"], (
    "Alert b is marked as in time. A lactate had been ordered: the team probably suspected it already. Ask for `~lactate_ordered`."
)
assert not good["c"], "Alert c fired at 08:00 and the criteria were met at 06:00: that is a report, not a warning."
assert not good["e"], "Alert e fired in the minute in which the criteria were met. In time means earlier: compare with `<`."
assert good["a"], "Alert a fired five hours before the criteria were met, and nobody had ordered a lactate: it is in time."
assert good["f"], "Alert f fired three days before the criteria were met, without a lactate. Here any time before counts: no limit of hours."
print(f"Passed. {in_time(alerts).mean():.1%} of the vendor's alerts were in time.")
### BEGIN HIDDEN TESTS
_wanted = (alerts["met_at"] - alerts["fired_at"] > pd.Timedelta(0)) & (alerts["lactate_ordered"] == False)  # noqa: E712
_found = in_time(alerts)
assert len(_found) == len(alerts) and int((_found.to_numpy(dtype=bool) != _wanted.to_numpy()).sum()) == 0, (
    f"On the vendor's alerts you marked {int(_found.sum()):,} as in time; ask the three questions of every alert, however long before the event it fired."
)
### END HIDDEN TESTS

# %% [markdown] hint="w03-in-time"
"""
1. Two questions with `&` between them: one compares two times, the other turns a column of true and false round.
2. `alerts["fired_at"] < alerts["met_at"]` is already false where `met_at` is empty. Which column says that the team suspected something?
3. `return (first question) & ~alerts[...]`, with the brackets. Lesson, section 2: `in_time` keeps the scores before suspicion.
"""

# %% [markdown]
"""
### Exercise 2: patients, not alerts (2 points)

*Stuck? `hint("w03-alert-counts")`*

*About 13 min from the start.*

One patient can alert ten times. Count **stays**. A deterioration is *found* when its stay has **at least one** alert in time.

| key | question | how |
|---|---|---|
| `sensitivity` | of the deteriorations, which share is found? | stays found / stays that deteriorated |
| `ppv` | of the stays that alerted, in which share was an alert in time? | stays found / stays with any alert |
| `alerts_per_found` | how many alerts are read for one that is found? | all alerts / stays found |

PPV is positive predictive value, week 1's precision.

`alerts.loc[alerts["in_time"], "stay_id"]` names the stay of each alert in time, with repeats; `.nunique()` behind a column of names counts each name once. `.sum()` behind a column of true and false counts the trues. Give back a dict.
"""


# %% exercise="w03-alert-counts" skills="P2"
def alert_figures(stays, alerts):
    """Sensitivity, PPV and alerts per deterioration found, counted by stay.

    stays: table with `stay_id` (each once) and `deteriorated` (true or false), at least one true.
    alerts: table with `stay_id` (one row per alert) and `in_time` (true or false), at least one true.
    Returns a dict with "sensitivity", "ppv" and "alerts_per_found": three numbers, not rounded.

    Example: 4 stays deteriorate; 9 alerts on 5 stays; 2 stays have an alert in time -> 0.5, 0.4 and 4.5
    """
    ### BEGIN SOLUTION
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }
    ### END SOLUTION


# %% check="w03-alert-counts" points=2
ward = pd.DataFrame({"stay_id": list("abcdefghijkl"), "deteriorated": [True] * 6 + [False] * 6})
fired = pd.DataFrame({"stay_id": list("aaaaaabbbbdcghij"), "in_time": [word == "T" for word in "FTTTTFFTTFTFFFFF"]})
figures = alert_figures(ward, fired)
assert figures is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(figures, dict) and set(figures) == {"sensitivity", "ppv", "alerts_per_found"}, (
    "Give back a dict with the three keys of the table: sensitivity, ppv, alerts_per_found."
)
sensitivity, ppv, each = (float(figures[name]) for name in ("sensitivity", "ppv", "alerts_per_found"))
assert abs(sensitivity - 7 / 6) > 1e-9, (
    "Sensitivity 1.17, more than all: you counted alerts in time. Stay a has four of them and is one patient; count stays with nunique."
)
assert abs(sensitivity - 1.5) > 1e-9, (
    "Sensitivity 1.50: `nunique` of true and false is 2, the two different values. `.sum()` of the column counts the stays that deteriorated."
)
assert abs(sensitivity - 2 / 6) > 1e-9, (
    'Sensitivity 0.33: `alerts["in_time"].nunique()` is 2, the two different values true and false. Take the alerts in time first, then count their `stay_id`.'
)
assert abs(sensitivity - 1 / 6) > 1e-9, (
    "Sensitivity 0.17 misses the stays a and b. Their first alerts were not in time, and neither were their last, but others were: one alert in time is enough."
)
assert abs(sensitivity - 4 / 6) > 1e-9, (
    "Sensitivity 0.67 counts stay c as found. It alerted, but not in time: look at the alerts where `in_time` is true."
)
assert abs(sensitivity - 0.5) < 1e-9, (
    f"Sensitivity {sensitivity:.2f}. Of the six stays that deteriorated, three (a, b and d) have an alert in time."
)
assert abs(ppv - 7 / 16) > 1e-9, "PPV 0.44 is the share of alerts. One restless patient moves it; count stays above and below."
assert abs(ppv - 4 / 8) > 1e-9, "PPV 0.50 takes in stay c, which alerted too late. Only stays with an alert in time count above."
assert abs(ppv - 3 / 8) < 1e-9, f"PPV {ppv:.2f}. Eight stays alerted; in three of them an alert was in time."
assert abs(each - 16 / 3) < 1e-9, (
    f"{each:.1f} alerts for each deterioration found. Sixteen alerts were shown, the useless ones too, and three deteriorations found."
)
print("Passed. Whoever shows you a precision owes you the unit: alerts, or patients.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(21)
_ward = pd.DataFrame({"stay_id": [f"s{_n}" for _n in range(300)], "deteriorated": _rng.random(300) < 0.2})
_fired = pd.DataFrame({"stay_id": [f"s{_n}" for _n in np.sort(_rng.integers(0, 120, 400))]})
_sick = set(_ward.loc[_ward["deteriorated"], "stay_id"])
_fired["in_time"] = _fired["stay_id"].isin(_sick) & (_rng.random(400) < 0.3)
_found = len(set(_fired.loc[_fired["in_time"], "stay_id"]))
_figures = alert_figures(_ward, _fired)
assert abs(_figures["sensitivity"] - _found / len(_sick)) < 1e-6, (
    f"On another ward sensitivity came out as {_figures['sensitivity']:.3f}; count the stays with at least one alert in time, and divide by all that deteriorated, silent ones too."
)
assert abs(_figures["ppv"] - _found / len(set(_fired["stay_id"]))) < 1e-6, (
    f"On another ward PPV came out as {_figures['ppv']:.3f}; divide by the stays with any alert."
)
assert abs(_figures["alerts_per_found"] - 400 / _found) < 1e-6, (
    f"On another ward, with 400 alerts, alerts_per_found came out as {_figures['alerts_per_found']:.2f}; divide all alerts by the stays found."
)
### END HIDDEN TESTS

# %% [markdown] hint="w03-alert-counts"
"""
1. All three need the number of stays with an alert in time; compute it once, `found = ...nunique()`.
2. `.sum()` or `nunique()`: which one tells how many stays deteriorated? `alerts["stay_id"].nunique()` is the number of stays that alerted.
3. `found / ...`, `found / ...`, `len(alerts) / found`. Lesson, end of section 2: an alert in time, counted by stay.
"""

# %% [markdown]
"""
The vendor's alerts, through your two functions.
"""

# %% tags=["uses-answer"]
alerts = alerts.assign(in_time=in_time(alerts))
vendor = alert_figures(scored, alerts)
print(f"sensitivity {vendor['sensitivity']:.3f}   PPV by stay {vendor['ppv']:.3f}   share of alerts {alerts['in_time'].mean():.3f}")
print(f"{vendor['alerts_per_found']:.1f} alerts are shown for each deterioration that is found in time")

# %% [markdown]
"""
Two of three deteriorations get no alert in time. **For the product manager:** the last line is what the ward feels; ask for it before you ask for an AUC.

## Part 2: what a risk means

*About 25 min from the start.*

A colleague trained a no-show model with `class_weight="balanced"`, a common setting for rare outcomes. It treats both outcomes as equally frequent while it learns. The order of the patients hardly changes; the risks that it states do.
"""

# %%
visits = pd.read_parquet(data("tables/visits.parquet"))
past = visits[visits["start"] < "2026-07-01"]
known = past[past["status"].isin(["fulfilled", "noshow"])].assign(missed=lambda t: (t["status"] == "noshow").astype(int))
columns = ["lead_days", "prior_visits", "prior_no_shows", "age", "distance_km", "transport_need"]
train, tried = known[known["start"] < "2026-01-01"], known[(known["start"] >= "2026-01-01") & (known["lead_days"] >= 1)]
valid, later = tried[tried["start"] < "2026-04-01"].copy(), tried[tried["start"] >= "2026-04-01"].copy()
model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
model.fit(train[columns], train["missed"])
for months in (valid, later):
    months["risk"] = model.predict_proba(months[columns])[:, 1]
print(f"April to June 2026: mean stated risk {later['risk'].mean():.3f}, share missed {later['missed'].mean():.3f}")

# %% [markdown]
"""
### Exercise 3: stated against observed (2 points)

*Stuck? `hint("w03-calibration")`*

Cut the patients into groups of equal size by their risk and compare, in each group, the mean **stated** risk with the share that **happened**. The first line, a table of both columns, is there.

- `group = pd.qcut(risk, bins, labels=False)` numbers the groups from 0, the lowest risks, up. (`pd.cut` makes groups of equal *width*, some of them nearly empty.)
- `table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"))` makes one row a group, with the columns `n` and `stated`. A third is missing.
"""


# %% exercise="w03-calibration" skills="C2"
def calibration_table(risk, happened, bins):
    """Mean stated risk and observed share in groups of equal size, from the lowest risks to the highest.

    risk: Series, between 0 and 1, nearly all different; happened: Series of 0 and 1 on the same index.
    bins: number of groups.
    Returns a table with `bins` rows and the columns `n` (patients), `stated` and `observed`, not rounded.
    """
    table = pd.DataFrame({"risk": risk, "happened": happened})
    ### BEGIN SOLUTION
    group = pd.qcut(risk, bins, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "mean"))
    ### END SOLUTION


# %% check="w03-calibration" points=2
risk = pd.Series([0.62, 0.05, 0.21, 0.93, 0.08, 0.30, 0.11, 0.70, 0.26, 0.02, 0.24, 0.12])
happened = pd.Series([1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0])
try:
    groups = calibration_table(risk, happened, 3)
except KeyError as error:
    assert "group" not in str(error), "`group` is the name of your own line, not of a column: write groupby(group), without quotes."
    raise
assert groups is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(groups, pd.DataFrame) and {"n", "stated", "observed"} <= set(groups.columns), (
    "Return a table with the columns n, stated and observed; `agg(n=..., stated=..., observed=...)` names them."
)
assert len(groups) == 3, f"{len(groups)} rows; with bins=3 there are three groups."
assert list(groups["n"]) == [4, 4, 4], (
    f"The groups hold {list(groups['n'])} of 12 patients; groups of equal size hold 4 each. pd.qcut makes them, pd.cut does not."
)
stated, observed = groups["stated"].to_numpy(dtype=float), groups["observed"].to_numpy(dtype=float)
assert not np.allclose(observed, [0.065, 0.2075, 0.6375]), (
    "stated and observed are swapped: stated is the mean of the risks, observed the share that happened."
)
assert stated[0] < stated[1] < stated[2], "The rows must run from the lowest risks to the highest."
assert np.allclose(stated, [0.065, 0.2075, 0.6375]), (
    f"The stated risks are {stated.round(3)}; take the mean of `risk` in each group of four."
)
assert np.allclose(observed, [0, 0.25, 0.75]), (
    f"The observed shares are {observed.round(3)}; none, one and three of four happened. Take the mean of `happened`."
)
print("Passed. The colleague's model, April to June 2026:")
print(calibration_table(later["risk"], later["missed"], 5).round(3).to_string(index=False))
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(33)
_risk = pd.Series(_rng.permutation(np.linspace(0.01, 0.99, 800)), index=_rng.permutation(800))
_happened = pd.Series((_rng.random(800) < _risk.to_numpy() ** 2).astype(int), index=_risk.index)
_order = np.argsort(_risk.to_numpy()).reshape(8, 100)
_groups = calibration_table(_risk, _happened, 8)
assert len(_groups) == 8 and list(_groups["n"]) == [100] * 8, f"With bins=8 your table has {len(_groups)} rows; use `bins`."
assert np.allclose(_groups["stated"].to_numpy(dtype=float), _risk.to_numpy()[_order].mean(axis=1)), (
    "On 800 other patients the stated risks are not the mean risks of the eight groups."
)
assert np.allclose(_groups["observed"].to_numpy(dtype=float), _happened.to_numpy()[_order].mean(axis=1)), (
    "On 800 other patients the observed shares are not the shares that happened in the eight groups."
)
### END HIDDEN TESTS

# %% [markdown] hint="w03-calibration"
"""
1. Two lines: one that numbers the groups, and `return table.groupby(group).agg(...)`.
2. Inside `agg`, every result is `name=("column", "what")`. Two columns need a mean, one a size.
3. `observed` is the mean of `happened`: the mean of a column of 0 and 1 is the share of ones. Lesson, section 4.
"""

# %% [markdown]
"""
### Exercise 4: mend the number, keep the order (2 points)

*Stuck? `hint("w03-recalibrate")`*

*About 35 min from the start.*

As in the lesson, a **logistic regression** learns what the old risk means, from months in which the outcome is known, and translates the risks of new patients. It works on **log-odds**, because there a wrong base rate is one shift.

`log_odds` below turns risks, old and new ones alike, into the one-column table that scikit-learn wants. Three lines are left:

- make a `LogisticRegression()` and `fit` it on the log-odds of the old risks and their outcomes;
- ask it for the probabilities of the **new** patients, from the log-odds of their old risks;
- return the second column, `[:, 1]`.

Tolerance: 0.01. No `class_weight`: that is how it went wrong.
"""


# %%
def log_odds(risk):
    return np.log(risk / (1 - risk)).reshape(-1, 1)


# %% exercise="w03-recalibrate" skills="C2"
def recalibrate(valid_risk, valid_happened, new_risk):
    """Risks on the scale of what happened, by a logistic regression on the log-odds of the old risks.

    valid_risk, new_risk: arrays of old risks, above 0 and below 1, of shapes (n_valid,) and (n_new,).
    valid_happened: array of 0 and 1, shape (n_valid,).
    Returns an array of shape (n_new,): the new risks of the new patients, in their order.
    """
    ### BEGIN SOLUTION
    translator = LogisticRegression()
    translator.fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(log_odds(new_risk))[:, 1]
    ### END SOLUTION


# %% check="w03-recalibrate" points=2
rng = np.random.default_rng(4)
true_risk = 1 / (1 + np.exp(-rng.normal(-2.0, 1.2, 9000)))
old_risk = 1 / (1 + np.exp(-(1.4 + 0.6 * np.log(true_risk / (1 - true_risk)))))  # ranks well, states too much
happened = (rng.random(9000) < true_risk).astype(int)
try:
    new_risk = recalibrate(old_risk[:6000], happened[:6000], old_risk[6000:])
except ValueError as error:
    assert "2D" not in str(error), "A table was expected and a bare array came: `log_odds(...)` makes the table, for the new risks as well."
    raise
assert new_risk is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert np.shape(new_risk) == (3000,), (
    f"The result has the shape {np.shape(new_risk)}; return one risk for each of the 3,000 new patients: the second column, [:, 1]."
)
new_risk = np.asarray(new_risk, dtype=float)
assert new_risk.min() >= 0 and new_risk.max() <= 1, "Some results are not between 0 and 1. Return probabilities, not log-odds."
assert len(np.unique(new_risk)) > 2, "Only two values came back: predict gives a bare yes or no; ask for predict_proba."
assert np.corrcoef(new_risk, old_risk[6000:])[0, 1] > 0, "The order is turned round: the second column, [:, 1], is the risk that it happens."
assert np.abs(new_risk - old_risk[6000:]).max() > 0.01, "These are the old risks, as they were. Return what the regression says about them."
assert new_risk.min() < 0.08, (
    f"The lowest of your risks is {new_risk.min():.2f}, though many of these patients are nearly safe. A regression that learned from log-odds must be given the log-odds of the new risks too."
)
assert abs(new_risk.mean() - true_risk[6000:].mean()) < 0.03, (
    f"The mean new risk is {new_risk.mean():.3f}, and {happened[6000:].mean():.3f} of these patients had the event. Learn from `valid_happened`, without class_weight."
)
assert np.abs(new_risk - true_risk[6000:]).max() < 0.08, (
    f"The mean is right, but a single risk is wrong by {np.abs(new_risk - true_risk[6000:]).max():.2f}. Fit on the log-odds of the old risks, and translate the log-odds of the new ones; a factor or a shift on the risk is not enough."
)
mended = recalibrate(valid["risk"].to_numpy(), valid["missed"].to_numpy(), later["risk"].to_numpy())
print(f"Passed. April to June 2026: stated {later['risk'].mean():.3f}, now {mended.mean():.3f}; missed {later['missed'].mean():.3f}")
### BEGIN HIDDEN TESTS
_translator = LogisticRegression(C=1e6).fit(log_odds(valid["risk"].to_numpy()), valid["missed"])
_wanted = _translator.predict_proba(log_odds(later["risk"].to_numpy()))[:, 1]
assert np.abs(mended - _wanted).max() < 0.01, (
    f"On Lakeshore's visits a risk differs by {np.abs(mended - _wanted).max():.3f} from a logistic regression on the log-odds, fitted on the validation months."
)
_high = np.linspace(0.7, 0.9, 50)
_found = recalibrate(valid["risk"].to_numpy(), valid["missed"].to_numpy(), _high)
assert np.abs(_found - _translator.predict_proba(log_odds(_high))[:, 1]).max() < 0.01, (
    "For fifty new patients with high risks the result is off: the translation must come from the validation patients alone."
)
### END HIDDEN TESTS

# %% [markdown] hint="w03-recalibrate"
"""
1. It is week 1's three lines, `fit`, `predict_proba`, return, with one column: the old risk, as log-odds.
2. `translator.fit(log_odds(...), ...)` takes what is known of the validation patients. What does `predict_proba` take?
3. `return translator.predict_proba(log_odds(...))[:, 1]`. Lesson, section 4: the cell that begins with `mend = ` does both in two lines.
"""

# %% [markdown]
"""
The mean is close again, though not exact: in the months before the test more visits were missed.

## Part 3: what a mistake costs

*About 45 min from the start.*

### Exercise 5: the risk at which a call pays (2 points)

*Stuck? `hint("w03-cost-threshold")`*

A call costs `cost`, whoever picks up. A kept visit is worth `value`. Of those who would stay away, a call brings the share `kept` to come after all. So a call to a patient with risk *p* brings *p* × `kept` × `value` on average. At which risk is that exactly what the call costs? Above it, call; below it, do not. If the answer is above 1, no call is worth its price. Return the number as it is: it says so.
"""


# %% exercise="w03-cost-threshold" skills="P2"
def break_even_risk(cost, value, kept):
    """The risk at which a call brings exactly what it costs.

    cost, value: dollars per call and per kept visit, both above 0; kept: share above 0 and up to 1.
    Returns a number, not rounded. Example: cost 10, value 100, kept 0.5 -> 0.2
    """
    ### BEGIN SOLUTION
    return cost / (kept * value)
    ### END SOLUTION


# %% check="w03-cost-threshold" points=2
share = break_even_risk(6, 150, 0.25)
assert share is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert abs(share - 6 / 150) > 1e-9, "0.04 would be right if every call were to succeed. Only the share `kept` of those at risk come after all."
assert abs(share - 6.25) > 1e-9, "You turned the fraction round: 6.25 is what a call can bring for each dollar it costs, not a risk."
assert abs(share - 0.16) < 1e-9, (
    f"You returned {share:.3f}. At a cost of 6, a value of 150 and a quarter kept, a call to a patient with that risk brings {share * 0.25 * 150:.2f} dollars; it costs 6."
)
dear = break_even_risk(30, 90, 0.2)
assert dear > 1, f"With cost 30, value 90 and 0.2 kept you returned {dear:.2f}. The answer is above 1; do not cut it off: it says that no call pays."
assert abs(dear - round(dear, 2)) > 1e-9, f"With cost 30, value 90 and 0.2 kept you returned {dear}: rounded. Return the number as it is."
print("Passed. A threshold is a price, not a taste.")
### BEGIN HIDDEN TESTS
for _cost, _value, _kept in ((4, 200, 0.5), (50, 90, 0.3), (8, 80, 1.0)):
    _found = break_even_risk(_cost, _value, _kept)
    assert abs(_found - _cost / (_value * _kept)) < 1e-6, (
        f"With cost {_cost}, value {_value} and {_kept} kept you returned {_found:.3f}. Use all three, unrounded."
    )
### END HIDDEN TESTS

# %% [markdown] hint="w03-cost-threshold"
"""
1. Write what a call brings and what it costs on two sides of an equation: p × kept × value = cost.
2. Solve it for p: divide the cost by everything that stands beside p.
3. Try the example of the docstring by hand: 10 / (0.5 × 100). Lesson, section 5: `pays_from`.
"""

# %% [markdown]
"""
### Exercise 6: better than calling everybody? (2 points)

*Stuck? `hint("w03-net-benefit")`*

*About 52 min from the start.*

**Net benefit**, as in the lesson, for acting on everybody with a risk **at or above** the threshold *t*. With *n* patients in all:

net benefit = (rightly treated) / *n* − (needlessly treated) / *n* × *t* / (1 − *t*)

At *t* = 0.2 one needless action weighs a quarter of a right one. Doing nothing has net benefit 0; a model has to beat that, and acting on all.

To ask for two things of each patient: `(a >= t) & (b == 1)`, brackets around each.
"""


# %% exercise="w03-net-benefit" skills="C2"
def net_benefit(risk, happened, threshold):
    """Net benefit of acting on everybody with a risk at or above the threshold.

    risk: array of shape (n_patients,), between 0 and 1; happened: array of 0 and 1, same shape.
    threshold: above 0 and below 1.
    Returns a number, not rounded.

    Example: of 10 patients 4 are treated, 3 rightly and 1 needlessly, threshold 0.2 -> 0.3 - 0.1 * 0.25 = 0.275
    """
    ### BEGIN SOLUTION
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return float(right / len(risk) - needless / len(risk) * threshold / (1 - threshold))
    ### END SOLUTION


# %% check="w03-net-benefit" points=2
risk = np.array([0.90, 0.80, 0.60, 0.55, 0.40, 0.30, 0.20, 0.15, 0.10, 0.05])
happened = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0])
try:
    benefit = net_benefit(risk, happened, 0.4)
except ValueError as error:
    assert "ambiguous" not in str(error), "`and`, `or`, `not` and `if` are for single values. Join columns with `&`, brackets around each comparison."
    raise
assert benefit is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert np.ndim(benefit) == 0, "One number is asked for, and you returned a whole column; the sum of true and false counts the trues."
treated = int((risk >= 0.4).sum())
assert abs(benefit - (3 - 1 * 0.4 / 0.6) / 10) > 1e-9, (
    f"You left out the patient whose risk is exactly 0.4. At or above the threshold, `>=`, {treated} are treated."
)
assert abs(benefit - (3 - 2 * 0.4 / 0.6)) > 1e-9, "You returned a count. Divide both parts by the number of all patients."
assert abs(benefit - (3 - 2 * 0.4 / 0.6) / 5) > 1e-9, "You divided by those who are treated. Net benefit is per patient, treated or not: divide by all."
assert abs(benefit - (3 - 2 * 0.4) / 10) > 1e-9, "The weight is t / (1 - t), here 0.4 / 0.6, not t itself."
assert abs(benefit - (3 - 2) / 10) > 1e-9, "A needless action does not weigh as much as a right one: multiply it by t / (1 - t)."
assert abs(benefit - (3 - 2 * 0.4 / 0.6) / 10) < 1e-9, (
    f"Net benefit {benefit:.3f}. Of 10 patients 5 are treated, 3 rightly and 2 needlessly, and a needless one weighs 0.4 / 0.6."
)
print("Passed. One number for the right and the needless, at a price you have stated.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(9)
_risk = _rng.random(600).round(2)
_happened = (_rng.random(600) < _risk / 2).astype(int)
for _threshold in (0.05, 0.5, 0.85):
    _treated = _risk >= _threshold
    _wanted = (_treated[_happened == 1].sum() - _treated[_happened == 0].sum() * _threshold / (1 - _threshold)) / 600
    _found = net_benefit(_risk, _happened, _threshold)
    assert abs(_found - _wanted) < 1e-6, f"On 600 other patients, at a threshold of {_threshold}, net benefit came out as {_found:.4f}; use `threshold` in both places, and return it when it is negative."
### END HIDDEN TESTS

# %% [markdown] hint="w03-net-benefit"
"""
1. `treated = risk >= threshold` is an array of true and false. Count two things with it.
2. `(treated & (happened == 1)).sum()` are those treated rightly; who are the needless ones? `len(risk)` is the number of all patients.
3. `right / len(risk) - needless / len(risk) * ...`: what is the weight? Lesson, section 5: `worth` in the cell of the decision curve (per 100 there).
"""

# %% [markdown]
"""
The colleague's model at the lesson's prices, with your functions of exercises 4 to 6. Guess first: which line comes out on top?
"""

# %% tags=["uses-answer"]
pays = break_even_risk(9, 150, 0.3)  # 12 minutes at 45 dollars an hour
stated, outcome = later["risk"].to_numpy(), later["missed"].to_numpy()
mended = recalibrate(valid["risk"].to_numpy(), valid["missed"].to_numpy(), stated)
for name, risk in (("as it is", stated), ("recalibrated", mended), ("call everybody", np.ones(len(later)))):
    calls = (risk >= pays).sum() / later["start"].dt.date.nunique()
    print(f"From {pays:.2f}: {name:<14} {calls:4.1f} calls a day, net benefit {100 * net_benefit(risk, outcome, pays):+.1f} per 100 visits")

# %% [markdown]
"""
The order is the same in the first two lines. As stated, the risks do no better than calling nobody, as far as these months can tell; recalibrated, they beat both. (Computed beforehand, 95 % intervals: −2.4 to 1.3 as it is, 3.8 to 6.4 recalibrated, 4.4 to 6.7 for their difference.)

## Part 4: the roster decides

*About 62 min from the start.*

### Exercise 7: a list that fits the shift (2 points)

*Stuck? `hint("w03-day-list")`*

The rapid-response nurse of a hospital can make `k` visits a day. Draw up a list for every day in the table, each stay once, with its highest score of that day:

1. sort the alerts by `score`, highest first; where two scores are equal, the **earlier** alert goes first;
2. keep the first row of each stay on each day;
3. keep the first `k` rows of each day.

`table.sort_values(["a", "b"], ascending=[False, True])` puts the largest `a` first, ties by smallest `b`; `table.drop_duplicates(["a", "b"])` keeps the first row of each pair; `table.groupby("a").head(k)` the first `k` rows of each `a`. (A real list is drawn up at a fixed hour, from what is known by then.)
"""


# %% exercise="w03-day-list" skills="P3"
def day_list(alerts, k):
    """The k patients to see on each day, each stay at most once a day.

    alerts: table of one hospital with `day`, `stay_id`, `score` (0 to 1) and `fired_at` (time); no two alerts share both
    score and time. k: visits a day, 1 or more; a day with fewer patients has a shorter list.
    Returns the rows of `alerts` that are on a list, with all their columns; their order does not matter.
    `alerts` itself stays as it was.
    """
    ### BEGIN SOLUTION
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    once = ranked.drop_duplicates(["day", "stay_id"])
    return once.groupby("day").head(k)
    ### END SOLUTION


# %% check="w03-day-list" points=2
table = pd.DataFrame(
    {
        "day": ["Mon", "Mon", "Mon", "Mon", "Mon", "Mon", "Tue", "Tue", "Tue"],
        "stay_id": ["ana", "ana", "ben", "eve", "ivy", "ben", "ana", "ana", "ben"],
        "score": [0.60, 0.80, 0.50, 0.40, 0.50, 0.30, 0.30, 0.20, 0.90],
        "fired_at": pd.to_datetime([f"2026-03-02 {hour:02}:00" for hour in (1, 5, 12, 6, 7, 9)] + [f"2026-03-03 0{n}:00" for n in (1, 5, 9)]),
    },
    index=list("abcdefghi"),
)
before = table.copy()
seen = day_list(table, 2)
assert seen is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(seen, pd.DataFrame) and set(table.columns) <= set(seen.columns), "Return rows of the table, with all their columns."
assert table.equals(before), "Your function changed the table it was given; sort_values and drop_duplicates make new tables."
names = set(seen.index)
assert len(seen[seen["day"] == "Mon"]) == 2, (
    f"{len(seen[seen['day'] == 'Mon'])} visits on Monday, and the nurse can make 2. Is it the first k of each day, after each patient is on it once?"
)
assert not {"a", "b"} <= names, "Ana is on Monday's list twice. Keep the first row of each stay on each day, before you take the first k."
assert "a" not in names, "Ana is listed with her earlier alert. Her highest score of the day counts: sort before you drop the duplicates."
assert "d" not in names, "Eve, with a score of 0.4, is on Monday's list before patients with 0.5. Highest scores first."
assert not seen[seen["day"] == "Tue"].empty and "g" in names, (
    "Ana was on Monday's list, and she alerts again on Tuesday: she is listed once a day, not once for ever."
)
assert "e" in names, "Ben and Ivy tie at 0.5 on Monday. The earlier alert goes first: Ivy's, at 07:00."
assert names == {"b", "e", "g", "i"}, f"The rows on the lists are {sorted(names)}; Tuesday has two patients, and both fit."
hours = [14, 3, 20, 9, 1, 17, 6, 11, 22, 5, 19, 8, 2, 13, 23, 10, 4, 16, 21, 7]
level = pd.DataFrame({"day": "Wed", "stay_id": range(20), "score": 0.5, "fired_at": [pd.Timestamp(2026, 3, 4, hour) for hour in hours]})
first = sorted(day_list(level, 2)["fired_at"].dt.hour)
assert first == [1, 2], (
    f"Twenty patients tie at 0.5 on Wednesday, and your list holds the alerts of {first} o'clock. Equal scores: the earliest go first. Sort by `fired_at` as well."
)
print("Passed. Each patient once, and no longer than the shift.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(17)
_table = pd.DataFrame({"day": _rng.integers(1, 9, 300), "stay_id": _rng.integers(0, 40, 300), "score": _rng.random(300).round(2)})
_table["fired_at"] = pd.Timestamp("2026-02-01") + pd.to_timedelta(_rng.permutation(300), unit="min")
for _k in (1, 4):
    _wanted = set()
    for _day in sorted(set(_table["day"])):
        _rows = _table[_table["day"] == _day].assign(down=lambda t: -t["score"]).sort_values(["down", "fired_at"])
        _wanted |= set(_rows[~_rows["stay_id"].duplicated()].index[:_k])
    _found = set(day_list(_table, _k).index)
    assert _found == _wanted, f"In another hospital, with {_k} visits a day, {len(_found - _wanted)} of {len(_found)} rows are not those of the rule; use `k`, the rule for ties, and the three steps in their order."
### END HIDDEN TESTS

# %% [markdown] hint="w03-day-list"
"""
1. Three steps, three lines, in the order of the text; each works on the result of the one before.
2. A stay may come back on another day, so step 2 needs both columns: `drop_duplicates(["day", ...])`.
3. `ranked = ...`, `once = ranked....`, `return once.groupby(...).head(k)`. Lesson, section 6: the first places of each day's list are the nurse's.
"""

# %% [markdown]
"""
### Exercise 8: is the new list better, or lucky? (2 points)

*Stuck? `hint("w03-paired-interval")`*

*About 72 min from the start.*

Two lists that share their **days** are compared day by day, since a busy day lifts both (days count as independent): take the difference of each day, then ask how much its **mean** would change with other days. The **bootstrap** draws as many days as there are, with repeats, and takes the mean; 4,000 times. The middle 95 % of the means is the interval.

The draw is made: `picks` has 4,000 rows, each with the row numbers of the days of one draw. Three steps are left:

1. the difference of each day, as an array: `(new - old).to_numpy()`;
2. the mean of each draw: `values[picks]` looks the days up, one draw a row, and `.mean(axis=1)` averages each **row**;
3. `np.quantile(values, [a, b])` gives the values below which the shares `a` and `b` lie. Which two leave the middle 95 % between them?

Tolerance: a twentieth of the interval's width for each limit.
"""


# %% exercise="w03-paired-interval" skills="C2"
def paired_interval(new, old, seed):
    """95 % bootstrap interval of the mean difference per day, new minus old.

    new, old: Series of useful visits per day, on the same days (same index); seed: whole number.
    Returns two floats: low, high.
    """
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))  # row numbers of days
    ### BEGIN SOLUTION
    difference = (new - old).to_numpy()
    means = difference[picks].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
    ### END SOLUTION


# %% check="w03-paired-interval" points=2
rng = np.random.default_rng(12)
busy = rng.poisson(4.0, 240)
old = pd.Series(busy + rng.poisson(0.5, 240), index=pd.date_range("2026-01-01", periods=240))
new = pd.Series(busy + rng.poisson(0.7, 240), index=old.index)
both = paired_interval(new, old, seed=1)
assert both is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert np.size(both) == 2, "Give back two numbers, with a comma between them: return low, high."
low, high = (float(end) for end in both)
gap = new - old
apart = 3.92 * np.sqrt(new.var() / 240 + old.var() / 240)  # width when each list draws its own days
assert low < high, f"low is {low:.2f} and high is {high:.2f}; the smaller one comes first."
assert high - low < 1.5 * apart, (
    f"Your interval is {high - low:.1f} wide: that is how much single days differ. The question is how much their mean does: average each draw first."
)
assert abs(high - low - apart) > 0.2 * apart, (
    f"Your interval is {high - low:.2f} wide, as if each list had days of its own. Subtract day by day first, then draw days of the difference."
)
assert (low + high) / 2 * gap.mean() > 0, f"Your interval is {low:.2f} to {high:.2f}; is it new minus old?"
wide = 3.92 * gap.std() / np.sqrt(240)
assert high - low > 0.5 * wide, (
    f"Your interval is {high - low:.3f} wide, far too narrow. Is it the mean of each draw? A draw is a row of `picks`: `axis=1` averages rows, `axis=0` columns."
)
assert abs((high - low) / wide - 1) < 0.10, (
    f"Your interval is {high - low:.3f} wide. The middle 95 % leaves 2.5 % on each side: 0.025 below and 0.975."
)
assert abs((low + high) / 2 - gap.mean()) < 0.05 * wide, (
    f"The middle of your interval is {(low + high) / 2:.3f}, and the mean difference {gap.mean():.3f}. Take the mean of each row of `picks`."
)
print(f"Passed. {gap.mean():.2f} more useful visits a day, interval {low:.2f} to {high:.2f}.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(13)
_busy = _rng.poisson(6.0, 150)
_new = pd.Series(_busy + _rng.poisson(0.4, 150), index=range(1000, 1150))
_old = pd.Series(_busy + _rng.poisson(0.6, 150), index=range(1000, 1150))
_gap = _new - _old
_wide = 3.92 * _gap.std() / np.sqrt(150)
_low, _high = paired_interval(_new, _old, seed=5)
assert abs((_high - _low) / _wide - 1) < 0.10, f"On 150 other days the interval is {_high - _low:.3f} wide; resample the {len(_new)} days of the table you are given."
assert abs((_low + _high) / 2 - _gap.mean()) < 0.05 * _wide, f"On 150 other days the middle of the interval is {(_low + _high) / 2:.3f}; the mean difference there is {_gap.mean():.3f}."
### END HIDDEN TESTS

# %% [markdown] hint="w03-paired-interval"
"""
1. Three lines and a `return`: `difference`, `means`, the two limits. Each line works on the one before.
2. `means` holds 4,000 numbers, one a draw. The middle 95 % leaves the same share on both sides.
3. `low, high = np.quantile(means, [..., ...])` gives both limits at once. Lesson, section 5, draws days in the same way for its dollars a day.
"""

# %% [markdown]
"""
Your list on Lakeshore's alerts, as if each hospital had a nurse with three visits a day, against the vendor's order in which a patient may stand twice. A visit is *useful* when its alert was in time.
"""

# %% tags=["uses-answer"]
fired = alerts.assign(in_time=in_time(alerts), day=alerts["fired_at"].dt.normalize())
days = pd.date_range(fired["day"].min(), fired["day"].max())


def useful_a_day(shown):
    useful = shown[shown["in_time"]].drop_duplicates(["day", "stay_id"])
    return useful.groupby("day").size().reindex(days, fill_value=0)


def lists(table):
    return useful_a_day(pd.concat([day_list(rows, 3) for _, rows in table.groupby("site_id")]))


order = fired.sort_values(["score", "fired_at"], ascending=[False, True])
vendor_order = useful_a_day(order.groupby(["site_id", "day"]).head(3))
# %% tags=["uses-answer"]
for name, table in (("each patient once", fired), ("and only before suspicion", fired[~fired["lactate_ordered"]])):
    mine = lists(table)
    low, high = paired_interval(mine, vendor_order, seed=1)
    print(f"{name:<26} {mine.mean() - vendor_order.mean():+.2f} useful visits a day in all hospitals, interval {low:+.2f} to {high:+.2f}")

# %% [markdown]
"""
Leaving out those whom the team suspects already gains clearly, and partly by definition, since such an alert never counts as useful. Listing each patient once: the interval holds 0. **For the product manager:** that is not "no effect"; it is "these days cannot tell".

## Part 5: for whom

*About 82 min from the start.*

### Exercise 9: on a line of its own (2 points)

*Stuck? `hint("w03-by-site")`*

Give each place its own line: how many deteriorations, which share was found, and a 95 % interval. The first line, which counts both, is there; `wilson` below computes the interval from counts.

- A column is added with `table["sensitivity"] = ...`; a function that gives two results fills two at once: `table["low"], table["high"] = wilson(...)`, which takes the two columns of counts.
- Where a place has **fewer than** `minimum` events, keep its row and its `n`, and empty the rest: `table.loc[condition, ["sensitivity", "low", "high"]] = np.nan`.
"""


# %%
def wilson(hits, n):
    z = 1.96
    middle = (hits + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(hits * (n - hits) / n + z**2 / 4) / (n + z**2)
    return middle - half, middle + half


low, high = wilson(0, 12)
print(f"0 of 12 found: between {low:.0%} and {high:.0%}")


# %% exercise="w03-by-site" skills="C2"
def sensitivity_by_place(events, minimum):
    """Sensitivity with its interval, one row for each place.

    events: table with one row per deterioration, columns `place` (text) and `found` (true or false).
    minimum: whole number; a place with fewer events gets no sensitivity and no interval.
    Returns a table with the places as index and the columns `n`, `sensitivity`, `low` and `high` (others may be there).
    """
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    ### BEGIN SOLUTION
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table
    ### END SOLUTION


# %% check="w03-by-site" points=2
events = pd.DataFrame(
    {"place": ["east"] * 40 + ["north"] * 10 + ["west"] * 9, "found": [True] * 10 + [False] * 40 + [True] * 9}
)
lines = sensitivity_by_place(events, 10)
assert lines is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(lines, pd.DataFrame) and {"n", "sensitivity", "low", "high"} <= set(lines.columns), (
    "Return a table with the columns n, sensitivity, low and high."
)
assert "west" in lines.index, "West is gone. A place with few events keeps its row, so that everybody sees that it is not known."
assert set(lines.index) == {"east", "north", "west"}, f"The rows are named {list(lines.index)}; the places are the index."
assert list(lines.loc[["east", "north", "west"], "n"]) == [40, 10, 9], (
    f"n is {list(lines['n'])}; count all deteriorations of a place, found or not: 40, 10 and 9."
)
assert pd.isna(lines.loc["west", "sensitivity"]) and pd.isna(lines.loc["west", "low"]) and pd.isna(lines.loc["west", "high"]), (
    "West has 9 events, fewer than 10, and still shows a figure. Leave sensitivity, low and high empty there."
)
assert not pd.isna(lines.loc["north", "sensitivity"]), "North has exactly 10 events. Fewer than 10 is `<`: 10 are enough."
assert abs(lines.loc["east", "sensitivity"] - 0.25) < 1e-9 and abs(lines.loc["north", "sensitivity"]) < 1e-9, (
    f"The sensitivities are {lines['sensitivity'].tolist()}; in the east 10 of 40 were found, in the north none of 10."
)
assert lines.loc["north", "high"] > 0.05, (
    "North: none of 10 found, and your interval ends at 0, as if it were certain. Use `wilson`, with the number found and n."
)
assert np.allclose(lines.loc["east", ["low", "high"]].to_numpy(dtype=float), wilson(10, 40), atol=0.001), (
    f"East: {lines.loc['east', 'low']:.3f} to {lines.loc['east', 'high']:.3f}. `wilson` takes counts: the number found, then n."
)
print("Passed. A place without enough events is not known, and says so.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(10)
_sizes = {"a": 6, "b": 30, "c": 120, "d": 25}
_events = pd.DataFrame({"place": [_name for _name, _size in _sizes.items() for _ in range(_size)]})
_events["found"] = _rng.random(len(_events)) < 0.4
_lines = sensitivity_by_place(_events.sample(frac=1.0, random_state=2), 26)
for _name, _size in _sizes.items():
    _hits = int(_events.loc[_events["place"] == _name, "found"].sum())
    _row = _lines.loc[_name, ["sensitivity", "low", "high"]].to_numpy(dtype=float)
    assert int(_lines.loc[_name, "n"]) == _size, "On another table n is not the number of events of the place."
    if _size < 26:
        assert np.isnan(_row).all(), f"With a minimum of 26, a place with {_size} events still shows a figure; use `minimum`."
    else:
        assert np.allclose(_row, [_hits / _size, *wilson(_hits, _size)], atol=0.001), (
            f"On another table, with {_hits} of {_size} found, you returned {_row.round(3)}; use hits and n of each place."
        )
### END HIDDEN TESTS

# %% [markdown] hint="w03-by-site"
"""
1. Add three columns, empty some cells, return the table: four lines.
2. `wilson` takes two columns of counts, the found ones and all: `table["hits"]` and `table["n"]`.
3. Empty cells last, where `table["n"] < minimum`. Lesson, section 7: groups with too few misses get their name and no figure.
"""

# %% [markdown]
"""
Lakeshore's deteriorations since July 2025, by hospital, and then by ward of the third. Guess first: will the hospital with the silent ward stand out in the first table?
"""

# %% tags=["uses-answer"]
events = deteriorations[deteriorations["met_at"] >= "2025-07-01"].merge(stays[["stay_id", "site_id", "ward"]], on="stay_id")
events["found"] = events["stay_id"].isin(alerts.loc[in_time(alerts), "stay_id"])
shown = ["n", "sensitivity", "low", "high"]
print(sensitivity_by_place(events.assign(place=events["site_id"]), 10)[shown].round(2).to_string())
third = events[events["site_id"] == "hosp-3"]
print(sensitivity_by_place(third.assign(place=third["ward"]), 10)[shown].round(2).to_string())

# %% [markdown]
"""
The hospitals look alike. In the surgery ward of the third none of 53 deteriorations was found: no average told. **For the CTO:** a ward without alerts is an incident until proven otherwise.

### Exercise 10: misses that hide (2 points)

*Stuck? `hint("w03-under-reporting")`*

*About 90 min from the start.*

A clinic with few missed visits may be a good one, or its desk may enter missed visits as *cancelled*. Find where you should **ask the desk**. The first line is there: `shares` has one row a site and, in the columns `fulfilled`, `noshow`, `cancelled`, the share of each status.

- missed share: `noshow` / (`noshow` + `fulfilled`), so **without** the cancelled visits; the cancelled share is the column as it stands;
- a site is suspicious when its missed share is **below 0.75 times the median** of all sites' missed shares, **and** its cancelled share **above 1.5 times the median** of the cancelled shares (`column.median()`).

Return the names as a list. `shares.index[condition]` are the names of the rows where a condition holds.
"""


# %% exercise="w03-under-reporting" skills="P2"
def ask_the_desk(visits):
    """Sites where missed visits may be hidden among the cancelled ones.

    visits: table of past visits with `site_id` and `status` (fulfilled, noshow, cancelled, perhaps booked).
    Returns a list of site ids, in any order; empty when no site is suspicious.
    """
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    ### BEGIN SOLUTION
    missed, cancelled = shares["noshow"] / (shares["noshow"] + shares["fulfilled"]), shares["cancelled"]
    suspicious = (missed < 0.75 * missed.median()) & (cancelled > 1.5 * cancelled.median())
    return list(shares.index[suspicious])
    ### END SOLUTION


# %% check="w03-under-reporting" points=2
counts = {"a": (80, 20, 10), "b": (160, 40, 22), "c": (95, 5, 9), "d": (78, 22, 40), "e": (90, 8, 24), "f": (900, 300, 130), "g": (84, 16, 50)}
words = ("fulfilled", "noshow", "cancelled")
rows = [(site, word) for site, row in counts.items() for word, n in zip(words, row, strict=True) for _ in range(n)]
table = pd.DataFrame(rows, columns=["site_id", "status"])
sites = ask_the_desk(table)
assert sites is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(sites, list), f"ask_the_desk gave a {type(sites).__name__}; return a list of site ids."
assert "c" not in sites, "Site c misses few visits and cancels no more than the others: that is a good clinic. Ask for both conditions."
assert "d" not in sites, "Site d cancels much, and its missed visits are there for all to see. Ask for both conditions."
assert "f" not in sites, "Site f is larger than the others, nothing else. Compare shares, not counts."
assert "g" not in sites, (
    "Site g: of its 100 visits fulfilled or missed 16 were missed, above the limit of 0.15. Divide by noshow + fulfilled, not by all visits."
)
assert sites == ["e"], f"You found {sites}. Site e is suspicious: missed 0.08, limit 0.15 (0.75 x the median 0.20); cancelled 0.20, limit {1.5 * table['status'].eq('cancelled').groupby(table['site_id']).mean().median():.2f}."
print(f"Passed. At Lakeshore, ask the desk of: {', '.join(ask_the_desk(past))} (clinic-05 is the lesson's Millpond Clinic). It is a suspicion, not a verdict.")
### BEGIN HIDDEN TESTS
assert ask_the_desk(past) == ["clinic-05"], f"On Lakeshore's past visits you found {ask_the_desk(past)}; apply the two conditions to every site."
_honest = table[table["site_id"] != "e"]
assert ask_the_desk(_honest) == [], f"Without site e no site is suspicious, and you found {ask_the_desk(_honest)}. Divide the misses by noshow + fulfilled; both factors count, 0.75 and 1.5 times the median."
_edge = {"k": (80, 20, 10), "l": (80, 20, 10), "m": (845, 155, 300), "n": (88, 12, 14), "o": (86, 14, 17), "p": (80, 20, 10), "q": (75, 25, 9)}
_rows = [(_site, _word) for _site, _row in _edge.items() for _word, _n in zip(words, _row, strict=True) for _ in range(_n)]
_edge = pd.DataFrame(_rows, columns=["site_id", "status"])
assert ask_the_desk(_edge) == ["o"], f"In another network you found {ask_the_desk(_edge)}; missed is noshow / (noshow + fulfilled), and the limits are 0.75 and 1.5 times the median of the sites."
### END HIDDEN TESTS

# %% [markdown] hint="w03-under-reporting"
"""
1. Three lines: the missed share, the condition, the names.
2. `(missed < 0.75 * missed.median()) & (...)`: write the second bracket for the cancelled share.
3. `list(shares.index[condition])` is the answer. Lesson, section 7: the clinic whose metric lies.
"""

# %% [markdown]
"""
## Where you stand

Three takeaways:

- A warning counts by patient, before suspicion, and within what a shift can do.
- A risk is a promise with a price: calibrate it on earlier months, set the threshold from costs, and compare with treating all and none.
- An average has an interval, and it hides a ward and a desk: give each place its own line.

For Monday:

- Ask your vendor: per alert or per patient? Before or after suspicion?
- Ask for stated against observed risk, last quarter, in ten groups.
- List the wards that had no alert last month.

*About 100 min from the start.* Press **Check my work** above this notebook: it runs all checks of the week, hidden ones included, and keeps what is verified. To read next: Vickers and Elkin, *Decision curve analysis*, Medical Decision Making 2006 (20 minutes), and then [the project](project.ipynb), where these pieces become two policies that somebody signs.
"""
