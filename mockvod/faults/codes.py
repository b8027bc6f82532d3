"""A documented error code as a parameter of faults."""

from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, Field

from mockvod.problems import nearest
from mockvod.wire.error_codes import DOCUMENTED


def known(value: str, among: Collection[str], what: str) -> str:
    """*value* itself if it is *among* the known ones. Raises ValueError with the nearest of them."""
    if value not in among:
        raise ValueError(f"unknown {what}; did you mean {nearest(value, sorted(among), cutoff=0)}?")
    return value


def _documented(value: str) -> str:
    return known(value, DOCUMENTED, "documented error code")


ErrorCode = Annotated[str, Field(json_schema_extra={"enum": sorted(DOCUMENTED)}), AfterValidator(_documented)]
Message = Annotated[str, Field(max_length=1000)]
