# %% exercise="w02-j0-episodes" right="one gap, asked twice"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    gap = stays["admitted"] - before["discharged"]
    moved = before["disposition"].eq("transfer") | stays["admission"].eq("transfer")
    return (gap < pd.Timedelta(0)) | (moved & (gap <= pd.Timedelta(hours=24)))


# %% exercise="w02-j0-episodes" right="a loop over the rows"
def continues(stays):
    found, last = [], None
    for row in stays.itertuples():
        if last is None or last.patient_id != row.patient_id or pd.isna(last.discharged):
            found.append(False)
        else:
            moved = last.disposition == "transfer" or row.admission == "transfer"
            soon = row.admitted - last.discharged <= pd.Timedelta(days=1)
            found.append(bool(row.admitted < last.discharged or (moved and soon)))
        last = row
    return pd.Series(found, index=stays.index)


# %% exercise="w02-j0-episodes" wrong="forgets to return" says="Does its last line begin with"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    overlaps = stays["admitted"] < before["discharged"]


# %% exercise="w02-j0-episodes" wrong="an array" says="Return one column of True and False"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    overlaps = stays["admitted"] < before["discharged"]
    moved = (before["disposition"] == "transfer") | (stays["admission"] == "transfer")
    return (overlaps | (moved & (stays["admitted"] - before["discharged"] <= pd.Timedelta(days=1)))).to_numpy()


# %% exercise="w02-j0-episodes" wrong="overlaps only" says="so her second one continues it"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    return stays["admitted"] < before["discharged"]


# %% exercise="w02-j0-episodes" wrong="whoever is back next day was moved" says="That is a return, not a transfer"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    return stays["admitted"] - before["discharged"] <= pd.Timedelta(days=1)


# %% exercise="w02-j0-episodes" wrong="transfers only" says="Nobody is in two beds"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    moved = (before["disposition"] == "transfer") | (stays["admission"] == "transfer")
    gap = stays["admitted"] - before["discharged"]
    return moved & (gap >= pd.Timedelta(0)) & (gap <= pd.Timedelta(days=1))


# %% exercise="w02-j0-episodes" wrong="the row above, whoever it is" says="has none of hers before it"
def continues(stays):
    before = stays.shift()
    overlaps = stays["admitted"] < before["discharged"]
    moved = (before["disposition"] == "transfer") | (stays["admission"] == "transfer")
    return overlaps | (moved & (stays["admitted"] - before["discharged"] <= pd.Timedelta(days=1)))


# %% exercise="w02-j0-episodes" wrong="a transfer at any distance" says="twelve days lie between"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    overlaps = stays["admitted"] < before["discharged"]
    moved = (before["disposition"] == "transfer") | (stays["admission"] == "transfer")
    return overlaps | (moved & before["discharged"].notna())


# %% exercise="w02-j0-episodes" wrong="only where the first hospital wrote it down" says="look at both places"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    overlaps = stays["admitted"] < before["discharged"]
    next_day = stays["admitted"] - before["discharged"] <= pd.Timedelta(days=1)
    return overlaps | ((before["disposition"] == "transfer") & next_day)


# %% exercise="w02-j0-episodes" wrong="the small table by heart" says="On the real extract"
def continues(stays):
    return pd.Series([row in (1, 4, 7) for row in range(len(stays))], index=stays.index)


# %% exercise="w02-j0-episodes" wrong="whole days" says="begins a new episode: at most one day"
def continues(stays):
    before = stays.groupby("patient_id").shift()
    overlaps = stays["admitted"] < before["discharged"]
    moved = (before["disposition"] == "transfer") | (stays["admission"] == "transfer")
    return overlaps | (moved & ((stays["admitted"] - before["discharged"]).dt.days <= 1))


# %% exercise="w02-j0-reasons" right="written one over the other, the last wins"
def reason(stays, until):
    words = pd.Series("start", index=stays.index)
    words[stays["discharged"] > until - pd.Timedelta(days=30)] = "last-30-days"
    for code, word in {"transfer": "transferred", "ama": "against-advice", "expired": "died"}.items():
        words[stays["disposition"] == code] = word
    words[stays["discharged"].isna()] = "still-in"
    words[~stays["last_of_episode"]] = "continues"
    return words


