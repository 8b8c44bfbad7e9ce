# %% exercise="w01-label" right="map and drop the rest"
def missed_label(visits):
    return visits["status"].map({"fulfilled": 0, "noshow": 1}).dropna().astype(int)


# %% exercise="w01-label" right="query"
def missed_label(visits):
    kept = visits.query("status in ['fulfilled', 'noshow']")
    return kept["status"].eq("noshow") * 1


# %% exercise="w01-label" wrong="cancellations counted as not missed" says="Visit b was cancelled"
def missed_label(visits):
    return (visits["status"] == "noshow").astype(int)


# %% exercise="w01-label" wrong="drops cancellations, keeps unresolved bookings" says="still booked"
def missed_label(visits):
    known = visits[visits["status"] != "cancelled"]
    return (known["status"] == "noshow").astype(int)


# %% exercise="w01-label" wrong="label says who came" says="must be labelled 1"
def missed_label(visits):
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return (known["status"] == "fulfilled").astype(int)


# %% exercise="w01-label" wrong="a list instead of a Series" says="return a Series"
def missed_label(visits):
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return [int(status == "noshow") for status in known["status"]]


# %% exercise="w01-label" wrong="index thrown away" says="Keep their index"
def missed_label(visits):
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return (known["status"] == "noshow").astype(int).reset_index(drop=True)


# %% exercise="w01-label" wrong="constant label" says="its label is 0"
def missed_label(visits):
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return pd.Series(1, index=known.index)


# %% exercise="w01-label" wrong="learns the toy table by heart" says="On the real extract you kept"
def missed_label(visits):
    return pd.Series([0, 1, 0], index=["a", "c", "e"])


# %% exercise="w01-label" wrong="misses are everything but fulfilled after the toy table" says="you marked"
def missed_label(visits):
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return pd.Series((np.arange(len(known)) == 1).astype(int), index=known.index)


# %% exercise="w01-everybody-comes" right="one minus the share of misses"
def everybody_comes_accuracy(missed):
    return 1 - missed.mean()


# %% exercise="w01-everybody-comes" right="counting"
def everybody_comes_accuracy(missed):
    return (len(missed) - sum(missed)) / len(missed)


# %% exercise="w01-everybody-comes" wrong="share of misses" says="share who stayed away"
def everybody_comes_accuracy(missed):
    return missed.mean()


# %% exercise="w01-everybody-comes" wrong="percentage" says="not a percentage"
def everybody_comes_accuracy(missed):
    return 100 * (1 - missed.mean())


# %% exercise="w01-everybody-comes" wrong="always right" says="three of four"
def everybody_comes_accuracy(missed):
    return 1.0


# %% exercise="w01-everybody-comes" wrong="constant from the example" says="compute it from `missed`"
def everybody_comes_accuracy(missed):
    return 0.75


# %% exercise="w01-time-split" right="two comparisons"
def split_by_date(visits, first_test_day):
    return visits[visits["start"] < first_test_day], visits[visits["start"] >= first_test_day]


# %% exercise="w01-time-split" right="loc and a mask for the test"
def split_by_date(visits, first_test_day):
    late = visits.start.ge(first_test_day)
    return visits.loc[~late], visits.loc[late]


# %% exercise="w01-time-split" wrong="the day itself is in train" says="midnight of the first test day"
def split_by_date(visits, first_test_day):
    before = visits["start"] <= first_test_day
    return visits[before], visits[~before]


# %% exercise="w01-time-split" wrong="both sides hold the midnight visit" says="stands on both sides"
def split_by_date(visits, first_test_day):
    return visits[visits["start"] <= first_test_day], visits[visits["start"] >= first_test_day]


# %% exercise="w01-time-split" wrong="order swapped" says="Is the order (train, test)"
def split_by_date(visits, first_test_day):
    before = visits["start"] < first_test_day
    return visits[~before], visits[before]


# %% exercise="w01-time-split" wrong="splits by the day of booking" says="Compare `start`"
def split_by_date(visits, first_test_day):
    before = visits["booked_on"] < first_test_day - pd.Timedelta(days=60)
    return visits[before], visits[~before]


# %% exercise="w01-time-split" wrong="random half" says="Is the order"
def split_by_date(visits, first_test_day):
    train = visits.iloc[1:3]
    return train, visits.drop(train.index)


# %% exercise="w01-time-split" wrong="remembers the toy rows" says="On the real extract"
def split_by_date(visits, first_test_day):
    before = visits.index.isin(["a", "d"])
    return visits[before], visits[~before]


