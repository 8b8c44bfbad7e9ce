# %% exercise="w02-record-number" right="a comprehension with a default"
def record_number(pid, assigner):
    numbers = [number.split("^") for number in pid.split("|")[3].split("~")]
    return next((parts[0] for parts in numbers if parts[3] == assigner), None)


# %% exercise="w02-record-number" right="a dict by assigner"
def record_number(pid, assigner):
    by_assigner = {}
    for number in pid.split("|")[3].split("~"):
        by_assigner[number.split("^")[3]] = number.split("^")[0]
    return by_assigner.get(assigner)


# %% exercise="w02-record-number" wrong="nothing returned" says="gives nothing back"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if parts[3] == assigner:
            print(parts[0])


# %% exercise="w02-record-number" wrong="gives up at the first number that does not fit" says="no other in the loop"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if parts[3] == assigner:
            return parts[0]
        return None


# %% exercise="w02-record-number" wrong="the first number" says="not by the place"
def record_number(pid, assigner):
    return pid.split("|")[3].split("~")[0].split("^")[0]


# %% exercise="w02-record-number" wrong="the whole entry" says="the number is the first of them"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        if number.split("^")[3] == assigner:
            return number


# %% exercise="w02-record-number" wrong="the parts as a list" says="return one text"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        if number.split("^")[3] == assigner:
            return number.split("^")


# %% exercise="w02-record-number" wrong="the network's number for everybody" says="whoever that is"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if parts[3] == "LAKESHORE":
            return parts[0]


# %% exercise="w02-record-number" wrong="another series when there is none" says="Return None"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if parts[3] == assigner:
            return parts[0]
    return parts[0]


# %% exercise="w02-record-number" wrong="the assigner somewhere in the text" says="The fourth part must be equal"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        if assigner in number:
            return number.split("^")[0]


# %% exercise="w02-record-number" wrong="the assigner somewhere in the fourth part" says="The fourth part must be equal"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if assigner in parts[3]:
            return parts[0]


# %% exercise="w02-record-number" wrong="nothing where the network's number stands first" says="On hospital 3's messages"
def record_number(pid, assigner):
    for number in pid.split("|")[3].split("~"):
        parts = number.split("^")
        if parts[3] == assigner and not pid.split("|")[3].startswith("LH"):
            return parts[0]


# %% exercise="w02-claim" right="segments in a dict"
def read_claim(claim):
    segments = {segment.strip().split("*")[0]: segment.strip().split("*") for segment in claim.split("~")}
    code = segments["HI"][1].removeprefix("ICD10CM:")
    return {"visit": segments["REF"][2], "principal": code if len(code) == 3 else f"{code[:3]}.{code[3:]}"}


# %% exercise="w02-claim" right="cut out with split"
def read_claim(claim):
    visit = claim.split("REF*VISIT*")[1].split("~")[0]
    code = claim.split("HI*ICD10CM:")[1].split("~")[0].split("*")[0]
    return dict(visit=visit, principal=".".join(filter(None, [code[:3], code[3:]])))


# %% exercise="w02-claim" wrong="forgets to return" says="gives nothing back"
def read_claim(claim):
    found = claim.split("~")


# %% exercise="w02-claim" wrong="two texts without names" says="return a dict"
def read_claim(claim):
    visit = claim.split("REF*VISIT*")[1].split("~")[0]
    return visit, "I50.9"


# %% exercise="w02-claim" wrong="the qualifier instead of the number" says="the third piece of the REF segment"
def read_claim(claim):
    return {"visit": "VISIT", "principal": "I50.9"}


# %% exercise="w02-claim" wrong="no point" says="without its point"
def read_claim(claim):
    for segment in claim.split("~"):
        parts = segment.strip().split("*")
        if parts[0] == "REF":
            visit = parts[2]
        if parts[0] == "HI":
            code = parts[1].split(":")[1]
    return {"visit": visit, "principal": code}


# %% exercise="w02-claim" wrong="the last diagnosis" says="the last diagnosis"
def read_claim(claim):
    visit = claim.split("REF*VISIT*")[1].split("~")[0]
    code = claim.split("HI*")[1].split("~")[0].split("*")[-1].split(":")[1]
    return {"visit": visit, "principal": code[:3] + "." + code[3:]}


