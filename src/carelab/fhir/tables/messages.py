"""Patients' messages, and the text of documents."""

from carelab.fhir.tables.engine import CODE, REF, Subject

MESSAGES = Subject(
    "messages",
    columns={
        "Communication": {
            "id": "varchar", "category": f"{CODE}[]", "sender": REF, "sent": "varchar", "topic": "struct(text varchar)",
            "payload": "struct(contentString varchar)[]",
        },
        "DocumentReference": {
            "id": "varchar", "type": CODE, "subject": REF, "date": "varchar",
            "context": f"struct(encounter {REF}[])",
            "content": "struct(attachment struct(contentType varchar, data varchar))[]",
        },
    },
    tables={
        "messages": """
            select id as message_id, ref_id(sender.reference) as patient_id, local(sent) as sent, topic.text as subject,
                   payload[1].contentString as text
            from raw_Communication
            where category[1].coding[1].code = 'patient-message'""",
        "documents": """
            select id as document_id, 'discharge-summary' as kind, ref_id(subject.reference) as patient_id,
                   ref_id(context.encounter[1].reference) as stay_id, local(date) as written,
                   decode(from_base64(content[1].attachment.data)) as text
            from raw_DocumentReference
            where type.coding[1].code = '18842-5'""",
    },
)  # fmt: skip
