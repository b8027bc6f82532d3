"""What the storage reads and writes: signatures as SDKs were recorded to make them, lists of parts, checksums, XML."""

from typing import Any, NamedTuple

import pytest
from multidict import CIMultiDict

from mockvod.wire.cos import StorageError, check, completed_parts, crc64, read_authorization, xml_pieces

HOST = "xadacq111211-100922.cos.ap-chongqing.myqcloud.com"
KEY, TOKEN = "tmpkey", "tmptoken"


class Recorded(NamedTuple):
    """A request of an unmodified SDK."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    window: str
    signed: str
    """The names of the signed headers, then those of the signed parameters."""
    signature: str

    @property
    def authorization(self) -> str:
        headers, params = self.signed.split(" ")
        return (
            f"q-sign-algorithm=sha1&q-ak=AKIDtmp&q-sign-time={self.window}&q-key-time={self.window}"
            f"&q-header-list={headers}&q-url-param-list={params}&q-signature={self.signature}"
        )

    def check(self, key: str = KEY, *, now: float | None = None) -> None:
        moment = float(self.window.split(";")[0]) if now is None else now
        authorization = read_authorization(self.authorization)
        check(authorization, key, self.method, self.path, self.query, CIMultiDict(self.headers), moment)


LIST = "uploads=&prefix=dir%2Fname.mp4&delimiter=&key-marker=&upload-id-marker=&max-uploads=1000&encoding-type=url"
RECORDED = {
    "Python, list": Recorded(
        "GET",
        "/",
        LIST,
        {"Host": HOST, "x-cos-security-token": TOKEN},
        "1795696806;1795706866",
        "host;x-cos-security-token delimiter;encoding-type;key-marker;max-uploads;prefix;upload-id-marker;uploads",
        "ab5e4891627e67b7f743a4714f4a76770c39d78b",
    ),
    "Python, part": Recorded(
        "PUT",
        "/dir/name.mp4",
        "partNumber=3&uploadId=1585130821cbb7df",
        {"Host": HOST, "x-cos-security-token": TOKEN, "Content-Length": "402848"},
        "1795696806;1795706866",
        "content-length;host;x-cos-security-token partnumber;uploadid",
        "94a05fd1c74702b7fc182147e171ca755565953d",
    ),
    "Node, part": Recorded(
        "PUT",
        "/dir/name.mp4",
        "partNumber=1&uploadId=1585130821cbb7df",
        {"host": HOST, "Content-Length": "1048576", "Content-MD5": "YJlZT4TSbsvOHWYSIRwmqQ=="},
        "1795696868;1795697768",
        "content-length;content-md5;host partnumber;uploadid",
        "5fa7ac09ede72906d53d96147a0ad4b985813b83",
    ),
    "browser, begin": Recorded(
        "POST",
        "/dir/name.mp4",
        "uploads",
        {"Content-Length": "0"},
        "1764160000;1893456000",
        " uploads",
        "f755ca4f4ea7943c77968a6361a84664f215feb0",
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_signature_is_accepted(name: str) -> None:
    RECORDED[name].check()


@pytest.mark.parametrize(
    "changes",
    [{"method": "POST"}, {"path": "/dir/other.mp4"}, {"query": "partNumber=2&uploadId=1585130821cbb7df"}],
    ids=["method", "path", "query"],
)
def test_another_request_does_not_have_the_signature(changes: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="not made with the key") as refused:
        RECORDED["Node, part"]._replace(**changes).check()
    assert (refused.value.status, refused.value.code) == (403, "SignatureDoesNotMatch")


def test_another_key_does_not_have_the_signature() -> None:
    with pytest.raises(StorageError, match="not made with the key"):
        RECORDED["Node, part"].check("other")


@pytest.mark.parametrize("now", [1795696868 - 301, 1795697768 + 1])
def test_a_signature_is_valid_in_its_window(now: float) -> None:
    with pytest.raises(StorageError, match="valid from 1795696868 to 1795697768") as refused:
        RECORDED["Node, part"].check(now=now)
    assert (refused.value.status, refused.value.code) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a signature"),
        ("q-sign-algorithm=sha1&q-ak=AKID", "is not a signature"),
        (RECORDED["Node, part"].authorization.replace("sha1", "md5"), "is not a signature"),
        (RECORDED["Node, part"].authorization.replace("1795696868;1795697768", "now"), "is not two moments"),
    ],
    ids=["empty", "incomplete", "algorithm", "window"],
)
def test_what_is_no_signature_is_refused(text: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as refused:
        read_authorization(text)
    assert (refused.value.status, refused.value.code) == (403, "AccessDenied")


# --- parts, checksums, XML


def test_parts_are_read_as_python_and_node_send_them() -> None:
    python = b"""<?xml version="1.0" encoding="utf-8"?><CompleteMultipartUpload><Part><PartNumber>1</PartNumber>
        <ETag>&quot;aa&quot;</ETag></Part><Part><PartNumber>2</PartNumber><ETag>&quot;bb&quot;</ETag></Part>"""
    node = (
        b'<CompleteMultipartUpload><Part><ETag>"aa"</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>'
    )
    assert completed_parts(python) == [(1, "aa"), (2, "bb")]
    assert completed_parts(node) == [(1, "aa")]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff\xfe",
        b"<Part></Part>",
        b"<Part><PartNumber>x</PartNumber><ETag>a</ETag></Part>",
        b"<Part><PartNumber>1</PartNumber><ETag></ETag></Part>",
        b"<Part><PartNumber>123456</PartNumber><ETag>a</ETag></Part>",
    ],
)
def test_a_list_without_its_parts_is_malformed(document: bytes) -> None:
    with pytest.raises(StorageError) as refused:
        completed_parts(document)
    assert (refused.value.status, refused.value.code) == (400, "MalformedXML")


def test_the_checksum_can_be_continued() -> None:
    assert crc64(b"123456789") == crc64(b"6789", crc64(b"12345")) == 0x995DC9BBDF1939FA


def test_text_is_escaped_and_control_characters_are_left_out() -> None:
    document = b"".join(xml_pieces("Error", [("Message", "<a> & \x00b"), ("Empty", "")]))
    assert document.endswith(b"<Error><Message>&lt;a&gt; &amp; b</Message><Empty></Empty></Error>")
