"""Codes and texts of the hospital world: conditions, reasons for a stay, tests, drugs. Facts and names, no rates."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A chronic condition. code, display: ICD-10-CM; points: its weight in LACE's comorbidity score (0 to 6)."""

    code: str
    display: str
    points: int


# Weights as in the LACE index (van Walraven 2010 CMAJ), which adapted Charlson's.
CONDITIONS = {
    "heart_failure": Condition("I50.9", "Heart failure, unspecified", 2),
    "copd": Condition("J44.9", "Chronic obstructive pulmonary disease, unspecified", 2),
    "diabetes": Condition("E11.9", "Type 2 diabetes mellitus without complications", 1),
    "ckd": Condition("N18.30", "Chronic kidney disease, stage 3 unspecified", 2),
    "cancer": Condition("C18.9", "Malignant neoplasm of colon, unspecified", 2),
    "dementia": Condition(
        "F03.90",
        "Unspecified dementia, unspecified severity, without behavioral disturbance, psychotic disturbance, "
        "mood disturbance, and anxiety",
        3,
    ),
    "coronary": Condition("I25.2", "Old myocardial infarction", 1),
    "stroke": Condition(
        "Z86.73",
        "Personal history of transient ischemic attack (TIA), and cerebral infarction without residual deficits",
        1,
    ),
    "vascular": Condition("I73.9", "Peripheral vascular disease, unspecified", 1),
    "cirrhosis": Condition("K74.60", "Unspecified cirrhosis of liver", 4),
    "fibrillation": Condition("I48.20", "Chronic atrial fibrillation, unspecified", 0),
    "hypertension": Condition("I10", "Essential (primary) hypertension", 0),
    "depression": Condition("F32.A", "Depression, unspecified", 0),
}
# Hypertension is coded together with heart failure and chronic kidney disease (ICD-10-CM guideline I.C.9.a).
HYPERTENSION = {
    (False, False): ("I10", "Essential (primary) hypertension"),
    (True, False): ("I11.0", "Hypertensive heart disease with heart failure"),
    (False, True): (
        "I12.9",
        "Hypertensive chronic kidney disease with stage 1 through stage 4 chronic kidney disease, "
        "or unspecified chronic kidney disease",
    ),
    (True, True): (
        "I13.0",
        "Hypertensive heart and chronic kidney disease with heart failure and stage 1 through stage 4 "
        "chronic kidney disease, or unspecified chronic kidney disease",
    ),
}


@dataclass(frozen=True)
class Reason:
    """Why somebody is admitted.

    code, display: ICD-10-CM, the principal diagnosis. ward: where the stay is. after: a chronic condition that it
    comes from, if any (then only people who have it, and more often). elective: planned. los: its factor on the
    length of stay.
    """

    code: str
    display: str
    ward: str
    los: float = 1.0
    after: str = ""
    elective: bool = False


