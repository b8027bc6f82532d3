"""Requests of API 3.0 about the applications of an account (266/36303 to 266/36306, as the SDK's models have them)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mockvod.wire.calls import SubAppId
from mockvod.wire.processing import Part, Request, Text, Whole

AppName = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Description = Annotated[str, StringConstraints(max_length=300)]


class Tag(Part):
    tag_key: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    tag_value: Annotated[str, StringConstraints(max_length=256)] = ""


class CreateSubAppId(Request):
    name: AppName
    description: Description = ""
    type: Literal["AllInOne", "Professional"] = "AllInOne"
    mode: Literal["fileid", "fileid+path"] = "fileid"
    storage_region: Text = ""
    tags: Annotated[list[Tag], Field(max_length=50)] = []


class DescribeSubAppIds(Request):
    name: str = ""
    tags: Annotated[list[Tag], Field(max_length=50)] = []
    offset: Whole = 0
    limit: Annotated[Whole, Field(ge=1, le=200)] = 200


class Modify(Request):
    """A change of the application that SubAppId names. The call itself is made for the account."""

    sub_app_id: SubAppId

    @property
    def application_id(self) -> None:
        return None


class ModifySubAppIdInfo(Modify):
    name: AppName | None = None
    description: Description | None = None


class ModifySubAppIdStatus(Modify):
    status: Literal["On", "Off", "Destroyed"]
