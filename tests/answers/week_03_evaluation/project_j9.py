# %% exercise="w03-j9-late" right="hours on the clock, one payer at a time"
def late_by_payer(requests, now):
    shares = {}
    for payer, part in requests.groupby("payer"):
        hours = (part["decided"].fillna(now) - part["requested"]) / pd.Timedelta(hours=1)
        late = ((hours > 72) & part["urgent"]) | (hours > 168)
        shares[payer] = late[late | part["decided"].notna()].mean()
    return pd.Series(shares)


# %% exercise="w03-j9-late" right="late answers and overdue silence, put together"
def late_by_payer(requests, now):
    clock = requests["urgent"].map({True: pd.Timedelta(hours=72), False: pd.Timedelta(days=7)})
    due = requests["requested"] + clock
    rows = requests.assign(late=(requests["decided"] > due) | (requests["decided"].isna() & (due < now)))
    return rows[rows["late"] | rows["decided"].notna()].groupby("payer")["late"].mean()


# %% exercise="w03-j9-late" wrong="forgets to return" says="Does its last line begin with"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.Timedelta(days=7)
    late = requests["decided"] > due


# %% exercise="w03-j9-late" wrong="one share for all payers" says="a Series of shares"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    return float((requests["decided"].fillna(now) > due).mean())


# %% exercise="w03-j9-late" wrong="one row a request" says="Group by payer"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    return (requests["decided"].fillna(now) > due).astype(float)


# %% exercise="w03-j9-late" wrong="counts instead of shares" says="half are late"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    return (requests["decided"].fillna(now) > due).groupby(requests["payer"]).sum()


# %% exercise="w03-j9-late" wrong="one clock for everybody" says="each request has its own clock"
def late_by_payer(requests, now):
    late = requests["decided"].fillna(now) > requests["requested"] + pd.Timedelta(days=7)
    known = requests["decided"].notna() | late
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="the urgent clock for everybody" says="each request has its own clock"
def late_by_payer(requests, now):
    late = requests["decided"].fillna(now) > requests["requested"] + pd.Timedelta(hours=72)
    known = requests["decided"].notna() | late
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="silence is dropped" says="those that have not come"
def late_by_payer(requests, now):
    answered = requests.dropna(subset=["decided"])
    due = answered["requested"] + pd.to_timedelta(np.where(answered["urgent"], 72, 168), unit="h")
    return (answered["decided"] > due).groupby(answered["payer"]).mean()


# %% exercise="w03-j9-late" wrong="who waits counts as in time" says="A clock that still runs"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    return (requests["decided"].fillna(now) > due).groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="silence gets seven days, urgent or not" says="and both kinds of silence"
def late_by_payer(requests, now):
    clock = np.where(requests["urgent"] & requests["decided"].notna(), 72, 168)
    late = requests["decided"].fillna(now) > requests["requested"] + pd.to_timedelta(clock, unit="h")
    known = requests["decided"].notna() | late
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-look-by" right="hours added up"
def look_by(sent, urgent, question):
    hours = urgent.map({True: 72, False: 168}) - question.map({True: 48, False: 0})
    return sent + pd.to_timedelta(hours, unit="h")


# %% exercise="w03-j9-look-by" right="request by request"
def look_by(sent, urgent, question):
    found = []
    for time, hurry, ask in zip(sent, urgent, question):
        hours = 72 if hurry else 168
        if ask:
            hours = hours - 48
        found.append(time + pd.Timedelta(hours=hours))
    return pd.Series(found, index=sent.index)


# %% exercise="w03-j9-look-by" wrong="forgets to return" says="Does its last line begin with"
def look_by(sent, urgent, question):
    hours = np.where(urgent, 72, 168)


# %% exercise="w03-j9-look-by" wrong="sorted at once" says="with the index of `sent`"
def look_by(sent, urgent, question):
    hours = np.where(urgent, 72, 168) - 48 * question
    return (sent + pd.to_timedelta(hours, unit="h")).sort_values()


# %% exercise="w03-j9-look-by" wrong="the urgent clock for everybody" says="Its clock has 168"
def look_by(sent, urgent, question):
    return sent + pd.to_timedelta(72 - 48 * question, unit="h")


# %% exercise="w03-j9-look-by" wrong="the clinician's mark is ignored" says="Its clock has 72"
def look_by(sent, urgent, question):
    return sent + pd.to_timedelta(168 - 48 * question, unit="h")


