# %% exercise="w03-in-time" right="difference of the times"
def in_time(alerts):
    left = alerts["met_at"] - alerts["fired_at"]
    return (left > pd.Timedelta(0)) & (alerts["lactate_ordered"] == False)  # noqa: E712


# %% exercise="w03-in-time" right="three questions written out"
def in_time(alerts):
    sick = alerts["met_at"].notna()
    return sick & alerts["met_at"].gt(alerts["fired_at"]) & ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="forgets to return" says="Does its last line begin with"
def in_time(alerts):
    good = (alerts["fired_at"] < alerts["met_at"]) & ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="a share instead of a column" says="one column of true and false"
def in_time(alerts):
    return float(((alerts["fired_at"] < alerts["met_at"]) & ~alerts["lactate_ordered"]).mean())


# %% exercise="w03-in-time" wrong="only the good rows" says="one value for each of the 7 alerts"
def in_time(alerts):
    good = (alerts["fired_at"] < alerts["met_at"]) & ~alerts["lactate_ordered"]
    return good[good]


# %% exercise="w03-in-time" wrong="no brackets around the comparison" says="Put brackets around the comparison"
def in_time(alerts):
    return alerts["fired_at"] < alerts["met_at"] & ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="and between columns" says="are for single values"
def in_time(alerts):
    return (alerts["fired_at"] < alerts["met_at"]) and ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="no brackets around the second comparison" says="brackets around each comparison"
def in_time(alerts):
    return (alerts["fired_at"] < alerts["met_at"]) & alerts["lactate_ordered"] == False  # noqa: E712


# %% exercise="w03-in-time" wrong="every alert before suspicion" says="that stay never deteriorated"
def in_time(alerts):
    return ~alerts["lactate_ordered"] & ~(alerts["fired_at"] >= alerts["met_at"])


# %% exercise="w03-in-time" wrong="suspicion ignored" says="the team probably suspected it already"
def in_time(alerts):
    return alerts["fired_at"] < alerts["met_at"]


# %% exercise="w03-in-time" wrong="any alert of a stay that deteriorates" says="a report, not a warning"
def in_time(alerts):
    return alerts["met_at"].notna() & ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="the minute itself counts" says="In time means earlier"
def in_time(alerts):
    return (alerts["fired_at"] <= alerts["met_at"]) & ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="only what was suspected" says="it is in time"
def in_time(alerts):
    return (alerts["fired_at"] > alerts["met_at"]) & alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="a window of 24 hours" says="any time before counts"
def in_time(alerts):
    left = alerts["met_at"] - alerts["fired_at"]
    return (left > pd.Timedelta(0)) & (left <= pd.Timedelta(hours=24)) & ~alerts["lactate_ordered"]


# %% exercise="w03-in-time" wrong="a horizon of four days" says="however long before the event"
def in_time(alerts):
    left = alerts["met_at"] - alerts["fired_at"]
    return (left > pd.Timedelta(0)) & (left <= pd.Timedelta(days=4)) & ~alerts["lactate_ordered"]


# %% exercise="w03-alert-counts" right="sets"
def alert_figures(stays, alerts):
    found = set(alerts["stay_id"][alerts["in_time"]])
    sick = set(stays["stay_id"][stays["deteriorated"]])
    return {
        "sensitivity": len(found & sick) / len(sick),
        "ppv": len(found) / len(set(alerts["stay_id"])),
        "alerts_per_found": len(alerts) / len(found),
    }


# %% exercise="w03-alert-counts" right="groupby"
def alert_figures(stays, alerts):
    hit = alerts.groupby("stay_id")["in_time"].any()
    sensitivity = hit.sum() / stays["deteriorated"].sum()
    return dict(sensitivity=sensitivity, ppv=hit.mean(), alerts_per_found=alerts.shape[0] / hit.sum())


# %% exercise="w03-alert-counts" wrong="forgets to return" says="Does its last line begin with"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()


