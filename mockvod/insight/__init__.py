"""Diagnosis and consumer report: what the journal says about a consumer."""
