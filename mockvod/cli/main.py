"""The command `mockvod`: finds the command that the command line names, and runs it.

Exit codes: 0 done, 1 failed (the message says why), 2 the command line is wrong, 130 interrupted.
"""

import io
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NoReturn

from mockvod import __version__
from mockvod.cli.command import MOVABLE, Command, Failure, suggestion
from mockvod.cli.serve import serve

_HELP: Final = {"-h", "--help"}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before we were started
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the process ends
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every encoding has every character
    try:
        _run(arguments)
        sys.stdout.flush()
    except Failure as failure:
        sys.stdout.flush()
        if str(failure):
            print(f"mockvod: {failure}", file=sys.stderr)
        sys.exit(failure.code)
    except BrokenPipeError:  # `mockvod events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _run(arguments: list[str]) -> None:
    for one in arguments:
        if any("\udc80" <= character <= "\udcff" for character in one):  # how Python keeps such bytes
            raise Failure(f"{one!r} is not valid UTF-8", 2)
    if arguments[:1] == [serve.name]:  # before the other commands are imported, which takes 20 ms
        serve.run(serve.parser().parse(arguments[1:]))
        return
    from mockvod.cli.completion import candidates
    from mockvod.cli.table import COMMANDS

    if arguments[:1] == ["__complete"]:
        print("\n".join(candidates(COMMANDS.values(), arguments[1:])))
        return
    moved, rest = _options_before(arguments)
    if not rest or rest[0] in _HELP:
        print(_help(COMMANDS))
    elif rest[0] not in COMMANDS and rest[1:2] and rest[1] in _HELP:
        print(_help([name for name in COMMANDS if name.startswith(f"{rest[0]} ")] or COMMANDS))
    elif rest[0] == "--version":
        print(f"mockvod {__version__}")
    else:
        command, rest = _command(COMMANDS, rest)
        parser = command.parser(epilog=_subcommands(COMMANDS, command.name))
        command.run(parser.parse([*moved, *rest]))


def _options_before(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options before the command, which mean the same after it."""
    end = 0
    while end < len(arguments) and arguments[end].partition("=")[0] in MOVABLE:
        end += 2 if MOVABLE.get(arguments[end]) else 1
    return arguments[:end], arguments[end:]


def _command(commands: Mapping[str, Command], arguments: list[str]) -> tuple[Command, list[str]]:
    """The one of *commands* that *arguments* begin with, and its own arguments."""
    first, second = arguments[0], arguments[1] if len(arguments) > 1 else ""
    if f"{first} {second}" in commands:
        return commands[f"{first} {second}"], arguments[2:]
    group = [name.partition(" ")[2] for name in commands if name.startswith(f"{first} ")]
    if group and second == "list" and first in commands:
        return commands[first], arguments[2:]
    if group and (first not in commands or (second and not second.startswith("-"))):
        given = f"unknown command `{first} {second}`" if second else f"`{first}` needs a command"
        raise Failure(given + suggestion(second, group, f"must be one of {', '.join(group)}"), 2)
    if first in commands:
        return commands[first], arguments[1:]
    kind = "option" if first.startswith("-") else "command"
    names = [*MOVABLE, "--help", "--version"] if kind == "option" else [*commands]
    raise Failure(f"unknown {kind} {first}{suggestion(first, names, 'see `mockvod --help`')}", 2)


def _subcommands(commands: Collection[str], name: str) -> str | None:
    lines = [one for one in commands if one.startswith(f"{name} ")]
    return f"Further commands: {', '.join(lines)}" if lines else None


def _help(names: Collection[str]) -> str:
    from mockvod.cli.table import MODULES

    width = max(map(len, names))
    lines = ["usage: mockvod COMMAND [OPTIONS]", "", "A local mock of Tencent Cloud VOD."]
    for module in MODULES:
        its_own = [one for one in vars(module).values() if isinstance(one, Command) and one.name in names]
        if its_own:
            lines += ["", f"{module.TITLE}:", *(f"  {one.name:<{width}}  {one.help}" for one in its_own)]
    lines += ["", "`mockvod COMMAND --help` shows a command's options; --version the version."]
    return "\n".join([*lines, "Settings also come from MOCKVOD_… variables and mockvod.toml."])
