"""The same visits as other systems send them: HL7 v2 and claims."""