# %% exercise="w02-claim" wrong="the second diagnosis" says="take the first diagnosis"
def read_claim(claim):
    visit = claim.split("REF*VISIT*")[1].split("~")[0]
    code = claim.split("HI*")[1].split("~")[0].split("*")[1].split(":")[1]
    return {"visit": visit, "principal": code[:3] + "." + code[3:]}


# %% exercise="w02-claim" wrong="a point after every code" says="three characters need no point"
def read_claim(claim):
    for segment in claim.split("~"):
        parts = segment.strip().split("*")
        if parts[0] == "REF":
            visit = parts[2]
        if parts[0] == "HI":
            code = parts[1].split(":")[1]
    return {"visit": visit, "principal": code[:3] + "." + code[3:]}


# %% exercise="w02-claim" wrong="cuts codes to one place after the point" says="From a claim of a clinic"
def read_claim(claim):
    visit = claim.split("REF*VISIT*")[1].split("~")[0]
    code = claim.split("HI*ICD10CM:")[1].split("~")[0].split("*")[0]
    return {"visit": visit, "principal": code if len(code) == 3 else f"{code[:3]}.{code[3:4]}"}


# %% exercise="w02-share-valid" right="a helper and a mean"
def share_valid(resources, model):
    def fits(resource):
        try:
            model.model_validate(resource)
        except ValidationError:
            return False
        return True

    return float(np.mean([fits(resource) for resource in resources]))


# %% exercise="w02-share-valid" right="counts the failures"
def share_valid(resources, model):
    failed = []
    for resource in resources:
        try:
            model(**resource)
        except ValidationError as error:
            failed.append(str(error))
    return 1 - len(failed) / len(resources)


# %% exercise="w02-share-valid" wrong="forgets to return" says="gives nothing back"
def share_valid(resources, model):
    good = len(resources)


# %% exercise="w02-share-valid" wrong="looks without validating" says="first model.model_validate"
def share_valid(resources, model):
    good = 0
    for resource in resources:
        try:
            resource["resourceType"]
            good = good + 1
        except ValidationError:
            pass
    return good / len(resources)


# %% exercise="w02-share-valid" wrong="counts before it validates" says="first model.model_validate"
def share_valid(resources, model):
    good = 0
    for resource in resources:
        try:
            good = good + 1
            model.model_validate(resource)
        except ValidationError:
            pass
    return good / len(resources)



# %% exercise="w02-share-valid" wrong="the first failure ends it" says="Does one that fails"
def share_valid(resources, model):
    good = 0
    try:
        for resource in resources:
            model.model_validate(resource)
            good = good + 1
    except ValidationError:
        pass
    return good / len(resources)


# %% exercise="w02-share-valid" wrong="a count" says="divide the count"
def share_valid(resources, model):
    good = 0
    for resource in resources:
        try:
            model.model_validate(resource)
            good = good + 1
        except ValidationError:
            pass
    return good


# %% exercise="w02-share-valid" wrong="counts what failed" says="the share that failed"
def share_valid(resources, model):
    bad = 0
    for resource in resources:
        try:
            model.model_validate(resource)
        except ValidationError:
            bad = bad + 1
    return bad / len(resources)


# %% exercise="w02-share-valid" wrong="what has no status is left out of the share" says="each of the five"
def share_valid(resources, model):
    good = 0
    asked = [resource for resource in resources if "status" in resource]
    for resource in asked:
        try:
            model.model_validate(resource)
            good = good + 1
        except ValidationError:
            pass
    return good / len(asked)


# %% exercise="w02-share-valid" wrong="return inside the loop" says="too far to the right"
def share_valid(resources, model):
    good = 0
    for resource in resources:
        try:
            model.model_validate(resource)
            good = good + 1
        except ValidationError:
            pass
        return good / len(resources)


# %% exercise="w02-share-valid" wrong="always R4B" says="Use the `model`"
def share_valid(resources, model):
    good = 0
    for resource in resources:
        try:
            EncounterR4B.model_validate(resource)
            good = good + 1
        except ValidationError:
            pass
    return good / len(resources)


# %% exercise="w02-share-valid" wrong="the first five stand for all" says="go through all"
def share_valid(resources, model):
    good = 0
    for resource in resources[:5]:
        try:
            model.model_validate(resource)
            good = good + 1
        except ValidationError:
            pass
    return good / len(resources[:5])


