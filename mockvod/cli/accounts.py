"""Commands about accounts."""

from mockvod.cli.command import JSON, SERVER, Options, command, number, option
from mockvod.cli.connection import ask
from mockvod.cli.output import plural, show
from mockvod.testing.shapes import AccountInfo

TITLE = "Accounts"


@command("accounts", "List accounts.", SERVER, JSON)
def accounts(options: Options) -> None:
    found = ask(options, lambda client: client.accounts())
    show(options, found, map(_account_line, found))


@command(
    "accounts make",
    "Make an isolated account.",
    SERVER,
    option("name", nargs="?", metavar="SECRET_ID", help="its SecretId (default: a new one)"),
    option("--seed", type=number, metavar="N", help="the same seed gives the same ids"),
    option("--frozen", action="store_true", help="start with a frozen clock"),
    JSON,
)
def make_account(options: Options) -> None:
    made = ask(
        options, lambda client: client.make_account(secret_id=options.name, seed=options.seed, frozen=options.frozen)
    )
    show(options, made, [_account_line(made)])


@command(
    "accounts delete",
    "Delete an account and everything in it.",
    SERVER,
    option("name", metavar="SECRET_ID", help="its SecretId"),
    JSON,
)
def delete_account(options: Options) -> None:
    deleted = ask(options, lambda client: client.delete_account(options.name))
    show(options, deleted, [f"deleted {_account_line(deleted)}"])


def _account_line(one: AccountInfo) -> str:
    secret_id = "default account" if one.default and not one.secret_id else f"SecretId {one.secret_id}"
    secret_key = f"SecretKey {one.secret_key}" if one.secret_key else ""
    application = f"SubAppId {one.sub_app_id}" if one.sub_app_id else ""
    return "  ".join(filter(None, (secret_id, secret_key, application, plural(one.events, "event"))))


@command(
    "reset",
    "Discard events, and set clock and settings to their initial state, for all accounts, one, or one application.",
    SERVER,
    option("--secret-id", metavar="ID", help="only this account"),
    option("--sub-app-id", type=number, metavar="N", help="only this application; 0 is the default one"),
    JSON,
)
def reset(options: Options) -> None:
    discarded = ask(options, lambda client: client.reset())
    counts = [
        plural(discarded["events"], "event"),
        plural(discarded["polls"], "poll"),
        plural(discarded["deliveries"], "delivery", "deliveries"),
    ]
    show(options, discarded, [f"discarded {', '.join(counts)}"])
