"""Uploads to one application: sessions from ApplyUpload to CommitUpload, and the media files that they become."""

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from mockvod.service.addresses import Addresses
from mockvod.service.media import FOREVER
from mockvod.service.storage import Key, Storage
from mockvod.service.tasks import Notify
from mockvod.wire.manifests import named_files

MAX_SESSIONS: Final = 1_000
"""Sessions that can be committed; a further one ends the oldest."""
MAX_FILES: Final = 10_000
"""Uploads that are remembered after their end; a further one evicts the oldest."""
PLAYLISTS: Final = ("m3u8", "mpd")
"""Media types of playlists; their segments are stored beside them."""
PLAYLIST_BYTES: Final = 1_000_000
"""How much of a playlist is searched for the names of segments."""
SESSION_SECONDS: Final = 48 * 3600
"""How long the key of a session is valid, in real seconds; the real service does not say."""
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
    """The parameters of an upload."""

    name: str
    media_type: str
    cover_type: str = ""
    procedure: str = ""
    expire_time: str = FOREVER
    region: str = DEFAULT_REGION
    class_id: int = 0
    source_context: str = ""
    session_context: str = ""
    notify: Notify = "Finish"
    """When the procedure is notified of."""
    priority: int = 0
    """Of the procedure."""
    path: str = ""
    """The path that the caller chose; empty for one that mockvod makes."""


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
    """Empty for a new cover of a media file that exists."""
    cover_path: str
    temporary: TemporaryKey
    applied_at: float
    """Real seconds since 1970."""


def storage_host(bucket: str) -> str:
    """The host name of the storage in the default region."""
    return f"{bucket}.cos.{DEFAULT_REGION}.myqcloud.com"


@dataclass(frozen=True, slots=True)
class Finished:
    """An upload that has become a media file."""

    file_id: str
    name: str
    media_type: str
    size: int
    """Bytes."""
    original: str
    """Name of the file in the media file's folder."""
    at: float
    """Real seconds since 1970."""
    key: Key | None = None
    """The object in the storage; None if the upload was made by the control API."""


