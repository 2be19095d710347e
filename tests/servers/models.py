"""A loopback server that speaks what models' vendors speak, with a mind that a test chooses.

    with ModelServer(mind) as server:
        model = open_model("openai/gpt-5.4", url=server.at("openai"), ...)

It knows OpenAI's chat completions and responses (so also Ollama and whatever is compatible),
Anthropic's messages, Google's generateContent and Cohere's v2 chat, well enough for their own
clients. A mind gets an `Asked` and gives the answer's data, a text, or an `Answer` of HTTP. In
`asked` lies everything that came, `server.requests` as raw bytes.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer


@dataclass(frozen=True)
class Asked:
    """What a model was asked, whatever the wire form."""

    vendor: str
    model: str
    system: str
    prompt: str  # all that is not system, in order
    schema: dict[str, Any]  # of the answer wanted
    title: str  # its name
    limit: int  # tokens that the answer may take
    request: Request
    tools: int = 0  # tools offered besides the one that is the answer's shape

    @property
    def text(self) -> str:
        return f"{self.system}\n{self.prompt}"


Mind = Callable[[Asked], Any]


@dataclass(eq=False)
class ModelServer:
    """`mind` answers; `latency` seconds pass first; `tokens` is what each answer says it took."""

    mind: Mind
    latency: float = 0.0
    tokens: tuple[int, int] | None = None  # default: by the size of request and answer
    asked: list[Asked] = field(default_factory=list)
    most: int = 0  # calls at once
    running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    server: RestServer | None = None

    def __enter__(self) -> Self:
        self.server = RestServer(self.answer)
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        assert self.server
        self.server.__exit__(*exc)

    @property
    def requests(self) -> list[Request]:
        assert self.server
        return self.server.requests

    def at(self, vendor: str) -> str:
        """The address to give to a vendor's client."""
        assert self.server
        return f"{self.server.url}/v1" if vendor == "openai" else self.server.url

    def environment(self, vendor: str, key: str = "key-of-a-test") -> dict[str, str]:
        from infrascan.reason.model.names import VENDORS

        known = VENDORS[vendor]
        return {known.keys[0]: key, known.url_variable: self.at(vendor)}

    def answer(self, request: Request) -> Answer:
        wire = next((w for pattern, w in WIRES if re.search(pattern, request.path)), None)
        if wire is None or request.method != "POST":
            return json_answer({"error": {"message": f"no {request.path} here"}}, 404)
        asked = wire.read(request)
        with self.lock:
            self.asked.append(asked)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            time.sleep(self.latency)
            said = self.mind(asked)
        finally:
            with self.lock:
                self.running -= 1
        if isinstance(said, Answer):
            return said
        text = said if isinstance(said, str) else json.dumps(said)
        taken = self.tokens or (len(request.seen.body) // 4, len(text) // 4 + 1)
        return json_answer(wire.write(asked, said, text, taken))


def text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("parts") or "")
    return "\n".join(text_of(part) for part in content or ())


def spoken(messages: list[Any], role: Callable[[str], bool]) -> str:
    return "\n".join(
        text_of(m.get("content") or m.get("parts")) for m in messages if role(m.get("role", ""))
    )


def schema_in(text: str) -> dict[str, Any]:
    """The JSON schema that a prompt holds, for those ways of asking that put it there."""
    for start in (m.start() for m in re.finditer(r"\{", text)):
        try:
            found, _ = json.JSONDecoder().raw_decode(text, start)
        except json.JSONDecodeError:
            continue
        if isinstance(found, dict) and "properties" in found:
            return found
    return {}


class OpenAIChat:
    @staticmethod
    def read(request: Request) -> Asked:
        body = request.json
        system = spoken(body["messages"], lambda role: role in {"system", "developer"})
        prompt = spoken(body["messages"], lambda role: role not in {"system", "developer"})
        tools = body.get("tools") or []
        form = body.get("response_format") or {}
        if tools:
            schema = tools[0]["function"]["parameters"]
            title = tools[0]["function"]["name"]
        else:
            schema = (form.get("json_schema") or {}).get("schema") or schema_in(f"{system}{prompt}")
            title = (form.get("json_schema") or {}).get("name") or schema.get("title", "")
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        return Asked(
            "openai",
            body["model"],
            system,
            prompt,
            schema,
            title,
            limit,
            request,
            max(0, len(tools) - 1),
        )

    @staticmethod
    def write(asked: Asked, said: Any, text: str, taken: tuple[int, int]) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if asked.request.json.get("tools") and not isinstance(said, str):
            call = {"name": asked.title, "arguments": text}
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
            }
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": asked.model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {
                "prompt_tokens": taken[0],
                "completion_tokens": taken[1],
                "total_tokens": sum(taken),
            },
        }


