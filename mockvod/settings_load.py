"""Loading settings: command line over environment over file over default, and where each value came from."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from mockvod.problems import Problem, did_you_mean, problems
from mockvod.settings import Definition, Settings, definitions

DEFAULT_FILE: Final = Path("mockvod.toml")
OTHER_VARIABLES: Final = ("MOCKVOD_URL", "MOCKVOD_CONFIG")
"""Variables of the command line that are not settings."""


class SettingsError(Exception):
    """Invalid settings. The message has a line for each: setting, problem, value, origin."""


class Loaded(NamedTuple):
    """Settings, and where each value came from: `default`, `flag --x`, `variable X`, `file PATH`."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Loaded:
    """Settings from *flags* over *environ* over *file* over the defaults.

    *file* defaults to ``mockvod.toml`` in the working directory if it exists. Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    every = {one.name: one for one in definitions()}
    values: dict[str, object] = {}
    origins = dict.fromkeys(every, "default")

    path = file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    if path is not None:
        for key, value in _read(path).items():
            name = key.replace("-", "_")
            if name not in every:
                known = [one.key for one in every.values()]
                raise SettingsError(f"{key}: unknown setting (file {path}){did_you_mean(key, known, '')}")
            values[name], origins[name] = value, f"file {path}"
    warnings = list(_kubernetes_variables(environ))
    for one in every.values():
        given = None if one.name == "port" and warnings else environ.get(one.variable)
        # Compose files pass an empty variable for one that is not set. Only a text setting can be empty on purpose.
        if given is not None and (given or one.kind == "text"):
            values[one.name], origins[one.name] = given, f"variable {one.variable}"
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], origins[name] = value, f"flag {every[name].flag}"
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(one, every, origins) for one in problems(error, Settings))) from None
    return Loaded(settings, origins, (*warnings, *_unknown_variables(environ, every.values())))


def from_keywords(given: Mapping[str, Any]) -> Settings:
    """Settings from Python keyword arguments. Raises SettingsError."""
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(map(str, problems(error, Settings, "setting")))) from None


def _read(path: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - 4 ms, and few servers have a file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from None


def _line(problem: Problem, every: Mapping[str, Definition], origins: Mapping[str, str]) -> str:
    if not problem.place:  # about two settings that belong together; the message starts with the one that was given
        given = problem.message.partition(" ")[0].replace("-", "_")
        return f"{problem.message} ({origins[given]})"
    one = every[str(problem.place[0])]
    return f"{one.key}: {problem.message} ({origins[one.name]})"


def _kubernetes_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Kubernetes sets MOCKVOD_PORT, among others, in the namespace of a service named mockvod."""
    if environ.get("MOCKVOD_PORT", "").startswith(("tcp://", "udp://")):
        yield (
            f"the variable MOCKVOD_PORT={environ['MOCKVOD_PORT']} of a Kubernetes service named mockvod is ignored; "
            "set `enableServiceLinks: false` in the pod, or give the service another name"
        )


_KUBERNETES: Final = re.compile(r"MOCKVOD_(SERVICE_(HOST|PORT)(_.*)?|PORT_\d+_(TCP|UDP)(_.*)?)")


def _unknown_variables(environ: Mapping[str, str], every: Iterable[Definition]) -> Iterator[str]:
    known = sorted({*OTHER_VARIABLES, *(one.variable for one in every)})
    for name in sorted(environ):
        if name.startswith("MOCKVOD_") and name not in known and not _KUBERNETES.fullmatch(name):
            yield f"unknown variable {name} is ignored{did_you_mean(name, known, '')}"
