"""The shape of a web messaging configuration, field by field (source: the Swagger document)."""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import StringConstraints

# Before Python 3.12 pydantic cannot read those of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.platform.shapes import Own

Color = Annotated[str, StringConstraints(pattern=r"^#([A-Fa-f0-9]{6}|[A-Fa-f0-9]{3})$")]
Message = Annotated[str, StringConstraints(max_length=300)]


class Switch(TypedDict, total=False):
    enabled: bool


class Reference(TypedDict, total=False):
    id: str
    selfUri: str


class Image(TypedDict, total=False):
    url: str


class Label(TypedDict, total=False):
    key: Literal[
        "MessengerHomeHeaderTitle",
        "MessengerHomeHeaderSubTitle",
        "PushNotificationTitle",
        "PushNotificationBody",
        "MessengerLauncherButtonText",
    ]
    value: str


class Labels(TypedDict, total=False):
    language: str
    localizedLabels: list[Label]


class MessengerStyles(TypedDict, total=False):
    primaryColor: str


class LauncherButtonSettings(TypedDict, total=False):
    visibility: Literal["On", "Off", "OnDemand"]
    displayType: Literal["IconAndText", "Icon", "Text"]
    icon: Image


class FileUploadMode(TypedDict, total=False):
    fileTypes: list[Literal["image/jpeg", "image/gif", "image/png"]]
    maxFileSizeKB: int


class FileUploadSettings(TypedDict, total=False):
    enableAttachments: bool
    modes: list[FileUploadMode]


class ConversationDisconnectSettings(TypedDict, total=False):
    enabled: bool
    type: Literal["Send", "ReadOnly"]


class BotMessengerProfile(TypedDict, total=False):
    name: str
    avatarUrl: str


class Humanize(TypedDict, total=False):
    enabled: bool
    bot: BotMessengerProfile


class NotificationsSettings(TypedDict, total=False):
    enabled: bool
    notificationContentType: Literal["IncludeMessagesContent", "ExcludeMessagesContent"]


class ConversationAppSettings(TypedDict, total=False):
    enabled: bool
    showAgentTypingIndicator: bool
    showUserTypingIndicator: bool
    autoStart: Switch
    markdown: Switch
    conversationDisconnect: ConversationDisconnectSettings
    conversationClear: Switch
    humanize: Humanize
    notifications: NotificationsSettings
    sessionDurationSeconds: int


class Knowledge(TypedDict, total=False):
    enabled: bool
    knowledgeBase: Reference


class MessengerApps(TypedDict, total=False):
    conversations: ConversationAppSettings
    knowledge: Knowledge


class MessengerHomeScreen(TypedDict, total=False):
    enabled: bool
    logoUrl: str


class MessengerSettings(TypedDict, total=False):
    enabled: bool
    styles: MessengerStyles
    launcherButton: LauncherButtonSettings
    fileUpload: FileUploadSettings
    apps: MessengerApps
    homeScreen: MessengerHomeScreen
    sessionPersistenceType: Literal["AcrossSubdomains", "DomainOrSubdomainOnly"]


class PositionSettings(TypedDict, total=False):
    alignment: Literal["Auto", "Left", "Right"]
    sideSpace: int
    bottomSpace: int


class SupportCenterCustomMessage(TypedDict, total=False):
    defaultValue: Required[Message]
    type: Required[Literal["Welcome", "Fallback"]]


class SupportCenterCompactCategoryModuleTemplate(TypedDict, total=False):
    active: Required[bool]


class SupportCenterDetailedCategoryModuleSidebar(TypedDict, total=False):
    enabled: Required[bool]


class SupportCenterDetailedCategoryModuleTemplate(TypedDict, total=False):
    active: Required[bool]
    sidebar: Required[SupportCenterDetailedCategoryModuleSidebar]


class SupportCenterModuleSetting(TypedDict, total=False):
    type: Required[
        Literal["Search", "Categories", "FAQ", "Contact", "Results", "Article", "TopViewedArticles"]
    ]
    enabled: Required[bool]
    compactCategoryModuleTemplate: SupportCenterCompactCategoryModuleTemplate
    detailedCategoryModuleTemplate: SupportCenterDetailedCategoryModuleTemplate


class SupportCenterScreen(TypedDict, total=False):
    type: Required[Literal["Home", "Category", "SearchResults", "Article"]]
    moduleSettings: Required[list[SupportCenterModuleSetting]]


class SupportCenterImageSource(TypedDict, total=False):
    defaultUrl: Required[str]


class SupportCenterImage(TypedDict, total=False):
    source: Required[SupportCenterImageSource]


class SupportCenterCategory(TypedDict, total=False):
    id: str
    selfUri: str
    image: SupportCenterImage