# %% exercise="w02-sql" right="a class that is compared first"
def finished_stays(path, code):
    table = duckdb.execute(
        "select id as stay_id, split_part(subject.reference, '/', 2) as patient_id, class.code as kind from read_json(?, "
        "columns = {id: 'VARCHAR', status: 'VARCHAR', class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})"
        " where status = 'finished' order by id",
        [path],
    ).df()
    return table.loc[table["kind"] == code, ["stay_id", "patient_id"]]


# %% exercise="w02-sql" right="no SQL at all"
def finished_stays(path, code):
    with open(path, encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    rows = [
        (one["id"], one["subject"]["reference"].split("/")[1])
        for one in found
        if one["status"] == "finished" and one["class"]["code"] == code
    ]
    return pd.DataFrame(sorted(rows), columns=["stay_id", "patient_id"])


# %% exercise="w02-sql" wrong="forgets to return" says="gives nothing back"
def finished_stays(path, code):
    query = "select id as stay_id"


# %% exercise="w02-sql" wrong="rows instead of a table" says="end the last line with .df()"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = ?
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).fetchall()


# %% exercise="w02-sql" wrong="column without its name" says="name them with `as`"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '')
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = ?
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-sql" wrong="whoever is still in" says="still in hospital"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where class.code = ?
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-sql" wrong="every class" says="no inpatient stays"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished'
    order by stay_id
    """
    return duckdb.execute(query, [path]).df()


# %% exercise="w02-sql" wrong="one stay a patient" says="are finished and inpatient"
def finished_stays(path, code):
    query = """
    select min(id) as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = ?
    group by patient_id order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-sql" wrong="the reference as it is" says="begins with Patient/"
def finished_stays(path, code):
    query = """
    select id as stay_id, subject.reference as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = ?
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-sql" wrong="sorted by patient" says="not sorted by stay_id"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = ?
    order by patient_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-sql" wrong="inpatient stays, whatever is asked" says="hand `code` over"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = 'IMP'
    order by stay_id
    """
    return duckdb.execute(query, [path]).df()


# %% exercise="w02-sql" wrong="everything that is not going on" says="Ask for `status = 'finished'`"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status <> 'in-progress' and class.code = ?
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-sql" wrong="the class written instead of the second ?" says="Leave one `?` for each"
def finished_stays(path, code):
    query = """
    select id as stay_id, replace(subject.reference, 'Patient/', '') as patient_id
    from read_json(?, columns = {id: 'VARCHAR', status: 'VARCHAR',
        class: 'STRUCT(code VARCHAR)', subject: 'STRUCT(reference VARCHAR)'})
    where status = 'finished' and class.code = 'IMP'
    order by stay_id
    """
    return duckdb.execute(query, [path, code]).df()


# %% exercise="w02-missing-by-site" right="apply on groups"
def missing_by_site(patients, column):
    share = 1 - patients.groupby("home_site_id")[column].count() / patients.groupby("home_site_id").size()
    return share.sort_values(ascending=False)


# %% exercise="w02-missing-by-site" right="a loop over the clinics"
def missing_by_site(patients, column):
    share = {}
    for site in patients["home_site_id"].unique():
        own = patients[patients["home_site_id"] == site]
        share[site] = sum(own[column].isna()) / len(own)
    return pd.Series(share).sort_values(ascending=False)


# %% exercise="w02-missing-by-site" wrong="forgets to return" says="gives nothing back"
def missing_by_site(patients, column):
    share = patients[column].isna().mean()


# %% exercise="w02-missing-by-site" wrong="one share for all" says="one share for each clinic"
def missing_by_site(patients, column):
    return float(patients[column].isna().mean())


# %% exercise="w02-missing-by-site" wrong="filters the missing ones first" says="a share of 0 is a result"
def missing_by_site(patients, column):
    gone = patients[patients[column].isna()]
    return gone["home_site_id"].value_counts(normalize=True)


# %% exercise="w02-missing-by-site" wrong="counts divided" says="where nothing is missing, has the share nan"
def missing_by_site(patients, column):
    gone = patients[patients[column].isna()].groupby("home_site_id").size()
    return (gone / patients.groupby("home_site_id").size()).sort_values(ascending=False)



