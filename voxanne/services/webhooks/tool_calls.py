"""What the assistant asks for during a call, answered in sentences to say; a trouble is one, too, never an error.

The names and arguments are those a language model was given or makes up, so many spellings of one thing are understood.
Whose call it is and who calls comes from the provider's record of the call.
"""

import logging
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import ValidationError

from voxanne.database import Row
from voxanne.errors import ValidationFailed, is_unavailable
from voxanne.services.webhooks import breaker, envelope, tools
from voxanne.services.webhooks.deliveries import Outcome
from voxanne.services.webhooks.envelope import FUNCTION_CALL, ToolCall
from voxanne.services.webhooks.tools import Line

logger = logging.getLogger(__name__)

UNSURE = (
    "The clinic's system did not answer in time, so this may or may not be done. Please say that it takes a moment, "
    "and call this tool again with the same details to find out."
)
AWAY = "I am sorry, I can't reach the clinic's system right now. Please offer that somebody calls back."
LATER = "The clinic will be told as soon as its system answers again."
BROKEN = "I am sorry, that did not work. Please offer that somebody calls back."
UNKNOWN = "There is no such tool. Please go on without it."
MOST = 20
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def answer(org_id: str | None, payload: dict[str, Any], *, keep: Callable[[], bool]) -> tuple[Row, Outcome]:
    """Return the reply, `results` with a `toolCallId` and a `result` for each tool call, and what it comes to.

    What changes something is done once, however often a tool call's id comes. What was not answered in time may be
    done all the same, so then the assistant is to ask again: within a call the same wish is the same booking or alert.
    What can wait is made good later: `keep` keeps the event, and says whether it could. Without an organisation, which
    is what there is of one while the database is away, the result says so.
    """
    try:
        event = envelope.parse(payload)
    except (ValidationError, TypeError):  # the latter for what is nested too deeply
        raise ValidationFailed("The tool calls are not in the form that was agreed upon.") from None
    results, said = [], set()
    for tool_call in event.tool_calls[:MOST]:
        sentence = AWAY if org_id is None else _say(Line(org_id, event), tool_call)
        if sentence in {AWAY, UNSURE} and tools.named_tool(tool_call.name) in tools.KEPT and keep():
            sentence = LATER
        said.add(sentence)
        results.append({"toolCallId": tool_call.id, "name": tool_call.name, "result": sentence})
    old = {"result": results[0]["result"]} if event.type == FUNCTION_CALL and results else {}
    outcome = Outcome.SPOOLED if LATER in said else Outcome.ANSWERED
    return {"results": results, **old}, Outcome.FAILED if said & {AWAY, BROKEN, UNSURE} else outcome


def _say(line: Line, tool_call: ToolCall) -> str:
    tool = tools.named_tool(tool_call.name)
    ids = {"org_id": line.org_id, "provider_call_id": line.event.call_id, "tool_call_id": tool_call.id}
    if tool is None:
        logger.warning("unknown tool asked for", extra=ids)
        return UNKNOWN
    try:
        with breaker.current().watching():
            return tool(line, tool_call)
    except Exception as error:
        # The caller is waiting: whatever it is, there must be something to say.
        away = is_unavailable(error)
        logger.log(
            logging.WARNING if away else logging.ERROR, "tool call failed", extra=ids, exc_info=None if away else error
        )
        if not away:
            return BROKEN
        return UNSURE if tool in tools.CHANGING and not isinstance(error, _NOT_SENT) else AWAY
