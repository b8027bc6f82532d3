"""`GET /mockvod/metrics`, as Prometheus's own parser reads it."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from mockvod import __version__
from mockvod.app import Running
from mockvod.engine.consumers import MOST_KINDS, Calls
from mockvod.http import metrics
from mockvod.http.health import METRICS
from mockvod.http.metrics import CONTENT_TYPE
from mockvod.insight.tally import Histogram
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
SNAPSHOT = "CreateSnapshotByTimeOffsetComplete"


async def scraped(caller: Caller) -> dict[str, float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    async with caller.session.get(caller.running.url + METRICS) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == CONTENT_TYPE
        families = list(text_string_to_metric_families(await response.text()))
    assert all(family.documentation and family.type != "unknown" for family in families)
    samples = [one for family in families for one in family.samples]
    found = {" ".join([one.name, *(one.labels[name] for name in sorted(one.labels))]): one.value for one in samples}
    assert len(found) == len(samples)
    return found


async def pulled(caller: Caller) -> list[str]:
    answer = await caller.call("PullEvents")
    return [one["EventHandle"] for one in answer["EventSet"]]


async def test_events_are_counted_by_type_and_state(caller: Caller) -> None:
    await caller.emit(count=3)
    await caller.emit(event_type="FileDeleted")
    await caller.call("ConfirmEvents", EventHandles=(await pulled(caller))[:1])
    found = await scraped(caller)
    assert found[f"mockvod_events confirmed {SNAPSHOT}"] == 1
    assert found[f"mockvod_events leased {SNAPSHOT}"] == 2
    assert found[f"mockvod_events queued {SNAPSHOT}"] == 0
    assert found["mockvod_events leased FileDeleted"] == 1


async def test_what_happened_before_the_first_request_is_counted_too_and_once(caller: Caller) -> None:
    await caller.emit(count=20)
    await caller.call("ConfirmEvents", EventHandles=await pulled(caller))
    for _ in range(2):
        found = await scraped(caller)
        assert found[f"mockvod_event_changes_total queued {SNAPSHOT}"] == 20
        assert found[f"mockvod_event_changes_total confirmed {SNAPSHOT}"] == 16


async def test_counters_survive_a_reset_and_the_end_of_an_account(caller: Caller) -> None:
    await scraped(caller)
    account = await caller.control("POST", "/accounts", {})
    await caller.control("POST", "/events", {"count": 2}, secret_id=account["secret_id"])
    await caller.control("DELETE", f"/accounts/{account['secret_id']}")
    await caller.emit(count=3)
    await caller.control("POST", "/reset")
    found = await scraped(caller)
    assert found[f"mockvod_event_changes_total queued {SNAPSHOT}"] == 5
    assert found["mockvod_accounts"] == 1
    assert f"mockvod_events queued {SNAPSHOT}" not in found


async def test_calls_are_counted_by_action_and_code(caller: Caller) -> None:
    await caller.emit()
    await pulled(caller)
    await caller.call("ConfirmEvents", EventHandles=["1"])
    await caller.call("ConfirmEvents")
    for name in ("NoSuchAction", "NorThisOne"):
        await caller.call(name)
    async with caller.session.get(f"{caller.running.url}/v2/index.php?Action=PullEvent"):
        pass
    found = await scraped(caller)
    assert found["mockvod_calls_total PullEvents 3.0 OK"] == 1
    assert found["mockvod_calls_total ConfirmEvents 3.0 MissingParameter"] == 1
    assert found["mockvod_calls_total unknown 3.0 InvalidAction"] == 2
    assert found["mockvod_calls_total PullEvent 2.0 4000"] == 1


async def test_confirms_are_counted_by_handle_and_polls_by_result(caller: Caller) -> None:
    await caller.control("PATCH", "/config", {"poll_hold": 0})
    await caller.emit(count=2)
    handles = await pulled(caller)
    for _ in range(2):
        await caller.call("ConfirmEvents", EventHandles=handles)
    await caller.call("ConfirmEvents", EventHandles=["123456789012345671"])
    await caller.call("PullEvents")
    found = await scraped(caller)
    assert {
        name: count for name, count in found.items() if name.startswith(("mockvod_confirms", "mockvod_polls_t"))
    } == {
        "mockvod_confirms_total confirmed": 2,
        "mockvod_confirms_total repeated": 2,
        "mockvod_confirms_total refused": 1,
        "mockvod_polls_total events": 1,
        "mockvod_polls_total empty": 1,
    }


async def test_ages_are_on_the_clock(caller: Caller) -> None:
    await caller.control("POST", "/clock", {"freeze": True})
    await caller.emit(count=2)
    await caller.control("POST", "/clock", {"advance": 7})
    handles = await pulled(caller)
    await caller.control("POST", "/clock", {"advance": 4})
    await caller.call("ConfirmEvents", EventHandles=handles)
    found = await scraped(caller)
    assert found["mockvod_event_age_at_pull_seconds_sum"] == 14
    assert found["mockvod_event_age_at_pull_seconds_bucket 5.0"] == 0
    assert found["mockvod_event_age_at_pull_seconds_bucket 10.0"] == 2
    assert found["mockvod_event_age_at_confirm_seconds_sum"] == 22
    assert found["mockvod_event_age_at_confirm_seconds_bucket +Inf"] == 2


async def test_attempts_are_counted_by_outcome(caller: Caller, receiver: Receiver) -> None:
    for url in (receiver.url, "http://127.0.0.1:1/"):
        await caller.control("PATCH", "/config", {"mode": "PUSH", "callback_url": url, "callback_retries": 0})
        await caller.emit()
        await caller.control("POST", "/wait", {"settled": True})
    found = await scraped(caller)
    assert found["mockvod_callback_attempts_total 2xx"] == 1
    assert found["mockvod_callback_attempts_total cannot connect"] == 1
    assert found["mockvod_callback_duration_seconds_count"] == 2
    assert found["mockvod_deliveries"] == 0


async def test_types_that_the_vendor_does_not_have_are_one(caller: Caller) -> None:
    for name in ("MyEvent", 'Quoted"\n'):
        [event] = await caller.emit()
        found = caller.account.life.events.find(int(event["id"].removeprefix("evt_")))
        assert found is not None
        found.event_type = name
    assert (await scraped(caller))["mockvod_events queued other"] == 2


async def test_it_shows_versions_memory_and_how_late_the_loop_is(caller: Caller, monkeypatch: Any) -> None:
    monkeypatch.setattr(metrics, "TICK", 0.0)
    await scraped(caller)
    found = await scraped(caller)
    assert next(name for name in found if name.startswith("mockvod_build_info")).endswith(__version__)
    assert found.get("process_resident_memory_bytes", 0) > 10_000_000 or not Path("/proc/self/statm").exists()
    assert found["process_cpu_seconds_total"] > 0
    assert found["mockvod_event_loop_lag_seconds_count"] > 0


async def test_a_page_of_another_site_cannot_read_it(caller: Caller) -> None:
    url = caller.running.url + METRICS
    async with caller.session.get(url, headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403
    async with caller.session.post(url) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


async def test_the_page_lists_every_metric_with_its_type_and_labels(caller: Caller, receiver: Receiver) -> None:
    await caller.emit()
    await caller.call("ConfirmEvents", EventHandles=await pulled(caller))
    await caller.control("PATCH", "/config", {"mode": "PUSH", "callback_url": receiver.url})
    await caller.emit()
    await caller.control("POST", "/wait", {"settled": True})
    async with caller.session.get(caller.running.url + METRICS) as response:
        families = list(text_string_to_metric_families(await response.text()))
    exposed = {
        (one.name + "_total" * (one.type == "counter"), one.type, *sorted({*one.samples[0].labels} - {"le"}))
        for one in families
    }
    listed = {
        (name, kind, *sorted(re.findall(r"`(\w+)`", labels)))
        for names, kind, labels in re.findall(
            r"^\| (`.*`) \| (\w+) \| (.*?) ?\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
        )
        for name in re.findall(r"`(\w+)`", names)
    }
    assert exposed | {("process_resident_memory_bytes", "gauge")} == listed


def test_kinds_of_calls_are_bounded() -> None:
    calls = Calls()
    for number in range(MOST_KINDS + 5):
        calls.note("3.0", "PullEvents", f"Injected.{number}")
    assert len(calls.counts) == MOST_KINDS + 1
    assert calls.counts["3.0", "other", "other"] == 5


def test_a_value_on_a_bound_is_not_above_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.0, 1.0, 1.5, 3.0):
        histogram.add(value)
    assert (histogram.counts, histogram.sum) == ([2, 1, 1], 5.5)
