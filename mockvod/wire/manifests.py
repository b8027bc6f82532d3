"""What playlists and manifests of streams name: `.m3u8` of HLS, `.mpd` of DASH."""

import re
from collections.abc import Iterator


def named_files(playlist: str, kind: str) -> Iterator[str]:
    """The relative names in a playlist of the *kind* `m3u8` or `mpd`, as often as they are in it."""
    if kind == "m3u8":
        pattern = r'(?m)^[^\S\n]*([^#\s][^\n]*)|URI="([^"]+)"'
    else:
        pattern = r'(?:media|sourceURL|initialization)="([^"]+)"'
    for found in re.finditer(pattern, playlist):
        name = found[found.lastindex or 0].strip()
        if "://" not in name:
            yield name
