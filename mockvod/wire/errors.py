"""Errors of Tencent Cloud's APIs: a code, and a message in English and in Chinese.

Codes: the common list of documents 266/31774 and 266/34188. Messages marked *attested* are those of the real service;
the others are ours, because no public source shows one.
"""

from typing import ClassVar, NamedTuple


class Text(NamedTuple):
    """A part of a message, in both languages."""

    en: str
    zh: str


class ApiError(Exception):
    """An error response of API 3.0.

    Raised with the values that its messages name: ``MissingParameter(name="Version")``. A value that is a sentence or
    a part of one is a Text.
    """

    code: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(self.message())

    def message(self, language: str = "en-US") -> str:
        """The message in *language*: Chinese for ``zh-CN``, English for every other."""
        chinese = language == "zh-CN"
        values = {name: value[chinese] if isinstance(value, Text) else value for name, value in self.values.items()}
        return (self.zh if chinese else self.en).format(**values)


class SignatureFailure(ApiError):  # attested
    code = "AuthFailure.SignatureFailure"
    en = "The provided credentials could not be validated. Please check your signature is correct."
    zh = "请求签名验证失败，请检查您的签名计算是否正确。"


class SignatureFailureTooLarge(ApiError):  # attested in English
    code = "AuthFailure.SignatureFailure"
    en = (
        "The provided credentials could not be validated because of exceeding request size limit, "
        "please use new signature method `TC3-HMAC-SHA256`."
    )
    zh = "请求大小超过签名方法的限制，签名无法验证，请使用新的签名方法 `TC3-HMAC-SHA256`。"


class SignatureExpire(ApiError):  # attested in English
    code = "AuthFailure.SignatureExpire"
    en = (
        "Signature expired. Please use local time and enable NTP service for time synchronization "
        "to avoid a deviation between `Timestamp` and the server time {server_time}."
    )
    zh = "签名过期，请使用本地时间并启用 NTP 服务同步时间，以避免 `Timestamp` 与服务器时间 {server_time} 偏差过大。"


class SecretIdNotFound(ApiError):  # attested
    code = "AuthFailure.SecretIdNotFound"
    en = "The SecretId is not found, please ensure that your SecretId is correct."
    zh = "SecretId不存在，请输入正确的密钥。"


class SignedForOtherHost(SignatureFailure):  # all but the last sentence are attested
    en = (
        SignatureFailure.en
        + " It was signed for host `{signed}` and received for host `{received}`: a proxy has to keep Host."
    )
    zh = SignatureFailure.zh + "签名使用的 Host 为 `{signed}`，收到的 Host 为 `{received}`：代理不应修改 Host。"


class InvalidAuthorization(ApiError):  # attested but for the reason
    code = "AuthFailure.InvalidAuthorization"
    en = "The request `Authorization` header does not conform to tencentcloud standards: {reason}."
    zh = "请求头部的 `Authorization` 不符合腾讯云标准：{reason}。"

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(reason=Text(en, zh))


class MissingParameter(ApiError):  # attested in English
    code = "MissingParameter"
    en = "The request is missing a required parameter `{name}`."
    zh = "请求缺少必要参数 `{name}`。"


class InvalidParameter(ApiError):
    code = "InvalidParameter"
    en = "{problem}"
    zh = "{problem}"

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(problem=Text(en, zh))


class WrongType(ApiError):  # the Chinese text is attested
    code = "InvalidParameter"
    en = "The value type of parameter `{name}` is not valid: got `{value}`, expected `{expected}`."
    zh = "参数 `{name}` 取值类型错误。参数类型应为 `{expected}`，实际为 `{value}`"


class InvalidParameterValue(ApiError):  # attested in English, less the reason
    """A *reason* that is not a Text is left out of the Chinese message."""

    code = "InvalidParameterValue"
    en = "The value `{value}` specified in the parameter `{name}` is not valid: {reason}."
    zh = "参数 `{name}` 的取值 `{value}` 无效{reason}。"

    def __init__(self, *, name: str, value: object, reason: Text | str) -> None:
        en, zh = reason if isinstance(reason, Text) else (reason, "")
        super().__init__(name=name, value=value, reason=Text(en, f"：{zh}" if zh else ""))