REASONS = {
    "heart_failure": Reason("I50.23", "Acute on chronic systolic (congestive) heart failure", "cardiology", 1.1, "heart_failure"),
    "copd": Reason("J44.1", "Chronic obstructive pulmonary disease with (acute) exacerbation", "medicine", 0.95, "copd"),
    "pneumonia": Reason("J18.9", "Pneumonia, unspecified organism", "medicine"),
    "sepsis": Reason("A41.9", "Sepsis, unspecified organism", "medicine", 1.4),
    "kidney_injury": Reason("N17.9", "Acute kidney failure, unspecified", "medicine", 1.05),
    "infarction": Reason("I21.4", "Non-ST elevation (NSTEMI) myocardial infarction", "cardiology", 0.9),
    "stroke": Reason("I63.9", "Cerebral infarction, unspecified", "neurology", 1.2),
    "fibrillation": Reason("I48.91", "Unspecified atrial fibrillation", "cardiology", 0.7),
    "hyperglycemia": Reason("E11.65", "Type 2 diabetes mellitus with hyperglycemia", "medicine", 0.8, "diabetes"),
    "bleeding": Reason("K92.2", "Gastrointestinal hemorrhage, unspecified", "medicine", 0.9),
    "obstruction": Reason("K56.609",
        "Unspecified intestinal obstruction, unspecified as to partial versus complete obstruction", "surgery", 1.1,
    ),
    "cholecystitis": Reason("K80.00", "Calculus of gallbladder with acute cholecystitis without obstruction", "surgery", 0.7),
    "urinary": Reason("N39.0", "Urinary tract infection, site not specified", "medicine", 0.8),
    "cellulitis": Reason("L03.115", "Cellulitis of right lower limb", "medicine", 0.8),
    "pancreatitis": Reason("K85.90", "Acute pancreatitis without necrosis or infection, unspecified", "medicine", 1.0),
    "hip_fracture": Reason("S72.001A",
        "Fracture of unspecified part of neck of right femur, initial encounter for closed fracture", "surgery", 1.3,
    ),
    "embolism": Reason("I26.99", "Other pulmonary embolism without acute cor pulmonale", "medicine", 0.8),
    "knee": Reason("M17.11", "Unilateral primary osteoarthritis, right knee", "surgery", 0.5, elective=True),
    "hip": Reason("M16.11", "Unilateral primary osteoarthritis, right hip", "surgery", 0.5, elective=True),
    "bypass": Reason("I25.10",
        "Atherosclerotic heart disease of native coronary artery without angina pectoris", "surgery", 1.3, "coronary",
        elective=True,
    ),
    "hernia": Reason("K43.9", "Ventral hernia without obstruction or gangrene", "surgery", 0.5, elective=True),
    "resection": Reason("C18.9", "Malignant neoplasm of colon, unspecified", "surgery", 1.2, "cancer", elective=True),
    "chemotherapy": Reason("Z51.11", "Encounter for antineoplastic chemotherapy", "oncology", 0.7, "cancer", elective=True),
}  # fmt: skip
CHEST_PAIN = ("R07.9", "Chest pain, unspecified")
SYNCOPE = ("R55", "Syncope and collapse")
# Complications and findings that are coded beside the reason.
ACUTE = {
    "respiratory_failure": ("J96.01", "Acute respiratory failure with hypoxia"),
    "kidney_injury": ("N17.9", "Acute kidney failure, unspecified"),
    "encephalopathy": ("G93.41", "Metabolic encephalopathy"),
    "hyponatremia": ("E87.1", "Hypo-osmolality and hyponatremia"),
    "hypokalemia": ("E87.6", "Hypokalemia"),
    "anemia": ("D64.9", "Anemia, unspecified"),
}
# Test -> LOINC code and display, UCUM unit, decimals, and the reference range of an adult.
TESTS = {
    "creatinine": ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2, 0.6, 1.3),
    "sodium": ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 0, 135, 145),
    "potassium": ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 1, 3.5, 5.1),
    "hemoglobin": ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 1, 12.0, 17.0),
    "leukocytes": ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 1, 4.0, 11.0),
    "albumin": ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/dL", 1, 3.5, 5.0),
    "natriuretic": ("30934-4", "Natriuretic peptide B [Mass/volume] in Serum or Plasma", "pg/mL", 0, 0, 100),
    "glucose": ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 0, 70, 140),
}


@dataclass(frozen=True)
class Drug:
    """An order as discharge papers state it. doses: the usual one, and what it is changed to."""

    name: str
    doses: tuple[str, str]
    frequency: str
    reason: str
    route: str = "oral"