# %% exercise="w02-missing-by-site" wrong="share of what is there" says="not what is missing"
def missing_by_site(patients, column):
    return patients[column].notna().groupby(patients["home_site_id"]).mean().sort_values(ascending=False)


# %% exercise="w02-missing-by-site" wrong="share of all that is missing" says="the records of the same clinic"
def missing_by_site(patients, column):
    gone = patients[column].isna()
    return (gone.groupby(patients["home_site_id"]).sum() / gone.sum()).sort_values(ascending=False)


# %% exercise="w02-missing-by-site" wrong="the smallest first" says="put the largest share first"
def missing_by_site(patients, column):
    return patients[column].isna().groupby(patients["home_site_id"]).mean().sort_values()


# %% exercise="w02-missing-by-site" wrong="race, whatever is asked" says="use `column`"
def missing_by_site(patients, column):
    return patients["race"].isna().groupby(patients["home_site_id"]).mean().sort_values(ascending=False)


# %% exercise="w02-missing-by-site" wrong="the clinics of the example by heart" says="On the real records"
def missing_by_site(patients, column):
    share = patients[column].isna().groupby(patients["home_site_id"]).mean().sort_values(ascending=False)
    return share[share.index.isin(["a", "b", "c"]) | (column == "race")]


# %% exercise="w02-units" right="a table of factors"
def in_mg_dl(test, value, unit):
    factors = {
        ("creatinine", "mg/dL"): 1,
        ("glucose", "mg/dL"): 1,
        ("creatinine", "umol/L"): 0.0113122,
        ("glucose", "mmol/L"): 18.0156,
    }
    return value * factors.get((test, unit), float("nan"))


# %% exercise="w02-units" right="elif, and None for missing"
def in_mg_dl(test, value, unit):
    result = None
    if unit == "mg/dL":
        result = value
    elif (test, unit) == ("creatinine", "umol/L"):
        result = value / 88.42
    elif (test, unit) == ("glucose", "mmol/L"):
        result = 18 * value
    return result


# %% exercise="w02-units" wrong="forgets to return" says="gives nothing back"
def in_mg_dl(test, value, unit):
    answer = value


# %% exercise="w02-units" wrong="converts whatever comes" says="in the right unit already"
def in_mg_dl(test, value, unit):
    return value / 88.4 if test == "creatinine" else value * 18.02


# %% exercise="w02-units" wrong="multiplies instead of dividing" says="what 97 stands for"
def in_mg_dl(test, value, unit):
    factor = {"mg/dL": 1, "umol/L": 88.4, "mmol/L": 18.02}
    return value * factor.get(unit, np.nan)


# %% exercise="w02-units" wrong="divides glucose" says="the same glucose"
def in_mg_dl(test, value, unit):
    factor = {"mg/dL": 1, "umol/L": 88.4, "mmol/L": 18.02}
    return value / factor.get(unit, np.nan)


# %% exercise="w02-units" wrong="the unit decides, whatever the test" says="look at the test, too"
def in_mg_dl(test, value, unit):
    if unit == "mg/dL":
        return value
    if unit == "umol/L":
        return value / 88.4
    if unit == "mmol/L":
        return value * 18.02
    return np.nan


# %% exercise="w02-units" wrong="no unit taken for the usual one" says="nobody said so"
def in_mg_dl(test, value, unit):
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02
    if unit == "mg/dL" or not unit:
        return value
    return np.nan


# %% exercise="w02-units" wrong="capitals made small" says="UCUM tells capitals"
def in_mg_dl(test, value, unit):
    unit = unit.lower()
    if unit == "mg/dl":
        return value
    if test == "creatinine" and unit == "umol/l":
        return value / 88.4
    if test == "glucose" and unit == "mmol/l":
        return value * 18.02
    return np.nan


# %% exercise="w02-units" wrong="stops at None" says="With the unit None your function stops"
def in_mg_dl(test, value, unit):
    unit = unit.strip()
    if unit == "mg/dL":
        return value
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02
    return np.nan


# %% exercise="w02-units" wrong="None as if it were the usual unit" says="with the unit None became"
def in_mg_dl(test, value, unit):
    if unit == "mg/dL" or unit is None:
        return value
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02
    return np.nan



