"""The application of somebody who tests with mockvod: a worker around Tencent's SDK."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models
from tencentcloud.vod.v20180717.vod_client import VodClient


class Worker:
    """Pulls events and confirms them."""

    def __init__(
        self, endpoint: str, secret_id: str, secret_key: str, protocol: str = "http", timeout: float = 30
    ) -> None:
        http = HttpProfile(protocol=protocol, endpoint=endpoint, reqTimeout=timeout)
        credential = Credential(secret_id, secret_key)
        self._client = VodClient(credential, "ap-guangzhou", ClientProfile(httpProfile=http))

    def pull(self, sub_app_id: int | None = None) -> list[str]:
        request = models.PullEventsRequest()
        request.SubAppId = sub_app_id
        return [event.EventHandle for event in self._client.PullEvents(request).EventSet]

    def confirm(self, handles: list[str]) -> None:
        request = models.ConfirmEventsRequest()
        request.EventHandles = handles
        self._client.ConfirmEvents(request)

    def work(self) -> None:
        self.confirm(self.pull())

    def work_twice(self) -> None:
        """Goes on after an error, as many workers do."""
        for _ in range(2):
            try:
                self.work()
            except TencentCloudSDKException as error:
                print(error)  # noqa: T201 - an application's log


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


class _Server(HTTPServer):
    address_family = socket.AF_INET6


@contextmanager
def receiver_on_ipv6() -> Iterator[int]:
    """The port of a callback receiver that listens on ::1 alone."""
    with _Server(("::1", 0), _Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
