"""The image in real containers, where an engine answers.

`MOCKVOD_ENGINE` is the command of the engine (`docker`, `podman`, …) and `MOCKVOD_IMAGE` the image, by default the
`mockvod` of `make image`. Without them, these tests are skipped.
"""

import json
import os
import shutil
import subprocess
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mockvod.testing.client import Client

ENGINE = os.environ.get("MOCKVOD_ENGINE", "docker")
IMAGE = os.environ.get("MOCKVOD_IMAGE", "mockvod")
MOST_BYTES = 60 * 1000 * 1000
HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


def engine(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ENGINE, *arguments], capture_output=True, text=True, check=check, timeout=50)  # noqa: S603


def _missing() -> str:
    """Why there is nothing to test; empty if there is."""
    if shutil.which(ENGINE) is None or engine("info", check=False).returncode != 0:
        return f"no container engine answers as {ENGINE}; name one in MOCKVOD_ENGINE"
    if engine("image", "inspect", IMAGE, check=False).returncode != 0:
        return f"{ENGINE} has no image {IMAGE}; make it with `make image`, or name one in MOCKVOD_IMAGE"
    return ""


pytestmark = [pytest.mark.skipif(bool(reason := _missing()), reason=reason), pytest.mark.xdist_group("containers")]


class Container:
    """A container of the image; `url` is where its server is reached from here."""

    def __init__(self, *options: str) -> None:
        self.name = f"mockvod-test-{uuid.uuid4().hex[:8]}"
        engine("run", "--detach", "--name", self.name, "--publish", "127.0.0.1::8266", *options, IMAGE)

    @property
    def url(self) -> str:
        return "http://" + engine("port", self.name, "8266").stdout.split()[-1]

    def run(self, *command: str, check: bool = True) -> str:
        """What *command* prints in the container."""
        return engine("exec", self.name, *command, check=check).stdout

    def wait(self) -> None:
        self.run("mockvod", "health", "--wait", "--timeout", "30")

    def state(self, field: str) -> str:
        return engine("inspect", "--format", f"{{{{.State.{field}}}}}", self.name).stdout.strip()


Run = Callable[..., Container]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts a container with the options given, and waits until it is ready."""
    with ExitStack() as stack:

        def start(*options: str) -> Container:
            container = Container(*options)
            stack.callback(engine, "rm", "--force", container.name)
            container.wait()
            return container

        yield start


def test_a_hardened_container_serves_every_feature(run: Run) -> None:
    container = run(*HARDENED)
    with Client(container.url) as client:
        [event] = client.emit(count=1)
        assert client.event(event.id).state == "queued"
    assert "3 events" in container.run("mockvod", "scenario", "check", "steady-stream")
    fetch = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8266/snapshots/1/10/0.jpg').status)"
    assert container.run("python", "-c", fetch).strip() == "200"


def test_https_is_served_with_an_authority_in_memory(run: Run) -> None:
    container = run("--read-only", "--env", "MOCKVOD_TLS=true")
    fetch = (
        "import ssl; from urllib.request import urlopen;"
        "ca = urlopen('http://127.0.0.1:8266/mockvod/ca.pem').read().decode();"
        "trust = ssl.create_default_context(cadata=ca);"
        "print(urlopen('https://127.0.0.1:8266/mockvod/readyz', context=trust).status)"
    )
    assert container.run("python", "-c", fetch).strip() == "200"


def test_it_runs_as_a_user_that_is_not_root_and_has_no_shell(run: Run) -> None:
    container = run()
    assert container.run("python", "-c", "import os; print(os.getuid())").strip() == "10001"
    assert engine("exec", container.name, "sh", "-c", "true", check=False).returncode != 0


def test_sigterm_ends_it_with_exit_code_0_and_it_can_be_started_again(run: Run) -> None:
    container = run(*HARDENED)
    engine("stop", "--time", "10", container.name)
    assert container.state("ExitCode") == "0"  # 137 if it had to be killed
    engine("start", container.name)
    container.wait()


def test_an_invalid_setting_ends_it_with_exit_code_2_and_names_the_variable() -> None:
    ended = engine("run", "--rm", "--env", "MOCKVOD_MODE=PUSHY", IMAGE, check=False)
    assert ended.returncode == 2
    assert "MOCKVOD_MODE" in ended.stderr


def test_other_containers_reach_it_by_the_name_of_tencents_api(run: Run) -> None:
    network = f"mockvod-test-{uuid.uuid4().hex[:8]}"
    engine("network", "create", network)
    try:
        run("--network", network, "--network-alias", "vod.tencentcloudapi.com", "--env", "MOCKVOD_PORT=8266")
        fetch = (
            "from urllib.request import urlopen;"
            "print(urlopen('http://vod.tencentcloudapi.com:8266/?Action=DescribeEventsState').status)"
        )
        done = engine("run", "--rm", "--network", network, "--entrypoint", "python", IMAGE, "-c", fetch)
        assert done.stdout.strip() == "200"
    finally:
        engine("network", "rm", "--force", network)


def test_its_bill_of_materials_lists_python_packages_and_libraries(run: Run) -> None:
    listed = json.loads(run().run("python", "-c", "print(open('/sbom.cdx.json').read())"))
    names = {one["name"] for one in listed["components"]}
    assert listed["bomFormat"] == "CycloneDX"
    assert {"cpython", "mockvod", "aiohttp", "pydantic", "libc6", "ca-certificates"} <= names


def test_every_compiled_module_loads_without_debug_symbols(run: Run) -> None:
    load = (
        "import importlib, pathlib, sysconfig\n"
        "packages = pathlib.Path(sysconfig.get_path('purelib'))\n"
        "for path in packages.rglob('*.so'):\n"
        "    parts = path.relative_to(packages).parts\n"
        "    print(importlib.import_module('.'.join([*parts[:-1], parts[-1].split('.')[0]])))"
    )
    assert "uvloop" in run().run("python", "-c", load)


def test_it_is_small(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    engine("save", "--output", str(archive), IMAGE)
    compressor = zlib.compressobj(6)
    with archive.open("rb") as file:
        size = sum(len(compressor.compress(chunk)) for chunk in iter(lambda: file.read(1 << 20), b""))
    assert size + len(compressor.flush()) <= MOST_BYTES


@pytest.mark.skipif("DOCKER_HOST" not in os.environ and ENGINE != "docker", reason="Testcontainers needs DOCKER_HOST")
def test_the_testcontainers_class_starts_it() -> None:
    from mockvod.testing.container import MockVodContainer

    with MockVodContainer(IMAGE, poll_hold=1) as container:
        assert [event.state for event in container.client.emit(count=1)] == ["queued"]
