"""The codes that FHIR R4 requires in elements this course uses, and the types that its references may lead to.

Written by hand from the specification of R4 (4.0.1): the lists inside `fhir.resources` are cut off where the
specification has more, and would call sound resources wrong.
"""

_REQUEST = "draft active on-hold revoked completed entered-in-error unknown"
_EVENT = "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
_FINANCE = "active cancelled draft entered-in-error"
_RESULT = "registered preliminary final amended corrected cancelled entered-in-error unknown"
_GENDER = "male female other unknown"
_INTENT = "proposal plan directive order original-order reflex-order filler-order instance-order option"
_PRIORITY = "routine urgent asap stat"
_USE = "claim preauthorization predetermination"
_OUTCOME = "queued complete error partial"
_FLAG = "active inactive entered-in-error"

_CODES = {
    "Account.status": "active inactive entered-in-error on-hold unknown",
    "AllergyIntolerance.category": "food medication environment biologic",
    "AllergyIntolerance.criticality": "low high unable-to-assess",
    "AllergyIntolerance.type": "allergy intolerance",
    "AllergyIntolerance.reaction.severity": "mild moderate severe",
    "Appointment.status":
        "proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist",
    "Appointment.participant.status": "accepted declined tentative needs-action",
    "Appointment.participant.required": "required optional information-only",
    "AuditEvent.action": "C R U D E",
    "AuditEvent.outcome": "0 4 8 12",
    "CarePlan.intent": "proposal plan order option",
    "CarePlan.status": _REQUEST,
    "CareTeam.status": "proposed active suspended inactive entered-in-error",
    "Claim.status": _FINANCE,
    "Claim.use": _USE,
    "ClaimResponse.outcome": _OUTCOME,
    "ClaimResponse.status": _FINANCE,
    "ClaimResponse.use": _USE,
    "Communication.priority": _PRIORITY,
    "Communication.status": _EVENT,
    "CommunicationRequest.status": _REQUEST,
    "Composition.status": "preliminary final amended entered-in-error",
    "Consent.provision.type": "deny permit",
    "Consent.status": "draft proposed active rejected inactive entered-in-error",
    "Coverage.status": _FINANCE,
    "CoverageEligibilityRequest.purpose": "auth-requirements benefits discovery validation",
    "CoverageEligibilityRequest.status": _FINANCE,
    "CoverageEligibilityResponse.outcome": _OUTCOME,
    "CoverageEligibilityResponse.purpose": "auth-requirements benefits discovery validation",
    "CoverageEligibilityResponse.status": _FINANCE,
    "DetectedIssue.severity": "high moderate low",
    "DetectedIssue.status": _RESULT,
    "Device.status": "active inactive entered-in-error unknown",
    "DiagnosticReport.status":
        "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown",
    "DocumentReference.docStatus": "preliminary final amended entered-in-error",
    "DocumentReference.relatesTo.code": "replaces transforms signs appends",
    "DocumentReference.status": "current superseded entered-in-error",
    "Encounter.status":
        "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    "EpisodeOfCare.status": "planned waitlist active onhold finished cancelled entered-in-error",
    "ExplanationOfBenefit.outcome": _OUTCOME,
    "ExplanationOfBenefit.status": _FINANCE,
    "ExplanationOfBenefit.use": _USE,
    "Flag.status": _FLAG,
    "Goal.lifecycleStatus":
        "proposed planned accepted active on-hold completed cancelled entered-in-error rejected",
    "ImagingStudy.status": "registered available cancelled entered-in-error unknown",
    "Immunization.status": "completed entered-in-error not-done",
    "Location.mode": "instance kind",
    "Location.status": "active suspended inactive",
    "Medication.status": _FLAG,
    "MedicationAdministration.status":
        "in-progress not-done on-hold completed entered-in-error stopped unknown",
    "MedicationDispense.status":
        "preparation in-progress cancelled on-hold completed entered-in-error stopped declined unknown",
    "MedicationRequest.intent": _INTENT.replace("directive ", ""),
    "MedicationRequest.priority": _PRIORITY,
    "MedicationRequest.status": "active on-hold cancelled completed entered-in-error stopped draft unknown",
    "MedicationStatement.status":
        "active completed entered-in-error intended stopped on-hold unknown not-taken",
    "Observation.status": _RESULT,
    "Person.gender": _GENDER,
    "Patient.contact.gender": _GENDER,
    "Patient.gender": _GENDER,
    "Patient.link.type": "replaced-by replaces refer seealso",
    "Practitioner.gender": _GENDER,
    "Procedure.status": _EVENT,
    "Provenance.entity.role": "derivation revision quotation source removal",
    "Questionnaire.status": "draft active retired unknown",
    "QuestionnaireResponse.status": "in-progress completed amended entered-in-error stopped",
    "RelatedPerson.gender": _GENDER,
    "RiskAssessment.status": _RESULT,
    "ServiceRequest.intent": _INTENT,
    "ServiceRequest.priority": _PRIORITY,
    "ServiceRequest.status": _REQUEST,
    "Slot.status": "busy free busy-unavailable busy-tentative entered-in-error",
    "Specimen.status": "available unavailable unsatisfactory entered-in-error",
    "Task.intent": f"unknown {_INTENT}",
    "Task.priority": _PRIORITY,
    "Task.status":
        "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed entered-in-error",
}  # fmt: skip

