"""Accounts, lives and applications, and what the vendor does with media."""
