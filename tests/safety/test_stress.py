"""Forty clients that do everything at once: nothing is lost, and every counter is right afterwards."""

from benchmarks.stress.storm import storm

ACTS = 800


async def test_after_a_storm_no_event_is_lost_and_every_counter_equals_its_recount() -> None:
    verdict = await storm(1, clients=40, until=lambda crowd: crowd.acts >= ACTS)
    assert verdict.problems == []
    assert verdict.promised > 0
    assert verdict.ended >= verdict.promised
