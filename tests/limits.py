"""Small limits of a journal, which settings do not allow."""

from mockvod.settings import AccountSettings


def journal_limits(entries: int, size: int = 10**7) -> AccountSettings:
    return AccountSettings.model_construct(journal_entries=entries, journal_bytes=size)
