import re

from mockvod.service.addresses import VENDOR, addresses


def test_all_addresses_of_a_file_share_app_id_and_folder() -> None:
    own = addresses("7/default")
    original = own.original("17", "f0.mp4")
    transcode = own.product("17", "v.f100020.mp4")
    snapshot = own.snapshot("17", 10, 0, 1000, "jpg")
    shape = r"http://(\d{10})\.vod2\.myqcloud\.com/[0-9a-f]{8}vod(?:trans)?gzp(\d{10})/([0-9a-f]{8}17)/(.*)"
    parts = [re.fullmatch(shape, url) for url in (original, transcode, snapshot)]
    assert {part and part.group(1, 2, 3) for part in parts} == {parts[0] and parts[0].group(1, 2, 3)}
    assert [part and part[4] for part in parts] == [
        "f0.mp4",
        "v.f100020.mp4",
        "snapshotByTimeOffset/snapshotByTimeOffset_10_0.jpg",
    ]


def test_addresses_are_the_same_for_the_same_seed_alone() -> None:
    assert addresses("7/default").product("17", "a") == addresses("7/default").product("17", "a")
    assert addresses("7/default").product("17", "a") != addresses("8/default").product("17", "a")


def test_addresses_have_the_base_that_the_caller_can_reach() -> None:
    own = addresses("7/default", "?sub_app_id=5").at("http://127.0.0.1:8266/")
    assert own.product("17", "v.f10.mp4").startswith(f"http://127.0.0.1:8266/{own.products}/")
    assert own.snapshot("a/b", 10, 0, 1000, "png") == "http://127.0.0.1:8266/snapshots/a%2Fb/10/1000.png?sub_app_id=5"
    assert own.at(VENDOR) == addresses("7/default", "?sub_app_id=5")