# Element -> codes; those of data types hold wherever the element stands (see `DATA_TYPES`).
CODES: dict[str, frozenset[str]] = {path: frozenset(codes.split()) for path, codes in _CODES.items()}

# The end of a path -> element -> codes.
DATA_TYPES: dict[str, dict[str, frozenset[str]]] = {
    "address": {
        "use": frozenset("home work temp old billing".split()),
        "type": frozenset("postal physical both".split()),
    },
    "identifier": {"use": frozenset("usual official temp secondary old".split())},
    "name": {"use": frozenset("usual official temp nickname anonymous old maiden".split())},
    "telecom": {
        "system": frozenset("phone fax email pager url sms other".split()),
        "use": frozenset("home work temp old mobile".split()),
    },
    "text": {"status": frozenset("generated extensions additional empty".split())},
}
COMPARATORS = frozenset(("<", "<=", ">=", ">"))

# Concepts with a required binding: element -> system -> codes. A coding of another system says nothing wrong.
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
CONCEPTS: dict[str, tuple[str, frozenset[str]]] = {
    "AllergyIntolerance.clinicalStatus": (
        f"{_TERMINOLOGY}/allergyintolerance-clinical",
        frozenset("active inactive resolved".split()),
    ),
    "AllergyIntolerance.verificationStatus": (
        f"{_TERMINOLOGY}/allergyintolerance-verification",
        frozenset("unconfirmed confirmed refuted entered-in-error".split()),
    ),
    "Condition.clinicalStatus": (
        f"{_TERMINOLOGY}/condition-clinical",
        frozenset("active recurrence relapse inactive remission resolved".split()),
    ),
    "Condition.verificationStatus": (
        f"{_TERMINOLOGY}/condition-ver-status",
        frozenset("unconfirmed provisional differential confirmed refuted entered-in-error".split()),
    ),
}

_SUBJECT = "Patient Group"
_WIDE = "Patient Group Device Location"
_ENCOUNTER = "Encounter"
_ACTOR = "Practitioner PractitionerRole Organization"
_ANYONE = f"{_ACTOR} Patient RelatedPerson Device CareTeam"
_PROVIDER = _ACTOR
_REQUESTER = f"{_ACTOR} Patient RelatedPerson Device"

