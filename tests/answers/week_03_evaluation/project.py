# %% exercise="w03-j10-help" right="between"
def helps(alerts):
    ahead = (alerts["met_at"] - alerts["fired_at"]).dt.total_seconds() / 3600
    soon = ahead.between(0, 24, inclusive="right")
    return (soon & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" right="a loop over the rows"
def helps(alerts):
    found = []
    for fired_at, met_at, ordered in zip(alerts["fired_at"], alerts["met_at"], alerts["lactate_ordered"], strict=True):
        in_time = pd.notna(met_at) and fired_at < met_at <= fired_at + pd.Timedelta(hours=24)
        found.append(1 if in_time and not ordered else 0)
    return pd.Series(found, index=alerts.index)


# %% exercise="w03-j10-help" wrong="the data science team's label" says="has a lactate ordered"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours > 0) & (hours <= 24)).astype(int)


# %% exercise="w03-j10-help" wrong="alerts after the fact count" says="That is no warning"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours <= 24) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="subtracted the wrong way round" says="That is no warning"
def helps(alerts):
    hours = (alerts["fired_at"] - alerts["met_at"]) / pd.Timedelta(hours=1)
    return ((hours > 0) & (hours <= 24) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="whoever deteriorates at any time" says="at most 24 hours"
def helps(alerts):
    return ((alerts["met_at"] > alerts["fired_at"]) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="an empty time is taken for soon" says="never met the criteria"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return (~(hours <= 0) & ~(hours > 24) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="keeps only the rows that count" says="keep a row for each alert"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    kept = alerts[(hours > 0) & (hours <= 24) & ~alerts["lactate_ordered"]]
    return pd.Series(1, index=kept.index)


# %% exercise="w03-j10-help" wrong="an array without the index" says="return a Series"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours > 0) & (hours <= 24) & ~alerts["lactate_ordered"]).astype(int).to_numpy()


# %% exercise="w03-j10-help" wrong="forgets to return" says="gives nothing back"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)


# %% exercise="w03-j10-help" wrong="never" says="Alert a fired twelve hours ahead"
def helps(alerts):
    return pd.Series(0, index=alerts.index)


# %% exercise="w03-j10-help" wrong="24 hours fall out" says="includes 24"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours > 0) & (hours < 24) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="at the very moment counts" says="at the very moment when"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours >= 0) & (hours <= 24) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="in whole hours" says="Do not round"
def helps(alerts):
    hours = ((alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)).round()
    return ((hours > 0) & (hours <= 24) & ~alerts["lactate_ordered"]).astype(int)


# %% exercise="w03-j10-help" wrong="== False without brackets" says="in round brackets"
def helps(alerts):
    hours = (alerts["met_at"] - alerts["fired_at"]) / pd.Timedelta(hours=1)
    return ((hours > 0) & (hours <= 24) & alerts["lactate_ordered"] == False).astype(int)  # noqa: E712


# %% exercise="w03-j10-escalate" right="one word, changed step by step"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    rung = "list"
    if suspected or chance >= ward_from:
        rung = "ward"
    if chance >= visit_from and visits_left >= 1 and not visited_today:
        rung = "visit"
    return rung


# %% exercise="w03-j10-escalate" right="the list first"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    may_visit = not visited_today and visits_left
    if chance < ward_from and not suspected:
        return "list"
    return "visit" if chance >= visit_from and may_visit else "ward"


# %% exercise="w03-j10-escalate" wrong="the roster is forgotten" says="A visit with none left"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today:
        return "visit"
    return "ward" if chance >= ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="no visit left, the ward does not hear of it" says="Nobody falls off the ladder"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today:
        return "visit" if visits_left > 0 else "list"
    return "ward" if chance >= ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="the same patient twice" says="One visit a patient a day"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="visited today, so only listed" says="no reason to keep the evening's alert"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if visited_today:
        return "list"
    if chance >= visit_from and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="suspected patients are hidden by the sort" says="may be the sickest"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from else "list"


# %% exercise="w03-j10-escalate" wrong="suspected, so only listed" says="may be the sickest"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if suspected:
        return "list"
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from else "list"


# %% exercise="w03-j10-escalate" wrong="the last visit is kept" says="The last visit may be used"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today and visits_left > 1:
        return "visit"
    return "ward" if chance >= ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="above the limit only, for visits" says="exactly `visit_from`"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance > visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="above the limit only, for the ward" says="exactly `ward_from`"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance > ward_from or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="the ward hears everything" says="interrupts nobody"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward"


# %% exercise="w03-j10-escalate" wrong="today's numbers by heart" says="use the arguments"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= 0.08 and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= 0.04 or suspected else "list"


# %% exercise="w03-j10-escalate" wrong="suspicion counts only before the visit" says="and for nothing else"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from or (suspected and not visited_today) else "list"


# %% exercise="w03-j10-escalate" wrong="whoever was visited goes to the ward" says="is for the list like any other"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from or suspected or visited_today else "list"


# %% exercise="w03-j10-escalate" wrong="suspected, so never visited" says="does not ask about suspicion"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    if suspected:
        return "ward"
    if chance >= visit_from and not visited_today and visits_left > 0:
        return "visit"
    return "ward" if chance >= ward_from else "list"


# %% exercise="w03-j10-escalate" wrong="other words" says="none of the three rungs"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    return "red" if chance >= visit_from else "amber" if chance >= ward_from else "green"


# %% exercise="w03-j10-escalate" wrong="forgets to return" says="gives nothing back"
def escalate(chance, visit_from, ward_from, visited_today, visits_left, suspected):
    rung = "visit" if chance >= visit_from and not visited_today and visits_left > 0 else "ward"
    if chance < ward_from and not suspected:
        return "list"


# %% exercise="w03-j10-feedback" right="one change, kept within both ends"
def next_limit(ward_from, share_read, goal, cap):
    change = 0
    if share_read < goal:
        change = 0.005
    elif share_read > goal + 0.05:
        change = -0.005
    return min(max(ward_from + change, 0), cap)


# %% exercise="w03-j10-feedback" right="numpy"
def next_limit(ward_from, share_read, goal, cap):
    step = 0.005 * ((share_read < goal) - int(share_read > goal + 0.05))
    return float(np.clip(ward_from + step, 0, cap))


# %% exercise="w03-j10-feedback" wrong="little read, so show more" says="people who do not keep up"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return max(ward_from - 0.005, 0)
    if share_read > goal + 0.05:
        return min(ward_from + 0.005, cap)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="a step of 0.05" says="One step is 0.005"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.05, cap)
    if share_read > goal + 0.05:
        return max(ward_from - 0.05, 0)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="no cap" says="may silence a ward"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return ward_from + 0.005
    if share_read > goal + 0.05:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="min and max exchanged" says="One step is 0.005"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return max(ward_from + 0.005, cap)
    if share_read > goal + 0.05:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="only ever fewer alerts" says="there is room to show more"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.005, cap)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="never at rest" says="leave it"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.005, cap)
    return max(ward_from - 0.005, 0)


# %% exercise="w03-j10-feedback" wrong="below nothing" says="never below 0"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.005, cap)
    if share_read > goal + 0.05:
        return ward_from - 0.005
    return ward_from


# %% exercise="w03-j10-feedback" wrong="stays when it cannot take a whole step" says="ends at 0"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.005, cap)
    if share_read > goal + 0.05 and ward_from >= 0.005:
        return ward_from - 0.005
    return ward_from


# %% exercise="w03-j10-feedback" wrong="today's goal by heart" says="use `goal`"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < 0.70:
        return min(ward_from + 0.005, cap)
    if share_read > 0.75:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="today's cap by heart" says="use `cap`"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.005, 0.05)
    if share_read > goal + 0.05:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="forgets to return" says="gives nothing back"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        ward_from = min(ward_from + 0.005, cap)