class SupportCenterLabelFilter(TypedDict, total=False):
    labels: list[Reference]


class SupportCenterHeroStyle(TypedDict, total=False):
    backgroundColor: Required[Color]
    textColor: Required[Color]
    image: SupportCenterImage


class SupportCenterGlobalStyle(TypedDict, total=False):
    backgroundColor: Required[Color]
    primaryColor: Required[Color]
    primaryColorDark: Required[Color]
    primaryColorLight: Required[Color]
    textColor: Required[Color]
    fontFamily: Required[str]


class SupportCenterStyleSetting(TypedDict, total=False):
    heroStyle: Required[SupportCenterHeroStyle]
    globalStyle: Required[SupportCenterGlobalStyle]


class SupportCenterFeedbackSettings(TypedDict, total=False):
    enabled: Required[bool]


class SupportCenterSettings(TypedDict, total=False):
    enabled: Required[bool]
    knowledgeBase: Required[Reference]
    customMessages: list[SupportCenterCustomMessage]
    routerType: Literal["Hash", "Browser"]
    screens: Required[list[SupportCenterScreen]]
    enabledCategories: Required[list[SupportCenterCategory]]
    labelFilter: SupportCenterLabelFilter
    styleSetting: Required[SupportCenterStyleSetting]
    feedback: SupportCenterFeedbackSettings


class PauseCriteria(TypedDict, total=False):
    urlFragment: str
    condition: Literal["Includes", "DoesNotInclude", "StartsWith", "EndsWith", "Equals"]


class CobrowseSettings(TypedDict, total=False):
    enabled: bool
    allowAgentControl: bool
    allowAgentNavigation: bool
    allowDraw: bool
    maskSelectors: list[str]
    channels: list[Literal["Webmessaging", "Voice"]]
    readonlySelectors: list[str]
    pauseCriteria: list[PauseCriteria]


class SelectorEventTrigger(TypedDict, total=False):
    selector: Required[str]
    eventName: Required[str]


class FormsTrackTrigger(TypedDict, total=False):
    selector: Required[str]
    formName: Required[str]
    captureDataOnFormAbandon: Required[bool]
    captureDataOnFormSubmit: Required[bool]


class IdleEventTrigger(TypedDict, total=False):
    eventName: Required[str]
    idleAfterSeconds: int


class ScrollPercentageEventTrigger(TypedDict, total=False):
    percentage: Required[int]
    eventName: Required[str]


class IpFilter(TypedDict, total=False):
    ipAddress: str
    name: str


class TrackingSettings(TypedDict, total=False):
    excludedQueryParameters: list[str]
    shouldKeepUrlFragment: bool
    searchQueryParameters: list[str]
    ipFilters: list[IpFilter]


class JourneyEventsSettings(TypedDict, total=False):
    enabled: bool
    excludedQueryParameters: list[str]
    shouldKeepUrlFragment: bool
    searchQueryParameters: list[str]
    pageviewConfig: Literal["Auto", "Once", "Off"]
    clickEvents: list[SelectorEventTrigger]
    formsTrackEvents: list[FormsTrackTrigger]
    idleEvents: list[IdleEventTrigger]
    inViewportEvents: list[SelectorEventTrigger]
    scrollDepthEvents: list[ScrollPercentageEventTrigger]
    trackingSettings: TrackingSettings


class AuthenticationSettings(TypedDict, total=False):
    enabled: Required[bool]
    integrationId: Required[str]
    allowSessionUpgrade: bool


class AgentVideo(TypedDict, total=False):
    allowCamera: bool
    allowScreenShare: bool
    allowMicrophone: bool
    background: Literal["BLUR", "NONE", "IMAGE"]
    backgroundImage: Image


class UserVideo(TypedDict, total=False):
    allowCamera: bool
    allowScreenShare: bool
    allowMicrophone: bool


class VideoSettings(TypedDict, total=False):
    enabled: bool
    channels: list[Literal["Webmessaging", "Voice"]]
    agent: AgentVideo
    user: UserVideo


class Configuration(TypedDict, total=False):
    id: Own
    name: Required[str]
    version: Own
    headlessMode: Switch
    description: str
    languages: list[str]
    defaultLanguage: str
    customI18nLabels: list[Labels]
    messenger: MessengerSettings
    position: PositionSettings
    supportCenter: SupportCenterSettings
    cobrowse: CobrowseSettings
    journeyEvents: JourneyEventsSettings
    authenticationSettings: AuthenticationSettings
    video: VideoSettings
    dateCreated: Own
    dateModified: Own
    datePublished: Own
    lastModifiedUser: Own
    createdUser: Own
    publishedUser: Own
    status: Literal["Pending", "Active", "Inactive", "Error", "Deleting"]
    selfUri: Own