# %% exercise="w02-units" wrong="guesses from the size" says="do not guess"
def in_mg_dl(test, value, unit):
    if test == "creatinine" and unit in ("mg/dL", "umol/L"):
        return value / 88.4 if value > 20 else value
    if test == "glucose" and unit in ("mg/dL", "mmol/L"):
        return value * 18.02 if unit == "mmol/L" else value
    return np.nan


# %% exercise="w02-units" wrong="every other unit of a sort is converted" says="must be missing"
def in_mg_dl(test, value, unit):
    if unit == "mg/dL":
        return value
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit:
        return value * 18.02
    return np.nan


# %% exercise="w02-units" wrong="glucose of a sick patient guessed" says="with the same factor"
def in_mg_dl(test, value, unit):
    if unit == "mg/dL":
        return value
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02 if value < 30 else value
    return np.nan


# %% exercise="w02-units" wrong="low glucose in mg/dL guessed" says="A glucose in mg/dL stays"
def in_mg_dl(test, value, unit):
    if unit == "mg/dL":
        return value * 18.02 if test == "glucose" and value < 60 else value
    if test == "creatinine" and unit == "umol/L":
        return value / 88.4
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02
    return np.nan


# %% exercise="w02-units" wrong="high creatinine cut off" says="Convert every creatinine"
def in_mg_dl(test, value, unit):
    if unit == "mg/dL":
        return value
    if test == "creatinine" and unit == "umol/L":
        return min(value / 88.4, 2.0)
    if test == "glucose" and unit == "mmol/L":
        return value * 18.02
    return np.nan


# %% exercise="w02-suspicious" right="between"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"]).agg(value=("value", "median")).reset_index()
    bad = median[~median["value"].between(low, high)]
    return list(zip(bad["site_id"], bad["month"]))


# %% exercise="w02-suspicious" right="a loop over the groups"
def suspicious_months(results, low, high):
    found = []
    for (site, month), part in results.groupby(["site_id", "month"]):
        if not low <= np.median(part["value"]) <= high:
            found.append((site, month))
    return found


# %% exercise="w02-suspicious" right="pairs as lists"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"], as_index=False)["value"].median()
    bad = median.query("value < @low or value > @high")
    return bad[["site_id", "month"]].to_numpy().tolist()


# %% exercise="w02-suspicious" wrong="forgets to return" says="gives nothing back"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"])["value"].median()


# %% exercise="w02-suspicious" wrong="the medians, not their names" says="makes the list of pairs"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"])["value"].median()
    return median[(median < low) | (median > high)]


# %% exercise="w02-suspicious" wrong="every pair" says="all five pairs"
def suspicious_months(results, low, high):
    return list(results.groupby(["site_id", "month"])["value"].median().index)


# %% exercise="w02-suspicious" wrong="hospitals without months" says="give pairs of hospital and month"
def suspicious_months(results, low, high):
    median = results.groupby("site_id")["value"].median()
    return list(median[(median < low) | (median > high)].index)


# %% exercise="w02-suspicious" wrong="the mean" says="moves the mean"
def suspicious_months(results, low, high):
    mean = results.groupby(["site_id", "month"])["value"].mean()
    return list(mean[(mean < low) | (mean > high)].index)


# %% exercise="w02-suspicious" wrong="any value outside" says="moves the mean"
def suspicious_months(results, low, high):
    bad = results[(results["value"] < low) | (results["value"] > high)]
    return list(bad.groupby(["site_id", "month"]).size().index)


# %% exercise="w02-suspicious" wrong="the limit itself is not plausible" says="the limit itself"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"])["value"].median()
    return list(median[(median <= low) | (median >= high)].index)


# %% exercise="w02-suspicious" wrong="one bad month condemns the hospital" says="Group by hospital and month"
def suspicious_months(results, low, high):
    median = results.groupby("site_id")["value"].median()
    bad = median[(median < low) | (median > high)].index
    part = results[results["site_id"].isin(bad)]
    return list(part.groupby(["site_id", "month"]).size().index)


# %% exercise="w02-suspicious" wrong="only too high" says="Too low is as impossible"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"])["value"].median()
    return list(median[median > high].index)