# %% exercise="w03-j10-feedback" wrong="the goal itself counts as too little" says="exactly the goal"
def next_limit(ward_from, share_read, goal, cap):
    if share_read <= goal:
        return min(ward_from + 0.005, cap)
    if share_read > goal + 0.05:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j10-feedback" wrong="a band of 7 points" says="more than 0.05 above"
def next_limit(ward_from, share_read, goal, cap):
    if share_read < goal:
        return min(ward_from + 0.005, cap)
    if share_read > goal + 0.07:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j10-feedback" right="looks at the distance to the goal"
def next_limit(ward_from, share_read, goal, cap):
    if share_read - goal < 0:
        return min(ward_from + 0.005, cap)
    if share_read - goal > 0.05:
        return max(ward_from - 0.005, 0)
    return ward_from


# %% exercise="w03-j9-late" right="hours on the clock, one payer at a time"
def late_by_payer(requests, now):
    shares = {}
    for payer, part in requests.groupby("payer"):
        ended = (now - part["requested"]) / pd.Timedelta(hours=1) >= part["urgent"].map({True: 72, False: 168})
        hours = (part["decided"].fillna(now) - part["requested"]) / pd.Timedelta(hours=1)
        late = ((hours > 72) & part["urgent"]) | (hours > 168)
        shares[payer] = late[ended].mean()
    return pd.Series(shares)


