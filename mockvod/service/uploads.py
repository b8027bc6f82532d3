"""Uploads to one application: sessions from ApplyUpload to CommitUpload, and the media files that they become."""

import base64
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from mockvod.service.addresses import Addresses
from mockvod.service.media import FOREVER
from mockvod.service.storage import Key, Storage

MAX_SESSIONS: Final = 1_000
"""Sessions that can be committed; the oldest one ends where there would be more."""
MAX_FILES: Final = 10_000
SESSION_SECONDS: Final = 48 * 3600
"""How long a session and its keys are valid, in real seconds; the real service does not say."""
DEFAULT_REGION: Final = "ap-guangzhou"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class TemporaryKey(NamedTuple):
    """The key that an upload signs storage requests with."""

    secret_id: str
    secret_key: str
    token: str
    expires_at: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an upload is to become."""

    name: str
    media_type: str
    cover_type: str = ""
    procedure: str = ""
    expire_time: str = FOREVER
    region: str = DEFAULT_REGION
    class_id: int = 0
    source_context: str = ""
    session_context: str = ""
    path: str = ""
    """The path that the caller chose; empty for one of ours."""


@dataclass(frozen=True, slots=True)
class Session:
    """An upload that was applied for."""

    key: str
    """The VodSessionKey."""
    file_id: str
    request: Request
    bucket: str
    """With the APPID behind a hyphen, as the host name of the storage has it."""
    media_path: str
    cover_path: str
    temporary: TemporaryKey


class Uploads:
    """The upload sessions of one application, and its uploaded files."""

    def __init__(self, seed: str, addresses: Addresses, storage: Storage, new_id: Callable[[], str]) -> None:
        self._random = Random(f"{seed}/uploads")
        self._addresses = addresses
        self._new_id = new_id
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._keys: dict[str, TemporaryKey] = {}
        self._files: OrderedDict[tuple[str, str], Key] = OrderedDict()
        self.storage = storage

    @property
    def bucket(self) -> str:
        return f"{self._addresses.originals}-{self._addresses.app_id}"

    def apply(self, request: Request, now: float) -> Session:
        """Begin an upload; *now* in real seconds since 1970."""
        random, file_id = self._random, self._new_id()
        folder = f"/{self._addresses.originals}/{self._addresses.folder(file_id)}"
        name = "".join(random.choices(LETTERS, k=12))
        temporary = TemporaryKey(
            f"AKID{random.getrandbits(128):032x}",
            f"{random.getrandbits(128):032x}",
            base64.b64encode(random.randbytes(96)).decode(),
            int(now) + SESSION_SECONDS,
        )
        session = Session(
            base64.b64encode(random.randbytes(190)).decode(),
            file_id,
            request,
            self.bucket,
            request.path or f"{folder}/{name}.{request.media_type}",
            f"{folder}/{_next(file_id)}.{request.cover_type}" if request.cover_type else "",
            temporary,
        )
        self._sessions[session.key] = session
        self._keys[temporary.secret_id] = temporary
        if len(self._sessions) > MAX_SESSIONS:
            self.end(next(iter(self._sessions.values())))
        return session

    def find(self, key: str) -> Session | None:
        return self._sessions.get(key)

    def temporary_key(self, secret_id: str) -> TemporaryKey | None:
        return self._keys.get(secret_id)

    def end(self, session: Session) -> None:
        """The session was committed, or gives way to younger ones."""
        self._sessions.pop(session.key, None)
        self._keys.pop(session.temporary.secret_id, None)

    # --- the files of media

    def keep(self, file_id: str, name: str, key: Key) -> None:
        """Serve the object *key* as the file *name* of a media file."""
        self._files[file_id, name] = key
        if len(self._files) > MAX_FILES:
            self._files.popitem(last=False)

    def file(self, file_id: str, name: str) -> Path | None:
        """The uploaded file *name* of a media file. Of playlists also the segments that lie beside them."""
        key = self._files.get((file_id, name))
        if key is None and (own := self._files.get((file_id, ""))) is not None:
            key = own[0], f"{own[1].rpartition('/')[0]}/{name}"
        stored = None if key is None else self.storage.find(key)
        return None if stored is None else stored.file

    def delete(self, file_id: str, original: str) -> None:
        """Delete the uploaded files of a media file."""
        for name in (original, ""):
            if (key := self._files.pop((file_id, name), None)) is not None:
                self.storage.delete(key)


def _next(file_id: str) -> str:
    return str(int(file_id) + 1) if file_id.isdecimal() else f"{file_id}1"


def applied(session: Session) -> dict[str, Any]:
    """The response to ApplyUpload."""
    key = session.temporary
    return {
        "StorageBucket": session.bucket,
        "StorageRegion": session.request.region,
        "VodSessionKey": session.key,
        "MediaStoragePath": session.media_path,
        "CoverStoragePath": session.cover_path,
        "TempCertificate": {
            "SecretId": key.secret_id,
            "SecretKey": key.secret_key,
            "Token": key.token,
            "ExpiredTime": key.expires_at,
        },
    }