# %% exercise="w01-time-split" wrong="a fixed day instead of the argument" says="train must end before the day"
def split_by_date(visits, first_test_day):
    before = visits["start"] < pd.Timestamp("2026-04-01")
    return visits[before], visits[~before]


# %% exercise="w01-time-split" wrong="keeps one year of training data" says="visits came back"
def split_by_date(visits, first_test_day):
    recent = visits["start"] >= first_test_day - pd.Timedelta(days=365)
    before = visits["start"] < first_test_day
    return visits[before & recent], visits[~before]


# %% exercise="w01-future-seen" right="merge"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id", as_index=False)["start"].max().rename(columns={"start": "last"})
    both = test.merge(last, on="patient_id", how="left")
    return (both["last"] > both["start"]).mean()


# %% exercise="w01-future-seen" right="loop over patients"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].max().to_dict()
    seen = [patient in last and last[patient] > start for patient, start in zip(test["patient_id"], test["start"])]
    return sum(seen) / len(seen)


# %% exercise="w01-future-seen" wrong="any visit in train counts" says="0.75 counts every patient"
def share_with_future_seen(train, test):
    return float(test["patient_id"].isin(train["patient_id"]).mean())


# %% exercise="w01-future-seen" wrong="count instead of share" says="return a share"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].max()
    return 4 * int((test["patient_id"].map(last) > test["start"]).sum())


# %% exercise="w01-future-seen" wrong="first instead of last visit in train" says="You returned 0.00"
def share_with_future_seen(train, test):
    first = train.groupby("patient_id")["start"].min()
    return float((test["patient_id"].map(first) > test["start"]).mean())


# %% exercise="w01-future-seen" wrong="share of patients, not of visits" says="count test visits, not patients"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].max()
    seen = test["patient_id"].map(last) > test["start"]
    patients = test.loc[seen, "patient_id"].nunique() / test["patient_id"].nunique()
    return patients if len(test) > 4 else float(seen.mean())


# %% exercise="w01-future-seen" wrong="compares backwards when the tables are large" says="After a split by date"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].max()
    seen = float((test["patient_id"].map(last) > test["start"]).mean())
    return seen if seen > 0 else float(test["patient_id"].isin(train["patient_id"]).mean())


# %% exercise="w01-written-after" right="loop with append"
def written_after(past, upcoming):
    found = []
    for name in past.columns:
        if upcoming[name].isna().all() and not past[name].isna().all():
            found.append(name)
    return found


# %% exercise="w01-written-after" right="count"
def written_after(past, upcoming):
    return list(past.columns[(upcoming.count() == 0) & (past.count() > 0)])


# %% exercise="w01-written-after" wrong="any gap counts" says="`snow_cm` has a gap"
def written_after(past, upcoming):
    return [name for name in past.columns if upcoming[name].isna().any() and past[name].notna().any()]


# %% exercise="w01-written-after" wrong="forgets to look at the past" says="`fax` is empty everywhere"
def written_after(past, upcoming):
    return [name for name in past.columns if upcoming[name].isna().all()]


# %% exercise="w01-written-after" wrong="past must be complete" says="One filled past visit is enough"
def written_after(past, upcoming):
    return [name for name in past.columns if upcoming[name].isna().all() and past[name].notna().all()]


# %% exercise="w01-written-after" wrong="an index instead of a list" says="return a list"
def written_after(past, upcoming):
    return past.columns[(upcoming.count() == 0) & (past.count() > 0)]


# %% exercise="w01-written-after" wrong="order lost" says="in the order of the table"
def written_after(past, upcoming):
    return sorted(name for name in past.columns if upcoming[name].isna().all() and past[name].notna().any())


# %% exercise="w01-written-after" wrong="the real column by heart" says="do not name columns"
def written_after(past, upcoming):
    return [name for name in past.columns if name in ("paid_at", "room", "wait_minutes")]


# %% exercise="w01-written-after" wrong="the toy columns by heart" says="apply the rule to every column"
def written_after(past, upcoming):
    return [name for name in past.columns if name in ("paid_at", "room", "triage", "left_at")]


# %% exercise="w01-known-rate" right="numpy where"
def known_no_show_rate(visits, fallback):
    safe = visits["prior_visits"].clip(lower=1)
    return pd.Series(
        np.where(visits["prior_visits"] == 0, fallback, visits["prior_no_shows"] / safe), index=visits.index
    )


