"""The control API: accounts, and beginning anew."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.engine.lifetime import LifeEnded
from tests.http.asking import FROZEN, Control, Start
from tests.listeners import listening
from tests.polls import polls_held
from tests.support import Caller, Receiver

# Beginning anew


async def test_a_reset_returns_what_it_discarded(control: Control, caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit(count=20)
    await caller.call("PullEvents")
    poll = asyncio.create_task(caller.call("PullEvents", SubAppId=9))
    await polls_held(caller.account.life.application(9).queue, 1)
    answer = await control.done("POST", "/reset")
    assert answer == {"events": 20, "queued": 4, "leased": 16, "polls": 1, "deliveries": 0}
    assert (await poll)["Error"]["Code"] == "ResourceNotFound"
    assert (await control.done("GET", "/events"))["events"] == []
    assert not (await control.done("GET", "/clock"))["frozen"]


async def test_a_reset_restores_settings_and_restarts_the_ids(control: Control, caller: Caller) -> None:
    [before] = await caller.emit()
    await control.done("PATCH", "/config", {"mode": "PUSH", "poll_hold": 1})
    await control.done("POST", "/reset")
    config = await control.done("GET", "/config")
    assert (config["mode"], config["poll_hold"]) == (None, 5)
    [after] = await caller.emit()
    assert (after["id"], after["task_id"]) == (before["id"], before["task_id"])


async def test_a_reset_ends_deliveries_that_hang(control: Control, caller: Caller, receiver: Receiver) -> None:
    async def hang(_: Any) -> Any:
        await asyncio.Event().wait()

    receiver.answering = hang
    await control.done("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit(count=3)
    await receiver.wait_for(3)
    assert (await control.done("POST", "/reset"))["deliveries"] == 3
    assert (await control.done("GET", "/stats"))["applications"] == []


async def test_a_reset_of_one_account_leaves_the_others(control: Control, caller: Caller) -> None:
    one = (await control.done("POST", "/accounts"))["secret_id"]
    await control.done("POST", "/events", secret_id=one)
    await caller.emit()
    assert (await control.done("POST", "/reset", secret_id=one))["events"] == 1
    assert len((await control.done("GET", "/events"))["events"]) == 1
    assert (await control.done("POST", "/reset"))["events"] == 1


async def test_an_empty_secret_id_is_the_default_account(control: Control, caller: Caller) -> None:
    one = (await control.done("POST", "/accounts"))["secret_id"]
    await control.done("POST", "/events", secret_id=one)
    await caller.emit()
    assert (await control.done("POST", "/reset", secret_id=""))["events"] == 1
    assert len((await control.done("GET", "/events", secret_id=one))["events"]) == 1


async def test_a_reset_of_an_application_leaves_everything_else(control: Control, caller: Caller) -> None:
    await caller.clock.freeze()
    await control.done("PATCH", "/config", {"pull_limit": 2})
    await control.done("PATCH", "/config", {"callback_url_v2": "http://127.0.0.1:9/"}, sub_app_id=7)
    await control.done("POST", "/events", {"count": 3}, sub_app_id=7)
    await control.done("POST", "/events", {"delay": 60}, sub_app_id=7)
    await control.done("POST", "/media", {"file_id": "1"}, sub_app_id=7)
    await caller.call("PullEvents", SubAppId=7)
    [other] = await caller.emit()
    assert (await control.done("POST", "/reset", sub_app_id=7)) == {
        "events": 4, "queued": 1, "leased": 2, "polls": 0, "deliveries": 0,
    }  # fmt: skip
    assert [one["id"] for one in (await control.done("GET", "/events"))["events"]] == [other["id"]]
    stats = await control.done("GET", "/stats")
    assert (stats["counts"]["queued"], stats["counts"]["scheduled"], stats["counts"]["dropped"]) == (1, 0, 4)
    assert stats["pending_bytes"] > 0
    clock = await control.done("GET", "/clock")
    assert (clock["frozen"], [one["within"] for one in clock["waiting"]]) == (
        True,
        [4 * 86400],
    )
    config = await control.done("GET", "/config", sub_app_id=7)
    assert (config["callback_url_v2"], config["pull_limit"]) == ("", 2)
    assert (await control.done("GET", "/media", sub_app_id=7))["media"] == []
    [again] = (await control.done("POST", "/events", sub_app_id=7))["events"]
    assert again["state"] == "queued"


async def test_a_reset_of_an_application_ends_its_polls_and_deliveries(
    control: Control, caller: Caller, receiver: Receiver
) -> None:
    async def hang(_: Any) -> Any:
        await asyncio.Event().wait()

    receiver.answering = hang
    await control.done("PATCH", "/config", {"callback_url": receiver.url}, sub_app_id=7)
    await control.done("POST", "/events", sub_app_id=7)
    await receiver.wait_for(1)
    await caller.clock.freeze()
    poll = asyncio.create_task(caller.call("PullEvents", SubAppId=9))
    await polls_held(caller.account.life.application(9).queue, 1)
    assert (await control.done("POST", "/reset", sub_app_id=7))["deliveries"] == 1
    assert (await control.done("POST", "/reset", sub_app_id=9))["polls"] == 1
    assert (await poll)["Error"]["Code"] == "ResourceNotFound"
    assert (await control.done("POST", "/reset", sub_app_id=11))["events"] == 0


async def test_an_application_that_was_reset_raises(control: Control, caller: Caller) -> None:
    await caller.emit()
    before = caller.account.life.application()
    await control.done("POST", "/reset", sub_app_id=0)
    with pytest.raises(LifeEnded, match="was reset"):
        before.emit("FileDeleted", {})
    assert (await control.done("GET", "/events"))["events"] == []


async def test_an_event_that_a_fault_holds_back_ends_with_its_application(control: Control, caller: Caller) -> None:
    await caller.clock.freeze()
    await control.done("POST", "/faults", {"fault": "delay", "seconds": 5})
    await caller.emit()
    await control.done("POST", "/reset", sub_app_id=0)
    await caller.clock.advance(10)
    assert (await control.done("GET", "/stats"))["counts"]["queued"] == 0
    assert "error" not in [entry["what"] for entry in (await control.done("GET", "/journal"))["entries"]]


async def test_a_pull_never_sees_half_a_reset(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(poll_hold=0), session)
    control = Control(caller)
    await caller.emit(count=16, task_id="before")
    pulls = [caller.call("PullEvents") for _ in range(3)]
    *answers, _ = await asyncio.gather(*pulls, control.done("POST", "/reset"))
    sizes = sorted(len(answer.get("EventSet", ())) for answer in answers)
    assert sizes in ([0, 0, 0], [0, 0, 16])


# Accounts


async def test_an_account_is_generated_without_arguments(control: Control) -> None:
    status, one = await control.ask("POST", "/accounts")
    other = await control.done("POST", "/accounts")
    assert status == 201
    assert one["secret_id"].startswith("AKID")
    assert one["secret_id"] != other["secret_id"]
    assert one["secret_key"] != other["secret_key"]
    assert one["sub_app_id"] != other["sub_app_id"]
    assert one["seed"] != other["seed"]
    assert (one["default"], one["events"]) == (False, 0)


async def test_an_account_is_made_with_the_given_values(control: Control) -> None:
    given = {
        "secret_id": "AKIDmine",
        "secret_key": "key",
        "sub_app_id": 1500000009,
        "seed": 7,
        "frozen": True,
        "config": {"mode": "PUSH", "poll_hold": "2s", "sign_key": "k"},
    }
    made = await control.done("POST", "/accounts", given)
    assert {name: made[name] for name in ("secret_id", "secret_key", "sub_app_id", "seed")} == {
        name: given[name] for name in ("secret_id", "secret_key", "sub_app_id", "seed")
    }
    assert (await control.done("GET", "/clock", secret_id="AKIDmine"))["frozen"]
    config = await control.done("GET", "/config", secret_id="AKIDmine")
    assert (config["mode"], config["poll_hold"], config["sign_key"]) == ("PUSH", 2, "***")
    assert (await control.done("GET", "/config"))["mode"] is None
    listed = (await control.done("GET", "/accounts"))["accounts"]
    assert [(one["secret_id"], one["default"]) for one in listed] == [("", True), ("AKIDmine", False)]
    assert "key" not in listed[1].values()


async def test_a_reset_gives_an_account_the_settings_that_it_was_made_with(control: Control) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine", "config": {"poll_hold": 2}})
    await control.done("PATCH", "/config", {"poll_hold": 3}, secret_id="AKIDmine")
    await control.done("POST", "/reset")
    assert (await control.done("GET", "/config", secret_id="AKIDmine"))["poll_hold"] == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"secret_id": ""}, "secret_id"),
        ({"secret_id": "a b"}, "secret_id"),
        ({"secret_id": ".."}, "secret_id"),
        ({"secret_id": "a/b"}, "secret_id"),
        ({"secret_key": ""}, "secret_key"),
        ({"secret_key": "hush" * 100}, "secret_key"),
        ({"sub_app_id": 0}, "sub_app_id"),
        ({"seed": "x"}, "seed"),
        ({"config": {"poll_hold": -1}}, "config.poll_hold"),
        ({"config": {"sign_key": "hush!"}}, "config.sign_key"),
        ({"config": {"pol_hold": 1}}, "config.pol_hold"),
        ({"name": "x"}, "name"),
    ],
)
async def test_an_invalid_account_is_refused(control: Control, given: dict[str, Any], field: str) -> None:
    status, _, message, where = await control.refused("POST", "/accounts", given)
    assert (status, where) == (400, field)
    assert "hush" not in message
    assert ("poll_hold?" in message) == (field == "config.pol_hold")
    assert len((await control.done("GET", "/accounts"))["accounts"]) == 1


async def test_an_account_cannot_be_made_twice(control: Control) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    status, code, message, field = await control.refused("POST", "/accounts", {"secret_id": "AKIDmine"})
    assert (status, code, field) == (409, "account_refused", "secret_id")
    assert "AKIDmine" in message


async def test_a_deleted_account_is_gone_and_may_be_made_again(control: Control) -> None:
    made = await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    gone = await control.done("DELETE", "/accounts/AKIDmine")
    assert (gone["secret_id"], gone["seed"]) == (made["secret_id"], made["seed"])
    status, code, message, _ = await control.refused("GET", "/events", secret_id="AKIDmine")
    assert (status, code) == (404, "no_such_account")
    assert "was deleted" in message
    assert (await control.refused("DELETE", "/accounts/AKIDmine"))[0] == 404
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    await control.done("GET", "/events", secret_id="AKIDmine")


async def test_the_default_account_cannot_be_deleted(start: Start, session: ClientSession) -> None:
    control = Control(Caller(await start(secret_id="AKIDours", secret_key="x"), session))
    status, code, message, _ = await control.refused("DELETE", "/accounts/AKIDours")
    assert (status, code) == (409, "account_refused")
    assert "reset it instead" in message
    await control.done("GET", "/events", secret_id="AKIDours")


async def test_deleting_an_account_ends_its_polls_and_waits(control: Control, caller: Caller) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine", "frozen": True})
    account = caller.running.world.account("AKIDmine")
    wait = asyncio.create_task(
        control.ask("POST", "/wait", {"state": "confirmed", "timeout": 60}, secret_id="AKIDmine")
    )
    body = {"Action": "PullEvents", "Version": "2018-07-17", "SecretId": "AKIDmine"}
    poll = asyncio.create_task(caller.session.get(caller.running.url + "/", params=body))
    await polls_held(account.life.application().queue, 1)
    await listening(account.life.events, 1)
    await control.done("DELETE", "/accounts/AKIDmine")
    status, answer = await wait
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (409, "account_deleted", "secret_id")
    async with await poll as response:
        assert (await response.json())["Response"]["Error"]["Code"] == "ResourceNotFound"
    assert account.life.clock.waiting() == []


async def test_a_call_that_comes_after_its_account_was_deleted_is_refused(control: Control, caller: Caller) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine"})
    await control.done("DELETE", "/accounts/AKIDmine")
    await caller.emit()  # of the default account, which it must not get
    query = {"Action": "PullEvents", "Version": "2018-07-17", "SecretId": "AKIDmine"}
    async with caller.session.get(caller.running.url + "/", params=query) as response:
        error = (await response.json())["Response"]["Error"]
    assert error["Code"] == "AuthFailure.SecretIdNotFound"


async def test_accounts_do_not_see_each_other(control: Control, caller: Caller) -> None:
    for name in ("AKIDone", "AKIDtwo"):
        await control.done("POST", "/accounts", {"secret_id": name, "seed": 7})
    await control.done("POST", "/clock", FROZEN, secret_id="AKIDone")
    await control.done("PATCH", "/config", {"poll_hold": 1}, secret_id="AKIDone")
    [one] = (await control.done("POST", "/events", secret_id="AKIDone"))["events"]
    assert (await control.done("GET", "/events", secret_id="AKIDtwo"))["events"] == []
    assert not (await control.done("GET", "/clock", secret_id="AKIDtwo"))["frozen"]
    assert (await control.done("GET", "/config", secret_id="AKIDtwo"))["poll_hold"] == 5
    assert (await control.done("GET", "/journal", secret_id="AKIDtwo"))["entries"] == []
    assert (await control.done("GET", "/stats", secret_id="AKIDtwo"))["counts"]["queued"] == 0
    assert (await caller.call("DescribeEventsState"))["CountOfEventsToPull"] == 0
    # The same seed makes the same ids, whatever the other account did meanwhile.
    [two] = (await control.done("POST", "/events", secret_id="AKIDtwo"))["events"]
    assert (one["id"], one["task_id"], one["file_id"]) == (two["id"], two["task_id"], two["file_id"])


async def test_an_account_s_own_sub_app_id_is_its_default_application(control: Control) -> None:
    await control.done("POST", "/accounts", {"secret_id": "AKIDmine", "sub_app_id": 77})
    whom = {"secret_id": "AKIDmine", "sub_app_id": 77}
    [event] = (await control.done("POST", "/events", **whom))["events"]
    for query in (whom, {"secret_id": "AKIDmine"}, {**whom, "sub_app_id": 0}):
        [found] = (await control.done("GET", "/events", **query))["events"]
        assert found["id"] == event["id"]
        assert (await control.done("POST", "/wait", {"state": "queued"}, **query))["events"] == [event]
        assert len((await control.done("GET", "/journal", **query))["entries"]) == 1
