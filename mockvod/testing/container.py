"""The image of mockvod by Testcontainers, for applications that run in containers too."""

from collections.abc import Mapping
from typing import Any, Self

from mockvod.testing.client import Client

try:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy
except ImportError as error:
    raise ImportError("MockVodContainer needs Testcontainers: pip install 'mockvod[testcontainers]'") from error

PORT = 8266
STARTUP = 30
"""Seconds in which it must be ready, once its image is there."""
HOST = "host.docker.internal"


class MockVodContainer(DockerContainer):
    """A mockvod in a container, which ends with the `with` block; it stands in for the fixture `mockvod_server`.

    *settings* are those of `mockvod serve` by name (`mode="PUSH"`, `poll_hold=1`, …). `start` returns once it is
    healthy; raises TimeoutError with the container's log where it is not within half a minute. Inside, the machine
    that runs Docker has the name `host.docker.internal`, on Linux as on Docker Desktop: `host_url` makes a callback
    URL of it.
    """

    def __init__(self, image: str = "mockvod", **settings: Any) -> None:
        super().__init__(image)
        self.with_envs(**variables(settings))
        self.with_exposed_ports(PORT)
        ready = HttpWaitStrategy(PORT, "/mockvod/readyz").with_startup_timeout(STARTUP).with_poll_interval(0.1)
        self.waiting_for(ready)
        self._client: Client | None = None

    def _configure(self) -> None:
        # Here and not in the constructor: with_kwargs, called meanwhile, replaces all that was there.
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
        """`host:port` for programs on the machine that runs Docker. In the containers' network: its name, port 8266."""
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"

    @property
    def url(self) -> str:
        return f"http://{self.endpoint}"

    @property
    def client(self) -> Client:
        """Calls of the control API for the default account."""
        if self._client is None:
            raise RuntimeError("this container does not run: use it in a `with` block, or call start()")
        return self._client

    def host_url(self, port: int, path: str = "/") -> str:
        """The address, for the container, of a callback receiver on the machine that runs Docker.

        On Linux the receiver must listen on 0.0.0.0, or on the address of Docker's bridge: 127.0.0.1 is not reached.
        """
        return f"http://{HOST}:{port}/{path.removeprefix('/')}"


def variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings by name as the environment says them. Raises SettingsError for a name that there is not."""
    from mockvod.problems import did_you_mean
    from mockvod.settings import Settings
    from mockvod.settings_load import SettingsError

    known = list(Settings.model_fields)
    for name in settings:
        if name not in known:
            raise SettingsError(f"{name}: unknown setting{did_you_mean(name, known, '')}")
    return {
        f"MOCKVOD_{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in settings.items()
        if value is not None
    }