# %% exercise="w03-j9-late" right="late answers and overdue silence, put together"
def late_by_payer(requests, now):
    clock = requests["urgent"].map({True: pd.Timedelta(hours=72), False: pd.Timedelta(days=7)})
    due = requests["requested"] + clock
    rows = requests.assign(late=(requests["decided"] > due) | (requests["decided"].isna() & (due < now)))
    return rows[due <= now].groupby("payer")["late"].mean()


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
    due = requests["requested"] + pd.Timedelta(days=7)
    late = requests["decided"].fillna(now) > due
    known = due <= now
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="the urgent clock for everybody" says="each request has its own clock"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.Timedelta(hours=72)
    late = requests["decided"].fillna(now) > due
    known = due <= now
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="silence is dropped" says="those that have not come"
def late_by_payer(requests, now):
    answered = requests.dropna(subset=["decided"])
    due = answered["requested"] + pd.to_timedelta(np.where(answered["urgent"], 72, 168), unit="h")
    return (answered["decided"] > due)[due <= now].groupby(answered["payer"]).mean()


# %% exercise="w03-j9-late" wrong="who waits counts as in time" says="A clock that still runs"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    return (requests["decided"].fillna(now) > due).groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="keeps quick answers whose clock still runs" says="A clock that still runs"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    late = requests["decided"].fillna(now) > due
    known = requests["decided"].notna() | late
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="late from the last minute of the clock" says="the very end of its clock"
def late_by_payer(requests, now):
    due = requests["requested"] + pd.to_timedelta(np.where(requests["urgent"], 72, 168), unit="h")
    late = requests["decided"].fillna(now) >= due
    known = due <= now
    return late[known].groupby(requests["payer"]).mean()


# %% exercise="w03-j9-late" wrong="silence gets seven days, urgent or not" says="and both kinds of silence"
def late_by_payer(requests, now):
    clock = np.where(requests["urgent"] & requests["decided"].notna(), 72, 168)
    due = requests["requested"] + pd.to_timedelta(clock, unit="h")
    late = requests["decided"].fillna(now) > due
    known = due <= now
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


# %% exercise="w03-j9-order" right="the urgent first, without a model"
launch_order = "urgent first"

# %% exercise="w03-j9-order" right="the fewest late answers, found by code"
launch_order = results.drop(index="payers today")["late per 100, all"].idxmin()

# %% exercise="w03-j9-order" right="16 places are too few"
launch_order = "no launch"

# %% exercise="w03-j9-order" wrong="the times, not the name" says="a name in quotation marks"
launch_order = orders["urgent, look-by"]

# %% exercise="w03-j9-order" wrong="what happens today" says="none of the choices"
launch_order = "payers today"

# %% exercise="w03-j9-order" wrong="the shortest median" says="bought by leaving the hard ones"
launch_order = "easiest first"

# %% exercise="w03-j9-order" wrong="as it always was" says="the very requests that a clinician marked"
launch_order = "first come"


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
