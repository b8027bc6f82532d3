"""The event that everything is measured with: 1,081 bytes as a callback receives it."""

from typing import Any, Final

from mockvod.wire.events import SNAPSHOT_COMPLETE, render

EVENT_BYTES: Final = 1081

_URL = "http://1250000000.vod2.myqcloud.com/5f0a1b2cvodtransgzp1250000000/9c3d528548548798527/snapshot/0_0.100_"


def wishes() -> dict[str, Any]:
    """The event as a call of the control API wishes for it; give its `count` too."""
    pictures = [{"ErrCode": 0, "TimeOffset": at, "Url": f"{_URL}.jpg"} for at in (1000, 2000, 3000)]
    wishes = {
        "task_id": f"CreateSnapshotByTimeOffset-{0:032x}",
        "file_id": "5285485487985271487",
        "definition": 10,
        "snapshots": pictures,
    }
    missing = EVENT_BYTES - len(render(SNAPSHOT_COMPLETE, structure(wishes), "seed"))
    pictures[-1]["Url"] = f"{_URL}{'0' * missing}.jpg"
    return wishes


def structure(wishes: dict[str, Any]) -> dict[str, Any]:
    """The same as a SnapshotByTimeOffsetTask2017."""
    return {
        "TaskId": wishes["task_id"],
        "FileId": wishes["file_id"],
        "Definition": wishes["definition"],
        "SnapshotInfoSet": wishes["snapshots"],
    }