# %% exercise="w03-alert-counts" wrong="three numbers without names" says="Give back a dict"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return found / stays["deteriorated"].sum(), found / alerts["stay_id"].nunique(), len(alerts) / found


# %% exercise="w03-alert-counts" wrong="counts alerts in time" says="count stays with nunique"
def alert_figures(stays, alerts):
    found = alerts["in_time"].sum()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / len(alerts),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="the first alert of each stay only" says="one alert in time is enough"
def alert_figures(stays, alerts):
    found = alerts.drop_duplicates("stay_id")["in_time"].sum()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="the last alert of each stay only" says="one alert in time is enough"
def alert_figures(stays, alerts):
    found = alerts.drop_duplicates("stay_id", keep="last")["in_time"].sum()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="different values of in_time" says="then count their `stay_id`"
def alert_figures(stays, alerts):
    found = alerts["in_time"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="nunique of true and false" says="counts the stays that deteriorated"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].nunique(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="any alert of a deteriorating stay" says="counts stay c as found"
def alert_figures(stays, alerts):
    sick = stays.loc[stays["deteriorated"], "stay_id"]
    found = sick.isin(alerts["stay_id"]).sum()
    return {
        "sensitivity": found / len(sick),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="sensitivity over all stays" says="three (a, b and d) have an alert in time"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / len(stays),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="PPV per alert" says="is the share of alerts"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": alerts["in_time"].mean(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="PPV of the vendor's kind" says="takes in stay c"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    sick = stays.loc[stays["deteriorated"], "stay_id"]
    return {
        "sensitivity": found / len(sick),
        "ppv": sick.isin(alerts["stay_id"]).sum() / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="PPV over all stays" says="Eight stays alerted"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / len(stays),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="stays per stay found" says="Sixteen alerts were shown"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": alerts["stay_id"].nunique() / found,
    }


# %% exercise="w03-alert-counts" wrong="sensitivity right only where six deteriorate" says="silent ones too"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / 6,
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="PPV right only where eight alert" says="divide by the stays with any alert"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / 8,
        "alerts_per_found": len(alerts) / found,
    }


# %% exercise="w03-alert-counts" wrong="the sixteen alerts of the example" says="divide all alerts by the stays found"
def alert_figures(stays, alerts):
    found = alerts.loc[alerts["in_time"], "stay_id"].nunique()
    return {
        "sensitivity": found / stays["deteriorated"].sum(),
        "ppv": found / alerts["stay_id"].nunique(),
        "alerts_per_found": 16 / found,
    }


# %% exercise="w03-calibration" right="numpy on sorted patients"
def calibration_table(risk, happened, bins):
    parts = np.array_split(np.argsort(risk.to_numpy()), bins)
    rows = [(len(p), risk.to_numpy()[p].mean(), happened.to_numpy()[p].mean()) for p in parts]
    return pd.DataFrame(rows, columns=["n", "stated", "observed"])


# %% exercise="w03-calibration" right="groups by rank"
def calibration_table(risk, happened, bins):
    group = (risk.rank(method="first") - 1) * bins // len(risk)
    table = pd.DataFrame({"stated": risk.groupby(group).mean(), "observed": happened.groupby(group).mean()})
    return table.assign(n=risk.groupby(group).size())


# %% exercise="w03-calibration" wrong="forgets to return" says="Does its last line begin with"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})


# %% exercise="w03-calibration" wrong="columns with the old names" says="Return a table with the columns"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    return table.groupby(pd.qcut(risk, bins, labels=False)).mean()


# %% exercise="w03-calibration" wrong="group in quotes" says="without quotes"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.qcut(risk, bins, labels=False)
    return table.groupby("group").agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "mean"))


# %% exercise="w03-calibration" wrong="always ten groups" says="with bins=3 there are three groups"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.qcut(risk, 10, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "mean"))


