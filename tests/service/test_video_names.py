"""Titles of videos."""

import re

from mockvod.service.video_names import video_title


def test_a_seed_always_gives_the_same_title() -> None:
    assert video_title(7) == video_title("7")
    assert len({video_title(seed) for seed in range(20)}) > 10


def test_a_title_is_a_phrase_in_plain_characters() -> None:
    for seed in range(100):
        assert re.fullmatch(r"[A-Z][\w',-]*( [\w',-]+)+", video_title(seed))