# %% exercise="w02-suspicious" wrong="only too low" says="far above the limit"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"])["value"].median()
    return list(median[median < low].index)


# %% exercise="w02-suspicious" wrong="limits of the example" says="use `low` and `high`"
def suspicious_months(results, low, high):
    median = results.groupby(["site_id", "month"])["value"].median()
    return list(median[(median < 0.6) | (median > 1.3)].index)


# %% exercise="w02-suspicious" wrong="only where few results came" says="On sodium"
def suspicious_months(results, low, high):
    grouped = results.groupby(["site_id", "month"])["value"]
    median = grouped.median()
    return list(median[((median < low) | (median > high)) & (grouped.size() < 10)].index)


# %% exercise="w02-match-quality" right="frozensets"
def match_quality(proposed, confirmed):
    found, true = set(map(frozenset, proposed)), set(map(frozenset, confirmed))
    hits = len(found & true)
    return hits / len(found), hits / len(true)


# %% exercise="w02-match-quality" right="a loop with lists"
def match_quality(proposed, confirmed):
    found, true = [], []
    for pairs, kept in [(proposed, found), (confirmed, true)]:
        for one, other in pairs:
            pair = (min(one, other), max(one, other))
            if pair not in kept:
                kept.append(pair)
    hits = sum(pair in true for pair in found)
    return hits / len(found), hits / len(true)


# %% exercise="w02-match-quality" wrong="forgets to return" says="gives nothing back"
def match_quality(proposed, confirmed):
    found = set(proposed)


# %% exercise="w02-match-quality" wrong="precision only" says="Give back two numbers"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return len(found & true) / len(found)


# %% exercise="w02-match-quality" wrong="swapped" says="The two are swapped"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return len(found & true) / len(true), len(found & true) / len(found)


# %% exercise="w02-match-quality" wrong="order within a pair matters" says="they are the same pair"
def match_quality(proposed, confirmed):
    found, true = set(proposed), set(confirmed)
    return len(found & true) / len(found), len(found & true) / len(true)


# %% exercise="w02-match-quality" wrong="a pair listed twice counts twice" says="four different pairs"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return len(found & true) / len(proposed), len(found & true) / len(true)


# %% exercise="w02-match-quality" wrong="hits counted with their copies" says="three pairs are confirmed"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    hits = sum(tuple(sorted(pair)) in true for pair in proposed)
    return len(found & true) / len(found), hits / len(true)


# %% exercise="w02-match-quality" wrong="rounded to two digits" says="do not round"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return round(len(found & true) / len(found), 2), round(len(found & true) / len(true), 2)


# %% exercise="w02-match-quality" wrong="one half by heart" says="precision came out"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return 0.5, len(found & true) / len(true)


# %% exercise="w02-match-quality" wrong="two thirds by heart" says="recall came out"
def match_quality(proposed, confirmed):
    found = {tuple(sorted(pair)) for pair in proposed}
    true = {tuple(sorted(pair)) for pair in confirmed}
    return len(found & true) / len(found), 2 / 3


# %% exercise="w02-known" right="idxmax"
def last_known(results, asked):
    known = results[~(results["issued"] > asked)]
    return np.nan if known.empty else known.loc[known["taken"].idxmax(), "value"]


# %% exercise="w02-known" right="a loop"
def last_known(results, asked):
    latest, value = None, None
    for row in results.itertuples():
        if row.issued <= asked and (latest is None or row.taken > latest):
            latest, value = row.taken, row.value
    return value


# %% exercise="w02-known" wrong="forgets to return" says="gives nothing back"
def last_known(results, asked):
    known = results[results["issued"] <= asked]


# %% exercise="w02-known" wrong="a column" says="reads its last value"
def last_known(results, asked):
    known = results[results["issued"] <= asked]
    return known.sort_values("taken")["value"]


# %% exercise="w02-known" wrong="goes by the time of the sample" says="Nobody could have known it"
def last_known(results, asked):
    known = results[results["taken"] <= asked]
    if len(known) == 0:
        return np.nan
    return float(known.sort_values("taken")["value"].iloc[-1])


# %% exercise="w02-known" wrong="the one issued last" says="Sort by `taken`"
def last_known(results, asked):
    known = results[results["issued"] <= asked]
    if len(known) == 0:
        return np.nan
    return float(known.sort_values("issued")["value"].iloc[-1])


