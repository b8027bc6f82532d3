"""Which clients are run, with which calls.

A program in `clients/` gets a plan as JSON in its first argument: `scheme`, `endpoint` (empty for the client's own),
`authority` (the PEM file to trust with https), `secret_id`, `secret_key`,
`ways` (pairs of signature and HTTP method) and `calls` (pairs of action and parameters, in which `$EventHandle`,
`$TaskId` and `$msgHandle` stand for what the last response had). It prints rows of signature, method, action and
outcome as JSON: the outcome is `ok`, an error, or null where the SDK does not have the action.
"""

from itertools import product
from typing import Any, Final, NamedTuple

Calls = list[tuple[str, dict[str, Any]]]
FILE: Final = "5285485487985271487"

CALLS: Final[Calls] = [
    ("DescribeEventConfig", {}),
    ("ModifyEventConfig", {"Mode": "PULL"}),
    ("DescribeEventsState", {}),
    ("PullEvents", {}),
    ("ConfirmEvents", {"EventHandles": ["$EventHandle"]}),
    ("DescribeMediaInfos", {"FileIds": [FILE]}),
    (
        "ProcessMedia",
        {
            "FileId": FILE,
            "MediaProcessTask": {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]},
        },
    ),
    ("DescribeTaskDetail", {"TaskId": "$TaskId"}),
    ("DescribeTasks", {}),
    ("DescribeSnapshotByTimeOffsetTemplates", {"Limit": 1}),
]
LEGACY_CALLS: Final[Calls] = [
    ("PullEvent", {}),
    ("ConfirmEvent", {"msgHandle": ["$msgHandle"]}),
    ("CreateSnapshotByTimeOffset", {"fileId": FILE, "definition": 10, "timeOffset": [1000]}),
]
WAYS: Final = list(product(("TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"), ("POST", "GET")))
LEGACY_WAYS: Final = WAYS[2:]


class Tested(NamedTuple):
    """A client at one version; `newest` is what the registry has."""

    name: str
    package: str
    version: str
    program: str
    option: str = ""
    calls: Calls = CALLS
    ways: list[tuple[str, str]] = WAYS
    schemes: tuple[str, ...] = ("http", "https")
    beside: tuple[str, ...] = ()
    """Packages that it needs and does not declare."""

    @property
    def node(self) -> bool:
        return self.program.endswith(".cjs")


PYTHON: Final = "tencentcloud-sdk-python-vod"
NODE: Final = "tencentcloud-sdk-nodejs"

TESTED: Final = (
    Tested("Python SDK", PYTHON, "newest", "python_sdk.py"),
    Tested("Python SDK, async", PYTHON, "newest", "python_sdk.py", "async"),
    Tested("Python SDK", PYTHON, "3.1.2", "python_sdk.py"),
    Tested("Python SDK, async", PYTHON, "3.1.2", "python_sdk.py", "async"),
    Tested("Python SDK", PYTHON, "3.0.1200", "python_sdk.py"),
    *(
        Tested(
            "Python SDK",
            PYTHON,
            version,
            "python_sdk.py",
            beside=(f"tencentcloud-sdk-python-common=={version}", "requests"),
        )
        for version in ("3.0.900", "3.0.700", "3.0.252")
    ),
    Tested("Node SDK", NODE, "newest", "node_sdk.cjs"),
    Tested("Node SDK", NODE, "4.1.208", "node_sdk.cjs"),
    Tested("Node SDK", NODE, "4.0.525", "node_sdk.cjs"),
    Tested("tccli", "tccli", "newest", "cli.py", ways=WAYS[:1], schemes=("https",)),
    Tested(
        "Python SDK of API 2.0",
        "qcloudapi-sdk-python",
        "newest",
        "legacy_python.py",
        calls=LEGACY_CALLS,
        ways=LEGACY_WAYS,
        schemes=("https",),
    ),
    Tested("Node SDK of API 2.0", "qcloudapi-sdk", "newest", "legacy_node.cjs", calls=LEGACY_CALLS, ways=LEGACY_WAYS),
)