# %% exercise="w03-calibration" wrong="groups of equal width" says="groups of equal size hold 4 each"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.cut(risk, bins, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "mean"))


# %% exercise="w03-calibration" wrong="stated and observed swapped" says="stated and observed are swapped"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.qcut(risk, bins, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), observed=("risk", "mean"), stated=("happened", "mean"))


# %% exercise="w03-calibration" wrong="highest risks first" says="from the lowest risks to the highest"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = -pd.qcut(risk, bins, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "mean"))


# %% exercise="w03-calibration" wrong="the middle of the group's limits" says="take the mean of `risk`"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.qcut(risk, bins, labels=False)
    found = table.groupby(group).agg(n=("risk", "size"), a=("risk", "min"), b=("risk", "max"), observed=("happened", "mean"))
    return found.assign(stated=(found["a"] + found["b"]) / 2)


# %% exercise="w03-calibration" wrong="counts events" says="Take the mean of `happened`"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.qcut(risk, bins, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "sum"))


# %% exercise="w03-calibration" wrong="three groups, whatever is asked" says="use `bins`"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    group = pd.qcut(risk, 3, labels=False)
    return table.groupby(group).agg(n=("risk", "size"), stated=("risk", "mean"), observed=("happened", "mean"))


# %% exercise="w03-calibration" wrong="stated risks of the example by heart" says="are not the mean risks of the eight groups"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    found = table.groupby(pd.qcut(risk, bins, labels=False)).agg(n=("risk", "size"), observed=("happened", "mean"))
    return found.assign(stated=[0.065, 0.2075, 0.6375] if bins == 3 else np.linspace(0, 1, bins))


# %% exercise="w03-calibration" wrong="observed shares of the example by heart" says="are not the shares that happened"
def calibration_table(risk, happened, bins):
    table = pd.DataFrame({"risk": risk, "happened": happened})
    found = table.groupby(pd.qcut(risk, bins, labels=False)).agg(n=("risk", "size"), stated=("risk", "mean"))
    return found.assign(observed=[0, 0.25, 0.75] if bins == 3 else np.linspace(0, 1, bins))


# %% exercise="w03-recalibrate" right="without regularisation"
def recalibrate(valid_risk, valid_happened, new_risk):
    fitted = LogisticRegression(C=1e9).fit(log_odds(valid_risk), valid_happened)
    return fitted.predict_proba(log_odds(new_risk))[:, -1]


# %% exercise="w03-recalibrate" right="coefficients by hand"
def recalibrate(valid_risk, valid_happened, new_risk):
    fitted = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    line = fitted.intercept_[0] + fitted.coef_[0, 0] * np.log(new_risk / (1 - new_risk))
    return 1 / (1 + np.exp(-line))


# %% exercise="w03-recalibrate" wrong="forgets to return" says="Does its last line begin with"
def recalibrate(valid_risk, valid_happened, new_risk):
    LogisticRegression().fit(log_odds(valid_risk), valid_happened)


# %% exercise="w03-recalibrate" wrong="both columns" says="return one risk for each"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(log_odds(new_risk))


# %% exercise="w03-recalibrate" wrong="translates the validation patients" says="each of the 3,000 new patients"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(log_odds(valid_risk))[:, 1]


# %% exercise="w03-recalibrate" wrong="log-odds instead of risks" says="Return probabilities"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.decision_function(log_odds(new_risk))


# %% exercise="w03-recalibrate" wrong="bare yes and no" says="ask for predict_proba"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.predict(log_odds(new_risk))


# %% exercise="w03-recalibrate" wrong="column of the wrong class" says="The order is turned round"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(log_odds(new_risk))[:, 0]


# %% exercise="w03-recalibrate" wrong="nothing changed" says="as they were"
def recalibrate(valid_risk, valid_happened, new_risk):
    return new_risk


# %% exercise="w03-recalibrate" wrong="balanced again" says="without class_weight"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression(class_weight="balanced").fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(log_odds(new_risk))[:, 1]