class UnknownParameter(ApiError):  # attested in English
    code = "UnknownParameter"
    en = "The parameter `{name}` is not recognized."
    zh = "未知参数 `{name}`。"


class InvalidAction(ApiError):  # the first sentence is attested
    code = "InvalidAction"
    en = "The request `Action` is invalid or not found. Action: `{action}`."
    zh = "请求的 `Action` 无效或不存在。Action：`{action}`。"


class NoSuchVersion(ApiError):  # attested in English
    code = "NoSuchVersion"
    en = "The specified api version=`{version}` does not exist in service=`vod`."
    zh = "接口版本 version=`{version}` 在服务 service=`vod` 中不存在。"


class UnsupportedOperation(ApiError):
    code = "UnsupportedOperation"
    en = "mockvod does not simulate the action `{action}`. It simulates: {simulated}."
    zh = "mockvod 不模拟接口 `{action}`。已模拟的接口：{simulated}。"


class UnsupportedProtocol(ApiError):
    code = "UnsupportedProtocol"
    en = "The request method `{method}` is not supported: use GET or POST."
    zh = "不支持请求方法 `{method}`：请使用 GET 或 POST。"


class RequestSizeLimitExceeded(ApiError):
    code = "RequestSizeLimitExceeded"
    en = "The request exceeds the size limit of {limit} bytes."
    zh = "请求大小超过上限 {limit} 字节。"


class RequestLimitExceeded(ApiError):  # attested
    code = "RequestLimitExceeded"
    en = (
        "Your current request times equals to `{times}` in a second, which exceeds the frequency limit `{limit}` "
        "for a second. Please reduce the frequency of calls."
    )
    zh = "您当前每秒请求 `{times}` 次，超过了每秒频率上限 `{limit}`，请稍后重试。"


class InvalidRequest(ApiError):
    code = "InvalidRequest"
    en = "{problem}"
    zh = "{problem}"

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(problem=Text(en, zh))


class NoEvent(ApiError):  # attested; the same in every language
    code = "ResourceNotFound"
    en = "no event"
    zh = "no event"


class InvalidVodUser(ApiError):  # attested; the same in every language
    code = "FailedOperation"
    en = "invalid vod user"
    zh = "invalid vod user"


class InternalError(ApiError):  # attested
    code = "InternalError"
    en = "An internal error has occurred. Retry your request, but if the problem persists, contact us."
    zh = "内部服务错误，请稍后重试。"


class CallEnded(ApiError):
    """A call that was in progress when its account was reset or deleted, or when the server stopped."""

    code = "InternalError"
    en = "An internal error has occurred. {reason} while the call was under way."
    zh = "内部服务错误：{reason}，请求未完成。"


# --- errors of the actions about jobs, tasks, media and templates; the texts are ours


class FileNotExist(ApiError):
    code = "ResourceNotFound.FileNotExist"
    en = "The media file `{file_id}` does not exist."
    zh = "媒体文件 `{file_id}` 不存在。"


class SessionIdTaken(ApiError):
    code = "InvalidParameterValue.SessionId"
    en = "The SessionId `{session_id}` was used within the last {days} days: the request is a duplicate."
    zh = "SessionId `{session_id}` 在 {days} 天内使用过，请求被去重。"


class TaskNotExist(ApiError):
    code = "InvalidParameterValue.TaskId"
    en = "The task `{task_id}` does not exist."
    zh = "任务 `{task_id}` 不存在。"


class TemplateNotExist(ApiError):
    code = "ResourceNotFound.TemplateNotExist"
    en = "The template `{definition}` does not exist."
    zh = "模板 `{definition}` 不存在。"


class WatermarkNotExist(TemplateNotExist):
    """The error of DeleteWatermarkTemplate, which does not list the code of the other families."""

    code = "ResourceNotFound"


class TooMuchTemplate(ApiError):
    code = "LimitExceeded.TooMuchTemplate"
    en = "The application has as many templates as it may."
    zh = "模板数量超过限制。"
