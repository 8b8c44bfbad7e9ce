"""Tool calls for a model whose own template has no reliable way to make them.

The open models of the course write a tool call as prose, in a form the runtime does not recognise. So a request with
tools is turned into one with a JSON schema, which the runtime enforces while the model writes: one form for each tool,
and one for an answer in words unless a call is required. The reply is turned back into a tool call. What comes and goes
on the outside is the ordinary chat completions protocol.
"""

from __future__ import annotations

import json
from typing import Any

from carelab.llm.recordings import Body

FORMAT = 1  # raise it when the wording or the schema changes: recordings made with another one are then asked again


def without_tools(body: Body) -> Body:
    """The same request without tools, with a schema instead. A request that has none is returned as it is."""
    tools = [tool["function"] for tool in body.get("tools") or []]
    choice = body.get("tool_choice", "auto")
    messages = [_plain(message) for message in body["messages"]]
    rest = {name: value for name, value in body.items() if name not in ("tools", "tool_choice", "parallel_tool_calls")}
    if not tools or choice == "none":
        return {**rest, "messages": messages}
    if isinstance(choice, dict):
        tools = [tool for tool in tools if tool["name"] == choice["function"]["name"]]
    must = choice != "auto"
    definitions: Body = {}
    forms = [_call(tool, definitions) for tool in tools]
    if not must:
        forms.append(_answer(body.get("response_format"), definitions))
    schema: Body = {"anyOf": forms} if len(forms) > 1 else dict(forms[0])
    if definitions:
        schema["$defs"] = definitions
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    return {**rest, "messages": _explain(messages, tools, must), "response_format": wanted}


def with_calls(response: Body, body: Body) -> Body:
    """Turn a reply to `without_tools(body)` back into a tool call or an answer in words.

    A reply that was cut off by the token limit is no whole form; it stays as text, and `finish_reason` says "length".
    """
    if not body.get("tools") or body.get("tool_choice") == "none":
        return response
    choice = response["choices"][0]
    message = choice["message"]
    try:
        form = json.loads(message["content"])
    except (TypeError, ValueError):
        return response
    if "tool" not in form:
        answer = form["answer"]
        words = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        changed = {**choice, "message": {**message, "content": words}}
    else:
        function = {"name": form["tool"], "arguments": json.dumps(form["arguments"], ensure_ascii=False)}
        call = {"id": f"call_{len(body['messages'])}", "type": "function", "function": function}
        changed = {
            **choice,
            "finish_reason": "tool_calls",
            "message": {**message, "content": None, "tool_calls": [call]},
        }
    return {**response, "choices": [changed]}


def _call(tool: Body, definitions: Body) -> Body:
    return _form({"tool": {"const": tool["name"]}, "arguments": _hoisted(tool.get("parameters"), definitions)})


def _answer(response_format: Body | None, definitions: Body) -> Body:
    words: Body = {"type": "string"}
    if response_format and response_format.get("type") == "json_schema":
        words = _hoisted(response_format["json_schema"]["schema"], definitions)
    return _form({"answer": words})


def _form(properties: Body) -> Body:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _hoisted(schema: Body | None, definitions: Body) -> Body:
    """The schema with its definitions moved to the top, where its references look for them."""
    schema = dict(schema or {"type": "object", "properties": {}})
    definitions.update(schema.pop("$defs", {}))
    return schema


def _explain(messages: list[Body], tools: list[Body], must: bool) -> list[Body]:
    """Describe the tools in the system message, which is where the models were taught to look."""
    lines = [f"- {tool['name']}: {tool.get('description', '')} Arguments: {_arguments(tool)}" for tool in tools]
    how = 'Reply with JSON: {"tool": name, "arguments": {...}} to use a tool'
    how += "." if must else ', or {"answer": ...} when you have what you need to answer.'
    text = "\n".join(["You can use these tools:", *lines, how])
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{messages[0]['content']}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _arguments(tool: Body) -> str:
    fields = (tool.get("parameters") or {}).get("properties", {})
    told: list[str] = []
    for name, field in fields.items():
        kind: Any = field.get("enum") or field.get("type", "any")
        about = f" ({field['description']})" if field.get("description") else ""
        told.append(f"{name}: {json.dumps(kind)}{about}")
    return "; ".join(told) or "none"


def _plain(message: Body) -> Body:
    """A message of an earlier tool call, or its result, in words that any template can show."""
    if message["role"] == "tool":
        return {"role": "user", "content": f"Result of the tool: {message['content']}"}
    if message.get("tool_calls"):
        function = message["tool_calls"][0]["function"]
        form = {"tool": function["name"], "arguments": json.loads(function["arguments"] or "{}")}
        return {"role": "assistant", "content": json.dumps(form, ensure_ascii=False)}
    return message