# %% exercise="w02-j0-reasons" right="row by row"
def reason(stays, until):
    def one(row):
        if not row["last_of_episode"]:
            return "continues"
        if pd.isna(row["discharged"]):
            return "still-in"
        went = {"expired": "died", "ama": "against-advice", "transfer": "transferred"}
        if row["disposition"] in went:
            return went[row["disposition"]]
        return "last-30-days" if row["discharged"] + pd.Timedelta(days=30) > until else "start"

    return stays.apply(one, axis=1)


# %% exercise="w02-j0-reasons" wrong="forgets to return" says="Does its last line begin with"
def reason(stays, until):
    words = pd.Series("start", index=stays.index)


# %% exercise="w02-j0-reasons" wrong="an array" says="put it into pd.Series"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return np.select(conditions, words, default="start")


# %% exercise="w02-j0-reasons" wrong="loses the index" says="keep the index of the table"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"))


# %% exercise="w02-j0-reasons" wrong="where the patient went is asked first" says="the order of the reasons matters"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [went == "expired", went == "ama", went == "transfer"]
    conditions += [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["died", "against-advice", "transferred", "continues", "still-in", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="whoever is still in has not come back" says="has no discharge yet"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="the dead stay in" says="The dead cannot come back"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna(), went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="against advice is a discharge like any other" says="was left against advice"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna(), went == "expired", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "died", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="out of sight, out of mind" says="went on where nobody of us looks"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna(), went == "expired", went == "ama"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "died", "against-advice", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="the last month counts in full" says="30 days have not passed"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went == "transfer", stays["discharged"] > until]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="one moment too strict" says="It has had its 30 days"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) >= until]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="the day of the extract by heart" says="use `until`"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] > "2026-05-31"]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-persons" right="map, and fill with the id itself"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] > 8].set_index("second_id")["first_id"]
    return patient_ids.map(linked).fillna(patient_ids)


# %% exercise="w02-j0-persons" right="a loop over the pairs"
def person_of(patient_ids, pairs):
    persons = patient_ids.copy()
    for pair in pairs.itertuples():
        if pair.score >= 16:
            persons[persons == pair.second_id] = pair.first_id
    return persons


# %% exercise="w02-j0-persons" wrong="forgets to return" says="Does its last line begin with"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] >= 10]


# %% exercise="w02-j0-persons" wrong="who has no pair is lost" says="They keep their own id"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] >= 10].set_index("second_id")["first_id"]
    return patient_ids.map(linked)


# %% exercise="w02-j0-persons" wrong="links whatever was proposed" says="Keep the sure pairs first"
def person_of(patient_ids, pairs):
    return patient_ids.replace(dict(zip(pairs["second_id"], pairs["first_id"], strict=True)))


# %% exercise="w02-j0-persons" wrong="the other way round" says="both go by first_id"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] >= 10]
    return patient_ids.replace(dict(zip(linked["first_id"], linked["second_id"], strict=True)))


# %% exercise="w02-j0-persons" wrong="only the very best score" says="of the true pairs; 0.95 is asked for"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] >= 17]
    return patient_ids.replace(dict(zip(linked["second_id"], linked["first_id"], strict=True)))


# %% exercise="w02-j0-persons" wrong="believes that the best stand on top" says="With other scores"
def person_of(patient_ids, pairs):
    linked = pairs.head(int((pairs["score"] >= 10).sum()))
    return patient_ids.replace(dict(zip(linked["second_id"], linked["first_id"], strict=True)))


# %% exercise="w02-j0-units" right="a copy, changed in place"
def creatinine_mg_dl(results, site_id, since):
    value = results["value"].astype(float).copy()
    value[(results["site_id"] == site_id) & ~(results["taken"] < since)] /= 88.4
    return value


# %% exercise="w02-j0-units" right="numpy where"
def creatinine_mg_dl(results, site_id, since):
    changed = results["site_id"].eq(site_id) & results["taken"].ge(since)
    value = np.where(changed, results["value"] / 88.4, results["value"])
    return pd.Series(value, index=results.index)