# Chronic condition -> drugs; then those begun for the reason of the stay. Ingredients only, no codes.
CHRONIC_DRUGS = {
    "heart_failure": (
        Drug("furosemide", ("40 mg", "80 mg"), "once daily", "heart failure"),
        Drug("carvedilol", ("12.5 mg", "25 mg"), "twice daily", "heart failure"),
        Drug("spironolactone", ("25 mg", "12.5 mg"), "once daily", "heart failure"),
    ),
    "copd": (
        Drug("tiotropium", ("18 mcg", "18 mcg"), "once daily", "COPD", "inhaled"),
        Drug("albuterol", ("90 mcg, 2 puffs", "90 mcg, 2 puffs"), "every 4 hours as needed", "shortness of breath", "inhaled"),
    ),
    "diabetes": (Drug("metformin", ("500 mg", "1000 mg"), "twice daily", "type 2 diabetes"),),
    "dementia": (Drug("donepezil", ("10 mg", "5 mg"), "at bedtime", "dementia"),),
    "coronary": (
        Drug("aspirin", ("81 mg", "81 mg"), "once daily", "coronary artery disease"),
        Drug("atorvastatin", ("40 mg", "80 mg"), "at bedtime", "coronary artery disease"),
    ),
    "stroke": (
        Drug("aspirin", ("81 mg", "81 mg"), "once daily", "prevention of stroke"),
        Drug("atorvastatin", ("40 mg", "80 mg"), "at bedtime", "prevention of stroke"),
    ),
    "vascular": (Drug("clopidogrel", ("75 mg", "75 mg"), "once daily", "peripheral vascular disease"),),
    "cirrhosis": (Drug("lactulose", ("20 g", "30 g"), "three times daily", "cirrhosis"),),
    "fibrillation": (Drug("apixaban", ("5 mg", "2.5 mg"), "twice daily", "atrial fibrillation"),),
    "hypertension": (Drug("amlodipine", ("5 mg", "10 mg"), "once daily", "high blood pressure"),),
    "depression": (Drug("sertraline", ("50 mg", "100 mg"), "once daily", "depression"),),
}  # fmt: skip
INSULIN = Drug("insulin glargine", ("18 units", "24 units"), "at bedtime", "type 2 diabetes", "subcutaneous")
NEW_DRUGS = {
    "copd": (Drug("prednisone", ("40 mg", "40 mg"), "once daily for 5 days", "COPD exacerbation"),),
    "pneumonia": (Drug("amoxicillin-clavulanate", ("875 mg/125 mg", "500 mg/125 mg"), "twice daily for 5 days", "pneumonia"),),
    "sepsis": (Drug("amoxicillin-clavulanate", ("875 mg/125 mg", "500 mg/125 mg"), "twice daily for 7 days", "infection"),),
    "urinary": (Drug("cephalexin", ("500 mg", "250 mg"), "four times daily for 7 days", "urinary tract infection"),),
    "cellulitis": (Drug("cephalexin", ("500 mg", "250 mg"), "four times daily for 7 days", "cellulitis"),),
    "infarction": (
        Drug("ticagrelor", ("90 mg", "60 mg"), "twice daily", "heart attack"),
        Drug("aspirin", ("81 mg", "81 mg"), "once daily", "heart attack"),
        Drug("atorvastatin", ("80 mg", "40 mg"), "at bedtime", "heart attack"),
    ),
    "stroke": (
        Drug("clopidogrel", ("75 mg", "75 mg"), "once daily for 21 days", "stroke"),
        Drug("atorvastatin", ("80 mg", "40 mg"), "at bedtime", "stroke"),
    ),
    "fibrillation": (Drug("metoprolol succinate", ("50 mg", "100 mg"), "once daily", "atrial fibrillation"),),
    "bleeding": (Drug("pantoprazole", ("40 mg", "20 mg"), "twice daily", "gastrointestinal bleeding"),),
    "embolism": (Drug("apixaban", ("10 mg", "5 mg"), "twice daily for 7 days, then 5 mg twice daily", "pulmonary embolism"),),
    "hip_fracture": (
        Drug("enoxaparin", ("40 mg", "30 mg"), "once daily for 28 days", "prevention of clots", "subcutaneous"),
        Drug("acetaminophen", ("650 mg", "500 mg"), "every 6 hours as needed", "pain"),
    ),
    "knee": (
        Drug("aspirin", ("81 mg", "81 mg"), "twice daily for 30 days", "prevention of clots"),
        Drug("oxycodone", ("5 mg", "2.5 mg"), "every 6 hours as needed", "pain"),
    ),
    "hip": (
        Drug("aspirin", ("81 mg", "81 mg"), "twice daily for 30 days", "prevention of clots"),
        Drug("oxycodone", ("5 mg", "2.5 mg"), "every 6 hours as needed", "pain"),
    ),
    "chemotherapy": (Drug("ondansetron", ("8 mg", "4 mg"), "every 8 hours as needed", "nausea"),),
    "hernia": (Drug("acetaminophen", ("650 mg", "500 mg"), "every 6 hours as needed", "pain"),),
    "cholecystitis": (Drug("acetaminophen", ("650 mg", "500 mg"), "every 6 hours as needed", "pain"),),
}  # fmt: skip
# What is given instead to those allergic to the first.
INSTEAD = {
    "amoxicillin-clavulanate": ("penicillin", "doxycycline", "100 mg", "twice daily for 7 days"),
    "cephalexin": ("penicillin", "doxycycline", "100 mg", "twice daily for 7 days"),
    "oxycodone": ("codeine", "acetaminophen", "650 mg", "every 6 hours as needed"),
}
# Never both at once: what was begun in hospital takes the place of the other.
NOT_TOGETHER = {"carvedilol": "metoprolol succinate", "clopidogrel": "ticagrelor", "apixaban": "enoxaparin"}
BLOOD_THINNERS = ("aspirin", "apixaban", "clopidogrel")
ALLERGIES = {
    "penicillin": ("hives", 0.40), "sulfonamide antibiotics": ("rash", 0.20), "codeine": ("vomiting", 0.15),
    "latex": ("contact dermatitis", 0.09), "iodinated contrast": ("hives", 0.09), "peanut": ("swelling of the lips", 0.07),
}  # fmt: skip
FOLLOW_UP = {
    "cardiology": "cardiology", "neurology": "family_medicine", "medicine": "family_medicine", "surgery": "family_medicine",
    "oncology": "family_medicine",
}  # fmt: skip
