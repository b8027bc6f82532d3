"""The table of all commands, by module in the order of `mockvod --help`."""

from collections.abc import Sequence
from types import ModuleType
from typing import Final

from mockvod.cli import (
    accounts,
    clock,
    completion,
    config,
    events,
    faults,
    health,
    media,
    scenario,
    serve,
    tls,
    uploads,
)
from mockvod.cli.command import Command

MODULES: Final[Sequence[ModuleType]] = (
    serve,
    health,
    events,
    clock,
    faults,
    media,
    uploads,
    scenario,
    accounts,
    config,
    tls,
    completion,
)
COMMANDS: Final = {one.name: one for module in MODULES for one in vars(module).values() if isinstance(one, Command)}
