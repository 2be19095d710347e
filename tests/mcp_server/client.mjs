// The Node SDK against the server: list, call with progress, cancel a running call.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const client = new Client({ name: "node", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
const tools = (await client.listTools()).tools.map((tool) => tool.name);

let progress = 0;
const answer = await client.callTool(
  { name: "deep_research", arguments: { demo: true, limit: 5 } },
  undefined,
  { onprogress: () => { progress += 1; } },
);

const abort = new AbortController();
let cancelled = false;
try {
  await client.callTool({ name: "deep_research", arguments: { demo: true } }, undefined, {
    signal: abort.signal,
    onprogress: () => abort.abort(),
  });
} catch {
  cancelled = true;
}
const after = await client.callTool({ name: "infrascan_version", arguments: {} });
console.log(JSON.stringify({
  tools,
  findings: answer.structuredContent.findings.length,
  progress,
  cancelled: cancelled && !after.isError,
}));
await client.close();