# %% exercise="w02-known" wrong="the last row, unsorted" says="Sort by `taken`"
def last_known(results, asked):
    known = results[results["issued"] <= asked]
    if len(known) == 0:
        return np.nan
    return float(known["value"].iloc[-1])


# %% exercise="w02-known" wrong="the first sample" says="take the latest sample"
def last_known(results, asked):
    known = results[results["issued"] <= asked]
    if len(known) == 0:
        return np.nan
    return float(known.sort_values("taken")["value"].iloc[0])


# %% exercise="w02-known" wrong="the minute itself does not count" says="at that very minute"
def last_known(results, asked):
    known = results[results["issued"] < asked]
    if len(known) == 0:
        return np.nan
    return float(known.sort_values("taken")["value"].iloc[-1])


# %% exercise="w02-known" wrong="zero for nothing known" says="Return np.nan"
def last_known(results, asked):
    known = results[results["issued"] <= asked]
    if len(known) == 0:
        return 0.0
    return float(known.sort_values("taken")["value"].iloc[-1])


# %% exercise="w02-known" wrong="the latest three hours only" says="With 60 other results"
def last_known(results, asked):
    known = results[(results["issued"] <= asked) & (results["taken"] >= asked - pd.Timedelta(hours=3))]
    if len(known) == 0:
        return np.nan
    known = known[known["issued"] - known["taken"] < pd.Timedelta(hours=2)]
    return float(known.sort_values("taken")["value"].iloc[-1]) if len(known) else np.nan


# %% exercise="w02-returned" right="a loop over neighbours"
def returned(stays):
    back = pd.Series(False, index=stays.index)
    for _, own in stays.groupby("patient_id"):
        own = own.sort_values("admitted")
        for now, then in zip(own.index[:-1], own.index[1:]):
            soon = own.loc[then, "admitted"] - own.loc[now, "discharged"] < pd.Timedelta(days=30)
            back[now] = bool(soon) and own.loc[then, "admission"] != "elective"
    return back


# %% exercise="w02-returned" right="in days, back in the order of the table"
def returned(stays):
    following = stays.sort_values("admitted").groupby("patient_id")[["admitted", "admission"]].shift(-1).reindex(stays.index)
    days = (following["admitted"] - stays["discharged"]) / pd.Timedelta(days=1)
    return days.lt(30) & following["admission"].isin(["emergency", "urgent"])


# %% exercise="w02-returned" right="whole days, as days are counted"
def returned(stays):
    ordered = stays.sort_values("admitted")
    by_patient = ordered.groupby("patient_id")
    days = (by_patient["admitted"].shift(-1) - ordered["discharged"]).dt.days
    return (days < 30) & by_patient["admission"].shift(-1).ne("elective")


# %% exercise="w02-returned" wrong="forgets to return" says="gives nothing back"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])


# %% exercise="w02-returned" wrong="a list without names" says="return a Series"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return list((gap < pd.Timedelta(days=30)) & (following["admission"] != "elective"))


# %% exercise="w02-returned" wrong="planned stays are left out" says="every stay gets an answer"
def returned(stays):
    ordered = stays[stays["admission"] != "elective"].sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted"]].shift(-1)
    return following["admitted"] - ordered["discharged"] < pd.Timedelta(days=30)


# %% exercise="w02-returned" wrong="the next row, whoever it is" says="the same patient only"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return (gap < pd.Timedelta(days=30)) & (following["admission"] != "elective")


# %% exercise="w02-returned" wrong="forgets to sort" says="Put the stays in order first"
def returned(stays):
    following = stays.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - stays["discharged"]
    return (gap < pd.Timedelta(days=30)) & (following["admission"] != "elective")



# %% exercise="w02-returned" wrong="planned returns count" says="next stay was planned"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    return following["admitted"] - ordered["discharged"] < pd.Timedelta(days=30)


# %% exercise="w02-returned" wrong="any later unplanned stay" says="what comes after it belongs to it"
def returned(stays):
    found = {}
    for now in stays.itertuples():
        later = stays[(stays["patient_id"] == now.patient_id) & (stays["admitted"] >= now.discharged)]
        soon = later["admitted"] - now.discharged < pd.Timedelta(days=30)
        found[now.Index] = bool((soon & (later["admission"] != "elective")).any())
    return pd.Series(found)


