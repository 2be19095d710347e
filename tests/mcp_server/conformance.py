"""The tools, resources and prompts that the official conformance suite calls by name.

They are registered through the entry point `infrascan.mcp_tools`, as another distribution's would
be, so the suite talks to the server that `infrascan mcp --transport http` starts: the same two
apps, the same gate, the same redaction.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mcp_types as types
import trio
from mcp.server.mcpserver import Context, MCPServer, UserMessage
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from infrascan.mcp_server.door import Door

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def installed(folder: Path) -> str:
    """Make these fixtures a distribution in a folder; what PYTHONPATH needs to find it."""
    about = folder / "conformance-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: conformance\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[infrascan.mcp_tools]\nconformance = tests.mcp_server.conformance:add\n"
    )
    return f"{folder}:{Path(__file__).resolve().parents[2]}"


def add(door: Door) -> None:
    contents(door.mcp)
    asking(door.mcp)
    rounds(door.mcp)
    readable(door.mcp)
    prompts(door.mcp)


def words(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def embedded(uri: str, kind: str, text: str) -> types.EmbeddedResource:
    inner = types.TextResourceContents(uri=uri, mime_type=kind, text=text)
    return types.EmbeddedResource(type="resource", resource=inner)


def contents(mcp: MCPServer) -> None:  # noqa: C901 (a list of tools)
    image = types.ImageContent(type="image", data=DOT, mime_type="image/png")

    @mcp.tool()
    async def test_simple_text() -> str:
        """Give one line of text."""
        return "This is a simple text response for testing."

    @mcp.tool(structured_output=False)
    async def test_image_content() -> Any:
        """Give an image."""
        return [image]

    @mcp.tool(structured_output=False)
    async def test_audio_content() -> Any:
        """Give a sound."""
        return [types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")]

    @mcp.tool(structured_output=False)
    async def test_embedded_resource() -> Any:
        """Give a resource inside an answer."""
        text = "This is an embedded resource content."
        return [embedded("test://embedded-resource", "text/plain", text)]

    @mcp.tool(structured_output=False)
    async def test_multiple_content_types() -> Any:
        """Give text, an image and a resource."""
        data = json.dumps({"test": "data", "value": 123})
        inside = embedded("test://mixed-content-resource", "application/json", data)
        return [words("Multiple content types test:"), image, inside]

    @mcp.tool()
    async def test_tool_with_logging(ctx: Context) -> str:
        """Log three lines while it runs."""
        for line in ("started", "processing data", "completed"):
            await ctx.info(f"Tool {line}")
            await trio.sleep(0.02)
        return "logged"

    @mcp.tool()
    async def test_tool_with_progress(ctx: Context) -> str:
        """Report progress thrice."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100, f"Completed step {done} of 100")
            await trio.sleep(0.02)
        return "done"

    @mcp.tool()
    async def test_error_handling() -> str:
        """Fail on purpose."""
        raise ToolError("This tool intentionally returns an error for testing")

    @mcp.tool()
    async def test_logging_tool(ctx: Context) -> str:
        """Log a line."""
        await ctx.info("a line")
        return "logged"

    @mcp.tool()
    async def test_reconnection(ctx: Context) -> str:
        """Close the stream of its own answer, then answer."""
        await ctx.close_sse_stream()
        await trio.sleep(0.2)
        return "Reconnection test completed"

    @mcp.tool()
    async def json_schema_2020_12_tool(name: str = "") -> str:
        """Take arguments that a schema of the 2020-12 draft describes."""
        return name

    mcp._tool_manager.get_tool("json_schema_2020_12_tool").parameters = dict(SCHEMA)

    @mcp.tool()
    async def test_headers(
        region: str = Field(default="", json_schema_extra={"x-mcp-header": "Region"}),
    ) -> str:
        """Take an argument that a header mirrors."""
        return region

    @mcp.tool()
    async def test_trigger_tool_change(ctx: Context) -> str:
        """Say that the list of tools changed."""
        await ctx.notify_tools_changed()
        return "said"

    @mcp.tool()
    async def test_trigger_prompt_change(ctx: Context) -> str:
        """Say that the list of prompts changed."""
        await ctx.notify_prompts_changed()
        return "said"


class Reply(BaseModel):
    username: str
    email: str


