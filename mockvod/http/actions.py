"""The actions of API 3.0 that mockvod simulates: their names, and the row of each."""

from typing import Any, Final

from mockvod.http.action import Action
from mockvod.http.event_actions import ACTIONS

_FAMILIES: Final = (
    "Transcode AdaptiveDynamicStreaming ImageSprite SampleSnapshot SnapshotByTimeOffset AnimatedGraphics Watermark"
)
LATER: Final = (
    *"ProcessMedia ProcessMediaByProcedure ProcessMediaByUrl DescribeTaskDetail DescribeTasks".split(),
    *"DescribeMediaInfos SearchMedia ModifyMediaInfo DeleteMedia EditMedia ComposeMedia SimpleHlsClip".split(),
    *"CreateProcedureTemplate ResetProcedureTemplate DeleteProcedureTemplate DescribeProcedureTemplates".split(),
    *(f"{verb}{family}Template" for family in _FAMILIES.split() for verb in ("Create", "Modify", "Delete")),
    *(f"Describe{family}Templates" for family in _FAMILIES.split()),
    *"ApplyUpload CommitUpload PullUpload ParseStreamingManifest".split(),
    *"CreateSubAppId DescribeSubAppIds ModifySubAppIdInfo ModifySubAppIdStatus".split(),
)
"""The actions whose rows are in `more_actions`, which is imported with the first call of one."""

SIMULATED: Final = (*ACTIONS, *LATER)


def find(name: str) -> Action[Any] | None:
    """The row of an action, None if it is not simulated."""
    action = ACTIONS.get(name)
    if action is None and name in LATER:
        from mockvod.http import more_actions  # noqa: PLC0415 - 80 ms, which a server of events alone never needs

        action = more_actions.ACTIONS[name]
    return action
