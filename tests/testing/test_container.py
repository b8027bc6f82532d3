"""The container, with an engine that runs the real server in a thread in place of one in a container."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from mockvod.settings_load import SettingsError, load
from mockvod.testing import Account, MockVod
from mockvod.testing.container import MockVodContainer


@dataclass
class Engine:
    """What the container asks of Docker."""

    healthy: bool = True
    created: dict[str, Any] = field(default_factory=dict)
    server: MockVod | None = None
    removed: bool = False
    id: str = "c0ffee"
    short_id: str = "c0ffee"
    status: str = "running"

    @property
    def client(self) -> "Engine":
        return self

    def create(self, image: str, **kwargs: Any) -> "Engine":
        self.created = {"image": image, **kwargs}
        return self

    def start(self, container: "Engine") -> None:
        if self.healthy:
            settings = load({"port": 0}, container.created["environment"]).settings
            self.server = MockVod(settings).start()

    def port(self, container_id: str, port: int) -> str:
        assert (container_id, port) == (self.id, 8266)
        return "1" if self.server is None else self.server.endpoint.partition(":")[2]

    def host(self) -> str:
        return "127.0.0.1"

    def get_connection_mode(self) -> ConnectionMode:
        return ConnectionMode.docker_host

    def reload(self) -> None:
        pass

    def logs(self) -> bytes:
        return b"mode: 'PUSHY' is invalid"

    def remove(self, **_: Any) -> None:
        self.removed = True

    def close(self) -> None:
        if self.server is not None:
            self.server.stop()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine()
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda **_: engine)
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    yield engine
    engine.close()


def test_a_container_is_ready_when_its_block_begins_and_gone_after_it(engine: Engine) -> None:
    with MockVodContainer() as container:
        assert container.client.ready()
        assert container.url == f"http://{container.endpoint}"
        assert engine.server is not None
        assert container.url == engine.server.url
        [event] = container.client.emit()
        assert event.state == "queued"
    assert engine.removed
    assert engine.created["image"] == "mockvod"
    assert engine.created["ports"] == {"8266": None}


def test_settings_reach_it_as_variables(engine: Engine) -> None:
    with MockVodContainer(
        "registry/mockvod:1", mode="PUSH", strict_service=True, poll_hold=1.5, seed=None
    ) as container:
        config = container.client.config()
    assert (config["mode"], config["strict_service"], config["poll_hold"]) == ("PUSH", True, 1.5)
    assert engine.created["image"] == "registry/mockvod:1"
    assert engine.created["environment"] == {
        "MOCKVOD_MODE": "PUSH", "MOCKVOD_STRICT_SERVICE": "true", "MOCKVOD_POLL_HOLD": "1.5"
    }  # fmt: skip


@pytest.mark.usefixtures("engine")
def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="pol_hold: unknown setting; did you mean poll_hold"):
        MockVodContainer(pol_hold=1)  # type: ignore[call-arg]


def test_the_callback_finds_the_machine_that_runs_docker(engine: Engine) -> None:
    container = MockVodContainer().with_kwargs(mem_limit="64m", extra_hosts={"db": "10.0.0.2"})
    assert container.host_url(3000, "/callback") == "http://host.docker.internal:3000/callback"
    assert container.host_url(3000) == "http://host.docker.internal:3000/"
    with container:
        pass
    assert engine.created["extra_hosts"] == {"host.docker.internal": "host-gateway", "db": "10.0.0.2"}
    assert engine.created["mem_limit"] == "64m"


@pytest.mark.usefixtures("engine")
def test_a_container_that_does_not_run_says_so() -> None:
    container = MockVodContainer()
    with pytest.raises(RuntimeError, match="is not running"):
        _ = container.client


def test_a_container_that_does_not_become_healthy_shows_its_log(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.healthy = False
    monkeypatch.setattr("mockvod.testing.container.STARTUP", 0)
    with pytest.raises(TimeoutError, match="/mockvod/readyz") as caught, MockVodContainer():
        pass
    assert caught.value.__notes__ == ["mode: 'PUSHY' is invalid"]
    assert engine.removed


@pytest.mark.usefixtures("engine")
def test_a_container_can_replace_the_server_of_the_fixture() -> None:
    with MockVodContainer() as container:
        info = container.client.make_account(seed=7)
        with Account(container.url, info) as account:
            account.emit()
            assert account.endpoint == container.endpoint
        assert container.client.events() == []


def test_without_testcontainers_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['testcontainers'] = None; import mockvod.testing.container"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.stderr.splitlines()[-1] == (
        "ImportError: MockVodContainer needs Testcontainers: pip install 'mockvod[testcontainers]'"
    )
