# %% exercise="w01-j11-features" right="the few that matter"
features = ["lead_days", "known_rate", "age", "distance_km", "transport_need", "payer"]

# %% exercise="w01-j11-features" right="all that is known, by exclusion"
late = {"wait_minutes", "no_show_rate", "status", "missed", "sms_reminder"}
labels = {"patient_id", "appointment_id", "start", "day", "booked_on", "site_id"}
features = [name for name in seen.columns if name not in late | labels]

# %% exercise="w01-j11-features" wrong="keeps the waiting time" says="is written when the patient has come"
features = ["lead_days", "known_rate", "age", "distance_km", "wait_minutes"]

# %% exercise="w01-j11-features" wrong="keeps the rate that looks ahead" says="was computed over all visits"
features = ["lead_days", "no_show_rate", "age", "distance_km", "payer"]

# %% exercise="w01-j11-features" wrong="keeps the outcome" says="is the outcome"
features = ["lead_days", "known_rate", "age", "status", "payer"]

# %% exercise="w01-j11-features" wrong="learns patients by name" says="is no feature"
features = ["lead_days", "known_rate", "age", "patient_id", "payer"]

# %% exercise="w01-j11-features" wrong="takes the reminder along" says="Leave sms_reminder out"
features = ["lead_days", "known_rate", "age", "sms_reminder", "payer"]

# %% exercise="w01-j11-features" wrong="too few" says="asked for at least five"
features = ["lead_days", "known_rate"]

# %% exercise="w01-j11-features" wrong="five that say little" says="is one of them missing"
features = ["hour", "weekday", "sex", "snow_cm_forecast", "new_patient"]

# %% exercise="w01-j11-features" wrong="a column that is not there" says="no such column"
features = ["lead_days", "known_rate", "age", "payer", "weather"]


# %% exercise="w01-j11-bands" right="numpy select"
def risk_bands(risk, medium_from, high_from):
    return np.select([risk >= high_from, risk >= medium_from], ["high", "medium"], default="low")


# %% exercise="w01-j11-bands" right="a loop"
def risk_bands(risk, medium_from, high_from):
    bands = []
    for one in risk:
        bands.append("high" if one >= high_from else "medium" if one >= medium_from else "low")
    return np.array(bands)


# %% exercise="w01-j11-bands" wrong="limit belongs to the lower band" says="belongs to the higher band"
def risk_bands(risk, medium_from, high_from):
    return np.where(risk > high_from, "high", np.where(risk > medium_from, "medium", "low"))


# %% exercise="w01-j11-bands" wrong="other words" says="use the words low, medium and high"
def risk_bands(risk, medium_from, high_from):
    return np.where(risk >= high_from, "red", np.where(risk >= medium_from, "amber", "green"))


# %% exercise="w01-j11-bands" wrong="medium swallows low" says="The risks 0.05"
def risk_bands(risk, medium_from, high_from):
    return np.where(risk >= high_from, "high", "medium")


# %% exercise="w01-j11-bands" wrong="limits of the example by heart" says="use the arguments"
def risk_bands(risk, medium_from, high_from):
    return np.where(risk >= 0.5, "high", np.where(risk >= 0.2, "medium", "low"))


# %% exercise="w01-j11-limits" right="quantiles"
risk = new_model().fit(train[features], train["missed"]).predict_proba(validation[features])[:, 1]
days = validation["day"].nunique()
high_from = np.quantile(risk, 1 - 13.5 * days / len(risk))
medium_from = np.quantile(risk, 1 - 31 * days / len(risk))

# %% exercise="w01-j11-limits" right="whole counts by sorting"
risk = new_model().fit(train[features], train["missed"]).predict_proba(validation[features])[:, 1]
ranked = sorted(risk, reverse=True)
days = validation["day"].nunique()
high_from, medium_from = ranked[13 * days], ranked[30 * days]

# %% exercise="w01-j11-limits" wrong="limits from a textbook" says="Lower high_from"
medium_from, high_from = 0.5, 0.8

# %% exercise="w01-j11-limits" wrong="everybody is high" says="Raise high_from"
medium_from, high_from = 0.01, 0.02

# %% exercise="w01-j11-limits" wrong="the two swapped" says="medium below high"
medium_from, high_from = 0.4, 0.2

# %% exercise="w01-j11-limits" wrong="everybody else gets a text" says="Raise medium_from"
risk = new_model().fit(train[features], train["missed"]).predict_proba(validation[features])[:, 1]
high_from = np.sort(risk)[-14 * validation["day"].nunique()]
medium_from = 0.001

# %% exercise="w01-j11-limits" wrong="hardly anybody gets a text" says="Lower medium_from"
risk = new_model().fit(train[features], train["missed"]).predict_proba(validation[features])[:, 1]
high_from = np.sort(risk)[-14 * validation["day"].nunique()]
medium_from = high_from - 0.0001


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
