"""A command of the command line: its name, its help, its options and what it runs, in one place."""

import argparse
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from mockvod.durations import seconds

Options = argparse.Namespace
Run = Callable[[Options], None]


class Failure(Exception):
    """A command failed. The message says why; `code` is the exit code: 1, or 2 if the command line is wrong."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Option:
    """An argument of a command, with the keywords of `argparse`'s `add_argument`."""

    names: tuple[str, ...]
    keywords: dict[str, Any]

    @property
    def choices(self) -> Sequence[str]:
        """The supported values, if they are known."""
        return getattr(self.keywords.get("type"), "choices", ())


def option(*names: str, **keywords: Any) -> Option:
    return Option(names, keywords)


@dataclass(frozen=True, slots=True)
class Command:
    """`name` has one word, or two for a command of a group, such as `clock advance`."""

    name: str
    help: str
    options: tuple[Option, ...]
    run: Run
    takes_settings: bool = False
    """Whether every setting is an option too."""

    def parser(self, epilog: str | None = None) -> "Parser":
        parser = Parser(prog=f"mockvod {self.name}", description=self.help, epilog=epilog, allow_abbrev=False)
        for one in self.options:
            parser.add_argument(*one.names, **one.keywords)
        if self.takes_settings:
            group = parser.add_argument_group("settings")
            for one in setting_options():
                group.add_argument(*one.names, **one.keywords)
        return parser


def command(
    name: str, help_text: str, *options: Option | Iterable[Option], takes_settings: bool = False
) -> Callable[[Run], Command]:
    """Make a function the command *name*. *options* may have groups of them."""
    flat = tuple(one for many in options for one in ((many,) if isinstance(many, Option) else many))
    return lambda run: Command(name, help_text, flat, run, takes_settings)


def setting_options() -> list[Option]:
    from mockvod.settings import definitions  # pydantic's 100 ms, for commands that take settings only

    found = []
    for one in definitions():
        text = one.description.replace("%", "%%") + (f" (default {one.default})" if one.default else "")
        if one.kind == "true|false":
            keywords: dict[str, Any] = {"action": argparse.BooleanOptionalAction, "default": None}
        elif "|" in one.kind:
            keywords = {"type": choice(*one.kind.split("|")), "metavar": one.kind}
        else:
            keywords = {"metavar": one.kind.upper()}
        found.append(option(one.flag, dest=one.name, help=text, **keywords))
    return found


class Parser(argparse.ArgumentParser):
    """Raises Failure with a suggestion where argparse would exit."""

    def parse(self, arguments: Sequence[str]) -> Options:
        options, unknown = self.parse_known_args(arguments)
        for one in unknown:
            if one.startswith("-") and one != "-":
                name = one.partition("=")[0]
                self.error(f"unknown option {name}{suggestion(name, self._option_string_actions)}")
            self.error(f"unexpected argument {one!r}")
        return options

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ").replace("the following arguments are required", "missing")
        raise Failure(f"{message} (see `{self.prog} --help`)", 2)


def suggestion(name: str, known: Collection[str], otherwise: str = "") -> str:
    """`; did you mean …?` with the known name that is most like *name*, else *otherwise*."""
    from mockvod.problems import did_you_mean  # pydantic's 100 ms, for errors only

    return did_you_mean(name.lower(), known, otherwise)


# --- types of values


def choice(*choices: str, several: bool = False) -> Callable[[str], str]:
    """A type for one of *choices*, in any case; *several* allows more, with commas."""
    by_name = {one.lower(): one for one in choices}

    def one_of(text: str) -> str:
        found = []
        for one in text.split(",") if several else [text]:
            if one.lower() not in by_name:
                hint = suggestion(one, by_name, f"must be one of {', '.join(choices)}")
                raise argparse.ArgumentTypeError(f"unknown value {one!r}{hint}")
            found.append(by_name[one.lower()])
        return ",".join(found)

    one_of.choices = choices  # type: ignore[attr-defined]  # read by Option.choices
    return one_of


def duration(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number") from None


def numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError:
        message = f"{text!r} must be whole numbers separated by commas, such as 10000,20000"
        raise argparse.ArgumentTypeError(message) from None


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=VALUE")
    return name, value


def url(text: str) -> str:
    given = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(given)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise argparse.ArgumentTypeError(f"{text!r} must be the URL of a server, such as http://127.0.0.1:8266")
    return given


# --- options that several commands have

JSON: Final = option("--json", action="store_true", help="print JSON")
SERVER: Final = option(
    "--url", type=url, help="the server (default: the variable MOCKVOD_URL, else this machine and the configured port)"
)
ACCOUNT: Final = option("--secret-id", metavar="ID", help="the account (default: the default account)")
ACCOUNT_OPTIONS: Final = (SERVER, ACCOUNT)
SCOPE: Final = (
    *ACCOUNT_OPTIONS,
    option("--sub-app-id", type=number, metavar="N", help="the application (default: the default application)"),
)
ALL_APPLICATIONS: Final = (
    *ACCOUNT_OPTIONS,
    option("--sub-app-id", type=number, metavar="N", help="one application (default: all of the account)"),
)
MOVABLE: Final = {"--url": True, "--secret-id": True, "--sub-app-id": True, "--json": False}
"""The options that may precede the command, and whether they have a value."""