_TARGETS = {
    "AllergyIntolerance.patient": "Patient",
    "AllergyIntolerance.encounter": _ENCOUNTER,
    "Appointment.participant.actor":
        "Patient Practitioner PractitionerRole RelatedPerson Device HealthcareService Location",
    "Appointment.slot": "Slot",
    "CarePlan.subject": _SUBJECT,
    "CarePlan.encounter": _ENCOUNTER,
    "CareTeam.subject": _SUBJECT,
    "Claim.patient": "Patient",
    "Claim.provider": _PROVIDER,
    "Claim.insurer": "Organization",
    "Claim.insurance.coverage": "Coverage",
    "Claim.item.encounter": _ENCOUNTER,
    "ClaimResponse.patient": "Patient",
    "ClaimResponse.request": "Claim",
    "ClaimResponse.insurer": "Organization",
    "Communication.subject": _SUBJECT,
    "Communication.encounter": _ENCOUNTER,
    "Condition.subject": _SUBJECT,
    "Condition.encounter": _ENCOUNTER,
    "Consent.patient": "Patient",
    "Coverage.beneficiary": "Patient",
    "Coverage.payor": "Organization Patient RelatedPerson",
    "CoverageEligibilityRequest.patient": "Patient",
    "CoverageEligibilityResponse.patient": "Patient",
    "DetectedIssue.patient": "Patient",
    "DiagnosticReport.subject": _WIDE,
    "DiagnosticReport.encounter": _ENCOUNTER,
    "DiagnosticReport.result": "Observation",
    "DiagnosticReport.specimen": "Specimen",
    "DocumentReference.subject": "Patient Practitioner Group Device",
    "DocumentReference.custodian": "Organization",
    "DocumentReference.context.encounter": "Encounter EpisodeOfCare",
    "Encounter.subject": _SUBJECT,
    "Encounter.serviceProvider": "Organization",
    "Encounter.location.location": "Location",
    "Encounter.participant.individual": "Practitioner PractitionerRole RelatedPerson",
    "Encounter.diagnosis.condition": "Condition Procedure",
    "Encounter.appointment": "Appointment",
    "ExplanationOfBenefit.patient": "Patient",
    "ExplanationOfBenefit.provider": _PROVIDER,
    "ExplanationOfBenefit.claim": "Claim",
    "ExplanationOfBenefit.item.encounter": _ENCOUNTER,
    "Flag.subject": "Patient Location Group Organization Practitioner PlanDefinition Medication Procedure",
    "Goal.subject": "Patient Group Organization",
    "ImagingStudy.subject": "Patient Device Group",
    "ImagingStudy.encounter": _ENCOUNTER,
    "Immunization.patient": "Patient",
    "Immunization.encounter": _ENCOUNTER,
    "Location.managingOrganization": "Organization",
    "Location.partOf": "Location",
    "MedicationRequest.subject": _SUBJECT,
    "MedicationRequest.encounter": _ENCOUNTER,
    "MedicationRequest.requester": _REQUESTER,
    "MedicationRequest.medicationReference": "Medication",
    "MedicationDispense.subject": _SUBJECT,
    "MedicationStatement.subject": _SUBJECT,
    "MedicationAdministration.subject": _SUBJECT,
    "Observation.subject": _WIDE,
    "Observation.encounter": _ENCOUNTER,
    "Observation.performer": _ANYONE.replace(" Device", ""),
    "Observation.specimen": "Specimen",
    "Organization.partOf": "Organization",
    "Patient.managingOrganization": "Organization",
    "Patient.generalPractitioner": _ACTOR,
    "PractitionerRole.practitioner": "Practitioner",
    "PractitionerRole.organization": "Organization",
    "PractitionerRole.location": "Location",
    "Procedure.subject": _SUBJECT,
    "Procedure.encounter": _ENCOUNTER,
    "Provenance.agent.who": f"{_ANYONE}".replace(" CareTeam", ""),
    "QuestionnaireResponse.encounter": _ENCOUNTER,
    "RelatedPerson.patient": "Patient",
    "RiskAssessment.subject": _SUBJECT,
    "RiskAssessment.encounter": _ENCOUNTER,
    "Schedule.actor":
        "Patient Practitioner PractitionerRole RelatedPerson Device HealthcareService Location",
    "ServiceRequest.subject": _WIDE,
    "ServiceRequest.encounter": _ENCOUNTER,
    "ServiceRequest.requester": _REQUESTER,
    "ServiceRequest.insurance": "Coverage ClaimResponse",
    "Slot.schedule": "Schedule",
    "Specimen.subject": "Patient Group Device Substance Location",
    "Task.encounter": _ENCOUNTER,
}  # fmt: skip

# Element -> resource types its reference may lead to.
TARGETS: dict[str, frozenset[str]] = {path: frozenset(kinds.split()) for path, kinds in _TARGETS.items()}
