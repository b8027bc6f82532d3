"""mockvod's image as a Testcontainers container, for applications that run in containers too."""

from collections.abc import Mapping
from typing import Any, Self, Unpack

from mockvod.testing.client import Client
from mockvod.testing.options import ServerConfig

try:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy
except ImportError as error:
    raise ImportError("MockVodContainer needs Testcontainers: pip install 'mockvod[testcontainers]'") from error

PORT = 8266
STARTUP = 30
"""Seconds within which it must be ready, once the image is pulled."""
HOST = "host.docker.internal"


class MockVodContainer(DockerContainer):
    """mockvod in a container, for the duration of a `with` block. It can replace the fixture `mockvod_server`.

    *settings* are those of `mockvod serve` by name (`mode="PUSH"`, `poll_hold=1`, …). `start` returns once the server
    is ready; raises TimeoutError with the container's log if it is not after 30 seconds. The container knows the
    machine that runs Docker as `host.docker.internal`, on Linux too; `host_url` makes a callback URL with that name.
    """

    def __init__(self, image: str = "mockvod", **settings: Unpack[ServerConfig]) -> None:
        super().__init__(image)
        self.with_envs(**variables(settings))
        self.with_exposed_ports(PORT)
        ready = HttpWaitStrategy(PORT, "/mockvod/readyz").with_startup_timeout(STARTUP).with_poll_interval(0.1)
        self.waiting_for(ready)
        self._client: Client | None = None

    def _configure(self) -> None:
        # Not in the constructor: a later call of with_kwargs replaces everything set there.
        self._kwargs = {**self._kwargs, "extra_hosts": {HOST: "host-gateway", **self._kwargs.get("extra_hosts", {})}}

    def start(self) -> Self:
        super().start()
        self._client = Client(self.url)
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        super().stop(force=force, delete_volume=delete_volume)

    @property
    def endpoint(self) -> str:
        """`host:port` for programs on the machine that runs Docker. Other containers use its name and port 8266."""
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"

    @property
    def url(self) -> str:
        return f"http://{self.endpoint}"

    @property
    def client(self) -> Client:
        """Calls of the control API for the default account."""
        if self._client is None:
            raise RuntimeError("this container is not running: use it in a `with` block, or call start()")
        return self._client

    def host_url(self, port: int, path: str = "/") -> str:
        """The URL, for the container, of a callback receiver on the machine that runs Docker.

        On Linux the receiver must listen on 0.0.0.0 or the address of Docker's bridge, not on 127.0.0.1.
        """
        return f"http://{HOST}:{port}/{path.removeprefix('/')}"


def variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as environment variables. Raises SettingsError for an unknown name."""
    from mockvod.problems import did_you_mean  # here and below: for errors only
    from mockvod.settings_load import SettingsError

    for name in settings:
        if name not in ServerConfig.__annotations__:
            raise SettingsError(f"{name}: unknown setting{did_you_mean(name, ServerConfig.__annotations__, '')}")
    return {
        f"MOCKVOD_{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in settings.items()
        if value is not None
    }
