"""The voices and languages of assistants: what pages offer, what is accepted, what the voice provider is told."""

from dataclasses import dataclass

from voxanne.database import Row

DEFAULT = "Rohan"


@dataclass(frozen=True)
class Voice:
    """A voice; `id` is the provider's own name for it."""

    id: str
    gender: str
    accent: str
    characteristics: str
    best_for: str
    provider: str = "vapi"
    latency: str = "low"
    quality: str = "high"
    requires_api_key: bool = False

    @property
    def label(self) -> str:
        """The name for people."""
        return self.id[:1].upper() + self.id[1:]


VOICES = (
    Voice("Rohan", "male", "Indian American", "bright and energetic", "welcoming new patients"),
    Voice("Elliot", "male", "Canadian", "calm and friendly", "follow-up calls"),
    Voice("Savannah", "female", "American South", "warm and unhurried", "reception"),
    Voice("Neha", "female", "Indian", "clear and professional", "appointments"),
    Voice("Cole", "male", "American", "deep and steady", "reception"),
    Voice("Harry", "male", "American", "lively and clear", "outbound calls"),
    Voice("Paige", "female", "American", "composed and precise", "appointments"),
    Voice("Spencer", "female", "American", "cheerful and quick", "outbound calls"),
    Voice("Lily", "female", "American", "gentle and bright", "reception"),
    Voice("Kylie", "female", "American", "casual and open", "younger callers"),
    Voice("Hana", "female", "Asian American", "soft and attentive", "anxious callers"),
    Voice("jennifer", "female", "American", "natural and even", "long conversations", provider="playht"),
    Voice("asteria", "female", "American", "clear and confident", "reception", provider="deepgram"),
    Voice("luna", "female", "American", "young and friendly", "outbound calls", provider="deepgram"),
    Voice("athena", "female", "British", "mature and calm", "advice", provider="deepgram"),
    Voice("orion", "male", "American", "approachable and calm", "reception", provider="deepgram"),
    Voice("alloy", "neutral", "American", "balanced", "any call", provider="openai", latency="medium"),
    Voice("echo", "male", "American", "warm and even", "reception", provider="openai", latency="medium"),
    Voice("fable", "neutral", "British", "expressive", "explanations", provider="openai", latency="medium"),
    Voice("onyx", "male", "American", "deep and serious", "advice", provider="openai", latency="medium"),
    Voice("nova", "female", "American", "bright and quick", "outbound calls", provider="openai", latency="medium"),
    Voice("shimmer", "female", "American", "soft and clear", "reception", provider="openai", latency="medium"),
    Voice("sarah", "female", "American", "soft and reassuring", "anxious callers", "11labs", "medium", "highest", True),  # noqa: FBT003
    Voice("paula", "female", "American", "calm and grounded", "advice", "11labs", "medium", "highest", True),  # noqa: FBT003
    Voice("ryan", "male", "American", "confident and natural", "reception", "11labs", "medium", "highest", True),  # noqa: FBT003
)
_BY_ID = {voice.id.lower(): voice for voice in VOICES}

LANGUAGES = (
    "en-GB", "en-US", "es-ES", "es-MX", "fr-FR", "de-DE", "it-IT", "pt-BR", "pt-PT", "nl-NL", "pl-PL", "ru-RU", "ja-JP",
    "zh-CN", "zh-TW", "ko-KR", "ar-SA", "hi-IN",
)  # fmt: skip
# The transcriber takes these with their region, es-MX as es-419, and of all others the language only.
_BY_REGION = {"en-GB", "en-US", "pt-BR", "zh-CN", "zh-TW", "ko-KR"}


def find(name: str) -> Voice | None:
    """Return the voice of that id in any case, or None."""
    return _BY_ID.get(name.strip().lower())


def transcriber_language(language: str) -> str:
    """Return the transcriber's code for one of `LANGUAGES`."""
    if language == "es-MX":
        return "es-419"
    return language if language in _BY_REGION else language.split("-", maxsplit=1)[0]


def describe(voice: Voice) -> Row:
    """Return a voice as the agent page shows it."""
    return {
        "id": voice.id,
        "name": voice.label,
        "provider": voice.provider,
        "gender": voice.gender,
        "language": "English",
        "characteristics": voice.characteristics,
        "accent": voice.accent,
        "bestFor": voice.best_for,
        "latency": voice.latency,
        "quality": voice.quality,
        "isDefault": voice.id == DEFAULT,
        "requiresApiKey": voice.requires_api_key,
    }