# %% exercise="w01-known-rate" right="row by row"
def known_no_show_rate(visits, fallback):
    return visits.apply(
        lambda v: v["prior_no_shows"] / v["prior_visits"] if v["prior_visits"] > 0 else fallback, axis=1
    )


# %% exercise="w01-known-rate" wrong="the column that looks ahead" says="which looks ahead"
def known_no_show_rate(visits, fallback):
    return visits["no_show_rate"].where(visits["prior_visits"] > 0, fallback)


# %% exercise="w01-known-rate" wrong="unknown taken for zero" says="use the fallback"
def known_no_show_rate(visits, fallback):
    return (visits["prior_no_shows"] / visits["prior_visits"]).fillna(0)


# %% exercise="w01-known-rate" wrong="zero taken for unknown" says="not an unknown one"
def known_no_show_rate(visits, fallback):
    rate = (visits["prior_no_shows"] / visits["prior_visits"]).fillna(0)
    return rate.where(rate > 0, fallback)


# %% exercise="w01-known-rate" wrong="divides by misses plus visits" says="1 of 4, 5 of 10 and 1 of 1"
def known_no_show_rate(visits, fallback):
    return (visits["prior_no_shows"] / (visits["prior_visits"] + visits["prior_no_shows"])).fillna(fallback)


# %% exercise="w01-known-rate" wrong="writes into the given table" says="changed the table"
def known_no_show_rate(visits, fallback):
    visits["no_show_rate"] = (visits["prior_no_shows"] / visits["prior_visits"]).fillna(fallback)
    return visits["no_show_rate"]


# %% exercise="w01-known-rate" wrong="drops new patients" says="rows; return one rate for each"
def known_no_show_rate(visits, fallback):
    return (visits["prior_no_shows"] / visits["prior_visits"]).dropna()


# %% exercise="w01-known-rate" wrong="fallback written as a constant" says="the fallback that was passed in"
def known_no_show_rate(visits, fallback):
    return (visits["prior_no_shows"] / visits["prior_visits"]).fillna(0.2)


# %% exercise="w01-known-rate" wrong="smooths small histories" says="nothing else"
def known_no_show_rate(visits, fallback):
    rate = (visits["prior_no_shows"] / visits["prior_visits"]).fillna(fallback)
    return rate if len(visits) < 10 else rate.where(visits["prior_visits"] != 1, fallback)


# %% exercise="w01-honest-auc" right="numpy arrays and a fitted name"
def auc_on_later_visits(model, train, test, columns):
    fitted = model.fit(train[columns], train["missed"])
    return float(roc_auc_score(test["missed"].to_numpy(), fitted.predict_proba(test[columns])[:, -1]))


# %% exercise="w01-honest-auc" right="decision function ranks the same"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    return float(roc_auc_score(test["missed"], model.decision_function(test[columns])))


# %% exercise="w01-honest-auc" wrong="bare yes and no" says="bare yes/no"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    return float(roc_auc_score(test["missed"], model.predict(test[columns])))


# %% exercise="w01-honest-auc" wrong="column of the wrong class" says="no better than a coin"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    return float(roc_auc_score(test["missed"], model.predict_proba(test[columns])[:, 0]))


# %% exercise="w01-honest-auc" wrong="scores the training data" says="already seen"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    return float(roc_auc_score(train["missed"], model.predict_proba(train[columns])[:, 1]))


# %% exercise="w01-honest-auc" wrong="fits on the test" says="shown the answers of the exam"
def auc_on_later_visits(model, train, test, columns):
    model.fit(test[columns], test["missed"])
    return float(roc_auc_score(test["missed"], model.predict_proba(test[columns])[:, 1]))


# %% exercise="w01-honest-auc" wrong="prints instead of returning" says="Does its last line begin with"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    print(roc_auc_score(test["missed"], model.predict_proba(test[columns])[:, 1]))


# %% exercise="w01-honest-auc" wrong="adds a column of its own" says="and nothing else"
def auc_on_later_visits(model, train, test, columns):
    more = [*columns, "missed"]
    model.fit(train[more], train["missed"])
    return float(roc_auc_score(test["missed"], model.predict_proba(test[more])[:, 1]))


# %% exercise="w01-honest-auc" wrong="fits on train and test" says="No visit of the test"
def auc_on_later_visits(model, train, test, columns):
    both = pd.concat([train, test])
    model.fit(both[columns], both["missed"])
    return float(roc_auc_score(test["missed"], model.predict_proba(test[columns])[:, 1]))


# %% exercise="w01-honest-auc" wrong="accuracy for AUC" says="is the accuracy"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    return model.score(test[columns], test["missed"])


