from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.http.console import page
from mockvod.http.console.lean import lean

Start = Callable[..., Awaitable[Running]]
HTML = {"Accept": "text/html,application/xhtml+xml"}
FILES = sorted(path.name for path in page.STATIC.iterdir())


async def test_a_browser_that_opens_the_address_of_the_server_gets_the_console(
    running: Running, session: ClientSession
) -> None:
    async with session.get(f"{running.url}/", headers=HTML) as response:
        assert response.status == 200
        assert response.url.path == "/mockvod/"
        assert response.content_type == "text/html"


@pytest.mark.parametrize("path", ["/mockvod", "/mockvod/"])
async def test_the_console_is_at_mockvod(running: Running, session: ClientSession, path: str) -> None:
    async with session.get(running.url + path) as response:
        assert response.url.path == "/mockvod/"
        assert "<!doctype html>" in await response.text()


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?Action=PullEvents", HTML), ("", {**HTML, "X-TC-Action": "PullEvents"}), ("", {"Accept": "*/*"})],
)
async def test_a_call_of_the_api_is_not_redirected_to_the_console(
    running: Running, session: ClientSession, query: str, headers: dict[str, str]
) -> None:
    async with session.get(f"{running.url}/{query}", headers=headers, allow_redirects=False) as response:
        assert response.status == 200
        assert "Response" in await response.json()


async def test_the_setting_console_removes_it(start: Start, session: ClientSession) -> None:
    running = await start(console=False)
    for path in ("/mockvod/", "/mockvod/console/app.js"):
        async with session.get(running.url + path) as response:
            assert response.status == 404
    async with session.get(f"{running.url}/", headers=HTML) as response:
        assert (await response.json())["Response"]["Error"]["Code"] == "MissingParameter"


@pytest.mark.parametrize("name", ["", *(f"console/{name}" for name in FILES)])
async def test_every_file_forbids_what_is_not_of_this_server(
    running: Running, session: ClientSession, name: str
) -> None:
    async with session.get(f"{running.url}/mockvod/{name}") as response:
        assert response.status == 200
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_that_has_not_changed_is_not_sent_again(running: Running, session: ClientSession) -> None:
    async with session.get(f"{running.url}/mockvod/") as response:
        etag = response.headers["ETag"]
    async with session.get(f"{running.url}/mockvod/", headers={"If-None-Match": etag}) as response:
        assert response.status == 304
        assert await response.read() == b""


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fpage.py", "page.py", "deeper/app.js", ""])
async def test_an_unknown_file_is_not_found(running: Running, session: ClientSession, name: str) -> None:
    async with session.get(f"{running.url}/mockvod/console/{name}") as response:
        assert response.status == 404


async def test_the_console_rejects_post(running: Running, session: ClientSession) -> None:
    async with session.post(f"{running.url}/mockvod/", json={}) as response:
        assert response.status == 404


async def test_the_console_stays_small(running: Running, session: ClientSession) -> None:
    sizes = []
    for name in ["", *(f"console/{name}" for name in FILES if name != "index.html")]:
        async with session.get(f"{running.url}/mockvod/{name}") as response:
            sizes.append(len(await response.read()))
    assert sum(sizes) <= 120_000


async def test_comments_and_indentation_are_not_sent(running: Running, session: ClientSession) -> None:
    async with session.get(f"{running.url}/mockvod/console/style.css") as response:
        text = await response.text()
    assert "/*" not in text
    async with session.get(f"{running.url}/mockvod/console/app.js") as response:
        lines = (await response.text()).splitlines()
    assert [line for line in lines if line.startswith((" ", "//", "/*", "*"))] == []


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ("// why\nconst a = { b, c };  // and how\n", "const a={b,c};"),
        ("  return a;\n\n  // next\n  b();", "return a;b();"),
        ("a\n  b", "a\nb"),
        ("""a = "x  // y" + 'it\\'s  {' ;""", """a="x  // y"+'it\\'s  {';"""),
        ("a = `x  ${ b ? `  ${ {c: 1} }  ` : '' }  // y\n    z`;", "a=`x  ${b?`  ${{c:1}}  `:''}  // y\nz`;"),
        ("a.replace(/[ \"'`/] \\/ /g, b / c / d)", "a.replace(/[ \"'`/] \\/ /g,b/c/d)"),
        ("if (a) {\n  return /[`']/.test(b) / c;\n}", "if(a){return/[`']/.test(b)/c;}"),
        ("a + ++b - -c", "a+ ++b- -c"),
        ("typeof x in y", "typeof x in y"),
    ],
)
def test_only_spaces_that_mean_nothing_are_left_out(script: str, sent: str) -> None:
    assert lean(script, ".js") == sent


def test_a_template_literal_that_does_not_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not end: '`b'"):
        lean("a = `b", ".js")


def test_no_file_names_another_host() -> None:
    for path in page.STATIC.iterdir():
        text = Path(path).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text, path.name
