"""The same visits as other systems send them: HL7 v2 messages and a claim in the style of an 837."""
