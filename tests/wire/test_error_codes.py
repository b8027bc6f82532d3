"""Every documented error code, with a text in both languages."""

import pytest
from tencentcloud.vod.v20180717 import errorcodes

from mockvod.wire import errors
from mockvod.wire.error_codes import DOCUMENTED, documented
from mockvod.wire.errors import ApiError, InternalError


def test_every_code_of_the_sdk_is_documented() -> None:
    codes = {value for name, value in vars(errorcodes).items() if name.isupper()}
    assert codes - DOCUMENTED == set()


def test_every_code_that_we_return_is_documented() -> None:
    ours = {
        one.code
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, ApiError) and one is not ApiError
    }
    assert ours - DOCUMENTED == set()


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_every_code_has_a_text_in_both_languages(code: str) -> None:
    error = documented(code)
    assert error.code == code
    assert error.message("en-US")
    assert error.message("zh-CN")


def test_a_text_names_what_the_code_is_about() -> None:
    error = documented("LimitExceeded.PlayList")
    assert (error.message(), error.message("zh-CN")) == ("A quota is exceeded: PlayList.", "超过配额限制：PlayList。")


def test_an_attested_text_is_that_of_the_service() -> None:
    assert documented("InternalError").message("zh-CN") == InternalError.zh
    assert documented("FailedOperation.InvalidVodUser").message("zh-CN") == "invalid vod user"


def test_a_given_text_is_used_unchanged() -> None:
    error = documented("InternalError", "{it} is 100%")
    assert (error.message(), error.message("zh-CN")) == ("{it} is 100%", "{it} is 100%")
