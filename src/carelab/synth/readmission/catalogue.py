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
    length of stay. sex: only this one.
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
    "obstruction": Reason("K56.609", "Unspecified intestinal obstruction, unspecified as to partial versus complete obstruction", "surgery", 1.1),
    "cholecystitis": Reason("K80.00", "Calculus of gallbladder with acute cholecystitis without obstruction", "surgery", 0.7),
    "urinary": Reason("N39.0", "Urinary tract infection, site not specified", "medicine", 0.8),
    "cellulitis": Reason("L03.115", "Cellulitis of right lower limb", "medicine", 0.8),
    "pancreatitis": Reason("K85.90", "Acute pancreatitis without necrosis or infection, unspecified", "medicine", 1.0),
    "hip_fracture": Reason("S72.001A", "Fracture of unspecified part of neck of right femur, initial encounter for closed fracture", "surgery", 1.3),
    "embolism": Reason("I26.99", "Other pulmonary embolism without acute cor pulmonale", "medicine", 0.8),
    "knee": Reason("M17.11", "Unilateral primary osteoarthritis, right knee", "surgery", 0.5, elective=True),
    "hip": Reason("M16.11", "Unilateral primary osteoarthritis, right hip", "surgery", 0.5, elective=True),
    "bypass": Reason("I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris", "surgery", 1.3, "coronary", elective=True),
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