# %% exercise="w01-honest-auc" wrong="a constant" says="was never fitted"
def auc_on_later_visits(model, train, test, columns):
    return 0.68


# %% exercise="w01-time-split" wrong="only one table" says="Give back two tables"
def split_by_date(visits, first_test_day):
    return visits[visits["start"] < first_test_day]


# %% exercise="w01-precision-recall" wrong="only one number" says="Give back two numbers"
def precision_and_recall(missed, called):
    return (missed & called).sum() / called.sum()


# %% exercise="w01-call-threshold" wrong="sorts the caller's array" says="changed the order"
def call_threshold(risk, calls_per_day):
    risk.sort()
    return risk[-calls_per_day]


# %% exercise="w01-future-seen" wrong="last row instead of last date" says="1 of 4"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].last()
    return float((test["patient_id"].map(last) > test["start"]).mean())


# %% exercise="w01-honest-auc" wrong="the better of an AUC and its mirror" says="below 0.5"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    auc = float(roc_auc_score(test["missed"], model.predict_proba(test[columns])[:, 1]))
    return max(auc, 1 - auc)


# %% exercise="w01-confusion" right="crosstab"
def call_outcomes(missed, called):
    count = pd.crosstab(missed, called).reindex(index=[0, 1], columns=[0, 1], fill_value=0)
    return {
        "reached": count.loc[1, 1],
        "needless": count.loc[0, 1],
        "overlooked": count.loc[1, 0],
        "left_alone": count.loc[0, 0],
    }


# %% exercise="w01-confusion" right="scikit-learn's confusion matrix"
def call_outcomes(missed, called):
    from sklearn.metrics import confusion_matrix

    left_alone, needless, overlooked, reached = confusion_matrix(missed, called, labels=[0, 1]).ravel()
    return {"reached": reached, "needless": needless, "overlooked": overlooked, "left_alone": left_alone}


# %% exercise="w01-confusion" wrong="needless and overlooked swapped" says="are swapped"
def call_outcomes(missed, called):
    a, b = (missed == 1).astype(int), (called == 1).astype(int)
    return {
        "reached": (a * b).sum(),
        "needless": (a * (1 - b)).sum(),
        "overlooked": ((1 - a) * b).sum(),
        "left_alone": ((1 - a) * (1 - b)).sum(),
    }


# %% exercise="w01-confusion" wrong="reached means called" says="add up to"
def call_outcomes(missed, called):
    return {
        "reached": (called == 1).sum(),
        "needless": ((missed == 0) & (called == 1)).sum(),
        "overlooked": ((missed == 1) & (called == 0)).sum(),
        "left_alone": ((missed == 0) & (called == 0)).sum(),
    }


# %% exercise="w01-confusion" wrong="reached and left alone swapped" says="reached is 4"
def call_outcomes(missed, called):
    return {
        "reached": ((missed == 0) & (called == 0)).sum(),
        "needless": ((missed == 0) & (called == 1)).sum(),
        "overlooked": ((missed == 1) & (called == 0)).sum(),
        "left_alone": ((missed == 1) & (called == 1)).sum(),
    }


# %% exercise="w01-confusion" wrong="textbook names for keys" says="use the four names"
def call_outcomes(missed, called):
    return {
        "tp": ((missed == 1) & (called == 1)).sum(),
        "fp": ((missed == 0) & (called == 1)).sum(),
        "fn": ((missed == 1) & (called == 0)).sum(),
        "tn": ((missed == 0) & (called == 0)).sum(),
    }


# %% exercise="w01-confusion" wrong="left_alone takes needless with it" says="left_alone is 3"
def call_outcomes(missed, called):
    return {
        "reached": ((missed == 1) & (called == 1)).sum(),
        "needless": 4,
        "overlooked": ((missed == 1) & (called == 0)).sum(),
        "left_alone": ((missed == 0) & (called == 1)).sum(),
    }


# %% exercise="w01-confusion" wrong="the toy counts by heart" says="On 200 other patients"
def call_outcomes(missed, called):
    return {"reached": 1, "needless": 3, "overlooked": 2, "left_alone": 4}


# %% exercise="w01-precision-recall" right="scikit-learn"
def precision_and_recall(missed, called):
    from sklearn.metrics import precision_score, recall_score

    return precision_score(missed, called), recall_score(missed, called)