class Defaults(BaseModel):
    name: str = Field(default="John Doe")
    age: int = Field(default=30)
    score: float = Field(default=95.5)
    status: str = Field(
        default="active", json_schema_extra={"enum": ["active", "inactive", "pending"]}
    )
    verified: bool = Field(default=True)


def titled(**each: str) -> list[dict[str, str]]:
    return [{"const": const, "title": title} for const, title in each.items()]


class Choices(BaseModel):
    untitledSingle: str = Field(  # noqa: N815
        json_schema_extra={"enum": ["option1", "option2", "option3"]}
    )
    titledSingle: str = Field(  # noqa: N815
        json_schema_extra={"oneOf": titled(value1="One", value2="Two")}
    )
    legacyEnum: str = Field(  # noqa: N815
        json_schema_extra={"enum": ["opt1", "opt2"], "enumNames": ["One", "Two"]}
    )
    untitledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={"items": {"type": "string", "enum": ["option1", "option2"]}}
    )
    titledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={"items": {"anyOf": titled(value1="One", value2="Two")}}
    )


def asking(mcp: MCPServer) -> None:
    """What a server asks of its client in the middle of a call."""

    async def asked(ctx: Context, message: str, schema: type[BaseModel]) -> str:
        found = await ctx.elicit(message=message, schema=schema)
        data = found.data.model_dump_json() if found.action == "accept" else "{}"
        return f"action={found.action}, content={data}"

    @mcp.tool()
    async def test_sampling(prompt: str, ctx: Context) -> str:
        """Ask the client's model."""
        message = types.SamplingMessage(role="user", content=words(prompt))
        found = await ctx.session.create_message(messages=[message], max_tokens=100)
        return f"LLM response: {getattr(found.content, 'text', '')}"

    @mcp.tool()
    async def test_elicitation(message: str, ctx: Context) -> str:
        """Ask the user one thing."""
        return f"User response: {await asked(ctx, message, Reply)}"

    @mcp.tool()
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        """Ask with a default for each type."""
        return f"Elicitation completed: {await asked(ctx, 'Who are you?', Defaults)}"

    @mcp.tool()
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        """Ask for choices of each form."""
        return f"Elicitation completed: {await asked(ctx, 'Choose', Choices)}"


def form(message: str, **fields: str) -> types.ElicitRequest:
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": list(fields),
    }
    return types.ElicitRequest(
        params=types.ElicitRequestFormParams(message=message, requested_schema=schema)
    )


def sample() -> types.CreateMessageRequest:
    message = types.SamplingMessage(role="user", content=words("What is the capital of France?"))
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[message], max_tokens=100)
    )


def replied(ctx: Context, key: str) -> dict[str, Any]:
    """What the client sent back under a key; nothing where it sent none or no use of it."""
    found = (ctx.input_responses or {}).get(key)
    return found.model_dump(mode="json", by_alias=True) if found is not None else {}


def need(state: str | None = None, /, **requests: Any) -> types.InputRequiredResult:
    return types.InputRequiredResult(input_requests=requests or None, request_state=state)


