# %% exercise="w01-j11-features" right="the few that matter"
features = ["lead_days", "known_rate", "age", "distance_km", "transport_need"]

# %% exercise="w01-j11-features" right="all that is known, by exclusion"
late = {"wait_minutes", "no_show_rate", "status", "missed", "sms_reminder", "snow_cm_forecast", "payer", "language", "sex"}
labels = {"patient_id", "appointment_id", "start", "day", "booked_on", "site_id"}
features = [name for name in seen.columns if name not in late | labels]

# %% exercise="w01-j11-features" wrong="keeps the waiting time" says="is written when the patient has come"
features = ["lead_days", "known_rate", "age", "distance_km", "wait_minutes"]

# %% exercise="w01-j11-features" wrong="keeps the rate that looks ahead" says="was computed over all visits"
features = ["lead_days", "no_show_rate", "age", "distance_km", "hour"]

# %% exercise="w01-j11-features" wrong="keeps the outcome" says="is the outcome"
features = ["lead_days", "known_rate", "age", "status", "hour"]

# %% exercise="w01-j11-features" wrong="learns patients by name" says="is no feature"
features = ["lead_days", "known_rate", "age", "patient_id", "hour"]

# %% exercise="w01-j11-features" wrong="takes the reminder along" says="Leave sms_reminder out"
features = ["lead_days", "known_rate", "age", "sms_reminder", "hour"]

# %% exercise="w01-j11-features" wrong="too few" says="asked for at least five"
features = ["lead_days", "known_rate"]

# %% exercise="w01-j11-features" wrong="five that say little" says="is one of them missing"
features = ["hour", "weekday", "site_name", "transport_need", "new_patient"]

# %% exercise="w01-j11-features" wrong="a column that is not there" says="no such column"
features = ["lead_days", "known_rate", "age", "hour", "weather"]


# %% exercise="w01-j11-bands" right="numpy select"
def bands(place, n_high, n_medium):
    return np.select([place <= n_high, place <= n_high + n_medium], ["high", "medium"], default="low")


# %% exercise="w01-j11-bands" right="a loop"
def bands(place, n_high, n_medium):
    found = []
    for one in place:
        found.append("high" if one <= n_high else "medium" if one <= n_high + n_medium else "low")
    return np.array(found)


# %% exercise="w01-j11-bands" wrong="last place falls out" says="the last place of a band belongs to it"
def bands(place, n_high, n_medium):
    return np.where(place < n_high, "high", np.where(place < n_high + n_medium, "medium", "low"))


# %% exercise="w01-j11-bands" wrong="medium counted from the top" says="come after the two of high"
def bands(place, n_high, n_medium):
    return np.where(place <= n_high, "high", np.where(place <= n_medium, "medium", "low"))


# %% exercise="w01-j11-bands" wrong="other words" says="use the words low, medium and high"
def bands(place, n_high, n_medium):
    return np.where(place <= n_high, "red", np.where(place <= n_high + n_medium, "amber", "green"))


# %% exercise="w01-j11-bands" wrong="medium swallows low" says="Places 1 to 6"
def bands(place, n_high, n_medium):
    return np.where(place <= n_high, "high", "medium")


# %% exercise="w01-j11-bands" wrong="numbers of the example by heart" says="use the arguments"
def bands(place, n_high, n_medium):
    return np.where(place <= 2, "high", np.where(place <= 5, "medium", "low"))


# %% exercise="w01-j11-bands" wrong="forgets to return" says="Does its last line begin with"
def bands(place, n_high, n_medium):
    answer = np.where(place <= n_high, "high", "low")


# %% exercise="w01-j11-gain" right="two numbers read off the table"
gain = round(per_100["highest risk"], 1) - round(per_100["largest share missed"], 1)

# %% exercise="w01-j11-gain" right="the best of the others, found by code"
table = pd.Series(per_100)
gain = table["highest risk"] - table.drop("highest risk").max()

# %% exercise="w01-j11-gain" wrong="against the front desk's rule" says="one of the weaker rules"
gain = per_100["highest risk"] - per_100["booked longest ago"]

# %% exercise="w01-j11-gain" wrong="against calling anybody" says="the gain over calling anybody"
gain = per_100["highest risk"] - per_100["any fifteen"]

# %% exercise="w01-j11-gain" wrong="the model's own figure" says="not a difference between two rows"
gain = per_100["highest risk"]

# %% exercise="w01-j11-action" right="one dictionary and two questions"
def action(band, transport_need, days_ahead):
    if band != "high":
        return {"medium": "text", "low": "usual"}[band]
    if days_ahead >= 7:
        return "offer_slot"
    return {True: "ride", False: "call"}[bool(transport_need)]


# %% exercise="w01-j11-action" right="from the bottom up"
def action(band, transport_need, days_ahead):
    result = "usual"
    if band == "medium":
        result = "text"
    if band == "high":
        result = "call"
        if transport_need:
            result = "ride"
        if days_ahead > 6:
            result = "offer_slot"
    return result


# %% exercise="w01-j11-action" wrong="rides for whoever needs one" says="rides are for the band high"
def action(band, transport_need, days_ahead):
    if transport_need:
        return "ride"
    return {"high": "call", "medium": "text", "low": "usual"}[band]


# %% exercise="w01-j11-action" wrong="a week is more than seven days" says="seven or more days mean"
def action(band, transport_need, days_ahead):
    if band == "high" and days_ahead > 7:
        return "offer_slot"
    if band == "high":
        return "ride" if transport_need else "call"
    return "text" if band == "medium" else "usual"


# %% exercise="w01-j11-action" wrong="earlier slots for everybody" says="earlier slots are for the band high"
def action(band, transport_need, days_ahead):
    if days_ahead >= 7:
        return "offer_slot"
    if band == "high":
        return "ride" if transport_need else "call"
    return "text" if band == "medium" else "usual"


# %% exercise="w01-j11-action" wrong="transport forgotten" says="six days ahead"
def action(band, transport_need, days_ahead):
    if band == "high":
        return "offer_slot" if days_ahead >= 7 else "call"
    return "text" if band == "medium" else "usual"


# %% exercise="w01-j11-action" wrong="everybody high gets a ride" says="without a transport need, tomorrow"
def action(band, transport_need, days_ahead):
    if band == "high":
        return "offer_slot" if days_ahead >= 7 else "ride"
    return "text" if band == "medium" else "usual"


# %% exercise="w01-j11-action" wrong="earlier slots only with a transport need" says="Another row"
def action(band, transport_need, days_ahead):
    if band == "high" and transport_need:
        return "offer_slot" if days_ahead >= 7 else "ride"
    return {"high": "call", "medium": "text", "low": "usual"}[band]


# %% exercise="w01-j11-features" wrong="takes the payer along" says="compliance has not signed"
features = ["lead_days", "known_rate", "age", "distance_km", "payer"]

# %% exercise="w01-j11-features" wrong="a tuple" says="write a list"
features = ("lead_days", "known_rate", "age", "distance_km", "hour")

# %% exercise="w01-j11-features" wrong="tomorrow's snow for next week's list" says="is known one day ahead only"
features = ["lead_days", "known_rate", "age", "distance_km", "snow_cm_forecast"]


# %% exercise="w01-j11-bands" wrong="as many medium places as in the example" says="use `n_medium`"
def bands(place, n_high, n_medium):
    return np.where(place <= n_high, "high", np.where((place <= n_high + 3) & (n_medium > 0), "medium", "low"))
