# %% [markdown]
"""
# Week 1 exercises: build the call list yourself

Lakeshore's nurse line asks you for eleven small pieces. Together they turn a scheduling extract into a call list that an auditor can take apart.

| | |
|---|---|
| **You need** | the lesson of this week, about 90 minutes |
| **You earn** | 20 points, checked by machine |
| **Data** | `visits`, the scheduling extract of Lakeshore Health (synthetic, patients invented) |
| **In the room** | product manager (owns the rule), CTO (owns the data), nurse manager (owns the calls) |

Each exercise is one function. Replace the line `raise NotImplementedError(...)` by your own lines, run the cell, run the check below it. *Passed* means passed; otherwise the check says in a sentence what it saw. When your work is graded, the same rule is tried on other tables. `check("w01-label")`, in any cell, gives you the same answer in words. Under each heading stands the call that gives you a hint; call it again for the next one. Errors are shown in one line; `%xmode Plain` in a cell of its own makes them say where.
"""

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from carelab import check, hint
from carelab.paths import data

# %xmode Minimal
visits = pd.read_parquet(data("tables/visits.parquet"))
tomorrow = pd.Timestamp("2026-07-01")
past, upcoming = visits[visits["start"] < tomorrow].copy(), visits[visits["start"] >= tomorrow].copy()
print(f"{len(past):,} past visits, {len(upcoming):,} upcoming")

# %% [markdown]
"""
## Before you start: six pieces of Python, one exercise done for you

*Skip this if you write Python.*

| you want | you write |
|---|---|
| a function to give something back | `return`, on its last line; without it the caller gets `None`, which means nothing |
| the rows of a table where something holds | `table[table["age"] > 70]`: a condition in square brackets |
| to go through a list and collect | `found = []`, then `for name in names:`, and under it, indented, `found.append(name)` |
| to do something only if two things hold | `if a > 3 and word == "high":`, and the next line indented; `==` compares, words stand in quotes |
| several results with a name each | a **dict**: `counts = {"calls": 15, "rides": 3}`; read it with `counts["calls"]` |
| the second column of a block of numbers | `block[:, 1]`; counting starts at 0, and `:` means all rows |

A **Series** is one column of a table, and its **index** is the names of its rows. Here is a solved exercise: *the share of patients over 70 in a table with a column `age`.*
"""


# %%
def share_over_70(patients):
    old = patients[patients["age"] > 70]
    return len(old) / len(patients)


print(share_over_70(pd.DataFrame({"age": [34, 71, 88, 52]})))

# %% [markdown]
"""
## Part 1: what are we predicting?

*About 6 min from the start.*

### Exercise 1: the label (2 points)

*Stuck? `hint("w01-label")`*

A model learns from examples with a known answer, the **label**. Ours is 1 when the patient stayed away and 0 when the patient came. The extract does not have it; it has `status`:

| status | what happened |
|---|---|
| `fulfilled` | the patient came |
| `noshow` | the patient stayed away without a word |
| `cancelled` | somebody called it off, the slot could be used again |
| `booked` | no outcome was ever recorded |

The first two are examples to learn from. The last two are not, and have to go.

Write `missed_label` in two steps. Keep the rows that have an outcome, `known = visits[condition]`; the condition `visits["status"].isin(["a", "b"])` is true where the status is one of those listed. Then compare: `(known["status"] == "a").astype(int)` is 1 where the status is `a` and 0 elsewhere.
"""


# %% exercise="w01-label" skills="P1"
def missed_label(visits):
    """1 where the patient stayed away, 0 where the patient came; visits without either outcome are left out.

    visits: table with a column `status`.
    Returns a Series of 0 and 1, on the index of the visits that were kept.

    Example: statuses fulfilled, cancelled, noshow -> 0, 1 (two rows, the cancelled one is gone)
    """
    ### BEGIN SOLUTION
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return (known["status"] == "noshow").astype(int)
    ### END SOLUTION