# %% exercise="w02-j0-units" wrong="the whole history of the site" says="was taken before the change"
def creatinine_mg_dl(results, site_id, since):
    value = results["value"].where(results["site_id"] != site_id, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-units" wrong="every site" says="is of another site"
def creatinine_mg_dl(results, site_id, since):
    value = results["value"].where(results["taken"] < since, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-units" wrong="from the day after" says="taken on the day of the change"
def creatinine_mg_dl(results, site_id, since):
    changed = (results["site_id"] == site_id) & (results["taken"] > since)
    value = results["value"].where(~changed, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-units" wrong="converts what looks large" says="Site and time decide"
def creatinine_mg_dl(results, site_id, since):
    value = results["value"].where(results["value"] <= 20, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-units" wrong="guesses at the other sites" says="A guess that looks right"
def creatinine_mg_dl(results, site_id, since):
    changed = (results["site_id"] == site_id) & (results["taken"] >= since)
    changed = changed | ((results["value"] > 20) & (results["taken"] >= since))
    value = results["value"].where(~changed, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-units" wrong="the site by heart" says="use `site_id`"
def creatinine_mg_dl(results, site_id, since):
    changed = results["site_id"].isin(["h1", "hosp-2"]) & (results["taken"] >= since)
    value = results["value"].where(~changed, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-units" wrong="the day by heart" says="compare `taken` with `since`"
def creatinine_mg_dl(results, site_id, since):
    changed = (results["site_id"] == site_id) & (results["taken"] >= "2026-02-01")
    value = results["value"].where(~changed, results["value"] / 88.4)
    return value


# %% exercise="w02-j0-history" right="compares the dates"
def stays_before(starts, stays):
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    known = pairs["discharged"] <= pairs["began"]
    known = known & (pairs["discharged"] > pairs["began"] - pd.Timedelta(days=365))
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-history" right="between, in whole days"
def stays_before(starts, stays):
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    known = (pairs["began"] - pairs["discharged"]).dt.days.between(0, 364)
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-history" wrong="the future counts too" says="lie in the future"
def stays_before(starts, stays):
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    known = pairs["began"] - pairs["discharged"] < pd.Timedelta(days=365)
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-history" wrong="everything of the person" says="lie in the future"
def stays_before(starts, stays):
    return starts["patient_id"].map(stays.groupby("patient_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-history" wrong="older than a year" says="one of hers had ended by then"
def stays_before(starts, stays):
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    known = pairs["discharged"] <= pairs["began"] - pd.Timedelta(days=365)
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-history" wrong="no end to the past" says="365 days before: does not"
def stays_before(starts, stays):
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    known = pairs["discharged"] <= pairs["began"]
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-history" wrong="the year by heart" says="from the beginning back"
def stays_before(starts, stays):
    pairs = starts[["stay_id", "patient_id", "began"]].merge(stays[["patient_id", "discharged"]], on="patient_id")
    known = (pairs["discharged"] <= pairs["began"]) & (pairs["discharged"] > "2025-03-01")
    return starts["stay_id"].map(pairs[known].groupby("stay_id").size()).fillna(0).astype(int)


# %% exercise="w02-j0-reasons" wrong="no word on where they went means still in" says="an empty `disposition` does not"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], went.isna()]
    conditions += [went == "expired", went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-quality" right="other limits, other owners"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "data steward of hospital 2", "Page the steward") for key in five}


# %% exercise="w02-j0-quality" right="nothing may be wrong, and one key more"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.0, "laboratory manager", "stop") for key in five}
limits["race"] = (0.2, "patient access director", "label comparisons")
limits["overlaps"] = (0.02, "bed manager", "page the bed manager")


# %% exercise="w02-j0-quality" wrong="a list" says="write a dict"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = [(key, 0.05, "laboratory manager", "stop training") for key in five]


# %% exercise="w02-j0-quality" wrong="one line without a limit" says="nobody set a limit"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "laboratory manager", "stop training") for key in five[:-1]}


# %% exercise="w02-j0-quality" wrong="numbers without a role" says="three parts"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = dict.fromkeys(five, 0.05)


# %% exercise="w02-j0-quality" wrong="limit and owner, no consequence" says="three parts"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "laboratory manager") for key in five}


# %% exercise="w02-j0-quality" wrong="in percent" says="write 5 in 100 as 0.05"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (5, "laboratory manager", "stop training") for key in five}


# %% exercise="w02-j0-quality" wrong="everybody answers for it" says="no single role answers"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "Everybody", "stop training") for key in five}


# %% exercise="w02-j0-quality" wrong="it is looked into" says="say what a failing limit does"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "laboratory manager", "we look into it") for key in five}


# %% exercise="w02-j0-quality" wrong="an empty consequence" says="say what a failing limit does"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "laboratory manager", "") for key in five}


# %% exercise="w02-j0-lineage" right="two roles answer"
activity = {"text": "Episodes joined, exclusions counted, units of hosp-2 repaired, records linked from score 10."}
agent = [{"who": {"display": "Data engineer on duty"}}, {"who": {"display": "Head of coding"}}]


# %% exercise="w02-j0-lineage" right="the limit in brackets"
activity = {"text": "Cohort rule of 30 June 2026; creatinine of hosp-2 converted; persons linked (score at least 16)."}
agent = [{"who": {"display": "Chief technology officer"}}]


# %% exercise="w02-j0-lineage" wrong="a text" says="Not valid as R4B"
activity = "Episodes joined, units of hosp-2 repaired, records linked from score 10."
agent = [{"who": {"display": "Chief technology officer"}}]


# %% exercise="w02-j0-lineage" wrong="a role without who" says="Not valid as R4B"
activity = {"text": "Episodes joined, exclusions counted, units of hosp-2 repaired, records linked from score 10."}
agent = ["Chief technology officer"]


# %% exercise="w02-j0-lineage" wrong="nobody answers" says="so nobody answers"
activity = {"text": "Episodes joined, exclusions counted, units of hosp-2 repaired, records linked from score 10."}
agent = []


# %% exercise="w02-j0-lineage" wrong="IT answers" says="name the role that answers"
activity = {"text": "Episodes joined, exclusions counted, units of hosp-2 repaired, records linked from score 10."}
agent = [{"who": {"display": "IT"}}]


# %% exercise="w02-j0-lineage" wrong="does not say what was done" says="say rule and repairs in a sentence"
activity = {"text": "score 10"}
agent = [{"who": {"display": "Chief technology officer"}}]


# %% exercise="w02-j0-columns" right="without the number of codes"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
    "n_diagnoses": "written by coders, perhaps later",
}


# %% exercise="w02-j0-columns" wrong="names without reasons" says="write a dict"
left_out = ["cost", "payer", "area_deprivation"]


# %% exercise="w02-j0-columns" wrong="a column of another table" says="no such column"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
    "costs": "the bill comes weeks later",
}


# %% exercise="w02-j0-columns" wrong="keeps the follow-up visit" says="depends on the days"
left_out = {
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="keeps the count of stays" says="depends on the days"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="keeps the cost of the year after" says="depends on the days"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="keeps the bill" says="goes on filling"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="keeps the count of billing" says="goes on filling"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="keeps what predicts well" says="compliance asked"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
}


# %% exercise="w02-j0-columns" wrong="keeps the insurance" says="compliance asked"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="everything out, to be safe" says="helps no patient"
left_out = {name: f"left out, to be safe about {name}" for name in candidates}


# %% exercise="w02-j0-columns" wrong="reasons of one word" says="too short"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
}


# %% exercise="w02-j0-columns" wrong="one reason for all" says="Most columns have the same reason"
left_out = dict.fromkeys(
    [
        "follow_up_within_14d",
        "cost_year_after",
        "stays_in_extract",
        "cost",
        "episode_diagnosis_count",
        "payer",
        "area_deprivation",
    ],
    "is not known at discharge",
)


# %% exercise="w02-j0-reasons" wrong="hospice is another house too" says="Only the word transfer"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "expired", went == "ama", went.isin(["transfer", "hospice"])]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["continues", "still-in", "died", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-reasons" wrong="the dead are asked first" says="the order of your conditions"
def reason(stays, until):
    went = stays["disposition"]
    conditions = [went == "expired", ~stays["last_of_episode"], stays["discharged"].isna()]
    conditions += [went == "ama", went == "transfer"]
    conditions += [stays["discharged"] + pd.Timedelta(days=30) > until]
    words = ["died", "continues", "still-in", "against-advice", "transferred", "last-30-days"]
    return pd.Series(np.select(conditions, words, default="start"), index=stays.index)


# %% exercise="w02-j0-columns" right="two more by choice"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
    "n_diagnoses": "written by coders, perhaps later",
    "sex": "left out until the fairness review",
}


# %% exercise="w02-j0-columns" wrong="what the morning does not know goes too" says="two at most"
left_out = {
    "follow_up_within_14d": "comes after the discharge",
    "cost_year_after": "the year after the stay",
    "stays_in_extract": "includes the return that we predict",
    "cost": "the bill comes weeks later",
    "episode_diagnosis_count": "billing keeps on adding to it",
    "payer": "compliance wants it out",
    "area_deprivation": "fairness review has to come first",
    "n_diagnoses": "written by coders, perhaps later",
    "disposition": "nobody has written it down yet",
    "length_of_stay": "known only when they go",
}


# %% exercise="w02-j0-units" wrong="forgets to return" says="Its last line was given"
def creatinine_mg_dl(results, site_id, since):
    changed = (results["site_id"] == site_id) & (results["taken"] >= since)
    value = results["value"].where(~changed, results["value"] / 88.4)


# %% exercise="w02-j0-units" wrong="guesses before the confirmed day" says="Nobody said what it is"
def creatinine_mg_dl(results, site_id, since):
    changed = (results["site_id"] == site_id) & ((results["taken"] >= since) | (results["value"] > 20))
    return results["value"].where(~changed, results["value"] / 88.4)


# %% exercise="w02-j0-persons" wrong="one doubtful pair too" says="these are two people"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] > 5]
    return patient_ids.replace(dict(zip(linked["second_id"], linked["first_id"], strict=True)))


# %% exercise="w02-j0-persons" wrong="same phone is enough" says="these are two people"
def person_of(patient_ids, pairs):
    linked = pairs[pairs["score"] >= 5]
    return patient_ids.replace(dict(zip(linked["second_id"], linked["first_id"], strict=True)))


# %% exercise="w02-j0-quality" right="a limit above 0.20, argued in the memo"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (0.05, "laboratory manager", "stop training") for key in five}
limits["race"] = (0.3, "head of registration", "label comparisons of groups")


# %% exercise="w02-j0-quality" wrong="so wide that nothing fails" says="can never fail"
five = ["creatinine", "race", "late messages", "second records", "coding gap"]
limits = {key: (1.0, "laboratory manager", "stop training") for key in five}


# %% exercise="w02-j0-lineage" right="points, above the doubtful one"
activity = {"text": "Episodes joined; hosp-2 converted; pairs of more than 6 points linked as one person."}
agent = [{"who": {"display": "Chief technology officer"}}]


# %% exercise="w02-j0-lineage" wrong="does not say how sure a link was" says="from which score on"
activity = {"text": "Episodes joined, 30 days; creatinine of hosp-2 converted; persons linked by score."}
agent = [{"who": {"display": "Chief technology officer"}}]


# %% exercise="w02-j0-lineage" wrong="another score than the code's" says="links from 16 and not 6"
activity = {"text": "Episodes joined, 30 days; creatinine of hosp-2 converted; persons linked from score 4."}
agent = [{"who": {"display": "Chief technology officer"}}]


# %% exercise="w02-j0-lineage" wrong="a number that is no score" says="from which score on"
activity = {"text": "Episodes joined, creatinine of hosp-2 converted; persons linked by 8 clerks in doubt."}
agent = [{"who": {"display": "Chief technology officer"}}]
