"""The applications of an account, with the names and states that CreateSubAppId and ModifySubAppIdStatus set."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final, Literal, NamedTuple

from mockvod.wire.errors import InvalidVodUser

Status = Literal["On", "Off", "Destroying", "Destroyed"]

MAX_SUB_APPS: Final = 50
DESTROYING: Final = 300.0
"""Seconds for which a destroyed application is Destroying; 5 to 10 minutes are documented for every change."""


class SubApp(NamedTuple):
    """An application as its list shows it."""

    sub_app_id: int
    name: str = ""
    description: str = ""
    created_at: float = 0.0
    """Seconds on the clock's axis."""
    status: Literal["On", "Off", "Destroyed"] = "On"
    destroyed_at: float = 0.0
    mode: str = "fileid"
    storage_region: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def status_at(self, now: float) -> Status:
        if self.status == "Destroyed" and now < self.destroyed_at + DESTROYING:
            return "Destroying"
        return self.status


class TooManySubApps(Exception):
    """The account has MAX_SUB_APPS applications."""


class SubApps:
    """The applications of one account, including those that calls have only named: they have an empty name."""

    def __init__(self, seed: int | str, primary: int, now: float, named: Callable[[], Iterable[int]]) -> None:
        """*primary* is the APPID, the number of the default application; *named* gives those that calls have named."""
        self._ids = Random(f"{seed}/sub applications")
        self.primary = primary
        self._began = now
        self._named = named
        self._all: dict[int, SubApp] = {primary: SubApp(primary, created_at=now)}

    def create(self, now: float, **facts: object) -> SubApp:
        """Add an application; *facts* are fields of SubApp. Raises TooManySubApps."""
        if len(self._all) > MAX_SUB_APPS:
            raise TooManySubApps(f"an account may have {MAX_SUB_APPS} applications beside its first")
        sub_app_id = 1_500_000_000 + self._ids.getrandbits(24)
        while self.find(sub_app_id) is not None:
            sub_app_id += 1
        created = self._all[sub_app_id] = SubApp(sub_app_id, created_at=now)._replace(**facts)  # type: ignore[arg-type]
        return created

    def find(self, sub_app_id: int) -> SubApp | None:
        if sub_app_id in self._all:
            return self._all[sub_app_id]
        return SubApp(sub_app_id, created_at=self._began) if sub_app_id in self._named() else None

    def change(self, sub_app: SubApp, **facts: object) -> None:
        self._all[sub_app.sub_app_id] = sub_app._replace(**facts)  # type: ignore[arg-type]

    def all(self) -> Sequence[SubApp]:
        named = [SubApp(one, created_at=self._began) for one in self._named() if one not in self._all]
        return [*self._all.values(), *named]

    def check_ready(self, sub_app_id: int, now: float, delay: float) -> None:
        """Raise InvalidVodUser for an application that CreateSubAppId made less than *delay* seconds ago."""
        created = self._all.get(sub_app_id)
        if created is not None and sub_app_id != self.primary and now < created.created_at + delay:
            raise InvalidVodUser
