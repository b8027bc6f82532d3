"""Calls that show and change settings."""

from typing import Final, Literal

from pydantic import Field

from mockvod.faults.registry import MODULES
from mockvod.http.control.request import ControlRequest, Routes, checking
from mockvod.redaction import shown_setting
from mockvod.service.definitions import Config
from mockvod.service.world import split

ROUTES: Final = Routes()


class ConfigView(Config):
    """The current settings."""

    sign_key: str = Field("", description="`***` if there is one.")
    mode_in_force: Literal["PULL", "PUSH"] = Field(
        description="The effective mode: `mode`, or its default for this callback URL."
    )


@ROUTES.add("GET", "/config", "Show the settings of an application and its account.")
async def get_config(request: ControlRequest) -> ConfigView:
    application = request.existing_application
    of_application = application.settings if application else request.life.application_settings
    settings = {**of_application.model_dump(), **request.life.settings.model_dump()}
    shown = {name: shown_setting(name, value) for name, value in settings.items()}
    # Not validated: a file that existed at the start may have been deleted.
    return ConfigView.model_construct(**shown, mode_in_force=of_application.effective_mode)


@ROUTES.add("PATCH", "/config", "Change some of these settings.")
async def change_config(request: ControlRequest, changes: Config) -> ConfigView:
    of_account, of_application = split({name: getattr(changes, name) for name in changes.model_fields_set})
    if of_account.get("faults"):
        await request.world.load(*MODULES)
    life, application = request.life, request.application
    # Both are checked before anything is changed: a valid value may be invalid together with an unchanged one.
    with checking(Config, "the configuration"):
        life.settings.changed(of_account)
        application.settings.changed(of_application)
    if of_account:
        life.configure(of_account)
    if of_application:
        application.configure(of_application)
    return await get_config(request)
