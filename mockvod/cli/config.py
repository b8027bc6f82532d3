"""Commands about settings."""

from collections.abc import Iterable
from typing import Any

from mockvod.cli.command import JSON, SCOPE, Failure, Options, command, option, pair, suggestion
from mockvod.cli.connection import ask
from mockvod.cli.output import columns, show
from mockvod.cli.serve import CONFIG, load

TITLE = "Settings"


@command("config", "Show the settings of a new server: value and origin of each.", JSON, CONFIG, takes_settings=True)
def config(options: Options) -> None:
    from mockvod.redaction import shown_setting
    from mockvod.settings import definitions

    loaded = load(options)
    values = loaded.settings.model_dump()
    rows = []
    for one in definitions():
        value = shown_setting(one.name, values[one.name])
        rows.append({"setting": one.key, "value": value, "origin": loaded.origins[one.name]})
    show(options, rows, columns([(row["setting"], setting_text(row["value"]), row["origin"]) for row in rows]))


def setting_text(value: object) -> str:
    """A setting's value as a flag or a variable has it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@command(
    "config get",
    "Show the settings of an account and application of a running server.",
    SCOPE,
    option("names", nargs="*", metavar="SETTING", help="only these"),
    JSON,
)
def get_config(options: Options) -> None:
    _show_config(options, ask(options, lambda client: client.config()), options.names)


@command(
    "config set",
    "Change settings of an account and application of a running server.",
    SCOPE,
    option("changes", nargs="+", type=pair, metavar="SETTING=VALUE", help="such as poll-hold=1s mode=push"),
    JSON,
)
def set_config(options: Options) -> None:
    changes = {name.replace("-", "_"): value for name, value in options.changes}
    given = {name: _setting(name, text) for name, text in changes.items()}
    try:
        changed = ask(options, lambda client: client.config(**given))
    except Failure as failure:
        raise Failure(_with_dashes(str(failure), given)) from None
    _show_config(options, changed, list(changes))


def _with_dashes(message: str, given: Iterable[str]) -> str:
    """The control API's *message* about settings, with their names as the command line has them."""
    field, colon, rest = message.partition(": ")
    if field not in given:
        return message
    about, question, nearest = rest.partition("did you mean ")
    return "".join(
        (field.replace("_", "-"), colon, about.replace("field", "setting"), question, nearest.replace("_", "-"))
    )


def _setting(name: str, text: str) -> Any:
    """*text* as the type that the setting has in JSON; an invalid one is the server's to reject."""
    from mockvod.settings import definitions  # pydantic's 100 ms, for this command only

    kind = next((one.kind for one in definitions() if one.name == name), "text")
    if kind == "number" and text.lstrip("-").isdecimal():
        return int(text)
    values = {one.lower(): one for one in kind.split("|")}
    chosen = values.get(text.lower(), text) if len(values) > 1 else text
    return chosen == "true" if kind == "true|false" and chosen in {"true", "false"} else chosen


def _show_config(options: Options, config: dict[str, Any], names: Iterable[str]) -> None:
    wanted = [name.replace("-", "_") for name in names] or list(config)
    if unknown := [name for name in wanted if name not in config]:
        name, known = unknown[0].replace("_", "-"), [one.replace("_", "-") for one in config]
        raise Failure(f"unknown setting {name}{suggestion(name, known)}", 2)
    chosen = {name: config[name] for name in wanted}
    show(
        options,
        chosen,
        columns([(name.replace("_", "-"), setting_text(chosen[name]) or "(not set)") for name in chosen]),
    )
