"""The names of every action of VOD's API 2018-07-17, to tell one that is not simulated from one that does not exist."""

from collections.abc import Mapping
from typing import Final

VOD_ACTIONS = frozenset(
    """
    ApplyUpload AttachMediaSubtitles CloneVoiceAsync CloneVoiceSync CommitUpload ComposeMedia ConfirmEvents
    CreateAIAnalysisTemplate CreateAIRecognitionTemplate CreateAdaptiveDynamicStreamingTemplate
    CreateAigcAdvancedCustomElement CreateAigcApiToken CreateAigcAudioClone CreateAigcAudioTask
    CreateAigcCustomElement CreateAigcCustomVoice CreateAigcHunyuan3DTask CreateAigcImageTask CreateAigcQuota
    CreateAigcSubject CreateAigcVideoRedrawTask CreateAigcVideoTask CreateAnimatedGraphicsTemplate
    CreateBlindWatermarkTemplate CreateCLSLogset CreateCLSTopic CreateClass
    CreateComplexAdaptiveDynamicStreamingTask CreateContentReviewTemplate CreateDomainVerifyRecord
    CreateEnhanceMediaTemplate CreateHeadTailTemplate CreateImageProcessingTemplate CreateImageSpriteTemplate
    CreateJustInTimeTranscodeTemplate CreateKnowledgeBase CreateLLMComprehendTemplate CreateMPSTemplate
    CreatePersonSample CreateProcedureTemplate CreateProcessImageAsyncTemplate CreateQualityInspectTemplate
    CreateRebuildMediaTemplate CreateReviewTemplate CreateRoundPlay CreateSampleSnapshotTemplate
    CreateSceneAigcImageTask CreateSceneAigcVideoTask CreateSnapshotByTimeOffsetTemplate CreateStorageRegion
    CreateSubAppId CreateSuperPlayerConfig CreateTranscodeTemplate CreateVodDomain CreateWatermarkTemplate
    CreateWordSamples DeleteAIAnalysisTemplate DeleteAIRecognitionTemplate
    DeleteAdaptiveDynamicStreamingTemplate DeleteAigcAdvancedCustomElement DeleteAigcApiToken DeleteAigcQuota
    DeleteAnimatedGraphicsTemplate DeleteBlindWatermarkTemplate DeleteCLSTopic DeleteClass
    DeleteContentReviewTemplate DeleteEnhanceMediaTemplate DeleteHeadTailTemplate DeleteImageProcessingTemplate
    DeleteImageSpriteTemplate DeleteJustInTimeTranscodeTemplate DeleteKnowledgeBase DeleteLLMComprehendTemplate
    DeleteMPSTemplate DeleteMedia DeletePersonSample DeleteProcedureTemplate DeleteProcessImageAsyncTemplate
    DeleteQualityInspectTemplate DeleteRebuildMediaTemplate DeleteReviewTemplate DeleteRoundPlay
    DeleteSampleSnapshotTemplate DeleteSnapshotByTimeOffsetTemplate DeleteSuperPlayerConfig
    DeleteTranscodeTemplate DeleteVodDomain DeleteVoice DeleteWatermarkTemplate DeleteWordSamples
    DescribeAIAnalysisTemplates DescribeAIRecognitionTemplates DescribeAdaptiveDynamicStreamingTemplates
    DescribeAigcAdvancedCustomElements DescribeAigcApiTokens DescribeAigcFaceInfo DescribeAigcFaceInfoAsync
    DescribeAigcQuotas DescribeAigcUsageData DescribeAllClass DescribeAnimatedGraphicsTemplates
    DescribeBlindWatermarkTemplates DescribeCDNStatDetails DescribeCDNUsageData DescribeCLSLogsets
    DescribeCLSPushTargets DescribeCLSTopics DescribeCdnLogs DescribeClientUploadAccelerationUsageData
    DescribeContentReviewTemplates DescribeCurrentPlaylist DescribeDailyMediaPlayStat
    DescribeDailyMostPlayedStat DescribeDailyPlayStatFileList DescribeDefaultDistributionConfig
    DescribeDrmDataKey DescribeDrmKeyProviderInfo DescribeEnhanceMediaTemplates DescribeEventConfig
    DescribeEventsState DescribeFileAttributes DescribeHeadTailTemplates DescribeImageProcessingTemplates
    DescribeImageReviewUsageData DescribeImageSpriteTemplates DescribeJustInTimeTranscodeTemplates
    DescribeKnowledgeBases DescribeLLMComprehendTemplates DescribeLicenseUsageData DescribeMPSTemplates
    DescribeMediaInfos DescribeMediaPlayStatDetails DescribeMediaProcessUsageData DescribePersonSamples
    DescribePrepaidProducts DescribeProcedureTemplates DescribeProcessImageAsyncTemplates
    DescribeQualityInspectTemplates DescribeRebuildMediaTemplates DescribeReviewDetails DescribeReviewTemplates
    DescribeRoundPlays DescribeSampleSnapshotTemplates DescribeSnapshotByTimeOffsetTemplates DescribeStorageData
    DescribeStorageDetails DescribeStorageRegions DescribeSubAppIds DescribeSuperPlayerConfigs
    DescribeTaskDetail DescribeTasks DescribeTranscodeTemplates DescribeVodDomains DescribeVoices
    DescribeWatermarkTemplates DescribeWordSamples DesignVoiceAsync EditMedia EnhanceMediaByTemplate
    EnhanceMediaQuality ExecuteFunction ExtractBlindWatermark ExtractCopyRightWatermark ExtractTraceWatermark
    FastEditMedia ForbidMediaDistribution HandleCurrentPlaylist ImportMediaKnowledge InspectMediaQuality
    ListFiles LiveRealTimeClip ManageTask ModifyAIAnalysisTemplate ModifyAIRecognitionTemplate
    ModifyAdaptiveDynamicStreamingTemplate ModifyAigcQuota ModifyAnimatedGraphicsTemplate
    ModifyBlindWatermarkTemplate ModifyClass ModifyContentReviewTemplate ModifyDefaultDistributionConfig
    ModifyDefaultStorageRegion ModifyEnhanceMediaTemplate ModifyEventConfig ModifyHeadTailTemplate
    ModifyImageSpriteTemplate ModifyJustInTimeTranscodeTemplate ModifyKnowledgeBase ModifyLLMComprehendTemplate
    ModifyMPSTemplate ModifyMediaInfo ModifyMediaStorageClass ModifyPersonSample ModifyProcessImageAsyncTemplate
    ModifyQualityInspectTemplate ModifyRebuildMediaTemplate ModifyReviewTemplate ModifyRoundPlay
    ModifySampleSnapshotTemplate ModifySnapshotByTimeOffsetTemplate ModifySubAppIdInfo ModifySubAppIdStatus
    ModifySuperPlayerConfig ModifyTranscodeTemplate ModifyVodDomainAccelerateConfig ModifyVodDomainConfig
    ModifyWatermarkTemplate ModifyWordSample ParseStreamingManifest ProcessImage ProcessImageAsync ProcessMedia
    ProcessMediaByMPS ProcessMediaByProcedure ProcessMediaByUrl PullEvents PullUpload PushUrlCache RebuildMedia
    RebuildMediaByTemplate RefreshUrlCache RemoveWatermark ResetProcedureTemplate RestoreMedia ReviewAudioVideo
    ReviewImage SearchMedia SearchMediaBySemantics SetCLSPushTarget SetDrmKeyProviderInfo
    SetVodDomainCertificate SimpleHlsClip SplitMedia TextToSpeechAsync TextToSpeechSync UpdateAigcApiToken
    UpdateVoice VerifyDomainRecord VideoDepthEstimation WeChatMiniProgramPublish
    """.split()
)

