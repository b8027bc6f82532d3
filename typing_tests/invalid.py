"""Mistakes in test code: mypy and pyright report every marked line, and would report a mark without a mistake."""

from mockvod.testing import AsyncClient, Client, MockVod, mark


def blocking(client: Client) -> None:
    client.emit(cuont=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.emit(count="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.config(mode="BOTH")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.config(mdoe="PUSH")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.declare_media(width="wide")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.fault("dupliacte")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.fault("duplicate", copies="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.fault("duplicate", when={"sometimes": True})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.make_account(config={"port": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.clock.advance(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MockVod(prot=8266)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def awaited(client: AsyncClient) -> int:
    client.emit()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    return await client.clock()  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


@mark(frosen=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
def test_marked() -> None: ...