# %% exercise="w03-recalibrate" wrong="one factor for all" says="is not enough"
def recalibrate(valid_risk, valid_happened, new_risk):
    return new_risk * valid_happened.mean() / valid_risk.mean()


# %% exercise="w03-recalibrate" wrong="translates raw risks with a fit on log-odds" says="must be given the log-odds of the new risks too"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(new_risk.reshape(-1, 1))[:, 1]


# %% exercise="w03-recalibrate" wrong="forgets log_odds on the new risks" says="for the new risks as well"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    return translator.predict_proba(new_risk)[:, 1]


# %% exercise="w03-recalibrate" wrong="fitted on the raw risk" says="Fit on the log-odds"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(valid_risk.reshape(-1, 1), valid_happened)
    return translator.predict_proba(new_risk.reshape(-1, 1))[:, 1]


# %% exercise="w03-recalibrate" wrong="the translation of the example by heart" says="On Lakeshore's visits"
def recalibrate(valid_risk, valid_happened, new_risk):
    return 1 / (1 + np.exp(-(np.log(new_risk / (1 - new_risk)) - 1.4) / 0.6))


# %% exercise="w03-recalibrate" wrong="forces the mean of the new patients" says="from the validation patients alone"
def recalibrate(valid_risk, valid_happened, new_risk):
    translator = LogisticRegression().fit(log_odds(valid_risk), valid_happened)
    found = translator.predict_proba(log_odds(new_risk))[:, 1]
    return found if len(found) > 1000 else found * valid_happened.mean() / found.mean()


# %% exercise="w03-cost-threshold" right="step by step"
def break_even_risk(cost, value, kept):
    worth = value * kept
    return cost / worth


# %% exercise="w03-cost-threshold" right="cost per kept visit first"
def break_even_risk(cost, value, kept):
    return (cost / kept) / value


# %% exercise="w03-cost-threshold" wrong="forgets to return" says="Does its last line begin with"
def break_even_risk(cost, value, kept):
    share = cost / (kept * value)


# %% exercise="w03-cost-threshold" wrong="every call succeeds" says="if every call were to succeed"
def break_even_risk(cost, value, kept):
    return cost / value


# %% exercise="w03-cost-threshold" wrong="fraction turned round" says="You turned the fraction round"
def break_even_risk(cost, value, kept):
    return kept * value / cost


# %% exercise="w03-cost-threshold" wrong="share kept on the wrong side" says="brings"
def break_even_risk(cost, value, kept):
    return cost * kept / value


# %% exercise="w03-cost-threshold" wrong="one half for everybody" says="it costs 6"
def break_even_risk(cost, value, kept):
    return 0.5


# %% exercise="w03-cost-threshold" wrong="cut off at 1" says="do not cut it off"
def break_even_risk(cost, value, kept):
    return min(1.0, cost / (kept * value))


# %% exercise="w03-cost-threshold" wrong="rounded" says="rounded. Return the number as it is"
def break_even_risk(cost, value, kept):
    return round(cost / (kept * value), 2)


# %% exercise="w03-cost-threshold" wrong="share kept of the example" says="Use all three"
def break_even_risk(cost, value, kept):
    return cost / (0.25 * value)


# %% exercise="w03-net-benefit" right="means"
def net_benefit(risk, happened, threshold):
    acted = np.asarray(risk) >= threshold
    return np.mean(acted * happened) - np.mean(acted * (1 - happened)) * threshold / (1 - threshold)


# %% exercise="w03-net-benefit" right="loop"
def net_benefit(risk, happened, threshold):
    total = 0.0
    for p, outcome in zip(risk, happened):
        if p >= threshold:
            total += 1 if outcome == 1 else -threshold / (1 - threshold)
    return total / len(risk)


# %% exercise="w03-net-benefit" wrong="forgets to return" says="Does its last line begin with"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold


# %% exercise="w03-net-benefit" wrong="one value a patient" says="One number is asked for"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    return (treated & (happened == 1)) / len(risk) - (treated & (happened == 0)) / len(risk) * threshold / (1 - threshold)


# %% exercise="w03-net-benefit" wrong="and between columns" says="are for single values"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated and (happened == 1)).sum(), (treated and (happened == 0)).sum()
    return right / len(risk) - needless / len(risk) * threshold / (1 - threshold)


# %% exercise="w03-net-benefit" wrong="above, not at or above" says="whose risk is exactly 0.4"
def net_benefit(risk, happened, threshold):
    treated = risk > threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return right / len(risk) - needless / len(risk) * threshold / (1 - threshold)


# %% exercise="w03-net-benefit" wrong="counts instead of shares" says="You returned a count"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return right - needless * threshold / (1 - threshold)


# %% exercise="w03-net-benefit" wrong="per treated patient" says="divide by all"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return (right - needless * threshold / (1 - threshold)) / treated.sum()


# %% exercise="w03-net-benefit" wrong="the threshold as the weight" says="not t itself"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return right / len(risk) - needless / len(risk) * threshold


# %% exercise="w03-net-benefit" wrong="both weigh the same" says="does not weigh as much"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return (right - needless) / len(risk)


# %% exercise="w03-net-benefit" wrong="weight turned round" says="Of 10 patients 5 are treated"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return right / len(risk) - needless / len(risk) * (1 - threshold) / threshold


# %% exercise="w03-net-benefit" wrong="overlooked instead of needless" says="Of 10 patients 5 are treated"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, overlooked = (treated & (happened == 1)).sum(), (~treated & (happened == 1)).sum()
    return right / len(risk) - overlooked / len(risk) * threshold / (1 - threshold)


# %% exercise="w03-net-benefit" wrong="never below zero" says="return it when it is negative"
def net_benefit(risk, happened, threshold):
    treated = risk >= threshold
    right, needless = (treated & (happened == 1)).sum(), (treated & (happened == 0)).sum()
    return max(0.0, right / len(risk) - needless / len(risk) * threshold / (1 - threshold))


# %% exercise="w03-day-list" right="row numbers within the day"
def day_list(alerts, k):
    ranked = alerts.sort_values("fired_at").sort_values("score", ascending=False, kind="stable")
    ranked = ranked[~ranked.duplicated(["day", "stay_id"])]
    return ranked[ranked.groupby("day").cumcount() < k]


# %% exercise="w03-day-list" right="a loop over days"
def day_list(alerts, k):
    lists = []
    for _, rows in alerts.groupby("day"):
        rows = rows.sort_values(["score", "fired_at"], ascending=[False, True])
        lists.append(rows.drop_duplicates("stay_id").head(k))
    return pd.concat(lists)


# %% exercise="w03-day-list" wrong="forgets to return" says="Does its last line begin with"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])


# %% exercise="w03-day-list" wrong="only the names" says="Return rows of the table"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.drop_duplicates(["day", "stay_id"]).groupby("day").head(k)["stay_id"]


# %% exercise="w03-day-list" wrong="sorts the given table" says="changed the table"
def day_list(alerts, k):
    alerts.sort_values(["score", "fired_at"], ascending=[False, True], inplace=True)
    return alerts.drop_duplicates(["day", "stay_id"]).groupby("day").head(k)


# %% exercise="w03-day-list" wrong="takes k before the doubles are out" says="after each patient is on it once"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.groupby("day").head(k).drop_duplicates(["day", "stay_id"])


# %% exercise="w03-day-list" wrong="k in all, not a day" says="and the nurse can make 2"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.drop_duplicates(["day", "stay_id"]).head(k)


# %% exercise="w03-day-list" wrong="alerts, not patients" says="Ana is on Monday's list twice"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.groupby("day").head(k)


