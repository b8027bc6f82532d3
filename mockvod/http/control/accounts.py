"""Calls that make, list, delete, count and reset accounts."""

import secrets
from typing import Any, Final

from pydantic import Field

from mockvod.faults.registry import MODULES
from mockvod.http.control.contract import ApplicationStats, Response, application_counts
from mockvod.http.control.request import ControlError, ControlRequest, Routes
from mockvod.service.definitions import AccountDefinition
from mockvod.service.world import Account, AccountRefused

ROUTES: Final = Routes()


class AccountView(Response):
    secret_id: str
    sub_app_id: int | None
    seed: int | str
    default: bool = Field(description="Whether it is the account of every SecretId that was not declared.")
    events: int = Field(description="Events kept.")


class AccountMade(AccountView):
    secret_key: str


class Accounts(Response):
    accounts: list[AccountView]


class Stats(Response):
    counts: dict[str, int] = Field(description="Events by state since the last reset, evicted ones included.")
    evicted: int = Field(description="Events in a terminal state that were evicted to bound memory.")
    pending_bytes: int = Field(description="Bytes of the events that are not in a terminal state.")
    applications: list[ApplicationStats]


class Discarded(Response):
    """What the reset discarded."""

    events: int
    queued: int
    leased: int
    polls: int
    deliveries: int


@ROUTES.add(
    "POST",
    "/accounts",
    "Make a separate account for the clients that sign with its SecretId.",
    status=201,
    errors=(409,),
    scoped=False,
)
async def make_account(request: ControlRequest, definition: AccountDefinition) -> AccountMade:
    if definition.config.faults:
        await request.world.load(*MODULES)
    secret_id = definition.secret_id or f"AKID{secrets.token_hex(16)}"
    try:
        account = request.world.add_account(
            secret_id=secret_id,
            secret_key=definition.secret_key or secrets.token_hex(16),
            sub_app_id=definition.sub_app_id or 1_500_000_000 + secrets.randbelow(500_000_000),
            seed=definition.seed,
            changes={name: getattr(definition.config, name) for name in definition.config.model_fields_set},
            frozen=definition.frozen,
        )
    except AccountRefused as error:
        raise ControlError(409, "account_refused", str(error), "secret_id") from None
    return AccountMade(**_facts(account), secret_key=account.secret_key)


@ROUTES.add("GET", "/accounts", "List all accounts.", scoped=False)
async def list_accounts(request: ControlRequest) -> Accounts:
    return Accounts(accounts=[AccountView(**_facts(account)) for account in request.world.accounts()])


@ROUTES.add(
    "DELETE", "/accounts/{secret_id}", "Delete an account and everything it owns.", errors=(404, 409), scoped=False
)
async def delete_account(request: ControlRequest) -> AccountView:
    secret_id = request.path("secret_id")
    account = request.world.declared(secret_id)
    if account is None:
        raise ControlError(404, "no_such_account", f"no account {secret_id[:60]!r}", "secret_id")
    if account is request.world.default:
        message = "the default account cannot be deleted: reset it instead (POST /mockvod/v1/reset)"
        raise ControlError(409, "account_refused", message, "secret_id")
    facts = _facts(account)
    await request.world.delete_account(account)
    return AccountView(**facts)


def _facts(account: Account) -> dict[str, Any]:
    return {
        "secret_id": account.secret_id,
        "sub_app_id": account.identity.sub_app_id,
        "seed": account.life.seed,
        "default": account is account.world.default,
        "events": len(account.life.events),
    }


@ROUTES.add("GET", "/stats", "Count events by state, and what each application holds.")
async def get_stats(request: ControlRequest) -> Stats:
    events = request.life.events
    return Stats(
        counts=dict(events.counts),
        evicted=events.evicted,
        pending_bytes=events.pending_bytes,
        applications=[ApplicationStats(**application_counts(one)) for one in request.life.applications()],
    )


@ROUTES.add(
    "POST",
    "/reset",
    "Reset the application that sub_app_id names, the account that secret_id names, or all accounts: polls and "
    "deliveries end, settings are as at the start.",
)
async def reset(request: ControlRequest) -> Discarded:
    if request.names_application:
        return Discarded(**await request.life.reset_application(request.sub_app_id))
    owner = request.account if request.names_account else request.world
    return Discarded(**await owner.reset())
