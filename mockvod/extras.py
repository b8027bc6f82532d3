"""Packages that only some features need, and how to install them."""


class ExtraMissing(Exception):
    """A package that a feature needs is not installed; the message says how to install it."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f"{feature} need {package}, which is not installed: pip install 'mockvod[{extra}]'")
