"""The tools that the voice provider's assistants may call, as the provider takes them; `webhooks.tools` runs them."""

from typing import Any


def _tool(name: str, description: str, /, *required: str, **properties: str) -> dict[str, Any]:
    described = {key: {"type": "string", "description": text} for key, text in properties.items()}
    parameters = {"type": "object", "properties": described, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


_DATE = "The day as YYYY-MM-DD."
_TIME = "The time of the day as HH:MM, in the clinic's own time."
_SERVICE = "The treatment that the caller wants."

TOOLS = [
    _tool("look_up_caller", "Tell who is calling, by their number, and which appointment they have."),
    _tool(
        "check_availability",
        "Tell which times of a day are free, or whether one of them is.",
        "date",
        date=_DATE,
        time=_TIME,
        service=_SERVICE,
    ),
    _tool(
        "book_appointment",
        "Book an appointment for the caller. Only once they have agreed to day and time.",
        "date",
        "time",
        date=_DATE,
        time=_TIME,
        service=_SERVICE,
        name="The caller's full name.",
        email="The caller's e-mail address, if they gave it.",
        phone="The number to reach the caller on, if their own is withheld.",
        notes="What the clinic should know beforehand.",
    ),
    _tool(
        "notify_hot_lead",
        "Tell the clinic at once of a caller who is ready to book a costly treatment or needs somebody soon.",
        "summary",
        name="The caller's full name.",
        service=_SERVICE,
        urgency="high, medium or low.",
        summary="What the caller wants, in one or two sentences.",
    ),
]
