"""What the assistant asks for during a call, answered in sentences to say; a trouble is one, too, never an error.

The names and arguments are those a language model was given or makes up, so many spellings of one thing are understood.
Whose call it is and who calls comes from the provider's record of the call.
"""

import logging
import re
from typing import Any

from pydantic import ValidationError

from voxanne.database import Row
from voxanne.errors import ValidationFailed, is_unavailable
from voxanne.services.webhooks import envelope
from voxanne.services.webhooks.envelope import FUNCTION_CALL, ToolCall
from voxanne.services.webhooks.tools import BY_NAME, Line

logger = logging.getLogger(__name__)

AWAY = "I am sorry, I can't reach the clinic's system right now. Please offer that somebody calls back."
BROKEN = "I am sorry, that did not work. Please offer that somebody calls back."
UNKNOWN = "There is no such tool. Please go on without it."
MOST = 20


def answer(org_id: str | None, payload: dict[str, Any]) -> tuple[Row, bool]:
    """Return the reply, and whether all went well: `results` with a `toolCallId` and a `result` for each tool call.

    What changes something is done once, however often a tool call's id comes. Without an organisation, which is what
    there is of one while the database is away, the result says so.
    """
    try:
        event = envelope.parse(payload)
    except (ValidationError, TypeError):  # the latter for what is nested too deeply
        raise ValidationFailed("The tool calls are not in the form that was agreed upon.") from None
    results, well = [], True
    for tool_call in event.tool_calls[:MOST]:
        said = AWAY if org_id is None else _say(Line(org_id, event), tool_call)
        well = well and said not in {AWAY, BROKEN}
        results.append({"toolCallId": tool_call.id, "name": tool_call.name, "result": said})
    old = {"result": results[0]["result"]} if event.type == FUNCTION_CALL and results else {}
    return {"results": results, **old}, well


def _say(line: Line, tool_call: ToolCall) -> str:
    tool = BY_NAME.get(re.sub(r"[^a-z]", "", tool_call.name.lower()))
    ids = {"org_id": line.org_id, "provider_call_id": line.event.call_id, "tool_call_id": tool_call.id}
    if tool is None:
        logger.warning("unknown tool asked for", extra=ids)
        return UNKNOWN
    try:
        return tool(line, tool_call)
    except Exception as error:
        # The caller is waiting: whatever it is, there must be something to say.
        away = is_unavailable(error)
        logger.log(
            logging.WARNING if away else logging.ERROR, "tool call failed", extra=ids, exc_info=None if away else error
        )
        return AWAY if away else BROKEN