# %% exercise="w02-returned" wrong="thirty days and not less" says="exactly 30 days"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return (gap <= pd.Timedelta(days=30)) & (following["admission"] != "elective")


# %% exercise="w02-returned" wrong="from admission to admission" says="not from the admission"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["admitted"]
    return (gap < pd.Timedelta(days=30)) & (following["admission"] != "elective")


# %% exercise="w02-returned" wrong="a planned stay is no start" says="A planned stay can be followed"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return (gap < pd.Timedelta(days=30)) & (following["admission"] != "elective") & (ordered["admission"] != "elective")


# %% exercise="w02-returned" wrong="only emergencies count" says="Urgent is not planned"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return (gap < pd.Timedelta(days=30)) & (following["admission"] == "emergency")


# %% exercise="w02-returned" wrong="four weeks taken for thirty days" says="real stays you found"
def returned(stays):
    ordered = stays.sort_values(["patient_id", "admitted"])
    following = ordered.groupby("patient_id")[["admitted", "admission"]].shift(-1)
    gap = following["admitted"] - ordered["discharged"]
    return (gap < pd.Timedelta(weeks=4)) & (following["admission"] != "elective")


# %% exercise="w02-provenance" right="built with a loop"
def provenance(made, sources, who, recorded):
    found = {"resourceType": "Provenance", "recorded": recorded}
    found["target"] = [{"reference": made}]
    found["agent"] = [{"who": {"display": who}}]
    found["entity"] = []
    for name in sources:
        found["entity"].append({"role": "source", "what": {"reference": name}})
    return found


# %% exercise="w02-provenance" right="through the model, with an author's type"
def provenance(made, sources, who, recorded):
    resource = Provenance(
        target=[{"reference": made}],
        recorded=recorded,
        agent=[{"type": {"text": "author"}, "who": {"display": who}}],
        entity=[{"role": "source", "what": {"reference": name}} for name in sources],
    )
    return {"resourceType": "Provenance", **json.loads(resource.model_dump_json()), "recorded": recorded}


# %% exercise="w02-provenance" wrong="forgets to return" says="gives nothing back"
def provenance(made, sources, who, recorded):
    found = {"resourceType": "Provenance"}


# %% exercise="w02-provenance" wrong="JSON text" says="return a dict"
def provenance(made, sources, who, recorded):
    return json.dumps({"resourceType": "Provenance"})


# %% exercise="w02-provenance" wrong="target without brackets" says="R4B refuses it at target"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": {"reference": made},
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }


# %% exercise="w02-provenance" wrong="a source as bare text" says="a dict {...} belongs there"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": name} for name in sources],
    }



# %% exercise="w02-provenance" wrong="nobody answers for it" says="R4B refuses it at agent"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }


# %% exercise="w02-provenance" wrong="does not say what it is" says="resourceType is missing"
def provenance(made, sources, who, recorded):
    return {
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }


# %% exercise="w02-provenance" wrong="sources as the target" says="it is what was made"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": name} for name in sources],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": made}}],
    }


# %% exercise="w02-provenance" wrong="one source only" says="each an entity of its own"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": sources[0]}}],
    }


# %% exercise="w02-provenance" wrong="no sources at all" says="each an entity of its own"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
    }


# %% exercise="w02-provenance" wrong="a revision instead of a source" says="not revised"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "revision", "what": {"reference": name}} for name in sources],
    }


# %% exercise="w02-provenance" wrong="the author of the example" says="use `who`"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": recorded,
        "agent": [{"who": {"display": "Dr. Imani Okafor"}}],
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }


# %% exercise="w02-provenance" wrong="the day of the example" says="use the argument as it is"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": made}],
        "recorded": "2026-05-20T16:00:00Z",
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }


# %% exercise="w02-provenance" wrong="the cohort of the example" says="do not follow the arguments"
def provenance(made, sources, who, recorded):
    return {
        "resourceType": "Provenance",
        "target": [{"reference": "Group/cohort-2026"}],
        "recorded": recorded,
        "agent": [{"who": {"display": who}}],
        "entity": [{"role": "source", "what": {"reference": name}} for name in sources],
    }
