"""Records refused calls for the diagnosis, and explains a refused signature."""

from collections.abc import Callable

from mockvod.engine.clock import real_time
from mockvod.engine.consumers import Caller, Kind
from mockvod.service.world import World
from mockvod.wire.errors import (
    ApiError,
    CallEnded,
    NoEvent,
    SecretIdNotFound,
    SignatureExpire,
    SignatureFailure,
    UnsupportedOperation,
)
from mockvod.wire.signing import Request, Tc3Credential, Unsigned, V1Credential, credential_of, verify

MOST_KEYS = 100
"""Most SecretKeys of other accounts that a signature is compared with."""


def record(world: World, caller: Caller, incoming: Request | None, error: ApiError) -> None:
    """Record a call of API 3.0 by *caller* that *error* refused; *incoming* is the request, if it could be read."""
    if isinstance(error, NoEvent | CallEnded):
        return
    kind: Kind = "call"
    message = str(error)
    if isinstance(error, UnsupportedOperation):
        kind = "not_simulated"
    elif error.code.startswith("AuthFailure"):
        kind = "signature"
        if incoming is not None:
            message = difference(world, incoming, error, verify) or message
    world.refusals.note(kind, caller, action_of(incoming), error.code, message)


def action_of(incoming: Request | None) -> str:
    """The action that a request of API 3.0 names; empty if it names none."""
    return "" if incoming is None else incoming.headers.get("X-TC-Action") or incoming.params.get("Action") or ""


def secret_id_of(incoming: Request | None) -> str:
    """The SecretId that a request claims; empty if it claims none."""
    try:
        return "" if incoming is None else credential_of(incoming).secret_id or ""
    except ApiError:
        return ""


def difference(world: World, incoming: Request, error: ApiError, check: Callable[..., None]) -> str:
    """What differs between a signature and the expected one, for *error* of *check*; empty if that is not known.

    *check* is `verify`, with what the API binds of its arguments.
    """
    try:
        credential = credential_of(incoming)
    except ApiError:
        return ""
    if isinstance(credential, Unsigned):
        return ""
    name = credential.secret_id
    if isinstance(error, SecretIdNotFound):
        deleted = name in world.deleted
        return f"the account {name} was deleted" if deleted else f"no account {name} is declared, and auth is strict"
    if isinstance(error, SignatureExpire):
        late = real_time() - credential.timestamp
        where = "behind" if late > 0 else "ahead of"
        return f"its Timestamp is {abs(late):.0f} s {where} the server's time: is the client's clock right, or frozen?"
    if type(error) is not SignatureFailure:  # the message of SignedForOtherHost explains it
        return ""
    owner = world.declared(name)

    def matches(request: Request, key: str) -> bool:
        try:
            check(request, credential, key, now=None)
        except ApiError:
            return False
        return True

    for other in world.accounts()[:MOST_KEYS]:
        if other is not owner and other.secret_key and matches(incoming, other.secret_key):
            return f"it is signed with the SecretKey of {other.name}, but with the SecretId {name}"
    empty = Request(incoming.method, incoming.path, incoming.query, incoming.headers, b"", incoming.params)
    if owner is not None and isinstance(credential, Tc3Credential) and matches(empty, owner.secret_key):
        return "the body was changed after it was signed, or was not signed"
    return (
        f"it is not signed with the SecretKey of {name}; if the key is right, a proxy changed what was signed: "
        f"{_signed(credential)} (the Host received is {incoming.headers.get('Host', '')!r})"
    )


def _signed(credential: Tc3Credential | V1Credential) -> str:
    if isinstance(credential, V1Credential):
        return "method, host, path and parameters"
    return f"path, body, and the headers {', '.join(credential.signed_headers)}"