class Uploads:
    """The upload sessions of one application, and its uploaded files."""

    def __init__(self, seed: str, addresses: Addresses, storage: Storage, new_id: Callable[[], str]) -> None:
        self._seed = seed
        self._addresses = addresses
        self._new_id = new_id
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._keys: dict[str, TemporaryKey] = {}
        self._finished: OrderedDict[str, Finished] = OrderedDict()
        self.storage = storage

    @cached_property
    def _random(self) -> Random:
        return Random(f"{self._seed}/uploads")  # 2.5 KB, which most applications never need

    def apply(self, request: Request, now: float, *, cover_of: str = "") -> Session:
        """Begin an upload, or one of a new cover for the file *cover_of*; *now* in real seconds since 1970."""
        random, file_id = self._random, cover_of or self._new_id()
        folder = self._own_folder(file_id)
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
            self._addresses.bucket,
            "" if cover_of else request.path or f"{folder}{name}.{request.media_type}",
            f"{folder}{_next(file_id)}.{request.cover_type}" if request.cover_type else "",
            temporary,
            now,
        )
        self._sessions[session.key] = session
        self._keys[temporary.secret_id] = temporary
        if len(self._sessions) > MAX_SESSIONS:
            self.end(next(iter(self._sessions.values())))
        return session

    def _own_folder(self, file_id: str) -> str:
        return f"/{self._addresses.originals}/{self._addresses.folder(file_id)}/"

    def find(self, key: str) -> Session | None:
        return self._sessions.get(key)

    def temporary_key(self, secret_id: str) -> TemporaryKey | None:
        return self._keys.get(secret_id)

    def end(self, session: Session) -> None:
        """Forget a session with its key: it was committed, or there are too many."""
        self._sessions.pop(session.key, None)
        self._keys.pop(session.temporary.secret_id, None)

    # --- the files of media

    def finish(self, upload: Finished) -> None:
        """Remember an upload that has become a media file, and serve its objects as files of it."""
        before = self._finished.pop(upload.file_id, None)
        self._finished[upload.file_id] = upload
        if before is not None:
            self._delete_files(upload.file_id, before)
        if len(self._finished) > MAX_FILES:
            self._delete_files(*self._finished.popitem(last=False))

    def file(self, file_id: str, name: str) -> Path | None:
        """The uploaded file *name* of a media file. Of a playlist also the segments beside it."""
        upload = self._finished.get(file_id)
        if upload is None or upload.key is None:
            return None
        key = upload.key
        if name != upload.original:
            if upload.media_type not in PLAYLISTS or not upload.original:
                return None
            key = _beside(key, name)
        stored = self.storage.find(key)
        return None if stored is None else stored.file

    def delete(self, file_id: str) -> None:
        """Delete what was uploaded for a media file: its file, with the segments of a playlist, and its cover."""
        self._delete_files(file_id, self._finished.pop(file_id, None))

    def delete_original(self, file_id: str) -> None:
        """As `delete`, but keep the bytes of the file: its transcodes are served from them."""
        upload = self._finished.pop(file_id, None)
        keys = self._own_keys(file_id, upload)
        if upload is not None:
            key = upload.key
            if key in keys:
                keys.remove(key)
                hidden = "", f"/{file_id}"  # no host name leads to a bucket without a name
                self.storage.move(key, hidden)
                key = hidden
            self._finished[file_id] = replace(upload, original="", key=key)
        self.storage.delete(*keys)

    def _delete_files(self, file_id: str, upload: Finished | None) -> None:
        self.storage.delete(*self._own_keys(file_id, upload))

    def _own_keys(self, file_id: str, upload: Finished | None) -> list[Key]:
        """The objects of a media file whose *upload* was taken off the list, less what other uploads need."""
        keys = dict.fromkeys(self.storage.below(self._addresses.bucket, self._own_folder(file_id)))
        needed = {one.key for one in self._finished.values()}
        for session in self._sessions.values():
            needed.add((session.bucket, session.media_path))
            if session.file_id != file_id:
                needed.add((session.bucket, session.cover_path))
        if upload is not None and upload.key is not None:
            keys |= {upload.key: None, **dict.fromkeys(self._listed(upload))}
            for other in self._finished.values():
                if other.key is not None and _nested(_folder(other.key[1]), _folder(upload.key[1])):
                    needed.update(self._listed(other))
        return [key for key in keys if key not in needed]

    def _listed(self, upload: Finished) -> Iterator[Key]:
        """The stored files that a playlist names, and those that its playlists name."""
        if upload.key is None or upload.media_type not in PLAYLISTS:
            return
        seen, playlists = {upload.key}, [upload.key]
        for playlist in playlists:
            stored = self.storage.find(playlist)
            for name in [] if stored is None else _names(stored.file, playlist[1]):
                key = _beside(playlist, name)
                if key not in seen and self.storage.find(key) is not None:
                    seen.add(key)
                    yield key
                    if key[1].endswith(PLAYLISTS):
                        playlists.append(key)

    # --- lists

    def under_way(self) -> list[tuple[Session, int]]:
        """The uploads that were applied for and not committed, oldest first, and how many bytes are stored of each."""
        parts = {upload.key: upload.size for upload in self.storage.uploads(self._addresses.bucket, "")}
        found = []
        for session in self._sessions.values():
            key = session.bucket, session.media_path
            stored = self.storage.find(key)
            found.append((session, parts.get(key, 0) if stored is None else stored.size))
        return found

    def finished(self) -> list[Finished]:
        """The uploads that have become media files, oldest first, without those of deleted files."""
        return list(self._finished.values())


def _names(playlist: Path, path: str) -> Iterator[str]:
    """The names in the first PLAYLIST_BYTES of a stored playlist."""
    try:
        with playlist.open("rb") as source:
            text = source.read(PLAYLIST_BYTES).decode(errors="replace")
    except OSError:
        return
    yield from named_files(text, path.rpartition(".")[2])


def _beside(key: Key, name: str) -> Key:
    """The object *name*, relative to the folder of *key*."""
    return key[0], f"{_folder(key[1])}{name}"


def _nested(folder: str, other: str) -> bool:
    """Whether one folder is in the other, or both are the same."""
    return folder.startswith(other) or other.startswith(folder)


def _folder(path: str) -> str:
    return path[: path.rindex("/") + 1]


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
