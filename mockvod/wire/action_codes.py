"""The codes `InvalidParameterValue.…` that each action documents (error lists of the SDK for Go)."""

from functools import cache
from typing import Final

_SUFFIXES: Final = """
    ApplyUpload: CoverType ExpireTime MediaStoragePath MediaType SubAppId
    CommitUpload: SubAppId VodSessionKey
    ComposeMedia: ClipDuration SessionContextTooLong SessionId
    CreateAdaptiveDynamicStreamingTemplate: Bitrate Codec Comment DisableHigherVideoBitrate
        DisableHigherVideoResolution DrmType FillType Format Fps Height Name RemoveAudio SampleRate SoundSystem
        Width
    CreateAnimatedGraphicsTemplate: Comment Format FormatWebpLackWidthAndHeight FormatWebpWidthAndHeightBothZero
        Fps Name Quality Resolution
    CreateImageSpriteTemplate: ColumnCount Comment Height Name Resolution RowCount SampleInterval SampleType
        Width
    CreateProcedureTemplate: SubAppId
    CreateSampleSnapshotTemplate: Comment Format Height Name Resolution SampleInterval SampleType Width
    CreateSnapshotByTimeOffsetTemplate: Comment Format Height Name Resolution Width
    CreateSubAppId: Description Name
    CreateTranscodeTemplate: AudioBitrate AudioChannel AudioCodec AudioSampleRate Bitrate Codec Comment
        Container FillType Fps Height Name RemoveAudio RemoveVideo Resolution ResolutionAdaptive TEHDType Type
        Vcrf VideoBitrate VideoCodec Width
    CreateWatermarkTemplate: Comment CoordinateOrigin Height ImageContent ImageTemplate Name RepeatType
        SvgTemplate SvgTemplateHeight SvgTemplateWidth TextAlpha TextTemplate Type Width XPos YPos
    DeleteProcedureTemplate: SubAppId
    DeleteTranscodeTemplate: Definition
    DeleteWatermarkTemplate: Definition
    DescribeAdaptiveDynamicStreamingTemplates: Definitions Limit Type
    DescribeAnimatedGraphicsTemplates: Definitions Limit Type
    DescribeImageSpriteTemplates: Definitions Limit Type
    DescribeMediaInfos: AppId FileIds FileIdsEmpty FileIdsOverLimit
    DescribeProcedureTemplates: Limit Names Type
    DescribeSampleSnapshotTemplates: Definitions Limit Type
    DescribeSnapshotByTimeOffsetTemplates: Definitions Limit Type
    DescribeTaskDetail: SubAppId TaskId
    DescribeTasks: Status
    DescribeTranscodeTemplates: ContainerType Definitions Limit ScenarioType TEHDType Type
    DescribeWatermarkTemplates: Definitions Limit Type
    EditMedia: SessionContextTooLong SessionId SessionIdTooLong SubAppId
    ModifyAdaptiveDynamicStreamingTemplate: Bitrate Codec Comment Definition DisableHigherVideoBitrate
        DisableHigherVideoResolution DrmType FillType Format Fps Height Name RemoveAudio SampleRate SoundSystem
        Width
    ModifyAnimatedGraphicsTemplate: Comment Format FormatWebpLackWidthAndHeight FormatWebpWidthAndHeightBothZero
        Fps Name Quality Resolution
    ModifyImageSpriteTemplate: ColumnCount Height Name Resolution RowCount SampleInterval SampleType Width
    ModifyMediaInfo: AddKeyFrameDescsAndClearKeyFrameDescsConflict
        AddKeyFrameDescsAndDeleteKeyFrameDescsConflict AddTagsAndClearTagsConflict AddTagsAndDeleteTagsConflict
        Description ExpireTime ImageDecodeError KeyFrameDescContentTooLong Name TagTooLong
    ModifySampleSnapshotTemplate: Comment Format Height Name SampleInterval SampleType Width
    ModifySnapshotByTimeOffsetTemplate: Comment Format Height Name Width
    ModifySubAppIdInfo: SubAppId
    ModifyTranscodeTemplate: AudioBitrate AudioChannel AudioCodec AudioSampleRate Bitrate Codec Container
        FiltrateAudio FiltrateVideo Fps RemoveAudio RemoveVideo Resolution ResolutionAdaptive SampleRate
        TEHDType Type Vcrf VideoBitrate VideoCodec
    ModifyWatermarkTemplate: Comment CoordinateOrigin Height ImageContent Name RepeatType SvgTemplateHeight
        SvgTemplateWidth TextAlpha Type Width XPos YPos
    ProcessMedia: AiAnalysisTaskDefinition AiContentReviewTaskDefinition AiRecognitionTaskDefinition FileId
        SessionContextTooLong SessionId SessionIdTooLong SubAppId
    ProcessMediaByProcedure: FileId ProcedureName SessionContextTooLong SessionId SessionIdTooLong SubAppId
        UniqueIdentifier
    PullUpload: CoverUrl ExpireTime MediaStoragePath MediaUrl SessionContextTooLong SessionId SessionIdTooLong
        StorageRegion
    ResetProcedureTemplate: SubAppId
    SearchMedia: Categories ClassIds EndTime FileIds NamePrefixes Names Offset Sort SourceType SourceTypes
        StartTime StorageRegions StreamIds SubAppId Tags Text Types Vids
    SimpleHlsClip: EndTimeOffset ExpireTime IsPersistence OutputMediaType Precision Procedure StartTimeOffset
        Url
"""


@cache
def suffixes() -> dict[str, frozenset[str]]:
    """What may stand behind the point of InvalidParameterValue, by action."""
    found: dict[str, list[str]] = {}
    action = ""
    for word in _SUFFIXES.split():
        if word.endswith(":"):
            action = word[:-1]
        found.setdefault(action, [])
        if not word.endswith(":"):
            found[action].append(word)
    return {action: frozenset(codes) for action, codes in found.items()}


def suffix(action: str, name: str) -> str | None:
    """The suffix that *action* documents for a parameter such as `VideoTemplate.Codec` or `Tags.0`, if any."""
    known = suffixes().get(action, frozenset())
    parts = [part for part in name.split(".") if not part.isdigit()]
    if not parts:
        return None
    last, parent = parts[-1], parts[-2] if len(parts) > 1 else ""
    short = parent.removesuffix("Template").removesuffix("Config")
    candidates = (parent + last, short + last, last, parent)
    return next((word for word in candidates if word in known), None)
