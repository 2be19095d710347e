// Data blocks: base64 of zlib-compressed JSON in inert script elements.

const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const CATEGORIES = ["security", "reliability", "cost"];

async function unpack(element) {
  const packed = atob(element.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i += 1) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

const blocks = (name) => [...document.querySelectorAll(`script[data-block="${name}"]`)];

// All findings as columns, in the order of the report: the worst first.
async function load() {
  const [known] = await Promise.all(blocks("dictionaries").map(unpack));
  const total = known.total;
  const findings = {
    total,
    texts: known.texts,
    places: known.places,
    text: new Uint32Array(total),
    place: new Uint32Array(total),
    cost: new Float64Array(total),
    saving: new Float64Array(total),
    name: [],
    details: detailReader(known.detail),
  };
  let at = 0;
  for (const block of blocks("index")) {
    const part = await unpack(block);
    for (const column of ["text", "place", "cost", "saving"]) findings[column].set(part[column], at);
    for (const name of part.name) findings.name.push(name);
    at += part.name.length;
  }
  return findings;
}

// Reads the details of one finding; keeps the last few blocks it unpacked.
function detailReader(size) {
  const elements = blocks("detail");
  const kept = new Map();
  return async (finding) => {
    const place = Math.floor(finding / size);
    let block = kept.get(place);
    if (!block) {
      block = unpack(elements[place]);
      kept.set(place, block);
      if (kept.size > 8) kept.delete(kept.keys().next().value);
    }
    const [evidence, command, id, cost, saving, note, counted] = (await block)[finding % size];
    return { evidence, command, id, cost, saving, note, counted };
  };
}