# %% exercise="w03-j9-look-by" wrong="adds the 48 hours" says="are lost from its own clock"
def look_by(sent, urgent, question):
    return sent + pd.to_timedelta(np.where(urgent, 72, 168) + 48 * question, unit="h")


# %% exercise="w03-j9-look-by" wrong="urgent requests are never asked about" says="Both apply"
def look_by(sent, urgent, question):
    return sent + pd.to_timedelta(np.where(urgent, 72, 168 - 48 * question), unit="h")


# %% exercise="w03-j9-look-by" wrong="all were sent when the first was" says="its own time"
def look_by(sent, urgent, question):
    hours = np.where(urgent, 72, 168) - 48 * question
    return pd.Series(sent.iloc[0] + pd.to_timedelta(hours, unit="h"), index=sent.index)


# %% exercise="w03-j9-added" right="read off the table"
added = 19 - 15

# %% exercise="w03-j9-added" right="the best order without a model, found by code"
total = counts.sum()
added = total[["first come", "urgent first", "look-by, flags"]].min() - total["look-by, model"]

# %% exercise="w03-j9-added" wrong="against first come" says="Much of it can be had without a model"
added = counts["first come"].sum() - counts["look-by, model"].sum()

# %% exercise="w03-j9-added" wrong="against urgent first" says="does better than that one"
added = counts["urgent first"].sum() - counts["look-by, model"].sum()

# %% exercise="w03-j9-added" wrong="what the flags save" says="they are a rule"
added = counts["first come"].sum() - counts["look-by, flags"].sum()

# %% exercise="w03-j9-added" wrong="the wrong way round" says="flags first, then the model"
added = counts["look-by, model"].sum() - counts["look-by, flags"].sum()

# %% exercise="w03-j9-added" wrong="week by week" says="a number of late answers is wanted"
added = counts["look-by, flags"] - counts["look-by, model"]


# %% exercise="w03-j9-wrong" right="counted"
def wrong_bounds(denials):
    n = len(denials)
    overturned = (denials["appeal_outcome"] == "overturned").sum()
    upheld = (denials["appeal_outcome"] == "upheld").sum()
    return overturned / n, (n - upheld) / n


# %% exercise="w03-j9-wrong" right="a list, from shares by outcome"
def wrong_bounds(denials):
    shares = denials["appeal_outcome"].fillna("never appealed").value_counts(normalize=True)
    return [shares.get("overturned", 0.0), 1 - shares.get("upheld", 0.0)]


# %% exercise="w03-j9-wrong" wrong="forgets to return" says="Does its last line begin with"
def wrong_bounds(denials):
    low = denials["appeal_outcome"].eq("overturned").mean()


# %% exercise="w03-j9-wrong" wrong="one figure, no bound" says="Give two numbers"
def wrong_bounds(denials):
    return float(denials["appeal_outcome"].eq("overturned").mean())


# %% exercise="w03-j9-wrong" wrong="the highest first" says="the other way round"
def wrong_bounds(denials):
    outcome = denials["appeal_outcome"]
    return 1 - outcome.eq("upheld").mean(), outcome.eq("overturned").mean()


# %% exercise="w03-j9-wrong" wrong="share of the appeals" says="Divide by all denials"
def wrong_bounds(denials):
    outcome = denials["appeal_outcome"].dropna()
    return outcome.eq("overturned").mean(), 1 - outcome.eq("upheld").mean()


# %% exercise="w03-j9-wrong" wrong="who did not appeal was rightly denied" says="shows that it was right"
def wrong_bounds(denials):
    appealed = denials["appeal_outcome"].notna() & denials["appeal_outcome"].ne("upheld")
    return denials["appeal_outcome"].eq("overturned").mean(), appealed.mean()


# %% exercise="w03-j9-wrong" wrong="a pending appeal counts as right" says="A pending appeal is like none"
def wrong_bounds(denials):
    outcome = denials["appeal_outcome"]
    return outcome.eq("overturned").mean(), 1 - outcome.isin(["upheld", "pending"]).mean()


# %% exercise="w03-j9-wrong" wrong="one overturned denial, as in the example" says="count overturned for the lowest"
def wrong_bounds(denials):
    return 1 / len(denials), 1 - denials["appeal_outcome"].eq("upheld").mean()
