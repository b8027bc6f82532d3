"""Every error code that Tencent documents for VOD's API 2018-07-17, and a text for each.

Codes: the common list of documents 266/31774 and 266/34188, and the list of the product. The texts are ours, but for
those of `mockvod.wire.errors` and the few marked *attested*.
"""

from functools import cache
from typing import Final

from mockvod.wire.errors import ApiError, InternalError, NoEvent, SecretIdNotFound, SignatureFailure

# The first word of each code, and the words that may follow its point.
_SUFFIXES: Final = """
    ActionOffline:
    AuthFailure: InvalidAuthorization InvalidSecretId MFAFailure SecretIdNotFound SignatureExpire
        SignatureFailure TokenFailure UnauthorizedOperation
    DryRunOperation:
    FailedOperation: ClassLevelLimitExceeded ClassNameDuplicate ClassNoFound CoverType DBError DomainDeploying
        InvalidAccount InvalidVodUser MediaForbidedBySystem MediaType NetWorkError NoNeedToReduceMediaBitrate
        NoPrivileges ParentIdNoFound SubclassLimitExceeded TaskDuplicate UploadCosFail UserStatusInavlid
    InternalError: DBError GenDefinition GetFileInfoError GetMediaListError TimeParseError UpdateMediaError
        UploadCoverImageError UploadWatermarkError
    InvalidAction:
    InvalidParameter: ExistedProcedureName ExpireTime Labels ProcedureNameNotExist StorageRegion
        ViolationContent
    InvalidParameterValue: AddKeyFrameDescsAndClearKeyFrameDescsConflict
        AddKeyFrameDescsAndDeleteKeyFrameDescsConflict AddTagsAndClearTagsConflict AddTagsAndDeleteTagsConflict
        AiAnalysisTaskDefinition AiContentReviewTaskDefinition AiRecognitionTaskDefinition AppId Area
        AudioBitrate AudioChannel AudioCodec AudioSampleRate Bitrate BlockConfidence Categories ClassId ClassIds
        ClassName ClassifcationConfigure ClipDuration Codec ColumnCount Comment Container ContainerType
        CoordinateOrigin CoverConfigure CoverType CoverUrl CutAndCrops DataInterval DataType Date
        DefaultLibraryLabelSet Definition Definitions DeleteDefaultTemplate Description
        DisableHigherVideoBitrate DisableHigherVideoResolution Districts DomainName DomainNameInBlackList
        DomainNames DrmType EndDate EndTime EndTimeOffset ExistedName ExpireTime ExpiredTime ExtendedParameter
        FaceDuplicate FaceLibrary FaceScore FileId FileIds FileIdsEmpty FileIdsOverLimit FileIdsTooMany FileType
        FillType FiltrateAudio FiltrateVideo Format FormatWebpLackWidthAndHeight
        FormatWebpWidthAndHeightBothZero Fps FrameTagConfigure FunctionArg FunctionName Height
        HighlightConfigure ImageContent ImageDecodeError ImageTemplate Index Interval InvalidOperationType
        IsPersistence Isps ItemId KeyFrameDescContentTooLong LabelSet Labels Limit LimitTooLarge
        MediaManifestContent MediaStoragePath MediaType MediaUrl Metric ModifyDefaultTemplate Name NamePrefixes
        Names NotRestorable ObjectLibrary Offset OffsetTooLarge Operation OriginalStorageClass OutputMediaType
        ParentId PicFormatError Precision Procedure ProcedureName Quality RemoveAudio RemoveVideo RepeatType
        Resolution ResolutionAdaptive RestoreDay RestoreTier ReviewConfidence ReviewWallSwitch
        RoundPlayAlreadyExists RoundPlayId RoundPlaylist RowCount SampleInterval SampleRate SampleType
        ScenarioType Scheme SchemeConflict ScreenshotInterval SessionContextTooLong SessionId SessionIdTooLong
        Sort SoundSystem SourceDefinition SourceType SourceTypes SrcFile StartDate StartTime StartTimeOffset
        Status StorageClass StorageRegion StorageRegions StorageType StreamIdInvalid StreamIds SubAppId
        SubtitleFormat SvgTemplate SvgTemplateHeight SvgTemplateWidth Switch TEHDType TagConfigure TagTooLong
        Tags TaskId Text TextAlpha TextTemplate Thumbnails TimeType Type Types UniqueIdentifier UnsupportDomain
        UnsupportedRestoreTier UnsupportedStorageClass UnsupportedTransition Url UserDefineLibraryLabelSet Vcrf
        VideoBitrate VideoCodec Vids VodSessionKey Watermarks Width XPos YPos
    InvalidRequest:
    IpInBlacklist:
    IpNotInWhitelist:
    LimitExceeded: KeyFrameDescCountReachMax PlayList Quota RoundPlaylist RoundPlays RunningRoundPlays
        TagCountReachMax TooMuchTemplate
    MissingParameter:
    NoSuchProduct:
    NoSuchVersion:
    RequestLimitExceeded: GlobalRegionUinLimitExceeded IPLimitExceeded UinLimitExceeded
    RequestSizeLimitExceeded:
    ResourceInUse:
    ResourceInsufficient:
    ResourceNotFound: CoverUrl FileNotExist Person ServiceNotExist TemplateNotExist UserNotExist Word
    ResourceUnavailable: MasterPlaylist
    ResponseSizeLimitExceeded:
    ServiceUnavailable:
    UnauthorizedOperation: DomainRecordNotVerified
    UnknownParameter:
    UnsupportedOperation: ClassNotEmpty
    UnsupportedProtocol:
    UnsupportedRegion:
"""