# %% check="w01-label" points=2
table = pd.DataFrame({"status": ["fulfilled", "cancelled", "noshow", "booked", "fulfilled"]}, index=list("abcde"))
label = missed_label(table)
assert label is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(label, pd.Series), f"missed_label gave a {type(label).__name__}; return a Series, one column of 0 and 1."
assert "b" not in label.index, (
    "Visit b was cancelled and still has a label. A cancelled slot can be used again: leave the row out."
)
assert "d" not in label.index, (
    "Visit d is still booked: nobody knows its outcome, so it cannot teach a model. Leave the row out."
)
assert list(label.index) == list("ace"), (
    f"Visits {list(label.index)} were kept; a, c and e have an outcome. Keep their index."
)
assert label["c"] == 1, "Visit c was a no-show and must be labelled 1: the label says who stayed away, not who came."
assert label["a"] == 0, "Visit a was fulfilled, the patient came: its label is 0."
print(f"Passed. {missed_label(past).mean():.1%} of the past visits with an outcome were missed.")
### BEGIN HIDDEN TESTS
_known = past["status"].isin(["fulfilled", "noshow"])
_label = missed_label(past)
assert len(_label) == _known.sum() and _label.index.equals(past.index[_known]), (
    f"On the real extract you kept {len(_label):,} visits; keep those with status fulfilled or noshow, on their own index."
)
assert _label.sum() == (past["status"] == "noshow").sum(), (
    f"On the real extract you marked {int(_label.sum()):,} visits as missed; count the rows with status noshow."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-label"
"""
1. Two steps: first keep the rows that have an outcome, then compare their status with one word.
2. `known = visits[visits["status"].isin([...])]` keeps rows. Which two of the four words belong in the brackets?
3. Return `(known["status"] == ...).astype(int)`. Section 1 of the lesson does both steps in one cell, with the table `seen`.
"""

# %% [markdown]
"""
### Exercise 2: the shrug to beat (1 point)

*Stuck? `hint("w01-everybody-comes")`*

*About 16 min from the start.*

Before any model, price the laziest rule: **everybody comes**. It never makes a call. How often is it right? That share is its accuracy, and every later claim of "80 % accurate" has to be read against it.

`missed.mean()` of a Series of 0 and 1 is the share of ones. The rule is right about the others.
"""


# %% exercise="w01-everybody-comes" skills="P2"
def everybody_comes_accuracy(missed):
    """Share of visits about which the rule "everybody comes" is right.

    missed: Series of 0 (came) and 1 (stayed away), at least one row.
    Returns a float between 0 and 1. Example: 0, 0, 0, 1 -> 0.75
    """
    ### BEGIN SOLUTION
    return float((missed == 0).mean())
    ### END SOLUTION


# %% check="w01-everybody-comes" points=1
share = everybody_comes_accuracy(pd.Series([0, 0, 0, 1]))
assert share is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert not isinstance(share, pd.Series), "You returned a whole column; one number is asked for. The mean of a column is one."
assert share != 0.25, "0.25 is the share who stayed away. The rule says everybody comes: about whom is it right?"
assert 0 <= share <= 1, f"You returned {share}; return a share between 0 and 1, not a percentage or a count."
assert abs(share - 0.75) < 1e-9, f"You returned {share} for three who came and one who did not; three of four is 0.75."
print("Passed. Whoever sells you an accuracy has to beat this rule.")
### BEGIN HIDDEN TESTS
_share = everybody_comes_accuracy(pd.Series([1, 1, 0, 1, 0]))
assert abs(_share - 0.4) < 1e-9, (
    f"With 2 of 5 patients coming you returned {_share}; compute it from `missed` each time."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-everybody-comes"
"""
1. The rule is right about everybody who came. In the label, what number stands for "came"?
2. `missed.mean()` is the share who stayed away; the two shares add up to 1.
3. Lesson, section 2: the cell that prints the accuracy of "everybody comes".
"""

# %% [markdown]
"""
## Part 2: an honest test

*About 20 min from the start.*

### Exercise 3: split by date (2 points)

*Stuck? `hint("w01-time-split")`*

You will use the model on days that have not happened. So test it on days it has not seen: train on everything **before** a day, test on that day **and after**.

`before = visits["start"] < first_test_day` is a column of true and false, one for each visit. `visits[before]` are the rows where it is true, and `visits[~before]` are all the others. The function gives back two tables, with a comma between them.
"""


# %% exercise="w01-time-split" skills="P2"
def split_by_date(visits, first_test_day):
    """Split a table into what happened before a day, and what happened from that day on.

    visits: table with a column `start` (date and time); first_test_day: pandas Timestamp, midnight.
    Returns two tables: (train, test). Every row is in exactly one of them.
    """
    ### BEGIN SOLUTION
    before = visits["start"] < first_test_day
    return visits[before], visits[~before]
    ### END SOLUTION


# %% check="w01-time-split" points=2
table = pd.DataFrame(
    {
        "start": pd.to_datetime(["2026-03-31 17:30", "2026-04-01 00:00", "2026-04-01 08:00", "2026-02-03 09:00"]),
        "booked_on": pd.to_datetime(["2026-03-01", "2026-02-01", "2026-04-01", "2026-01-20"]),
    },
    index=list("abcd"),
)
parts = split_by_date(table, pd.Timestamp("2026-04-01"))
assert parts is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(parts, tuple) and len(parts) == 2, "Give back two tables, with a comma between them: return one, other."
train, test = parts
assert isinstance(train, pd.DataFrame) and isinstance(test, pd.DataFrame), (
    "You returned columns of true and false, not tables. Put each of them into the brackets of visits[...]."
)
assert len(train) + len(test) == len(table), (
    f"{len(train)} + {len(test)} rows from a table of {len(table)}: a visit is lost or stands on both sides."
)
assert "c" not in train.index, (
    "The visit on the first test day is in train. Is the order (train, test), and do you compare `start`?"
)
assert "b" not in train.index, (
    "A visit at midnight of the first test day belongs to the test: train is strictly before that day."
)
assert list(train.index) == ["a", "d"], (
    f"Train holds {list(train.index)}; visits a and d began before the day. Compare `start`, the day of the visit."
)
print("Passed. The test knows nothing that the model could have seen.")
### BEGIN HIDDEN TESTS
_day = pd.Timestamp("2026-01-01")
_train, _test = split_by_date(past, _day)
assert _train["start"].max() < _day <= _test["start"].min(), (
    "On the real extract, train must end before the day and test begin with it."
)
assert len(_train) + len(_test) == len(past), (
    f"On the real extract {len(_train) + len(_test):,} of {len(past):,} visits came back."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-time-split"
"""
1. Make one column of true and false, `before = ...`, and use it twice.
2. The day itself belongs to the test, so compare with `<`, not `<=`. Which column says when the visit takes place?
3. `visits[before]` are the rows where it is true, `visits[~before]` the others. Lesson, section 4.
"""

# %% [markdown]
"""
### Exercise 4: who has seen the future? (2 points)

*Stuck? `hint("w01-future-seen")`*

*About 30 min from the start.*

A colleague splits at random instead: "more mixed, so fairer". Patients come more than once, so a random split puts Ms. Ortiz's visit of May into the training data and asks the model about her visit of March. It has read the next chapter: the May row counts her misses so far, the one in March among them.

How much this flatters depends on the model: one that can learn patients by heart gains most, a plain one little. You do not want to find out after launch.

Measure it: for what share of the test visits does the **same patient** have a **later** visit in the training data?

Three steps: the last visit of each patient in train, `train.groupby("patient_id")["start"].max()`; look it up for each test visit with `test["patient_id"].map(...)`; compare with `test["start"]`.
"""


# %% exercise="w01-future-seen" skills="P1 P2"
def share_with_future_seen(train, test):
    """Share of the test visits whose patient has a later visit in train.

    train, test: tables with columns `patient_id` and `start` (date and time).
    Returns a float between 0 and 1. A patient without any visit in train counts as not seen.
    """
    ### BEGIN SOLUTION
    last_in_train = train.groupby("patient_id")["start"].max()
    return float((test["patient_id"].map(last_in_train) > test["start"]).mean())
    ### END SOLUTION


# %% check="w01-future-seen" points=2
train = pd.DataFrame(
    {"patient_id": ["ana", "ana", "ben"], "start": pd.to_datetime(["2026-05-05", "2026-01-05", "2026-02-01"])}
)
test = pd.DataFrame(
    {
        "patient_id": ["ana", "ana", "ben", "eve"],
        "start": pd.to_datetime(["2026-03-01", "2026-06-01", "2026-03-01", "2026-03-01"]),
    }
)
share = share_with_future_seen(train, test)
assert share is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert not isinstance(share, pd.Series), "You returned a column of true and false; its mean is the share that is asked for."
assert share != 0.75, (
    "0.75 counts every patient who is in both tables, or uses one date for all. Compare each visit with the last date of its own patient."
)
assert 0 <= share <= 1, f"You returned {share}; return a share of the test visits, between 0 and 1."
assert abs(share - 0.25) < 1e-9, (
    f"You returned {share:.2f}. Of these four test visits one, Ana's in March, has a later visit of the same patient in train: 1 of 4."
)
shuffled = past.sample(frac=1.0, random_state=1)
print(f"Passed. After a random split: {share_with_future_seen(shuffled.iloc[5000:], shuffled.iloc[:5000]):.0%} of the test visits")
### BEGIN HIDDEN TESTS
_mixed = past.sample(frac=1.0, random_state=7)
_train, _test = _mixed.iloc[8000:], _mixed.iloc[:8000]
_last = _train.groupby("patient_id")["start"].max()
_share = float((_test["patient_id"].map(_last) > _test["start"]).mean())
_found = share_with_future_seen(_train, _test)
assert abs(_found - _share) < 1e-6, (
    f"On a random split of the real extract you found {_found:.3f}; count test visits, not patients."
)
_day = pd.Timestamp("2026-01-01")
_found = share_with_future_seen(past[past["start"] < _day], past[past["start"] >= _day])
assert _found == 0, f"After a split by date nobody's future is in train, but you found {_found:.3f}."
_found = share_with_future_seen(train, train)
assert abs(_found - 1 / 3) < 1e-9, (
    f"With the same three visits on both sides you found {_found:.2f}; only Ana's first visit has a later one, and a visit is not later than itself."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-future-seen"
"""
1. You need one date per patient, the last visit in train: `last = train.groupby("patient_id")["start"].max()`. It has one row per patient, so it cannot be compared with `test["start"]` yet.
2. `test["patient_id"].map(last_in_train)` puts that date beside each test visit; a patient who is not in train gets an empty value, and a comparison with an empty value is false, which is what you want.
3. The share is the mean of a column of true and false: `(... > test["start"]).mean()`. Lesson, section 4.
"""

# %% [markdown]
"""
## Part 3: too good to be true

*About 39 min from the start.*

### Exercise 5: written after the visit (2 points)

*Stuck? `hint("w01-written-after")`*

Some columns are filled in only when the patient is already there. They predict perfectly and are worthless: on the evening before, they are empty.

That is also how to catch them. A column that is **empty in every upcoming visit** but **filled in at least one past visit** was written afterwards. `upcoming[name].isna()` is true where the column has no value, `past[name].notna()` where it has one; `.all()` and `.any()` behind it ask whether all or any are true. Most of the function is written; put the two questions into an `if`, with `and` between them.
"""


# %% exercise="w01-written-after" skills="P1"
def written_after(past, upcoming):
    """Names of the columns that are filled only once a visit is over.

    past, upcoming: tables with the same columns, one row per visit.
    Returns a list of column names, in the order of the table: empty in all of `upcoming`, filled in some of `past`.
    """
    found = []
    for name in past.columns:
        ### BEGIN SOLUTION
        if upcoming[name].isna().all() and past[name].notna().any():
            found.append(name)
        ### END SOLUTION
    return found


# %% check="w01-written-after" points=2
was = pd.DataFrame(
    {"lead_days": [3, 20], "room": ["2", "5"], "paid_at": ["09:10", None], "fax": [None, None], "snow_cm": [None, 1.0]}
)
will = pd.DataFrame(
    {"lead_days": [8, 1], "room": [None, None], "paid_at": [None, None], "fax": [None, None], "snow_cm": [None, 0.0]}
)
found = written_after(was, will)
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(found, list), f"written_after gave a {type(found).__name__}; return a list of column names."
assert "fax" not in found, (
    "`fax` is empty everywhere, before and after: it tells nothing, but nobody wrote it after the visit."
)
assert "snow_cm" not in found, (
    "`snow_cm` has a gap but is known for one upcoming visit: only a column that is empty in all of them counts."
)
assert "paid_at" in found, (
    "`paid_at` is empty for every upcoming visit and filled for a past one. One filled past visit is enough."
)
assert found == ["room", "paid_at"], (
    f"You found {found}; go through the columns in the order of the table and ask both questions of each."
)
print("Passed. In the real extract:", written_after(past, upcoming))
### BEGIN HIDDEN TESTS
assert written_after(past, upcoming) == ["wait_minutes"], (
    f"In the real extract you found {written_after(past, upcoming)}; apply the rule to every column."
)
_was = pd.DataFrame({"triage": ["b", "c"], "age": [70, 31], "left_at": [None, "10:40"]})
_will = pd.DataFrame({"triage": [None, None], "age": [55, None], "left_at": [None, None]})
assert written_after(_was, _will) == ["triage", "left_at"], (
    f"On another hospital's columns you found {written_after(_was, _will)}; do not name columns, test them."
)
assert written_after(pd.DataFrame({"copay": [0.0, None]}), pd.DataFrame({"copay": [None, None]})) == ["copay"], (
    "A copay of 0 was written after the visit, and your list leaves it out: 0 is a value, only a cell with nothing in it is empty."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-written-after"
"""
1. The loop gives you one `name` after the other. Ask about `upcoming[name]` and about `past[name]`; `found.append(name)` keeps a name.
2. Test one: `upcoming[name].isna().all()`. Test two is about `past[name]`, with `notna()` and `any()`.
3. `if test_one and test_two:` and under it, indented once more, `found.append(name)`. The idea is in section 5 of the lesson.
"""

# %% [markdown]
"""
### Exercise 6: a history that was known (2 points)

*Stuck? `hint("w01-known-rate")`*

*About 49 min from the start.*

`no_show_rate` passes that test: it is there for upcoming visits. It still looks ahead, because it was computed on the day of the extract, over **all** of a patient's visits, the one you want to predict included.

The honest form uses `prior_no_shows` and `prior_visits`: what was known when the visit was booked. Divide the first by the second. Patients without a prior visit have no rate yet; give them the `fallback`.

In pandas 0 divided by 0 gives an empty value, not an error, and `.fillna(other)` behind a column fills what is empty.
"""


# %% exercise="w01-known-rate" skills="P1"
def known_no_show_rate(visits, fallback):
    """Each patient's no-show rate as it was known when the visit was booked.

    visits: table with `prior_visits` and `prior_no_shows` (counts at the time of booking).
    fallback: float, the rate to assume for a patient without prior visits.
    Returns a Series of floats on the index of `visits`; `visits` itself stays as it was.

    Example: 1 no-show in 4 prior visits -> 0.25; no prior visit, fallback 0.2 -> 0.2
    """
    ### BEGIN SOLUTION
    return (visits["prior_no_shows"] / visits["prior_visits"]).fillna(fallback)
    ### END SOLUTION


# %% check="w01-known-rate" points=2
table = pd.DataFrame(
    {"prior_visits": [4, 0, 5, 10, 1], "prior_no_shows": [1, 0, 0, 5, 1], "no_show_rate": [0.4, 1.0, 0.1, 0.5, 0.6]},
    index=list("abcde"),
)
before = table.copy()
rate = known_no_show_rate(table, fallback=0.2)
assert rate is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert table.equals(before), (
    "Your function changed the table it was given; compute a new Series and leave `visits` alone."
)
assert list(rate.index) == list("abcde"), (
    f"The result has {len(rate)} rows; return one rate for each visit, on the same index."
)
assert rate["a"] != 0.4, (
    "Visit a got 0.4: that is the column no_show_rate, which looks ahead. Divide prior_no_shows by prior_visits."
)
assert abs(rate["b"] - 0.2) < 1e-9, (
    f"Visit b has no prior visits and got {rate['b']}; nobody knows that patient yet, so use the fallback."
)
assert abs(rate["c"]) < 1e-9, (
    f"Visit c has 5 prior visits, none missed, and got {rate['c']}; that is a known rate of 0, not an unknown one."
)
assert abs(rate["a"] - 0.25) < 1e-9 and abs(rate["d"] - 0.5) < 1e-9 and abs(rate["e"] - 1) < 1e-9, (
    f"1 of 4, 5 of 10 and 1 of 1 gave {rate['a']:.2f}, {rate['d']:.2f} and {rate['e']:.2f}."
)
print("Passed. This history was known when the visit was booked.")
### BEGIN HIDDEN TESTS
_rate = known_no_show_rate(past, fallback=0.31)
_first = past["prior_visits"] == 0
assert abs(_rate[_first] - 0.31).max() < 1e-9, (
    "On the real extract, patients without prior visits must get the fallback that was passed in."
)
_seen = past[~_first]
assert abs(_rate[~_first] - _seen["prior_no_shows"] / _seen["prior_visits"]).max() < 1e-9, (
    "On the real extract, the others must get prior_no_shows divided by prior_visits, nothing else."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-known-rate"
"""
1. Two columns, one division: which of the two counts is the smaller one?
2. The division leaves an empty value where `prior_visits` is 0. `.fillna(fallback)` fills those, and only those.
3. A patient with 5 visits and no miss has the rate 0, and 0 is not empty. Lesson, section 5.
"""

# %% [markdown]
"""
## Part 4: the model, scored where it counts

*About 55 min from the start.*

### Exercise 7: a score nobody can argue with (2 points)

*Stuck? `hint("w01-honest-auc")`*

**AUC** (area under the curve) answers: take one patient who stayed away and one who came; how often does the model give the first the higher risk? 0.5 is a coin, 1.0 is a clairvoyant.

Three lines, as in section 3 of the lesson. Fit on train, with the given columns only: `model.fit(train[columns], train["missed"])`. Ask for **probabilities** on test: `model.predict_proba(...)` with the same columns gives two columns, the chance of 0 and the chance of 1, and you want the second, `[:, 1]`. (`model.predict` gives a bare yes or no and throws the ranking away.) Then `roc_auc_score(label, risk)`.
"""


# %% exercise="w01-honest-auc" skills="P2"
def auc_on_later_visits(model, train, test, columns):
    """AUC on `test` of a model fitted on `train`.

    model: an unfitted scikit-learn classifier; train, test: tables with `columns` (numbers) and `missed` (0 or 1).
    columns: list of the column names that the model may use.
    Returns a float between 0 and 1.
    """
    ### BEGIN SOLUTION
    model.fit(train[columns], train["missed"])
    risk = model.predict_proba(test[columns])[:, 1]
    return float(roc_auc_score(test["missed"], risk))
    ### END SOLUTION


# %% check="w01-honest-auc" points=2
class Watched(LogisticRegression):
    """A logistic regression that remembers what it was fitted on."""

    def fit(self, X, y):
        self.fitted_rows, self.fitted_on = len(X), list(X.columns)
        return super().fit(X, y)


seen = past[past["status"].isin(["fulfilled", "noshow"])].assign(missed=lambda t: (t["status"] == "noshow").astype(int))
early, late = seen[seen["start"] < "2026-01-01"], seen[seen["start"] >= "2026-01-01"]
columns, watched = ["lead_days", "prior_no_shows", "age"], Watched(max_iter=1000)
auc = auc_on_later_visits(watched, early, late, columns)
assert auc is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert np.ndim(auc) == 0, f"You returned a {type(auc).__name__}; return one number."
rows = getattr(watched, "fitted_rows", 0)
assert rows, "The model that was passed in was never fitted; call model.fit(...)."
assert rows != len(late), f"AUC {auc:.3f} comes from a model fitted on `test`: it was shown the answers of the exam. Fit on `train`."
assert rows == len(early), f"The model was fitted on {rows:,} visits; train has {len(early):,}. No visit of the test may be among them."
assert watched.fitted_on == columns, f"The model was fitted on {watched.fitted_on}; it may use the given `columns` and nothing else."
assert auc > 0.5, f"AUC {auc:.3f}, no better than a coin, which has 0.5: the first column of predict_proba is the chance of coming, the second of staying away."
assert abs(auc - roc_auc_score(late["missed"], watched.predict(late[columns]))) > 1e-9, (
    f"AUC {auc:.3f} comes from bare yes/no answers; rank by the probabilities of predict_proba instead of predict."
)
assert abs(auc - roc_auc_score(early["missed"], watched.decision_function(early[columns]))) > 1e-9, (
    f"AUC {auc:.3f} is the score on train, which the model has already seen. Score `test`."
)
assert abs(auc - roc_auc_score(late["missed"], watched.decision_function(late[columns]))) < 1e-6, (
    f"{auc:.3f} is not the AUC on test. (model.score, for one, is the accuracy.) Use roc_auc_score with the label and the risks of `test`."
)
print(f"Passed. AUC with three columns on the later visits: {auc:.2f}")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(11)
_made = pd.DataFrame({"x": _rng.normal(size=600), "z": _rng.normal(size=600)})
_made["missed"] = (_made["x"] + _rng.normal(size=600) > 0.5).astype(int)
_train, _test = _made.iloc[:300], _made.iloc[300:].assign(x=lambda t: -t["x"])
_model = LogisticRegression().fit(_train[["x"]], _train["missed"])
_auc = roc_auc_score(_test["missed"], _model.predict_proba(_test[["x"]])[:, 1])
_found = auc_on_later_visits(LogisticRegression(), _train, _test, ["x"])
assert abs(_found - _auc) < 1e-6, f"On a test where the sign of x is turned, the AUC is below 0.5; you returned {_found:.3f}. Return it as it is."
_train, _test = _train.assign(x=lambda t: t["x"] / 10), _test.assign(x=lambda t: -t["x"] / 10)
_model = LogisticRegression(C=0.001).fit(_train[["x", "z"]], _train["missed"])
_auc = roc_auc_score(_test["missed"], _model.decision_function(_test[["x", "z"]]))
_found = auc_on_later_visits(LogisticRegression(C=0.001), _train, _test, ["x", "z"])
assert abs(_found - _auc) < 1e-6, f"With a model of other settings you returned {_found:.3f}, the AUC of another model. Fit and ask the `model` that is passed in."
### END HIDDEN TESTS

# %% [markdown] hint="w01-honest-auc"
"""
1. Three lines: `model.fit(table, label)`, a line that asks for the risks of the test visits, and `return roc_auc_score(...)`.
2. Use `train[columns]` and `train["missed"]` in the first line only; everything after it is about `test`.
3. `model.predict_proba(test[columns])[:, 1]` is the second column, the risk of staying away. Lesson, section 3.
"""

# %% [markdown]
"""
## Part 5: what happens on the telephone

*About 65 min from the start.*

### Exercise 8: four kinds of patients (2 points)

*Stuck? `hint("w01-confusion")`*

Once a list is drawn up, every patient is one of four. Count them; the nurse manager will ask. With two columns of 0 and 1, `((missed == 1) & (called == 1)).sum()` counts the rows where both hold; mind the outer brackets. Give back a dict with the four names of the table.

| | called | not called |
|---|---|---|
| would have stayed away | `reached` | `overlooked` |
| would have come anyway | `needless` | `left_alone` |

This is the **confusion matrix**. In books the cells are called true positive, false negative, false positive, true negative, in this order of reading.
"""


# %% exercise="w01-confusion" skills="P2"
def call_outcomes(missed, called):
    """Count the four kinds of patients.

    missed, called: Series of 0 and 1 of the same length and index.
    Returns a dict with the keys "reached", "needless", "overlooked" and "left_alone"; whole numbers.
    """
    ### BEGIN SOLUTION
    return {
        "reached": int(((missed == 1) & (called == 1)).sum()),
        "needless": int(((missed == 0) & (called == 1)).sum()),
        "overlooked": int(((missed == 1) & (called == 0)).sum()),
        "left_alone": int(((missed == 0) & (called == 0)).sum()),
    }
    ### END SOLUTION


# %% check="w01-confusion" points=2
missed = pd.Series([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
called = pd.Series([1, 0, 0, 1, 1, 1, 0, 0, 0, 0])
found = call_outcomes(missed, called)
assert found is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(found, dict), (
    f"You returned a {type(found).__name__}; return a dict, for example {{'reached': 3, 'needless': 2}} with all four names."
)
assert set(found) == {"reached", "needless", "overlooked", "left_alone"}, (
    f"The keys are {sorted(found)}; use the four names of the table."
)
assert sum(found.values()) == 10, (
    f"The four counts add up to {sum(found.values())}; every one of the 10 patients is in exactly one of them."
)
assert (found["needless"], found["overlooked"]) != (2, 3), (
    "needless and overlooked are swapped: a needless call goes to somebody who would have come, an overlooked patient got none."
)
assert found["reached"] == 1, (
    f"reached is {found['reached']}; count those who were called and would have stayed away: here it is the first patient only."
)
assert found["left_alone"] == 4, (
    f"left_alone is {found['left_alone']}; count those who got no call and would have come."
)
print("Passed. This table is what the nurse manager will ask for.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(3)
_missed, _called = pd.Series(_rng.integers(0, 2, 200)), pd.Series((_rng.random(200) < 0.3).astype(int))
_found = call_outcomes(_missed, _called)
_table = pd.crosstab(_missed, _called)
_wanted = {"reached": _table[1][1], "needless": _table[1][0], "overlooked": _table[0][1], "left_alone": _table[0][0]}
assert all(_found[_name] == _wanted[_name] for _name in _wanted), (
    f"On 200 other patients you counted {_found}; check each of the four conditions."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-confusion"
"""
1. Write the first one, run the check, then copy the line and change the numbers: each of the four asks for one value of `missed` and one of `called`.
2. Put brackets around each comparison: `((missed == 1) & (called == 0)).sum()`.
3. needless means a call that was not needed: called, and would have come. Lesson, section 6.
"""

# %% [markdown]
"""
### Exercise 9: two numbers for two people (2 points)

*Stuck? `hint("w01-precision-recall")`*

*About 73 min from the start.*

The nurse asks: *of my calls, how many reach somebody who would have stayed away?* That share is **precision**. The medical director asks: *of those who would have stayed away, how many did we reach?* That share is **recall** (clinicians know it as sensitivity).

You may use `call_outcomes` from the exercise above. You may also use scikit-learn, or none of these.
"""


# %% exercise="w01-precision-recall" skills="P2"
def precision_and_recall(missed, called):
    """Precision and recall of a call list.

    missed, called: Series of 0 and 1 of the same length; at least one patient is called and at least one is missed.
    Returns two floats between 0 and 1, not rounded: precision, recall.
    """
    ### BEGIN SOLUTION
    reached = ((missed == 1) & (called == 1)).sum()
    return float(reached / (called == 1).sum()), float(reached / (missed == 1).sum())
    ### END SOLUTION


# %% check="w01-precision-recall" points=2
missed = pd.Series([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
called = pd.Series([1, 1, 0, 1, 1, 1, 0, 0, 0, 0])
both = precision_and_recall(missed, called)
assert both is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert isinstance(both, tuple) and len(both) == 2, "Give back two numbers, with a comma between them: return precision, recall."
precision, recall = both
assert abs(precision - 2 / 3) > 1e-9 or abs(recall - 0.4) > 1e-9, (
    "The two are swapped. Precision divides by the calls you made, recall by the patients who would have stayed away."
)
assert abs(precision - 0.6) > 1e-9, (
    "0.6 is the accuracy, the share of all patients that were right. Precision looks at the called ones only."
)
assert abs(precision - 0.4) < 1e-9, (
    f"Precision {precision:.2f}: 5 calls were made, and 2 of them went to somebody who would have stayed away."
)
assert abs(recall - 2 / 3) < 1e-9, f"Recall {recall:.2f}: 3 would have stayed away, and 2 of them were called."
print("Passed. One number for the nurse, one for the medical director.")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(5)
_missed, _called = pd.Series((_rng.random(300) < 0.2).astype(int)), pd.Series((_rng.random(300) < 0.4).astype(int))
_precision, _recall = precision_and_recall(_missed, _called)
_reached = (_missed & _called).sum()
assert abs(_precision - _reached / _called.sum()) < 1e-6, (
    f"On 300 other patients precision came out as {_precision:.3f}; divide by the calls."
)
assert abs(_recall - _reached / _missed.sum()) < 1e-6, (
    f"On 300 other patients recall came out as {_recall:.3f}; divide by those who stayed away."
)
### END HIDDEN TESTS

# %% [markdown] hint="w01-precision-recall"
"""
1. Both have the same top: called and would have stayed away, `counts["reached"]` with `counts = call_outcomes(missed, called)`. They differ in what they are divided by.
2. With `counts = call_outcomes(missed, called)`, the calls are `counts["reached"] + counts["needless"]`. Who are the others?
3. Return both, in this order, with a comma between them: `return precision, recall`. Lesson, section 6.
"""

# %% [markdown]
"""
### Exercise 10: the threshold is the staffing plan (2 points)

*Stuck? `hint("w01-call-threshold")`*

*About 79 min from the start.*

Nobody at Lakeshore knows what a risk of 0.37 means, but everybody knows what 15 calls mean. Turn one into the other: the **lowest risk that still gets a call**, when the nurse line can make `calls_per_day` calls and calls the riskiest first.

`np.sort(risk)` sorts from small to large; `[-1]` is the last of a list, `[-2]` the one before.
"""


# %% exercise="w01-call-threshold" skills="P2"
def call_threshold(risk, calls_per_day):
    """Lowest risk that still gets a call when the riskiest `calls_per_day` patients are called.

    risk: array of shape (n_patients,), no two values equal, between 0 and 1.
    calls_per_day: whole number from 1 to n_patients.
    Returns a float. Example: risks 0.1, 0.9, 0.4 and 2 calls -> 0.4
    """
    ### BEGIN SOLUTION
    return float(np.sort(risk)[-calls_per_day])
    ### END SOLUTION


# %% check="w01-call-threshold" points=2
risk = np.array([0.12, 0.81, 0.33, 0.07, 0.64, 0.29, 0.45, 0.18])
threshold = call_threshold(risk, 3)
assert threshold is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert risk[0] == 0.12, "Your function changed the order of the array it was given; np.sort makes a sorted copy."
flagged = int((risk >= threshold).sum())
assert not np.isclose(threshold, np.sort(risk)[2]), (
    f"Your threshold is {threshold}, and {flagged} patients get a call. You counted from the lowest risk; count from the highest."
)
assert flagged == 3, (
    f"With the threshold {threshold}, {flagged} patients are at or above it; the nurse line can make 3 calls."
)
assert threshold in risk, (
    f"{threshold} is nobody's risk. The threshold is the risk of the last patient who still gets a call."
)
print("Passed. The roster sets the threshold, not the other way round.")
### BEGIN HIDDEN TESTS
_risk = np.random.default_rng(8).random(400)
for _calls in (1, 15, 400):
    _flagged = int((_risk >= call_threshold(_risk, _calls)).sum())
    assert _flagged == _calls, (
        f"With 400 patients and {_calls} calls a day, {_flagged} get a call; use `calls_per_day`."
    )
### END HIDDEN TESTS

# %% [markdown] hint="w01-call-threshold"
"""
1. Line the patients up by risk. With 3 calls, the third from the top gets the last call: you want that patient's risk.
2. `np.sort` puts the highest last, and `[-1]` is the last. What goes into the brackets for `calls_per_day` calls?
3. Check with the example: risks 0.1, 0.4, 0.9 and two calls give 0.4. Lesson, section 6.
"""

# %% [markdown]
"""
### Exercise 11: how many calls are worth making? (1 point)

*Stuck? `hint("w01-best-calls")`*

*About 84 min from the start.*

The nurse manager asks whether more calls a day would pay. Each further call is a little less likely to be worth it; you saw the curve. So put money on it. The table `plan` has one row for each number of calls a day: `calls`, and `reached`, how many of them go to somebody who would stay away. A visit that is kept after all is worth `value`, a call costs `cost`, and a call keeps only a part of those it reaches, `kept`.

Net benefit of a row: reached × kept × value − calls × cost, where reached and calls are the columns `plan["reached"]` and `plan["calls"]`. Which number of calls has the highest one? `net.idxmax()` is the row name of the largest value, and `plan.loc[row, "calls"]` reads one cell. (Value, cost and the share kept are assumptions of the nurse line, not facts; in week 7 you measure the last one.)
"""


# %% exercise="w01-best-calls" skills="P2"
def best_number_of_calls(plan, value, cost, kept):
    """Number of calls a day with the highest net benefit.

    plan: table with columns `calls` and `reached` (both per day), one row per plan, any index.
    value, cost: money per kept visit and per call; kept: share of the reached who come after all, 0 to 1.
    Returns a whole number out of the column `calls`.
    """
    ### BEGIN SOLUTION
    net = plan["reached"] * kept * value - plan["calls"] * cost
    return int(plan.loc[net.idxmax(), "calls"])
    ### END SOLUTION


# %% check="w01-best-calls" points=1
plan = pd.DataFrame({"calls": [5, 10, 20, 40], "reached": [3.0, 5.0, 8.0, 11.0]}, index=list("abcd"))
best = best_number_of_calls(plan, value=100, cost=8, kept=0.4)
assert best is not None, "Your function gives nothing back. Does its last line begin with `return`?"
assert best != 40, "40 calls reach the most people. Do the last 20 calls pay for themselves? Take the cost off, and count only the share kept."
assert best in set(plan["calls"]), f"You returned {best}; return the number of calls of the best row, not its name or its benefit."
assert best == 20, f"You returned {best}. Net benefit of the four rows: 80, 120, 160, 120. Which row is that, and how many calls has it?"
print("Passed. At these prices further calls are worth their money up to 20 a day.")
### BEGIN HIDDEN TESTS
assert best_number_of_calls(plan, value=100, cost=25, kept=0.4) == 5, "When calls cost more, fewer are worth it; use `cost`."
assert best_number_of_calls(plan, value=400, cost=8, kept=0.4) == 40, "When a kept visit is worth more, more calls pay; use `value`."
assert best_number_of_calls(plan, value=100, cost=8, kept=0.25) == 10, "When fewer of the reached come, fewer calls pay; use `kept`."
_plan = pd.DataFrame({"calls": [30, 60, 90], "reached": [9.0, 30.0, 33.0]}, index=[1, 0, 2])
_best = best_number_of_calls(_plan, value=100, cost=8, kept=0.4)
assert _best == 60, f"On another table, with rows named 1, 0 and 2, you returned {_best}; its benefits are 120, 720 and 600. Work on the `plan` that is passed in."
### END HIDDEN TESTS

# %% [markdown] hint="w01-best-calls"
"""
1. Two lines: `net = ...` is a column with the benefit of each row, and the second line looks up the row where it is largest.
2. Write the formula of the text with `plan["reached"]` and `plan["calls"]` in it; pandas does it for all rows at once.
3. `row = net.idxmax()`, then `return plan.loc[row, "calls"]`. The idea behind it is section 6 of the lesson.
"""

# %% [markdown]
"""
## Where you stand

You now own every piece of a call list: what counts as a miss, a test that cannot flatter, two ways in which a table sees the future, and a threshold in the unit the nurse line thinks in.

Press **Check my work** above this notebook: it runs all checks of the week, hidden ones included, and keeps what is verified. (Without JupyterLab's button: `from carelab.learner import check_week; check_week(1)` in a cell of its own.)

Next: [the project](project.ipynb), where these pieces become a policy that somebody signs.
"""
