"""The console: everything but the list of events, driven as a person would."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mockvod.cli import main as cli
from tests.browser.conftest import Console, Visit

FROZEN = {"freeze": True}


def said(console: Console, text: str) -> None:
    expect(console.find("#said")).to_contain_text(text)


# --- the clock


def test_the_clock_is_frozen_moved_scaled_and_released(console: Console) -> None:
    console.open()
    console.button("Freeze").click()
    expect(console.find("#mode")).to_have_text("Frozen")
    [event] = console.emit(delay=20)
    expect(console.find("#next")).to_have_text("next due in 20.0 s")
    console.button("Advance the clock by 5 s").click()
    said(console, "Nothing happened meanwhile")
    console.button("Next due").click()
    said(console, "Meanwhile: 1 journal entry for 1 event")
    console.find(".due summary").click()
    expect(console.find("#due")).to_contain_text("a lease or a retention ends")
    expect(console.find("#due")).to_contain_text(f"{event} queued")
    console.page.keyboard.press("Escape")
    console.button("Release").click()
    expect(console.find("#mode")).to_have_text("Running")
    console.button("Run 60 times as fast").click()
    expect(console.find("#mode")).to_have_text("×60")
    console.button("Run 60 times as fast").click()
    expect(console.find("#mode")).to_have_text("Running")


def test_the_clock_takes_any_amount_factor_and_moment(console: Console) -> None:
    console.open()
    console.button("Freeze").click()
    expect(console.find("#mode")).to_have_text("Frozen")
    console.find(".due summary").click()
    before = console.control("GET", "/clock")["now"]
    console.field("Advance by").fill("90s")
    console.button("Advance", exact=True).click()
    said(console, "The clock is advanced by 90s.")
    assert console.control("GET", "/clock")["now"] == before + 90
    console.field("Set to a moment, UTC").fill("2030-01-31 12:00")
    console.button("Set", exact=True).click()
    expect(console.find("#date")).to_have_text("31 Jan 2030, 12:00:00.000 UTC")
    console.field("Times as fast as real time").fill("2.5")
    console.field("Times as fast as real time").press("Enter")
    expect(console.find("#mode")).to_have_text("×2.5")
    assert console.control("GET", "/clock")["rate"] == 2.5


def test_an_error_of_the_clock_is_shown_at_its_field(console: Console) -> None:
    console.refusals = True
    console.open()
    console.find(".due summary").click()
    for label, name in {
        "Advance by": "advance",
        "Times as fast as real time": "scale",
        "Set to a moment, UTC": "set",
    }.items():
        console.field(label).fill("soon")
        console.field(label).press("Enter")
        expect(console.find(f"[data-field={name}] .hint")).to_contain_text("soon")
        expect(console.field(label)).to_have_attribute("aria-invalid", "true")


def test_a_move_by_another_client_is_shown(visit: Visit) -> None:
    console = visit()
    console.open()
    console.control("POST", "/clock", FROZEN)
    expect(console.find("#mode")).to_have_text("Frozen")


# --- queue and deliveries


def test_the_queue_shows_leases_clients_and_what_happened_lately(console: Console) -> None:
    console.open("#/queue")
    expect(console.find("#queues")).to_contain_text("No application has been used yet")
    events = console.emit(count=3)
    handles = console.pull()
    console.api("ConfirmEvents", EventHandles=handles[:1])
    queues = console.find("#queues")
    expect(queues).to_contain_text(handles[1])
    expect(queues.locator(".leases a")).to_have_text(events[1:])
    expect(queues.locator("tbody tr")).to_contain_text(["SDK_PYTHON_3.0.1"])
    expect(queues.locator("[data-until]").first).to_have_text(re.compile(r"^2\d\.\d s$"))
    expect(console.find("#charts")).to_contain_text("3 events emitted and 1 handled in the last minute")
    expect(console.find("#charts")).to_contain_text("from event to confirm or delivery")


# --- emit


def test_an_event_is_emitted_by_the_form(console: Console) -> None:
    console.open("#/emit")
    console.field("Snapshot offsets in milliseconds").fill("1000, 2000")
    console.field("Offsets that fail").fill("2000")
    console.field("FileId").fill("5285890784246869930")
    console.field("Count").fill("2")
    expect(console.find("#valid")).to_have_text("valid")
    expect(console.find("#same")).to_contain_text("/mockvod/v1/events")
    console.find("#emit-now").click()
    expect(console.find("#title")).to_have_text("evt_000002")
    content = console.control("GET", "/events/evt_000002")["content"]["SnapshotByTimeOffsetCompleteEvent"]
    snapshots = [(one["TimeOffset"], bool(one["ErrCode"])) for one in content["SnapshotInfoSet"]]
    assert snapshots == [(1000, False), (2000, True)]
    assert content["FileId"] == "5285890784246869930"


def test_an_error_is_shown_at_its_field_while_it_is_typed(console: Console) -> None:
    console.refusals = True
    console.open("#/emit")
    console.field("Count").fill("0")
    expect(console.find("[data-field=count] .hint")).to_contain_text("greater than or equal to 1")
    expect(console.find("#f-count")).to_have_attribute("aria-invalid", "true")
    expect(console.find("#emit-now")).to_be_disabled()
    console.field("Count").fill("1")
    expect(console.find("[data-field=count] .hint")).to_have_text("")
    console.find("#json").fill('{"count": }')
    expect(console.find("[data-field=json] .hint")).to_contain_text("JSON")
    console.find("#json").fill('{"cuont": 1}')
    expect(console.find("[data-form=emit] .errors")).to_contain_text("did you mean")


def test_the_example_of_any_type_is_edited_and_emitted(visit: Visit) -> None:
    console = visit()
    console.open("#/emit")
    console.field("EventType").select_option("NewFileUpload")
    expect(console.find("#json")).to_have_value(re.compile("FileUploadEvent"))
    body = json.loads(console.find("#json").input_value())
    body["event"]["FileUploadEvent"]["FileId"] = "17"
    console.find("#json").fill(json.dumps(body))
    expect(console.find("#emit-now")).to_be_enabled()
    console.find("#emit-now").click()
    expect(console.find("#title")).to_have_text("evt_000001")
    assert console.control("GET", "/events/evt_000001")["file_id"] == "17"


def test_a_file_with_an_event_is_opened(visit: Visit, tmp_path: Path) -> None:
    console = visit()
    file = tmp_path / "event.json"
    file.write_text('{"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": ["1"]}}')
    console.open("#/emit")
    console.find("#file").set_input_files(file)
    expect(console.find("#f-event_type")).to_have_value("FileDeleted")
    expect(console.find("#valid")).to_have_text("valid")


def test_the_same_emit_is_copied_as_a_command(console: Console) -> None:
    console.control("POST", "/events?sub_app_id=7", {})
    console.open("#/emit?app=7")
    console.field("FileId").fill("it's mine")
    console.field("Count").fill("2")
    console.button("CLI").click()
    console.find("[data-do=copy-emit]").click()
    command = shlex.split(console.copied())
    assert command[0] == "mockvod"
    with pytest.raises(SystemExit) as ended:
        cli.main(command[1:])
    assert ended.value.code == 0
    [*_, event] = console.control("GET", "/events?sub_app_id=7")["events"]
    assert (event["id"], event["file_id"]) == ("evt_000003", "it's mine")


@pytest.mark.parametrize(
    ("name", "content"),
    [("mine.yaml", "# two\nevents:\n  - count: 2\n"), ("mine.json", '{"events": [{"count": 2}]}')],
)
def test_a_scenario_file_is_applied(visit: Visit, tmp_path: Path, name: str, content: str) -> None:
    console = visit()
    (tmp_path / name).write_text(content)
    console.open("#/emit")
    console.field("Apply a YAML or JSON file").set_input_files(tmp_path / name)
    said(console, f"{name} is applied: 1 event.")
    assert console.control("GET", "/stats")["counts"]["queued"] == 2


def test_a_scenario_file_that_is_wrong_is_explained_beside_it(visit: Visit, tmp_path: Path) -> None:
    console = visit()
    console.refusals = True
    (tmp_path / "mine.yaml").write_text("events:\n  - att: 5\n")
    console.open("#/emit")
    console.field("Apply a YAML or JSON file").set_input_files(tmp_path / "mine.yaml")
    problem = "mine.yaml:2: events.0.att: unknown key; did you mean at?"
    expect(console.find("form:has(#scenario-file) .errors")).to_have_text(problem)


def test_a_file_that_is_no_json_is_shown_with_its_error(visit: Visit, tmp_path: Path) -> None:
    console = visit()
    (tmp_path / "event.json").write_text('{"EventType": ')
    console.open("#/emit")
    console.field("Open a JSON file").set_input_files(tmp_path / "event.json")
    expect(console.find("[data-field=json] .hint")).to_contain_text("JSON")
    expect(console.find("#json")).to_have_value('{"EventType": ')


def test_without_pyyaml_events_are_emitted_all_the_same(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mockvod.scenario.reader", None)
    console = visit()
    console.refusals = True
    console.open("#/emit")
    expect(console.find("#emit-now")).to_be_enabled()
    expect(console.find("#main")).to_contain_text("PyYAML")


def test_a_packaged_scenario_is_applied(console: Console) -> None:
    console.open("#/emit")
    console.button("Apply pull-worker").click()
    said(console, "pull-worker is applied")
    assert console.control("GET", "/config")["visibility_timeout"] == 10


# --- faults


def test_faults_are_added_by_form_and_recipe_and_removed(console: Console) -> None:
    console.open("#/faults")
    expect(console.find("#faults")).to_contain_text("the service behaves as documented")
    console.find("#f-fault").select_option("duplicate")
    console.find("#f-copies").fill("2")
    console.find("#f-rule").select_option("every")
    console.find("#f-when").fill("2")
    expect(console.find("#fault-body")).to_have_text('{"fault":"duplicate","copies":2,"when":{"every":2}}')
    console.button("Add fault").click()
    said(console, "duplicate is active")
    console.emit(count=2)
    expect(console.find("#faults")).to_contain_text("fired 1×")
    console.button("Add lost-confirm").click()
    expect(console.find("#active")).to_have_text("3")
    console.button("Remove flt_000001").click()
    expect(console.find("#active")).to_have_text("2")
    console.button("Remove lost-confirm").click()
    expect(console.find("#active")).to_have_text("0")
    assert console.control("GET", "/faults")["faults"] == []


def test_an_error_of_a_fault_is_shown_at_its_field(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    console.open("#/faults")
    console.find("#f-fault").select_option("duplicate")
    console.find("#f-copies").fill("0")
    console.button("Add fault").click()
    expect(console.find("[data-field=copies] .hint")).to_contain_text("greater than or equal to 1")


# --- diagnosis and report


def test_the_diagnosis_names_causes_and_their_events(console: Console) -> None:
    console.open("#/diagnosis")
    console.control("POST", "/clock", FROZEN)
    console.control("POST", "/faults", {"fault": "drop"})
    expect(console.find("#findings")).to_contain_text("fault_active")
    console.control("DELETE", "/faults")
    console.emit()
    console.pull()
    console.advance(31)
    console.button("Run again").click()
    expect(console.find("#findings a", has_text="evt_000001").first).to_be_visible()


def test_the_callback_url_is_probed(visit: Visit) -> None:
    console = visit()
    console.control("PATCH", "/config", {"callback_url": f"{console.server.url}/mockvod/inbox"})
    console.open("#/diagnosis")
    console.button("Probe it").click()
    expect(console.find("#probe")).to_contain_text("answers")


def test_the_report_judges_the_consumer(console: Console) -> None:
    console.control("POST", "/clock", FROZEN)
    [event] = console.emit()
    console.pull()
    console.advance(31)
    console.open("#/report")
    expect(console.find("#traits li").first).to_contain_text("never_confirmed")
    expect(console.find("#traits a", has_text=event).first).to_be_visible()
    console.find("#traits a").first.click()
    expect(console.find("#title")).to_have_text(event)


# --- settings


def test_settings_are_changed_in_place_and_name_their_origin(console: Console) -> None:
    console.open("#/settings")
    console.field("Filter settings").fill("callback-url")
    console.field("callback-url").fill("http://127.0.0.1:9/callback")
    console.field("callback-url").press("Enter")
    said(console, "callback-url is changed")
    expect(console.find(".setting", has=console.field("callback-url"))).to_contain_text("control API")
    console.field("Filter settings").fill("mode")
    console.field("mode").select_option("PULL")
    said(console, "mode is changed")
    config = console.control("GET", "/config")
    assert (config["callback_url"], config["mode"]) == ("http://127.0.0.1:9/callback", "PULL")


def test_an_error_of_a_setting_is_shown_at_its_field(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    console.open("#/settings")
    field = console.field("poll-hold")
    field.fill("often")
    field.press("Enter")
    expect(console.find(".setting", has=field)).to_contain_text("often")
    expect(field).to_have_attribute("aria-invalid", "true")


def test_accounts_are_switched_between_and_reset_after_a_question(console: Console) -> None:
    console.control("POST", "/accounts", {"secret_id": "AKIDother"})
    console.control("POST", "/events?secret_id=AKIDother", {"task_id": "theirs"})
    console.emit(task_id="mine")
    console.open("#/settings")
    console.field("Account").select_option("AKIDother")
    console.find("#nav a", has_text="Events").click()
    expect(console.find("#rows .row")).to_have_count(1)
    expect(console.find("#rows .row")).to_contain_text("theirs")
    console.field("Account").select_option("")
    expect(console.find("#rows .row")).to_contain_text("mine")
    console.find("#nav a", has_text="Settings").click()
    console.button("Reset AKIDother").click()
    console.button("Cancel").click()
    assert console.control("GET", "/stats?secret_id=AKIDother")["counts"]["queued"] == 1
    console.button("Reset AKIDother").click()
    console.find("#dialog .primary").click()
    said(console, "Account AKIDother is reset: 1 event discarded")
    assert console.control("GET", "/stats?secret_id=AKIDother")["counts"]["queued"] == 0
    assert console.control("GET", "/stats")["counts"]["queued"] == 1


def test_accounts_are_made_and_deleted(console: Console) -> None:
    console.open("#/settings")
    console.field("SecretId").fill("AKIDmade")
    console.field("Seed").fill("5")
    console.field("Frozen").check()
    console.button("Make account").click()
    said(console, "Account AKIDmade is made. Its SecretKey is ")
    expect(console.find("#accounts")).to_contain_text("AKIDmade")
    assert console.control("GET", "/clock?secret_id=AKIDmade")["frozen"]
    console.button("Delete AKIDmade").click()
    console.find("#dialog .primary").click()
    said(console, "Account AKIDmade is deleted.")
    expect(console.find("#accounts")).not_to_contain_text("AKIDmade")
    assert [one["default"] for one in console.control("GET", "/accounts")["accounts"]] == [True]


def test_an_account_that_cannot_be_made_is_explained_at_its_field(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    console.control("POST", "/accounts", {"secret_id": "AKIDother"})
    console.open("#/settings")
    console.field("SecretId").fill("AKIDother")
    console.button("Make account").click()
    expect(console.find("[data-field=secret_id] .hint")).to_contain_text("exists")
    console.field("SubAppId").fill("soon")
    console.button("Make application").click()
    expect(console.find("[data-field=sub_app_id] .hint")).to_contain_text("must be a number")


def test_the_default_account_is_reset_alone(visit: Visit) -> None:
    console = visit()
    console.control("POST", "/accounts", {"secret_id": "AKIDother"})
    console.control("POST", "/events?secret_id=AKIDother", {})
    console.emit(count=2)
    console.open("#/settings")
    console.button("Reset default").first.click()
    console.find("#dialog .primary").click()
    said(console, "Account default is reset: 2 events discarded")
    assert console.control("GET", "/stats?secret_id=AKIDother")["counts"]["queued"] == 1


def test_applications_are_made_shown_and_reset(console: Console) -> None:
    console.open("#/settings")
    console.field("SubAppId").fill("7")
    console.button("Make application").click()
    said(console, "Application 7 is made.")
    console.button("Show application 7").click()
    expect(console.find("#intro")).to_contain_text("application 7")
    assert "app=7" in console.page.url
    console.control("POST", "/events?sub_app_id=7", {"count": 3})
    console.emit()
    expect(console.find("#applications")).to_contain_text("3 events in the queue")
    console.button("Reset application 7").click()
    console.find("#dialog .primary").click()
    said(console, "Application 7 is reset: 3 events discarded")
    assert console.control("GET", "/stats")["counts"]["queued"] == 1


# --- the inbox


def test_the_inbox_shows_what_was_pushed_and_responds_as_programmed(console: Console) -> None:
    console.open("#/inbox")
    console.button("Push them here").click()
    expect(console.find("#callback")).to_contain_text("are pushed here")
    console.field("Times, or empty for always").fill("1")
    console.button("Add").click()
    expect(console.find("#responses")).to_contain_text("500")
    [event] = console.emit()
    request = console.find("#requests > details").first
    expect(request).to_contain_text("CreateSnapshotByTimeOffsetComplete")
    expect(request).to_contain_text("500")
    request.locator("summary").first.click()
    expect(request).to_contain_text("User-Agent: mockvod")
    expect(request.locator("a.mono").first).to_have_text(event)
    console.button("Clear").click()
    expect(console.find("#requests")).to_contain_text("Nothing was received yet")


def test_the_inbox_delays_and_hangs_up(console: Console) -> None:
    console.control("PATCH", "/config", {"callback_url": f"{console.server.url}/mockvod/inbox"})
    console.open("#/inbox")
    console.field("Times, or empty for always").fill("1")
    console.field("Hang up").check()
    console.button("Add").click()
    expect(console.find("#responses")).to_contain_text("next 1 hang up")
    console.field("Hang up").uncheck()
    console.field("Status").fill("200")
    console.field("Delay in seconds").fill("2")
    console.button("Add").click()
    expect(console.find("#responses")).to_contain_text("200 after 2 s")
    [event] = console.emit()
    expect(console.find("#requests > details")).to_have_count(2)
    expect(console.find("#requests > details").last).to_contain_text("hang up")
    console.open(f"#/events/{event}")
    expect(console.find("#attempts summary")).to_have_count(2)


def test_an_impossible_response_is_refused_at_its_field(visit: Visit) -> None:
    console = visit()
    console.refusals = True
    console.open("#/inbox")
    console.field("Status").fill("99")
    console.button("Add").click()
    expect(console.find("[data-field=status] .hint")).to_contain_text("greater than or equal to 200")
