"""Diagnosis and consumer report: facts from the journal about a consumer."""