LEFT_OUT: Final[Mapping[str, str]] = {
    "ProcessMedia": "`MediaStoragePath`, `Url` without a FileId, `OutputAsIndependentMedia`, AiAnalysisTask and "
    "AiRecognitionTask are refused; watermarks, mosaics, heads and tails are stored and returned, not drawn",
    "ProcessMediaByProcedure": "`MediaStoragePath` is refused; ReviewAudioVideoTask, AiAnalysisTask and "
    "AiRecognitionTask of the template are not run",
    "ProcessMediaByUrl": "AiAnalysisTask and AiRecognitionTask are refused; nothing is fetched, and nothing is "
    "written to `OutputInfo`",
    "DescribeTaskDetail": "only tasks that were started here",
    "DescribeMediaInfos": "miniProgramReviewInfo, reviewInfo, mpsAiMediaInfo, imageUnderstandingInfo, "
    "knowledgeBasesInfo and faceRecognitionInfo are always null",
    "SearchMedia": "live recordings and knowledge bases find nothing",
    "ModifyMediaInfo": "knowledge bases; `ExpireTime` is returned, and deletes nothing",
    "DeleteMedia": "WechatPublishFiles and WechatMiniProgramPublishFiles, of which there are none",
    "EditMedia": "streams; the new file has the size of its first source",
    "ComposeMedia": "addresses as sources; pictures are those of the first source",
    "SimpleHlsClip": "playlists that are not of a media file here",
    "CreateProcedureTemplate": "tasks of artificial intelligence are stored and returned, not run",
    "CreateAdaptiveDynamicStreamingTemplate": "encryption is returned, playlists are plain",
    "CreateWatermarkTemplate": "watermarks are stored and returned, not drawn",
    "CreateSubAppId": "the mode fileid+path is returned, files have no paths",
}
"""What a simulated action leaves out, for people."""