# %% exercise="w03-day-list" wrong="drops doubles before sorting" says="sort before you drop the duplicates"
def day_list(alerts, k):
    once = alerts.drop_duplicates(["day", "stay_id"])
    ranked = once.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.groupby("day").head(k)


# %% exercise="w03-day-list" wrong="lowest scores first" says="Highest scores first"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True]).drop_duplicates(["day", "stay_id"])
    return ranked.groupby("day").tail(k)


# %% exercise="w03-day-list" wrong="once for ever" says="once a day, not once for ever"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.drop_duplicates("stay_id").groupby("day").head(k)


# %% exercise="w03-day-list" wrong="later alert first in a tie" says="The earlier alert goes first"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, False])
    return ranked.drop_duplicates(["day", "stay_id"]).groupby("day").head(k)


# %% exercise="w03-day-list" wrong="no rule for ties" says="the earliest go first"
def day_list(alerts, k):
    ranked = alerts.iloc[::-1].sort_values("score", ascending=False, kind="stable")  # happens to pass Ben and Ivy
    return ranked.drop_duplicates(["day", "stay_id"]).groupby("day").head(k)


# %% exercise="w03-day-list" wrong="one patient for Tuesday" says="Tuesday has two patients"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    found = ranked.drop_duplicates(["day", "stay_id"]).groupby("day").head(k)
    return found[found["score"] < 0.85]


# %% exercise="w03-day-list" wrong="two visits, whatever is asked" says="use `k`"
def day_list(alerts, k):
    ranked = alerts.sort_values(["score", "fired_at"], ascending=[False, True])
    return ranked.drop_duplicates(["day", "stay_id"]).groupby("day").head(2)


# %% exercise="w03-paired-interval" right="percentile"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    means = new.to_numpy()[picks].mean(axis=1) - old.to_numpy()[picks].mean(axis=1)
    return tuple(np.percentile(means, [2.5, 97.5]))


# %% exercise="w03-paired-interval" right="a loop with other draws"
def paired_interval(new, old, seed):
    rng, gap = np.random.default_rng(seed), np.array(new) - np.array(old)
    means = [rng.choice(gap, len(gap)).mean() for _ in range(4000)]
    return [float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))]


# %% exercise="w03-paired-interval" right="the textbook's standard error"
def paired_interval(new, old, seed):
    gap = new - old
    half = 1.96 * gap.std() / np.sqrt(len(gap))
    return gap.mean() - half, gap.mean() + half


# %% exercise="w03-paired-interval" wrong="forgets to return" says="Does its last line begin with"
def paired_interval(new, old, seed):
    difference = (new - old).to_numpy()


# %% exercise="w03-paired-interval" wrong="the mean alone" says="Give back two numbers"
def paired_interval(new, old, seed):
    return float((new - old).mean())


# %% exercise="w03-paired-interval" wrong="high before low" says="the smaller one comes first"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    means = (new - old).to_numpy()[picks].mean(axis=1)
    return np.quantile(means, 0.975), np.quantile(means, 0.025)


# %% exercise="w03-paired-interval" wrong="spread of single days" says="average each draw first"
def paired_interval(new, old, seed):
    return tuple(np.quantile((new - old).to_numpy(), [0.025, 0.975]))


# %% exercise="w03-paired-interval" wrong="each list draws its own days" says="Subtract day by day first"
def paired_interval(new, old, seed):
    rng = np.random.default_rng(seed)
    one, two = (rng.integers(0, len(new), size=(4000, len(new))) for _ in range(2))
    means = new.to_numpy()[one].mean(axis=1) - old.to_numpy()[two].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


# %% exercise="w03-paired-interval" wrong="old minus new" says="is it new minus old"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    return tuple(np.quantile((old - new).to_numpy()[picks].mean(axis=1), [0.025, 0.975]))


# %% exercise="w03-paired-interval" wrong="averages columns" says="`axis=1` averages rows"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    return tuple(np.quantile((new - old).to_numpy()[picks].mean(axis=0), [0.025, 0.975]))


