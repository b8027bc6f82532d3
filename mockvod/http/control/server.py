"""The calls that describe the server: its version, seed and console, and every setting with its origin."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field

from mockvod import __version__
from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlRequest, Routes
from mockvod.redaction import shown_setting
from mockvod.service.world import Account
from mockvod.settings import AccountSettings, ApplicationSettings, Definition, Settings, definitions

ROUTES: Final = Routes()


class ServerView(Response):
    version: str
    seed: int = Field(description="The seed of the server, from which accounts without their own draw.")
    extras: list[str] = Field(description="Optional packages that are installed: `uvloop`, `video`.")
    console: str | None = Field(description="The path of the console; null if the setting `console` is off.")


class SettingView(Response):
    name: str = Field(description="As in `PATCH /config`.")
    scope: Literal["server", "account", "application"] = Field(
        description="What it belongs to. Settings of the server cannot be changed while it runs."
    )
    kind: str = Field(description="The values it takes: `a|b`, `true|false`, `seconds`, `number`, `text`.")
    value: Any = Field(description="`***` for a secret that is set.")
    default: Any
    origin: str = Field(description="`default`, `flag …`, `variable …`, `file …`, `argument`, or `control API`.")
    description: str


class SettingsView(Response):
    settings: list[SettingView]


@ROUTES.add("GET", "/server", "The server's version and seed, and where its console is.", scoped=False)
async def get_server(request: ControlRequest) -> ServerView:
    from importlib.util import find_spec

    packages = {"uvloop": "uvloop", "video": "av"}
    world = request.world
    return ServerView(
        version=__version__,
        seed=world.default.life.seed,
        extras=[extra for extra, package in packages.items() if find_spec(package) is not None],
        console="/mockvod/" if world.settings.console else None,
    )


@ROUTES.add("GET", "/settings", "Every setting of an application, its account and the server, with its origin.")
async def list_settings(request: ControlRequest) -> SettingsView:
    application = request.existing_application
    of_application = application.settings if application else request.life.application_settings
    current = {
        "server": request.world.settings.model_dump(),
        "account": request.life.settings.model_dump(),
        "application": of_application.model_dump(),
    }
    return SettingsView(settings=list(_settings(current, request.account)))


def _settings(current: Mapping[str, Mapping[str, Any]], account: Account) -> Iterator[SettingView]:
    world = account.world
    at_start = world.settings.model_dump()
    for one in definitions():
        scope = _scope(one)
        value = current[scope][one.name]
        default = Settings.model_fields[one.name].default
        origin = world.origins.get(one.name, "default" if at_start[one.name] == default else "argument")
        yield SettingView(
            name=one.name,
            scope=scope,
            kind=one.kind,
            value=shown_setting(one.name, value),
            default=default,
            origin=origin if value == at_start[one.name] else "control API",
            description=one.description,
        )


def _scope(one: Definition) -> Literal["server", "account", "application"]:
    if one.name in ApplicationSettings.model_fields:
        return "application"
    return "account" if one.name in AccountSettings.model_fields else "server"
