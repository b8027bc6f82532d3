"""Tables of the documentation, generated from the code: `make docs` writes them, tests/test_docs.py checks them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mockvod.http import legacy
from mockvod.http.actions import SIMULATED
from mockvod.http.control.request import ROOT, Route
from mockvod.http.control.routes import ROUTES
from mockvod.service.definitions import Config
from mockvod.settings import AccountSettings, ApplicationSettings, Definition, definitions
from mockvod.wire.actions import VOD_ACTIONS
from tests import reference

DOCS = Path(__file__).parent.parent / "docs"
ACTIONS = DOCS / "actions.md"
SETTINGS = DOCS / "settings.md"
API = DOCS / "api.md"

LEFT_OUT = {
    "ProcessMedia": "`MediaStoragePath`, `Url` without a FileId, `OutputAsIndependentMedia`, AiAnalysisTask and "
    "AiRecognitionTask are refused; watermarks, mosaics, heads and tails are stored and returned, not drawn",
    "ProcessMediaByProcedure": "`MediaStoragePath` is refused; ReviewAudioVideoTask, AiAnalysisTask and "
    "AiRecognitionTask of the template are not run",
    "ProcessMediaByUrl": "AiAnalysisTask and AiRecognitionTask are refused; nothing is fetched, and nothing is "
    "written to `OutputInfo`",
    "DescribeTaskDetail": "only tasks that were started here",
    "DescribeMediaInfos": "miniProgramReviewInfo, reviewInfo, mpsAiMediaInfo, imageUnderstandingInfo, "
    "knowledgeBasesInfo and faceRecognitionInfo are always null",
    "SearchMedia": "live recordings and knowledge bases find nothing",
    "ModifyMediaInfo": "knowledge bases; `ExpireTime` is returned, and deletes nothing",
    "DeleteMedia": "WechatPublishFiles and WechatMiniProgramPublishFiles, of which there are none",
    "EditMedia": "streams; the new file has the size of its first source",
    "ComposeMedia": "addresses as sources; pictures are those of the first source",
    "SimpleHlsClip": "playlists that are not of a media file here",
    "CreateProcedureTemplate": "tasks of artificial intelligence are stored and returned, not run",
    "CreateAdaptiveDynamicStreamingTemplate": "encryption is returned, playlists are plain",
    "CreateWatermarkTemplate": "watermarks are stored and returned, not drawn",
    "CreateSubAppId": "the mode fileid+path is returned, files have no paths",
}
"""What a simulated action leaves out, for people."""


def main() -> None:
    ACTIONS.write_text(actions_page(), encoding="utf-8")
    reference.REFERENCE.write_text(reference.page(), encoding="utf-8")
    for page in (SETTINGS, API):
        page.write_text(renewed(page), encoding="utf-8")


def renewed(page: Path) -> str:
    """The text of *page* with its table generated again. Raises ValueError if a marker of the table is missing."""
    name, table = ("settings", _settings()) if page == SETTINGS else ("control API", _control_api())
    begin, end = f"<!-- {name}: made by `make docs` -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} must have a line {begin.strip()}, followed by a line {end.strip()}")
    return "".join((before, begin, *(line + "\n" for line in table), end, after))


def actions_page() -> str:
    """The page docs/actions.md."""
    simulated = sorted(SIMULATED)
    refused = sorted(VOD_ACTIONS - {*SIMULATED})
    rows = [f"| `{name}` | {LEFT_OUT.get(name, '')} |" for name in simulated]
    lines = [
        "# Actions",
        "",
        "Made by `make docs`. Every action of VOD's API 2018-07-17, and whether mockvod simulates it. Where the real",
        "service is known to differ, or nothing is known, [differences.md](differences.md) says so.",
        "",
        f"## Simulated ({len(simulated)})",
        "",
        "| action | what is left out |",
        "|---|---|",
        *rows,
        "",
        "Over API 2.0: " + ", ".join(f"`{name}`" for name in (*legacy.ACTIONS, *legacy.LATER)) + ".",
        "",
        f"## Refused ({len(refused)})",
        "",
        "These are `UnsupportedOperation`, by their name: a fault can give them another code.",
        "",
        ", ".join(f"`{name}`" for name in refused) + ".",
    ]
    return "\n".join(lines) + "\n"


def _settings() -> Iterator[str]:
    yield "| setting | values | default | scope | what |"
    yield "|---|---|---|---|---|"
    for one in definitions():
        default = f"`{one.default}`" if one.default else ""
        values = one.kind.replace("|", ", ")
        yield f"| `{one.key}` | {values} | {default} | {_scope(one)} | {one.description} |"


def _scope(one: Definition) -> str:
    if one.name in ApplicationSettings.model_fields:
        return "application"
    return "account" if one.name in AccountSettings.model_fields else "server"


def _control_api() -> Iterator[str]:
    yield "| call | does | takes |"
    yield "|---|---|---|"
    for route in ROUTES:
        yield f"| `{route.method} {ROOT}{route.path}` | {route.summary} | {_taken(route)} |"


def _taken(route: Route) -> str:
    if route.body is Config:
        return "[settings](settings.md) with the scope application or account, with `_` for `-`"
    if route.body is not None:
        return _names(route.body.model_fields)
    return "query: " + _names(route.query.model_fields) if route.query is not None else ""


def _names(fields: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


if __name__ == "__main__":
    main()
