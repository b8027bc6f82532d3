"""Commands that run a server."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockvod import __version__
from mockvod.cli.command import Failure, Options, command, option
from mockvod.cli.output import say

if TYPE_CHECKING:
    from mockvod.app import Running
    from mockvod.settings_load import Loaded

TITLE = "Server"

CONFIG = option("--config", type=Path, metavar="PATH", help="settings file (default: mockvod.toml, if it exists)")


QUIET = option("--quiet", "-q", action="store_true", help="log only warnings and errors, as --log-level warning")


@command("serve", "Run a server until it is stopped.", CONFIG, QUIET, takes_settings=True)
def serve(options: Options) -> None:
    import gc

    gc.disable()  # until the server is ready: imports leave no garbage
    # Pydantic would look for plugins in the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from mockvod.app import run  # here and below: the server's modules, 300 ms that no other command needs

    def serve_until_stopped() -> None:
        loaded = load(options, **{"log_level": "warning"} if options.quiet else {})
        run(loaded.settings, _announce, loaded.origins)

    _run(serve_until_stopped)


def _announce(running: "Running") -> None:
    import logging

    log = logging.getLogger("mockvod")
    log.info(
        "mockvod %s serves %s (API 3.0 at /, control API at /mockvod/v1); seed %s",
        __version__,
        running.url,
        running.world.default.life.seed,
    )
    from mockvod.insight.live_log import LiveLog, start_lines

    for level, line in start_lines(running.world, running.url):
        log.log(level, "%s", line)
    if log.isEnabledFor(logging.INFO):
        LiveLog(running.world)


@command("demo", "Run a server, and show how events are delivered in both modes.", CONFIG, takes_settings=True)
def demo(options: Options) -> None:
    from mockvod.cli.demo import run
    from mockvod.logs import configure

    def serve_with_steps() -> None:
        loaded = load(options, log_level="warning")

        def announce(running: "Running") -> None:
            configure(loaded.settings.log_format, loaded.settings.log_level)
            _announce(running)

        run(loaded.settings, announce, loaded.origins)

    _run(serve_with_steps)


def _run(serve_until_stopped: Callable[[], None]) -> None:
    from mockvod.app import CannotListen, WrongScenario

    try:
        serve_until_stopped()
    except CannotListen as error:
        raise Failure(str(error)) from None
    except WrongScenario as error:
        raise Failure(f"invalid scenario:\n{error}", 2) from None


def load(options: Options, **defaults: Any) -> "Loaded":
    """The settings of the command line, the environment and the file. *defaults* are this command's own."""
    from mockvod import logs
    from mockvod.settings import names
    from mockvod.settings_load import SettingsError, load

    flags = {name: getattr(options, name) for name in names()}
    file = options.config or (Path(os.environ["MOCKVOD_CONFIG"]) if os.environ.get("MOCKVOD_CONFIG") else None)
    try:
        loaded = load(flags, file=file)
    except SettingsError as error:
        raise Failure(str(error), code=2) from None
    level = loaded.settings.log_level
    if loaded.origins["log_level"] == "default":
        level = defaults.get("log_level", level)
    logs.configure(loaded.settings.log_format, level)
    for warning in loaded.warnings:
        say(warning)
    return loaded