# The text for each first word, for codes without a text of their own.
_WORDS: Final = {
    "ActionOffline": ("The action is no longer served", "接口已下线"),
    "AuthFailure": ("The authentication failed", "鉴权失败"),
    "DryRunOperation": ("The request would have succeeded, but was a dry run", "DryRun 操作，请求本可成功"),
    "FailedOperation": ("The operation failed", "操作失败"),
    "InternalError": ("An internal error has occurred", "内部错误"),
    "InvalidAction": ("The action does not exist", "接口不存在"),
    "InvalidParameter": ("A parameter is wrong", "参数错误"),
    "InvalidParameterValue": ("The value of a parameter is wrong", "参数取值错误"),
    "InvalidRequest": ("The request body is wrong", "请求体错误"),
    "IpInBlacklist": ("The address is on the blacklist", "IP 地址在黑名单中"),
    "IpNotInWhitelist": ("The address is not on the whitelist", "IP 地址不在白名单中"),
    "LimitExceeded": ("A quota is exceeded", "超过配额限制"),
    "MissingParameter": ("A parameter is missing", "缺少参数"),
    "NoSuchProduct": ("The product does not exist", "产品不存在"),
    "NoSuchVersion": ("The version does not exist", "接口版本不存在"),
    "RequestLimitExceeded": ("There are more requests than the frequency limit allows", "请求次数超过频率限制"),
    "RequestSizeLimitExceeded": ("The request is too large", "请求大小超过限制"),
    "ResourceInUse": ("The resource is in use", "资源被占用"),
    "ResourceInsufficient": ("The resources do not suffice", "资源不足"),
    "ResourceNotFound": ("The resource does not exist", "资源不存在"),
    "ResourceUnavailable": ("The resource is not available", "资源不可用"),
    "ResponseSizeLimitExceeded": ("The response is too large", "返回大小超过限制"),
    "ServiceUnavailable": ("The service is not available at present", "服务暂时不可用"),
    "UnauthorizedOperation": ("The operation is not permitted", "未授权操作"),
    "UnknownParameter": ("A parameter is not known", "未知参数"),
    "UnsupportedOperation": ("The operation is not supported", "操作不支持"),
    "UnsupportedProtocol": ("The protocol is not supported", "协议不支持"),
    "UnsupportedRegion": ("The region is not supported", "地域不支持"),
}

# Texts that the real service is known to return.
_ATTESTED: Final = {
    "InternalError": (InternalError.en, InternalError.zh),
    "AuthFailure.SecretIdNotFound": (SecretIdNotFound.en, SecretIdNotFound.zh),
    "AuthFailure.SignatureFailure": (SignatureFailure.en, SignatureFailure.zh),
    "AuthFailure.TokenFailure": ("Token verification failed, please check if your Token is correct", ""),
    "FailedOperation": ("invalid vod user", ""),
    "FailedOperation.InvalidVodUser": ("invalid vod user", ""),
    "ResourceNotFound": (NoEvent.en, NoEvent.zh),
}


def _codes() -> frozenset[str]:
    codes: set[str] = set()
    head = ""
    for word in _SUFFIXES.split():
        if word.endswith(":"):
            head = word[:-1]
            codes.add(head)
        else:
            codes.add(f"{head}.{word}")
    return frozenset(codes)


DOCUMENTED: Final = _codes()


def documented(code: str, text: str | None = None) -> ApiError:
    """The error of a documented *code*. *text* is its message in every language; None for a default text."""
    en, zh = _texts(code) if text is None else (text, text)
    return _type_of(code)(en=en, zh=zh)


@cache
def _type_of(code: str) -> type[ApiError]:
    return type(code.replace(".", ""), (ApiError,), {"code": code, "en": "{en}", "zh": "{zh}", "__module__": __name__})


def _texts(code: str) -> tuple[str, str]:
    head, _, suffix = code.partition(".")
    if code in _ATTESTED:
        en, zh = _ATTESTED[code]
        return en, zh or en
    en, zh = _WORDS[head]
    return (f"{en}: {suffix}.", f"{zh}：{suffix}。") if suffix else (f"{en}.", f"{zh}。")