class OpenAIResponses:
    @staticmethod
    def read(request: Request) -> Asked:
        body = request.json
        items = body.get("input") or []
        items = [{"role": "user", "content": items}] if isinstance(items, str) else items
        system = text_of(body.get("instructions") or "") + spoken(
            items, lambda role: role in {"system", "developer"}
        )
        prompt = spoken(items, lambda role: role not in {"system", "developer"})
        tools = body.get("tools") or [{}]
        return Asked(
            "openai",
            body["model"],
            system,
            prompt,
            tools[0].get("parameters", {}),
            tools[0].get("name", ""),
            body.get("max_output_tokens") or 0,
            request,
            len(tools) - 1,
        )

    @staticmethod
    def write(asked: Asked, said: Any, text: str, taken: tuple[int, int]) -> Any:
        call: dict[str, Any] = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": asked.title,
            "arguments": text,
            "status": "completed",
        }
        if isinstance(said, str):
            part = {"type": "output_text", "text": text, "annotations": []}
            call = {
                "type": "message",
                "id": "m_1",
                "role": "assistant",
                "status": "completed",
                "content": [part],
            }
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "model": asked.model,
            "output": [call],
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": taken[0],
                "output_tokens": taken[1],
                "total_tokens": sum(taken),
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }


class Anthropic:
    @staticmethod
    def read(request: Request) -> Asked:
        body = request.json
        tools = body.get("tools") or []
        system = text_of(body.get("system") or "")
        prompt = spoken(body["messages"], lambda role: True)
        schema = tools[0]["input_schema"] if tools else schema_in(f"{system}{prompt}")
        title = tools[0]["name"] if tools else schema.get("title", "")
        return Asked(
            "anthropic",
            body["model"],
            system,
            prompt,
            schema,
            title,
            body["max_tokens"],
            request,
            max(0, len(tools) - 1),
        )

    @staticmethod
    def write(asked: Asked, said: Any, text: str, taken: tuple[int, int]) -> Any:
        block: dict[str, Any] = {"type": "text", "text": text}
        if asked.request.json.get("tools") and not isinstance(said, str):
            block = {"type": "tool_use", "id": "toolu_1", "name": asked.title, "input": said}
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [block],
            "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": taken[0], "output_tokens": taken[1]},
        }


class Google:
    @staticmethod
    def read(request: Request) -> Asked:
        body = request.json
        system = text_of((body.get("systemInstruction") or {}).get("parts") or "")
        prompt = "\n".join(text_of(c.get("parts")) for c in body["contents"])
        tools = [f for t in body.get("tools") or [] for f in t.get("functionDeclarations", [])]
        settings = body.get("generationConfig") or {}
        schema = (
            (tools[0].get("parameters") or tools[0].get("parametersJsonSchema"))
            if tools
            else settings.get("responseSchema") or settings.get("responseJsonSchema") or {}
        )
        title = tools[0]["name"] if tools else (schema or {}).get("title", "")
        model = re.search(r"models/([^:]+):", request.path)
        assert model
        return Asked(
            "google",
            model[1],
            system,
            prompt,
            schema or {},
            title,
            settings.get("maxOutputTokens") or 0,
            request,
            max(0, len(tools) - 1),
        )

    @staticmethod
    def write(asked: Asked, said: Any, text: str, taken: tuple[int, int]) -> Any:
        part: dict[str, Any] = {"text": text}
        if asked.request.json.get("tools") and not isinstance(said, str):
            part = {"functionCall": {"name": asked.title, "args": said}}
        return {
            "candidates": [
                {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [part]}}
            ],
            "modelVersion": asked.model,
            "usageMetadata": {
                "promptTokenCount": taken[0],
                "candidatesTokenCount": taken[1],
                "totalTokenCount": sum(taken),
            },
        }


class Cohere:
    @staticmethod
    def read(request: Request) -> Asked:
        body = request.json
        system = spoken(body["messages"], lambda role: role == "system")
        prompt = spoken(body["messages"], lambda role: role != "system")
        form = body.get("response_format") or {}
        schema = form.get("schema") or form.get("json_schema") or schema_in(f"{system}{prompt}")
        return Asked(
            "cohere",
            body["model"],
            system,
            prompt,
            schema,
            schema.get("title", ""),
            body.get("max_tokens") or 0,
            request,
        )

    @staticmethod
    def write(asked: Asked, said: Any, text: str, taken: tuple[int, int]) -> Any:
        return {
            "id": "c-1",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": text}]},
            "usage": {
                "billed_units": {"input_tokens": taken[0], "output_tokens": taken[1]},
                "tokens": {"input_tokens": taken[0], "output_tokens": taken[1]},
            },
        }


WIRES: tuple[tuple[str, Any], ...] = (
    (r"/chat/completions$", OpenAIChat),
    (r"/responses$", OpenAIResponses),
    (r"/v1/messages$", Anthropic),
    (r":generateContent$", Google),
    (r"/v2/chat$", Cohere),
)