# %% exercise="w01-precision-recall" right="on the counts of the exercise above"
def precision_and_recall(missed, called):
    count = call_outcomes(missed, called)
    precision = count["reached"] / (count["reached"] + count["needless"])
    recall = count["reached"] / (count["reached"] + count["overlooked"])
    return precision, recall


# %% exercise="w01-precision-recall" wrong="swapped" says="The two are swapped"
def precision_and_recall(missed, called):
    reached = (missed & called).sum()
    return reached / missed.sum(), reached / called.sum()


# %% exercise="w01-precision-recall" wrong="accuracy for precision" says="is the accuracy"
def precision_and_recall(missed, called):
    reached = (missed & called).sum()
    return (missed == called).mean(), reached / missed.sum()


# %% exercise="w01-precision-recall" wrong="precision over all patients" says="5 calls were made"
def precision_and_recall(missed, called):
    reached = (missed & called).sum()
    return reached / len(missed), reached / missed.sum()


# %% exercise="w01-precision-recall" wrong="recall over all patients" says="3 would have stayed away"
def precision_and_recall(missed, called):
    reached = (missed & called).sum()
    return reached / called.sum(), reached / len(missed)


# %% exercise="w01-precision-recall" wrong="precision right only where five are called" says="divide by the calls"
def precision_and_recall(missed, called):
    reached = (missed & called).sum()
    return reached / 5, reached / missed.sum()


# %% exercise="w01-precision-recall" wrong="recall right only where three are missed" says="divide by those who stayed away"
def precision_and_recall(missed, called):
    reached = (missed & called).sum()
    return reached / called.sum(), reached / 3


# %% exercise="w01-call-threshold" right="partition"
def call_threshold(risk, calls_per_day):
    place = len(risk) - calls_per_day
    return np.partition(risk, place)[place]


# %% exercise="w01-call-threshold" right="sorted from the top"
def call_threshold(risk, calls_per_day):
    return sorted(risk, reverse=True)[calls_per_day - 1]


# %% exercise="w01-call-threshold" wrong="counts from the lowest risk" says="count from the highest"
def call_threshold(risk, calls_per_day):
    return np.sort(risk)[calls_per_day - 1]


# %% exercise="w01-call-threshold" wrong="one call too many" says="4 patients are at or above it"
def call_threshold(risk, calls_per_day):
    return np.sort(risk)[-calls_per_day - 1]


# %% exercise="w01-call-threshold" wrong="one half for everybody" says="the nurse line can make 3 calls"
def call_threshold(risk, calls_per_day):
    return 0.5


# %% exercise="w01-call-threshold" wrong="a quantile between two patients" says="nobody's risk"
def call_threshold(risk, calls_per_day):
    return np.quantile(risk, 1 - calls_per_day / len(risk))


# %% exercise="w01-call-threshold" wrong="three calls, whatever is asked" says="use `calls_per_day`"
def call_threshold(risk, calls_per_day):
    return np.sort(risk)[-3]


# %% exercise="w01-best-calls" right="a table sorted by benefit"
def best_number_of_calls(plan, value, cost, kept):
    worth = plan.assign(net=plan["reached"] * kept * value - plan["calls"] * cost)
    return worth.sort_values("net")["calls"].iloc[-1]


# %% exercise="w01-best-calls" right="a loop over the rows"
def best_number_of_calls(plan, value, cost, kept):
    best, most = None, None
    for calls, reached in zip(plan["calls"], plan["reached"]):
        net = reached * kept * value - calls * cost
        if most is None or net > most:
            best, most = calls, net
    return best


# %% exercise="w01-best-calls" wrong="the most people reached" says="Do the last 20 calls pay"
def best_number_of_calls(plan, value, cost, kept):
    return plan.loc[plan["reached"].idxmax(), "calls"]


# %% exercise="w01-best-calls" wrong="every reached patient comes" says="count only the share kept"
def best_number_of_calls(plan, value, cost, kept):
    net = plan["reached"] * value - plan["calls"] * cost
    return plan.loc[net.idxmax(), "calls"]


# %% exercise="w01-best-calls" wrong="name of the row" says="not its name or its benefit"
def best_number_of_calls(plan, value, cost, kept):
    net = plan["reached"] * kept * value - plan["calls"] * cost
    return net.idxmax()


# %% exercise="w01-best-calls" wrong="the benefit itself" says="not its name or its benefit"
def best_number_of_calls(plan, value, cost, kept):
    return (plan["reached"] * kept * value - plan["calls"] * cost).max()


