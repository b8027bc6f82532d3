"""Small limits of a journal, which settings do not allow."""

from typing import NamedTuple


class JournalLimits(NamedTuple):
    journal_entries: int
    journal_bytes: int = 10**7
