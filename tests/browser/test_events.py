"""The console: the list of events, and one event."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.background import in_background
from tests.browser.conftest import Console, Visit

FROZEN = {"freeze": True}


def rows(console: Console) -> Any:
    return console.find("#rows > .row")


# --- the list


def test_before_the_first_event_the_page_teaches_how_to_make_one(console: Console) -> None:
    console.open()
    expect(console.find("h1")).to_have_text("No event yet")
    expect(console.find("pre").first).to_contain_text(console.server.url)
    console.button("Copy: Emit an event").click()
    assert f"{console.server.url}/mockvod/v1/events" in console.copied()
    console.emit()
    expect(rows(console)).to_have_count(1)


def test_events_appear_and_change_without_a_reload(console: Console) -> None:
    console.emit()
    console.open("#/events")
    expect(rows(console).first if not console.narrow else rows(console)).to_contain_text("queued")
    [second] = console.emit(event_type="NewFileUpload")
    expect(rows(console)).to_have_count(2)
    expect(console.find("#conn")).to_contain_text("Live")
    handles = console.pull()
    expect(console.find(f"#row-{second}")).to_contain_text("leased")
    console.api("ConfirmEvents", EventHandles=handles)
    expect(console.find(f"#row-{second}")).to_contain_text("confirmed")


def test_a_reset_by_another_client_empties_the_list(console: Console) -> None:
    console.refusals = True  # of pictures that are drawn at that moment
    console.emit(count=3)
    console.open("#/events")
    expect(rows(console)).to_have_count(3)
    console.control("POST", "/reset")
    expect(console.find("h1")).to_have_text("No event yet")
    [event] = console.emit()
    expect(console.find(f"#row-{event}")).to_contain_text("queued")


def test_filters_combine_and_are_in_the_address(visit: Visit) -> None:
    console = visit()
    console.emit(count=2)
    console.emit(event_type="NewFileUpload")
    console.control("POST", "/events?sub_app_id=1500000001", {"task_id": "needle"})
    console.open("#/events")
    expect(rows(console)).to_have_count(4)
    console.page.get_by_label("Any type").select_option("NewFileUpload")
    expect(rows(console)).to_have_count(1)
    assert "type=NewFileUpload" in console.page.url
    console.page.get_by_label("Any type").select_option("")
    console.field("Application").select_option("1500000001")
    expect(rows(console)).to_have_count(1)
    console.find("[data-do=unfilter]").click()
    console.page.keyboard.press("/")
    console.page.keyboard.type("needle")
    expect(rows(console)).to_have_count(1)
    console.page.reload()
    expect(rows(console)).to_have_count(1)
    expect(console.find("#q")).to_have_value("needle")
    console.find("#q").press("Escape")
    expect(rows(console)).to_have_count(4)
    console.find("#counts [data-name=confirmed]").click()
    expect(console.find("#none")).to_contain_text("No event matches")
    console.button("Clear the filter").click()
    expect(rows(console)).to_have_count(4)


def test_new_events_wait_while_the_list_is_not_followed(visit: Visit) -> None:
    console = visit()
    console.emit()
    console.open("#/events")
    expect(rows(console)).to_have_count(1)
    console.button("Follow").click()
    console.emit(count=2)
    expect(console.button("2 new events")).to_be_visible()
    expect(rows(console)).to_have_count(1)
    console.button("2 new events").click()
    expect(rows(console)).to_have_count(3)


def test_a_scrolled_list_stays_where_it_is(visit: Visit) -> None:
    console = visit()
    console.emit(count=200)
    console.open("#/events")
    expect(console.find("#total")).to_have_text("200")
    console.find("#scroller").evaluate("list => { list.scrollTop = 3000; }")
    expect(console.find("#row-evt_000200")).to_have_count(0)
    first = rows(console).first.get_attribute("id")
    console.emit(count=5)
    expect(console.button("5 new events")).to_be_visible()
    assert rows(console).first.get_attribute("id") == first


def test_of_10_000_events_only_what_is_visible_is_drawn(visit: Visit) -> None:
    console = visit()
    console.emit(count=10_000)
    console.open("#/events")
    expect(console.find("#tools .num")).to_have_text("10000")
    assert rows(console).count() < 60
    console.find("#scroller").evaluate("list => { list.scrollTop = list.scrollHeight; }")
    expect(console.find("#row-evt_000001")).to_be_visible()
    assert rows(console).count() < 60


def test_nothing_moves_while_events_stream_in(visit: Visit) -> None:
    console = visit()
    console.emit()
    console.open("#/events")
    expect(console.find("#steps li")).to_have_count(1)
    expect(console.find("#counts [data-name=queued] b")).to_have_text("1")
    console.page.evaluate("""() => {
        window.shifts = [];
        const note = (list) => shifts.push(...list.getEntries().map(({ value }) => value));
        new PerformanceObserver(note).observe({ type: "layout-shift" });
    }""")
    for number in range(10):
        console.emit(count=5)
        console.api("ConfirmEvents", EventHandles=console.pull())
        expect(console.find(f"#row-evt_{5 * number + 6:06}")).to_be_visible()
    expect(console.find("#counts [data-name=confirmed] b")).to_have_text("51")
    assert console.page.evaluate("shifts") == []


def test_the_page_says_that_it_is_disconnected_and_reconnects_to_a_server_that_starts_again(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    connection = console.find("#conn")
    with in_background(log_level="error") as console.server:
        console.emit(count=2)
        console.open("#/events")
        expect(rows(console)).to_have_count(2)
        expect(connection).to_contain_text("Live")
        port = console.server.running.port
    expect(connection).to_contain_text("Disconnected, retrying in")
    expect(rows(console)).to_have_count(2)
    with in_background(log_level="error", port=port) as console.server:
        expect(connection).to_contain_text("Live")
        expect(console.find("h1")).to_have_text("No event yet")
        [event] = console.emit()
        expect(console.find(f"#row-{event}")).to_contain_text("queued")
        console.page.goto("about:blank")


def test_a_reset_of_an_application_by_another_client_removes_its_events(visit: Visit) -> None:
    console = visit()
    console.control("POST", "/events?sub_app_id=7", {"count": 2})
    console.emit()
    console.open("#/events")
    expect(rows(console)).to_have_count(3)
    console.control("POST", "/reset?sub_app_id=7")
    expect(rows(console)).to_have_count(1)
    expect(rows(console)).to_contain_text("evt_000003")


def test_an_account_that_another_client_deletes_is_gone(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    console.control("POST", "/accounts", {"secret_id": "AKIDgone"})
    console.open("#/events?account=AKIDgone")
    expect(console.find("#conn")).to_contain_text("Live")
    console.control("DELETE", "/accounts/AKIDgone")
    expect(console.find("#conn")).to_contain_text("deleted")


# --- one event


def test_an_event_pulled_twice_is_described_drawn_and_listed(console: Console) -> None:
    console.control("POST", "/clock", FROZEN)
    [event] = console.emit(time_offsets=[1000, 2000], failed=[2000])
    console.advance(2)
    console.pull()
    console.advance(240)
    [handle] = console.pull()
    console.advance(6)
    console.api("ConfirmEvents", EventHandles=[handle])
    console.open(f"#/events/{event}")
    expect(console.find("#story")).to_contain_text("Leased twice: only the last lease was confirmed in time, after 6 s")
    picture = console.page.get_by_role("img", name=re.compile("^Timeline: queued"))
    expect(picture).to_be_visible()
    expect(picture.locator(".tl-lease")).to_have_count(2)
    expect(picture.locator(".tl-cut.jump")).to_have_count(1)
    expect(console.find("#steps li b")).to_contain_text(
        ["queued", "clock moved", "leased", "clock moved", "lease ended", "leased", "clock moved", "confirmed"]
    )
    expect(console.find("#steps")).to_contain_text(handle)
    expect(console.find("#shots img")).to_have_count(1)
    expect(console.find("#shots .bad")).to_have_count(1)
    assert console.find("#shots img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(console.find("#body .json")).to_contain_text('"TimeOffset": 1000')


def test_an_attempt_shows_its_request_its_response_and_its_sign(console: Console) -> None:
    console.control("PUT", "/inbox", {"responses": [{"status": 500}]})
    inbox = f"{console.server.url}/mockvod/inbox"
    console.control("PATCH", "/config", {"callback_url": inbox, "sign_key": "opensesame"})
    [event] = console.emit()
    console.control("POST", "/wait", {"state": "failed", "id": event})
    console.open(f"#/events/{event}")
    expect(console.find("#story")).to_contain_text("given up: status 500")
    exchange = console.find("#attempt-0")
    expect(exchange).to_have_attribute("open", "")
    expect(exchange).to_contain_text("User-Agent: mockvod")
    expect(exchange).to_contain_text("Sign is valid")
    expect(exchange).to_contain_text("500 Internal Server Error")


def test_a_delivery_that_was_tried_again_is_drawn_with_durations_pauses_and_faults(console: Console) -> None:
    console.control("POST", "/clock", FROZEN)
    console.control("PUT", "/inbox", {"responses": [{"delay": 10, "times": 1}, {"status": 503, "times": 1}, {}]})
    inbox = f"{console.server.url}/mockvod/inbox"
    console.control("PATCH", "/config", {"callback_url": inbox, "callback_pause": 3, "callback_retry_on_status": True})
    console.control("PATCH", "/config", {"settle_grace": 2})  # a busy machine may take a while to respond
    console.control("POST", "/faults", {"fault": "delay", "seconds": 2})
    [event] = console.emit()
    console.advance(30)
    console.open(f"#/events/{event}")
    picture = console.find(".tl")
    for lane in ("State", "Attempts", "Faults"):
        expect(picture).to_contain_text(lane)
    expect(picture).to_contain_text("#1  timeout, 5 s")
    expect(picture).to_contain_text("#2  status 503")
    expect(picture).to_contain_text("#3  status 200")
    expect(picture.locator(".tl-try.timeout")).to_have_count(1)
    expect(picture.locator(".tl-pause")).to_have_count(2)
    expect(picture.locator("[data-tone=fault]")).to_have_count(1)
    expect(console.find("#attempts summary")).to_have_count(3)


def test_a_lease_is_drawn_as_long_as_the_visibility_timeout_and_names_its_handle(visit: Visit) -> None:
    console = visit()
    console.control("POST", "/clock", FROZEN)
    [event] = console.emit()
    [handle] = console.pull()
    console.advance(12)
    console.open(f"#/events/{event}")
    picture = console.find(".tl")
    expect(picture).to_contain_text(handle)
    expect(picture).to_contain_text("18.0 s left")
    used, whole = (float(picture.locator(kind).get_attribute("width") or 0) for kind in (".tl-lease", ".tl-ghost"))
    assert used / whole == pytest.approx(12 / 30, abs=0.05)


def test_the_picture_follows_the_event(visit: Visit) -> None:
    console = visit()
    [event] = console.emit()
    console.open(f"#/events/{event}")
    expect(console.find("#story")).to_contain_text("Waits in the queue")
    console.pull()
    expect(console.find("#story")).to_contain_text("The lease ends in")
    expect(console.find(".tl-now")).to_be_attached()


def test_an_event_is_redelivered(console: Console) -> None:
    [event] = console.emit()
    console.api("ConfirmEvents", EventHandles=console.pull())
    console.open(f"#/events/{event}")
    console.button("Redeliver").click()
    expect(console.find("#said")).to_contain_text("is queued again")
    expect(console.find("#steps")).to_contain_text("redelivered")
    expect(console.button("Redeliver")).to_be_disabled()


@pytest.mark.parametrize("kind", ["curl", "CLI", "pytest", "fixture JSON"])
def test_an_event_is_copied_in_forms_that_make_it_again(console: Console, kind: str) -> None:
    [event] = console.emit(task_id="mine")
    console.open(f"#/events/{event}")
    console.find(".detail summary.btn").click()
    console.page.get_by_role("button", name=f"as {kind}").click()
    text = console.copied()
    if kind == "curl":
        again = json.loads(text[text.index("-d '") + 4 : -1].replace("'\\''", "'"))
        [made] = console.control("POST", "/events", again)["events"]
        assert made["task_id"] == "mine"
    elif kind == "CLI":
        command, body, end = text.splitlines()
        assert (command.endswith("--event - <<'END'"), end) == (True, "END")
        assert json.loads(body)["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == "mine"
    elif kind == "pytest":
        compile(text, "copied", "exec")
        assert "mockvod.emit(event=" in text
    else:
        assert json.loads(text)["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == "mine"


def test_two_events_of_a_type_are_compared(visit: Visit) -> None:
    console = visit()
    console.emit(task_id="one", file_id="1", time_offsets=[1])
    [event] = console.emit(task_id="two", file_id="1", time_offsets=[1])
    console.open(f"#/events/{event}")
    console.button("Differences to evt_000001").click()
    expect(console.find("#differences dl")).to_contain_text("SnapshotByTimeOffsetCompleteEvent.TaskId")
    expect(console.find("#differences dl")).to_contain_text('"two"')


def test_an_event_that_does_not_exist_is_explained(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    console.emit()
    console.open("#/events/evt_000999")
    expect(console.find("#detail")).to_contain_text("evt_000999 was not found")


def test_a_fault_that_fired_is_in_the_timeline(visit: Visit) -> None:
    console = visit()
    console.control("POST", "/faults", {"fault": "drop"})
    [event] = console.emit()
    console.open(f"#/events/{event}")
    expect(console.find("#story")).to_contain_text("A fault dropped it")
    expect(console.find(".tl")).to_contain_text("drop")


# --- the keyboard


def test_the_keyboard_moves_through_the_list(visit: Visit) -> None:
    console = visit()
    console.emit(count=3)
    console.open("#/events")
    expect(console.find("#row-evt_000003")).to_have_attribute("aria-selected", "true")
    console.page.keyboard.press("j")
    expect(console.find("#row-evt_000002")).to_have_attribute("aria-selected", "true")
    expect(console.find("#title")).to_have_text("evt_000002")
    console.page.keyboard.press("k")
    expect(console.find("#title")).to_have_text("evt_000003")
    console.page.keyboard.press("Enter")
    expect(console.find("#title")).to_be_focused()
    console.page.keyboard.press("c")
    expect(console.find("#said")).to_have_text("Copied as fixture JSON.")
    console.page.keyboard.press("?")
    expect(console.find("#dialog")).to_be_visible()
    console.page.keyboard.press("Escape")
    expect(console.find("#dialog")).to_be_hidden()
    console.page.keyboard.press("g")
    console.page.keyboard.press("f")
    expect(console.find("h1")).to_have_text("Faults")
    console.page.keyboard.press("e")
    expect(console.find("h1")).to_have_text("Emit an event")


def test_a_phone_shows_the_list_or_the_event(visit: Visit) -> None:
    console = visit("dark", "narrow")
    [event] = console.emit()
    console.open("#/events")
    expect(console.find("#detail")).to_be_hidden()
    console.find(f"#row-{event}").click()
    expect(console.find("#detail")).to_be_visible()
    expect(rows(console)).to_be_hidden()
    console.page.get_by_label("Back to the list").click()
    expect(rows(console)).to_be_visible()