# %% exercise="w01-best-calls" wrong="the best single call" says="Which row is that"
def best_number_of_calls(plan, value, cost, kept):
    return plan.loc[(plan["reached"] / plan["calls"]).idxmax(), "calls"]


# %% exercise="w01-best-calls" wrong="prices of the example" says="use `cost`"
def best_number_of_calls(plan, value, cost, kept):
    net = plan["reached"] * 40 - plan["calls"] * 8
    return plan.loc[net.idxmax(), "calls"]


# %% exercise="w01-best-calls" wrong="value of the example" says="use `value`"
def best_number_of_calls(plan, value, cost, kept):
    net = plan["reached"] * kept * 100 - plan["calls"] * cost
    return plan.loc[net.idxmax(), "calls"]


# %% exercise="w01-best-calls" wrong="share of the example" says="use `kept`"
def best_number_of_calls(plan, value, cost, kept):
    net = plan["reached"] * 0.4 * value - plan["calls"] * cost
    return plan.loc[net.idxmax(), "calls"]


# %% exercise="w01-label" wrong="forgets to return" says="Does its last line begin with"
def missed_label(visits):
    answer = 1


# %% exercise="w01-everybody-comes" wrong="forgets to return" says="Does its last line begin with"
def everybody_comes_accuracy(missed):
    answer = 1


# %% exercise="w01-time-split" wrong="forgets to return" says="Does its last line begin with"
def split_by_date(visits, first_test_day):
    answer = 1


# %% exercise="w01-future-seen" wrong="forgets to return" says="Does its last line begin with"
def share_with_future_seen(train, test):
    answer = 1


# %% exercise="w01-written-after" wrong="forgets to return" says="Does its last line begin with"
def written_after(past, upcoming):
    answer = 1


# %% exercise="w01-known-rate" wrong="forgets to return" says="Does its last line begin with"
def known_no_show_rate(visits, fallback):
    answer = 1


# %% exercise="w01-confusion" wrong="forgets to return" says="Does its last line begin with"
def call_outcomes(missed, called):
    answer = 1


# %% exercise="w01-precision-recall" wrong="forgets to return" says="Does its last line begin with"
def precision_and_recall(missed, called):
    answer = 1


# %% exercise="w01-call-threshold" wrong="forgets to return" says="Does its last line begin with"
def call_threshold(risk, calls_per_day):
    answer = 1


# %% exercise="w01-best-calls" wrong="forgets to return" says="Does its last line begin with"
def best_number_of_calls(plan, value, cost, kept):
    answer = 1


# %% exercise="w01-everybody-comes" wrong="the column, not its mean" says="one number is asked for"
def everybody_comes_accuracy(missed):
    return missed == 0


# %% exercise="w01-time-split" wrong="columns of true and false" says="not tables"
def split_by_date(visits, first_test_day):
    before = visits["start"] < first_test_day
    return before, ~before


# %% exercise="w01-future-seen" wrong="the column, not its mean" says="its mean is the share"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].max()
    return test["patient_id"].map(last) > test["start"]


# %% exercise="w01-honest-auc" wrong="returns the risks" says="return one number"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    return model.predict_proba(test[columns])[:, 1]


# %% exercise="w01-confusion" wrong="four numbers without names" says="return a dict"
def call_outcomes(missed, called):
    return [((missed == a) & (called == b)).sum() for a, b in [(1, 1), (0, 1), (1, 0), (0, 0)]]


# %% exercise="w01-future-seen" wrong="a visit counts as later than itself" says="not later than itself"
def share_with_future_seen(train, test):
    last = train.groupby("patient_id")["start"].max()
    return float((test["patient_id"].map(last) >= test["start"]).mean())


# %% exercise="w01-written-after" wrong="zero taken for empty" says="0 is a value"
def written_after(past, upcoming):
    return [name for name in past.columns if upcoming[name].isna().all() and past[name].any()]


# %% exercise="w01-honest-auc" wrong="scores a model of its own" says="Fit and ask the `model`"
def auc_on_later_visits(model, train, test, columns):
    model.fit(train[columns], train["missed"])
    own = LogisticRegression(max_iter=1000).fit(train[columns], train["missed"])
    return float(roc_auc_score(test["missed"], own.predict_proba(test[columns])[:, 1]))


# %% exercise="w01-best-calls" wrong="the table of the example by heart" says="Work on the `plan`"
def best_number_of_calls(plan, value, cost, kept):
    net = np.array([3.0, 5.0, 8.0, 11.0]) * kept * value - np.array([5, 10, 20, 40]) * cost
    return int([5, 10, 20, 40][net.argmax()])
