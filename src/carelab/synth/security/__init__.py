"""Who looked at what: audit events, provenance, consent, roles."""
