"""Single inputs that once hung or flooded a server. Each is a function that sends it."""

import os
import random
import struct
import zlib
from collections.abc import Callable
from typing import Final

from benchmarks.soak.server import Server

HEAD: Final = b"POST /mockvod/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def clock_that_cannot_keep_up(server: Server) -> None:
    server.control("PUT", "/scenario", {"events": [{"every": "1s"}]})
    server.control("POST", "/clock", {"scale": 100_000})
    for _ in range(20):
        server.control("GET", "/stats")
    server.control("POST", "/clock", {"release": True})


def ten_years_at_once(server: Server) -> None:
    server.control("PATCH", "/config", {"every": 0.001})
    server.control("PATCH", "/config", {"every": 1, "settle_grace": 60})
    server.control("PATCH", "/config", {"settle_grace": 315_360_000})
    server.control("POST", "/clock", {"advance": 315_360_000})


def long_names(server: Server) -> None:
    server.call("GET", f"/snapshots/{'A' * 8000}/10/0.jpg")
    server.control("PATCH", "/config", {"public_url": "http://" + "a" * 1_000_000})
    text = "<svg>" + "a" * 3_000_000
    template = {"Type": "svg", "SvgTemplate": {}, "TextTemplate": {}, "Name": text}
    server.call("POST", "/", template, {"X-TC-Action": "CreateWatermarkTemplate", "X-TC-Version": "2018-07-17"})


def videos_that_are_none(server: Server) -> None:
    fifo, picture = server.directory / "fifo", server.directory / "large.png"
    if not fifo.exists():
        os.mkfifo(fifo)
        picture.write_bytes(_large_picture(16_000))
    for name in (str(fifo), "/dev/zero", str(server.directory), "a\0b", str(picture)):
        server.control("POST", "/media", {"file_id": "1", "video": name})
    server.call("GET", "/snapshots/1/10/0.jpg")


def _large_picture(side: int) -> bytes:
    """A grey PNG of 1 bit for each pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress((b"\0" + bytes(side // 8)) * side)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def too_many_snapshots(server: Server) -> None:
    server.control("POST", "/events", {"count": 10_000, "time_offsets": list(range(1000))})


def too_many_bytes(server: Server) -> None:
    event = {"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": ["a" * 400_000]}}
    server.control("POST", "/events", {"count": 10_000, "event": event})


def large_changes(server: Server) -> None:
    for _ in range(20):
        server.control("PATCH", "/config", {"callback_url": "http://127.0.0.1/" + "a" * 3_900_000})


def duplicates_of_duplicates(server: Server) -> None:
    for _ in range(4):
        server.control("POST", "/faults", {"fault": "duplicate", "copies": 30})
    server.control("POST", "/events", {"count": 3})


def many_delays(server: Server) -> None:
    for _ in range(300):
        server.control("POST", "/faults", {"fault": "delay", "seconds": 1})
    server.control("POST", "/events", {"count": 3})
    server.control("POST", "/clock", {"advance": 400})


def scenario_full_of_mistakes(server: Server) -> None:
    server.control("PUT", "/scenario", {"config": {f"setting{number}": 1 for number in range(20_000)}})
    wrong = {"event_type": "NewFileUpload", "set": {"no.such.path": 1}}
    server.control("PUT", "/scenario", {"events": [wrong] * 9_000})


def many_applications(server: Server) -> None:
    for number in range(1, 1_000):
        server.control("GET", f"/config?sub_app_id={number}")


def search_among_many_events(server: Server) -> None:
    for _ in range(5):
        server.control("POST", "/events", {"count": 10_000})
    for _ in range(5):
        server.control("GET", "/events?task_id=nobody")


def half_sent_requests(server: Server) -> None:
    connections = [server.raw(b"GET /mockvod/livez HTTP/1.1\r\nHo") for _ in range(300)]
    bodies = [server.raw(HEAD + b"Content-Length: 3000000\r\n\r\n" + bytes(2_000_000)) for _ in range(40)]
    server.ready()
    for connection in (*connections, *bodies):
        connection.close()


def not_http(server: Server) -> None:
    for data in (
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes.fromhex("16030100f8010000f40303") + bytes(200),
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9_000 + b"\r\n\r\n",
        random.Random(1).randbytes(5_000),
    ):
        server.raw(data).close()


def deep_documents(server: Server) -> None:
    for text in (b"[" * 3000 + b"]" * 3000, b'{"event":' * 3000 + b"1" + b"}" * 3000):
        server.control("POST", "/events", text)
        server.control("PUT", "/scenario", text)
        server.call("POST", "/", text, {"X-TC-Action": "ProcessMedia", "X-TC-Version": "2018-07-17"})


ATTACKS: Final[tuple[Callable[[Server], None], ...]] = (
    clock_that_cannot_keep_up,
    ten_years_at_once,
    long_names,
    videos_that_are_none,
    too_many_snapshots,
    too_many_bytes,
    large_changes,
    duplicates_of_duplicates,
    many_delays,
    scenario_full_of_mistakes,
    many_applications,
    search_among_many_events,
    half_sent_requests,
    not_http,
    deep_documents,
)