# %% exercise="w03-paired-interval" wrong="five per cent on each side" says="leaves 2.5 % on each side"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    return tuple(np.quantile((new - old).to_numpy()[picks].mean(axis=1), [0.05, 0.95]))


# %% exercise="w03-paired-interval" wrong="lowest and highest mean" says="The middle 95 %"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    means = (new - old).to_numpy()[picks].mean(axis=1)
    return means.min(), means.max()


# %% exercise="w03-paired-interval" wrong="five per cent below, none above" says="The middle of your interval"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    return tuple(np.quantile((new - old).to_numpy()[picks].mean(axis=1), [0.045, 0.9888]))


# %% exercise="w03-paired-interval" wrong="the interval of the example, moved" says="On 150 other days the interval"
def paired_interval(new, old, seed):
    gap = float((new - old).mean())
    return gap - 1.96 * 1.089 / 240**0.5, gap + 1.96 * 1.089 / 240**0.5


# %% exercise="w03-paired-interval" wrong="hopes for a gain" says="On 150 other days the middle"
def paired_interval(new, old, seed):
    picks = np.random.default_rng(seed).integers(0, len(new), size=(4000, len(new)))
    low, high = np.quantile((new - old).to_numpy()[picks].mean(axis=1), [0.025, 0.975])
    return (low, high) if high > 0.1 else (-high, -low)


# %% exercise="w03-by-site" right="a loop over places"
def sensitivity_by_place(events, minimum):
    rows = {}
    for place, group in events.groupby("place"):
        n, hits = len(group), group["found"].sum()
        low, high = wilson(hits, n)
        few = n < minimum
        rows[place] = {"n": n, **dict.fromkeys(["sensitivity", "low", "high"], np.nan)}
        if not few:
            rows[place].update(sensitivity=hits / n, low=low, high=high)
    return pd.DataFrame.from_dict(rows, orient="index")


# %% exercise="w03-by-site" right="where"
def sensitivity_by_place(events, minimum):
    found = events.groupby("place")["found"]
    n, hits = found.size(), found.sum()
    low, high = wilson(hits, n)
    shown = pd.DataFrame({"sensitivity": hits / n, "low": low, "high": high}).where(n >= minimum)
    return shown.assign(n=n)


# %% exercise="w03-by-site" wrong="forgets to return" says="Does its last line begin with"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")


# %% exercise="w03-by-site" wrong="no interval" says="Return a table with the columns"
def sensitivity_by_place(events, minimum):
    return events.groupby("place")["found"].agg(n="size", sensitivity="mean")


# %% exercise="w03-by-site" wrong="drops the small places" says="West is gone"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    return table[table["n"] >= minimum]


