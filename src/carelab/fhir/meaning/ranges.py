"""What a measurement can be, by LOINC code and unit: outside of it a living person's value is a slip or a wrong unit.

The limits are wide on purpose. They are to catch a wrong unit or a lost decimal point, not an ill patient: the sickest
values on record lie inside.
"""

# LOINC codes of one quantity, what it is called, and unit -> lowest and highest.
_KINDS: tuple[tuple[str, str, dict[str, tuple[float, float]]], ...] = (
    ("2160-0 38483-4", "creatinine", {"mg/dL": (0.05, 30), "umol/L": (4, 2700)}),
    ("2345-7 2339-0 1558-6 41653-7", "glucose", {"mg/dL": (5, 2500), "mmol/L": (0.3, 140)}),
    ("3094-0 6299-2", "urea nitrogen", {"mg/dL": (0.5, 300), "mmol/L": (0.2, 110)}),
    ("2951-2 2947-0", "sodium", {"mmol/L": (80, 220), "meq/L": (80, 220)}),
    ("2823-3 6298-4", "potassium", {"mmol/L": (0.8, 14), "meq/L": (0.8, 14)}),
    ("2075-0 2069-3", "chloride", {"mmol/L": (40, 180), "meq/L": (40, 180)}),
    ("2028-9 20565-8 1963-8", "bicarbonate", {"mmol/L": (1, 70), "meq/L": (1, 70)}),
    ("17861-6 49765-1", "calcium", {"mg/dL": (2, 25), "mmol/L": (0.5, 6.3)}),
    ("1751-7", "albumin", {"g/dL": (0.3, 8), "g/L": (3, 80)}),
    ("2885-2", "total protein", {"g/dL": (1, 20), "g/L": (10, 200)}),
    ("10834-0", "globulin", {"g/dL": (0.2, 15), "g/L": (5, 150)}),
    ("1975-2 42719-5", "bilirubin", {"mg/dL": (0, 85), "umol/L": (0, 1450)}),
    ("2093-3", "cholesterol", {"mg/dL": (15, 2000), "mmol/L": (0.4, 52)}),
    ("2085-9", "HDL cholesterol", {"mg/dL": (1, 250), "mmol/L": (0.03, 6.5)}),
    ("18262-6 13457-7 2089-1", "LDL cholesterol", {"mg/dL": (1, 1500), "mmol/L": (0.03, 39)}),
    ("2571-8", "triglycerides", {"mg/dL": (5, 20000), "mmol/L": (0.05, 230)}),
    ("4548-4 17856-6", "haemoglobin A1c", {"%": (2, 25), "mmol/mol": (5, 250)}),
    ("718-7", "haemoglobin", {"g/dL": (1, 30), "g/L": (10, 300), "mmol/L": (0.6, 19)}),
    ("4544-3 20570-8", "haematocrit", {"%": (3, 85)}),
    ("6690-2 26464-8", "leukocytes", {"10*3/uL": (0, 1500), "10*9/L": (0, 1500), "/uL": (0, 1500000)}),
    ("789-8 26453-1", "erythrocytes", {"10*6/uL": (0.3, 12), "10*12/L": (0.3, 12)}),
    ("777-3 26515-7", "platelets", {"10*3/uL": (0, 6000), "10*9/L": (0, 6000)}),
    ("787-2 30428-7", "mean red cell volume", {"fL": (35, 180)}),
    ("32693-4 2524-7 2518-9", "lactate", {"mmol/L": (0.1, 40), "mg/dL": (0.9, 360)}),
    ("1742-6 1920-8", "transaminase", {"U/L": (0, 50000)}),
    ("6301-6 34714-6", "INR", {"{INR}": (0.4, 40), "1": (0.4, 40)}),
    ("10839-9 6598-7 42757-5", "troponin", {"ng/mL": (0, 5000), "ng/L": (0, 5000000), "pg/mL": (0, 5000000)}),
    ("30934-4 42637-9", "BNP", {"pg/mL": (0, 100000), "ng/L": (0, 100000)}),
    ("33762-6", "NT-proBNP", {"pg/mL": (0, 400000), "ng/L": (0, 400000)}),
    ("1988-5", "C-reactive protein", {"mg/L": (0, 1500), "mg/dL": (0, 150)}),
    ("2744-1 2745-8", "blood pH", {"[pH]": (6.3, 8.1)}),
    ("33914-3 48642-3 48643-1 62238-1 98979-8 88293-6", "filtration rate",
        {"mL/min/{1.73_m2}": (0, 300), "mL/min": (0, 300)}),
    ("8867-4", "heart rate", {"/min": (0, 400), "{beats}/min": (0, 400)}),
    ("9279-1", "respiratory rate", {"/min": (0, 150), "{breaths}/min": (0, 150)}),
    ("8480-6", "systolic blood pressure", {"mm[Hg]": (0, 370)}),
    ("8462-4", "diastolic blood pressure", {"mm[Hg]": (0, 300)}),
    ("8310-5 8331-1", "body temperature", {"Cel": (12, 47), "[degF]": (53, 117)}),
    ("2708-6 59408-5", "oxygen saturation", {"%": (0, 100)}),
    ("8302-2", "body height", {"cm": (20, 275), "m": (0.2, 2.75), "[in_i]": (8, 108)}),
    ("8306-3", "body length", {"cm": (20, 275), "[in_i]": (8, 108)}),
    ("29463-7 3141-9", "body weight", {"kg": (0.2, 650), "g": (200, 650000), "[lb_av]": (0.4, 1435)}),
    ("39156-5", "body mass index", {"kg/m2": (5, 210)}),
    ("9843-4", "head circumference", {"cm": (15, 80)}),
    ("72514-3", "pain score", {"{score}": (0, 10), "1": (0, 10)}),
    ("9269-2", "Glasgow coma score", {"{score}": (3, 15), "1": (3, 15)}),
    ("9271-8 9274-2 9272-6", "Apgar score", {"{score}": (0, 10), "1": (0, 10)}),
)  # fmt: skip

# LOINC code -> name and limits by unit.
RANGES = {code: (name, limits) for codes, name, limits in _KINDS for code in codes.split()}


def likely_unit(code: str, value: float, unit: str) -> str | None:
    """Another unit of the same quantity in which the value would be possible."""
    _, limits = RANGES[code]
    return next((other for other, (low, high) in limits.items() if other != unit and low <= value <= high), None)
