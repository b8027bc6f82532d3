"""The rows of the actions of API 3.0 about media, jobs, templates and applications, in one table."""

from typing import Any, Final

from mockvod.http import editing, media_actions, processing, sub_apps, templates, uploads
from mockvod.http.action import Action

ACTIONS: Final[dict[str, Action[Any]]] = {
    **processing.ACTIONS,
    **media_actions.ACTIONS,
    **editing.ACTIONS,
    **templates.ACTIONS,
    **sub_apps.ACTIONS,
    **uploads.ACTIONS,
}