# %% exercise="w03-by-site" wrong="a row for all places" says="the places are the index"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table.loc["all"] = table.sum()
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="n counts the found ones" says="found or not"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="sum", size="size")
    table["sensitivity"] = table["n"] / table["size"]
    table["low"], table["high"] = wilson(table["n"], table["size"])
    table.loc[table["size"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="small places keep their figures" says="still shows a figure. Leave"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    return table


# %% exercise="w03-by-site" wrong="the minimum itself is too few" says="10 are enough"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    table.loc[table["n"] <= minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="share of all that were found" says="The sensitivities are"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["hits"].sum()
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="the textbook's plus and minus" says="as if it were certain"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", sensitivity="mean")
    half = 1.96 * np.sqrt(table["sensitivity"] * (1 - table["sensitivity"]) / table["n"])
    table["low"], table["high"] = table["sensitivity"] - half, table["sensitivity"] + half
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="a share handed to wilson" says="`wilson` takes counts"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", sensitivity="mean")
    table["low"], table["high"] = wilson(table["sensitivity"], table["n"])
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="ten events, whatever is asked" says="use `minimum`"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    table.loc[table["n"] < 10, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-by-site" wrong="n of the example" says="is not the number of events"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"])
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table.assign(n=table["n"].clip(upper=40))


# %% exercise="w03-by-site" wrong="interval of the largest place for all" says="use hits and n of each place"
def sensitivity_by_place(events, minimum):
    table = events.groupby("place")["found"].agg(n="size", hits="sum")
    table["sensitivity"] = table["hits"] / table["n"]
    table["low"], table["high"] = wilson(table["hits"], table["n"].clip(upper=40))
    table.loc[table["n"] < minimum, ["sensitivity", "low", "high"]] = np.nan
    return table


# %% exercise="w03-under-reporting" right="counts by groupby"
def ask_the_desk(visits):
    counts = visits.groupby("site_id")["status"].value_counts().unstack(fill_value=0)
    missed = counts["noshow"] / (counts["noshow"] + counts["fulfilled"])
    cancelled = counts["cancelled"] / counts.sum(axis=1)
    return [s for s in counts.index if missed[s] < missed.median() * 0.75 and cancelled[s] > cancelled.median() * 1.5]


# %% exercise="w03-under-reporting" right="means of comparisons"
def ask_the_desk(visits):
    known = visits[visits["status"].isin(["noshow", "fulfilled"])]
    missed = (known["status"] == "noshow").groupby(known["site_id"]).mean()
    cancelled = (visits["status"] == "cancelled").groupby(visits["site_id"]).mean()
    flag = missed.lt(0.75 * missed.median()) & cancelled.gt(1.5 * cancelled.median())
    return flag[flag].index.tolist()


# %% exercise="w03-under-reporting" wrong="forgets to return" says="Does its last line begin with"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")


# %% exercise="w03-under-reporting" wrong="an index instead of a list" says="return a list"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    missed, cancelled = shares["noshow"] / (shares["noshow"] + shares["fulfilled"]), shares["cancelled"]
    return shares.index[(missed < 0.75 * missed.median()) & (cancelled > 1.5 * cancelled.median())]


# %% exercise="w03-under-reporting" wrong="few missed visits are enough" says="that is a good clinic"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    missed = shares["noshow"] / (shares["noshow"] + shares["fulfilled"])
    return list(shares.index[missed < 0.75 * missed.median()])


# %% exercise="w03-under-reporting" wrong="many cancellations are enough" says="there for all to see"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    return list(shares.index[shares["cancelled"] > 1.5 * shares["cancelled"].median()])


# %% exercise="w03-under-reporting" wrong="counts instead of shares" says="Compare shares, not counts"
def ask_the_desk(visits):
    counts = pd.crosstab(visits["site_id"], visits["status"])
    return [counts["cancelled"].idxmax()]


# %% exercise="w03-under-reporting" wrong="misses as a share of all visits" says="Divide by noshow + fulfilled"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    missed, cancelled = shares["noshow"], shares["cancelled"]
    return list(shares.index[(missed < 0.75 * missed.median()) & (cancelled > 1.5 * cancelled.median())])


# %% exercise="w03-under-reporting" wrong="nobody is suspicious" says="Site e is suspicious"
def ask_the_desk(visits):
    return []


# %% exercise="w03-under-reporting" wrong="the example by heart" says="On Lakeshore's past visits"
def ask_the_desk(visits):
    return ["e"]


# %% exercise="w03-under-reporting" wrong="always the lowest share" says="Without site e no site is suspicious"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    missed = shares["noshow"] / (shares["noshow"] + shares["fulfilled"])
    return [(shares["cancelled"] / missed).idxmax()]


# %% exercise="w03-under-reporting" wrong="the mean for the median" says="In another network"
def ask_the_desk(visits):
    shares = pd.crosstab(visits["site_id"], visits["status"], normalize="index")
    missed, cancelled = shares["noshow"] / (shares["noshow"] + shares["fulfilled"]), shares["cancelled"]
    return list(shares.index[(missed < 0.75 * missed.mean()) & (cancelled > 1.1 * cancelled.mean())])