def rounds(mcp: MCPServer) -> None:  # noqa: C901 (a list of tools)
    """What asks by answering: the client calls again with what was asked for (2026-07-28)."""

    @mcp.tool(structured_output=False)
    async def test_input_required_result_elicitation(ctx: Context) -> Any:
        """Ask for a name, then greet."""
        name = (replied(ctx, "user_name").get("content") or {}).get("name")
        if not isinstance(name, str):
            return need(user_name=form("What is your name?", name="string"))
        return f"Hello, {name}!"

    @mcp.tool(structured_output=False)
    async def test_input_required_result_sampling(ctx: Context) -> Any:
        """Ask the client's model, then repeat it."""
        found = replied(ctx, "capital_question")
        return json.dumps(found) if found else need(capital_question=sample())

    @mcp.tool(structured_output=False)
    async def test_input_required_result_list_roots(ctx: Context) -> Any:
        """Ask for the client's roots, then repeat them."""
        found = replied(ctx, "client_roots")
        return json.dumps(found) if found else need(client_roots=types.ListRootsRequest())

    async def confirmed(ctx: Context) -> Any:
        if ctx.request_state == "first" and replied(ctx, "confirm"):
            return "state-ok"
        return need("first", confirm=form("Please confirm", ok="boolean"))

    @mcp.tool(structured_output=False)
    async def test_input_required_result_request_state(ctx: Context) -> Any:
        """Carry a state between two calls."""
        return await confirmed(ctx)

    @mcp.tool(structured_output=False)
    async def test_input_required_result_tampered_state(ctx: Context) -> Any:
        """Carry a state that nobody may change."""
        return await confirmed(ctx)

    @mcp.tool(structured_output=False)
    async def test_input_required_result_multiple_inputs(ctx: Context) -> Any:
        """Ask three things at once."""
        if all(replied(ctx, key) for key in ("user_name", "greeting", "client_roots")):
            return "all three"
        return need(
            "three",
            user_name=form("What is your name?", name="string"),
            greeting=sample(),
            client_roots=types.ListRootsRequest(),
        )

    @mcp.tool(structured_output=False)
    async def test_input_required_result_multi_round(ctx: Context) -> Any:
        """Ask one thing, then another."""
        if ctx.request_state == "two" and replied(ctx, "step2"):
            return "both"
        if ctx.request_state == "one" and replied(ctx, "step1"):
            return need("two", step2=form("Step 2: What is your favorite color?", color="string"))
        return need("one", step1=form("Step 1: What is your name?", name="string"))

    @mcp.tool(structured_output=False)
    async def test_input_required_result_capabilities(ctx: Context) -> Any:
        """Ask only for what the client can do."""
        can = ctx.client_capabilities
        wanted: dict[str, Any] = {}
        if can is not None and can.sampling is not None:
            wanted["greeting"] = sample()
        if can is not None and can.elicitation is not None:
            wanted["user_name"] = form("What is your name?", name="string")
        return need(**wanted) if wanted else "nothing to ask"

    @mcp.tool(structured_output=False)
    async def test_streaming_elicitation(ctx: Context) -> Any:
        """Ask for a name."""
        return need(user_name=form("What is your name?", name="string"))

    @mcp.tool(structured_output=False)
    async def test_missing_capability(ctx: Context) -> Any:
        """Need a client that can sample."""
        from mcp.shared.exceptions import MCPError

        can = ctx.client_capabilities
        if can is None or can.sampling is None:
            raise MCPError(
                types.MISSING_REQUIRED_CLIENT_CAPABILITY,
                "this tool needs sampling",
                {"requiredCapabilities": {"sampling": {}}},
            )
        return "it can"


def readable(mcp: MCPServer) -> None:
    import base64

    @mcp.resource("test://static-text", mime_type="text/plain")
    async def static_text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @mcp.resource("test://static-binary", mime_type="image/png")
    async def static_binary() -> bytes:
        """An image."""
        return base64.b64decode(DOT)

    @mcp.resource("test://watched-resource", mime_type="text/plain")
    async def watched() -> str:
        """A text that may be watched."""
        return "Watched resource content"

    @mcp.resource("test://template/{id}/data", mime_type="application/json")
    async def template(id: str) -> str:
        """What a template gives for an id."""
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    async def nothing(ctx: Any, params: Any) -> types.EmptyResult:
        return types.EmptyResult()

    low = mcp._lowlevel_server
    low.add_request_handler("logging/setLevel", types.SetLevelRequestParams, nothing)
    low.add_request_handler("resources/subscribe", types.SubscribeRequestParams, nothing)
    low.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, nothing)

    @mcp.completion()
    async def completed(ref: Any, argument: Any, context: Any) -> types.Completion:
        return types.Completion(values=["paris"], total=1, has_more=False)


def prompts(mcp: MCPServer) -> None:
    @mcp.prompt()
    async def test_simple_prompt() -> str:
        """Without arguments."""
        return "This is a simple prompt for testing."

    @mcp.prompt()
    async def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """With two."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @mcp.prompt()
    async def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
        """With a resource inside."""
        text = "Embedded resource content for testing."
        inside = embedded(resourceUri, "text/plain", text)
        return [UserMessage(inside), UserMessage(words("Please process the resource above."))]

    @mcp.prompt()
    async def test_prompt_with_image() -> list[UserMessage]:
        """With an image."""
        image = types.ImageContent(type="image", data=DOT, mime_type="image/png")
        return [UserMessage(image), UserMessage(words("Please analyze the image above."))]

    @mcp.prompt()
    async def test_input_required_result_prompt(ctx: Context) -> Any:
        """Ask for a context first."""
        found = (replied(ctx, "user_context").get("content") or {}).get("context")
        if found is None:
            return need(user_context=form("What context should the prompt use?", context="string"))
        return f"In the context of {found}."
