// Elements. Text from the data enters as text nodes only; addresses must be http or https.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== ""));
  return element;
}

const numbers = new Intl.NumberFormat("en-US");
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const dollars = (amount) => `$${amount >= 100 ? numbers.format(Math.round(amount)) : cents.format(amount)}`;
const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const short = (text, limit) =>
  text.length <= limit ? text : `${text.slice(0, limit - Math.floor(limit / 3) - 1)}…${text.slice(-Math.floor(limit / 3))}`;
const chip = (severity) => make("span", { class: `chip ${severity}` }, capital(severity));

function announce(message) {
  document.getElementById("said").textContent = message;
}

async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { readonly: true, class: "spoken" });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button?.focus();
  }
  announce(done ? "Command copied" : "The browser refused to copy");
  if (button) {
    button.textContent = done ? "Copied" : "Failed";
    setTimeout(() => (button.textContent = "Copy"), 1600);
  }
}

function commandBox(command, name) {
  const button = make("button", { type: "button", class: "copy", "aria-label": `Copy the command for ${short(name, 60)}` }, "Copy");
  return make("div", { class: "command" }, make("code", {}, command), button);
}

function factsTable(evidence) {
  const rows = evidence.map(([path, value]) =>
    make("tr", { role: "row" }, make("td", { role: "cell" }, make("code", {}, path)), make("td", { role: "cell" }, make("code", {}, value))),
  );
  const head = ["Field", "Value"].map((title) => make("th", { scope: "col", role: "columnheader" }, title));
  return make(
    "table",
    { class: "facts-table", role: "table" },
    make("caption", { class: "spoken" }, "Evidence"),
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)),
    make("tbody", { role: "rowgroup" }, ...rows),
  );
}

function detailBody(text, detail, name, cost, saving) {
  const body = make("div", { class: "detail-body" }, make("p", {}, text.why));
  const section = (title, ...children) => body.append(make("h3", {}, title), ...children);
  if (detail.evidence.length) section("Evidence", factsTable(detail.evidence));
  section("Fix", make("p", {}, text.fix));
  if (detail.command) body.append(commandBox(detail.command, name));
  const money = [];
  if (cost) money.push(`Costs ${dollars(cost)} a month: ${detail.cost}`);
  if (saving) money.push(`Saves ${dollars(saving)} a month: ${detail.saving}`);
  if (saving && !detail.counted) money.push("Not counted in the total: a larger saving on the same resource is.");
  if (detail.note) money.push(detail.note);
  if (money.length) section("Money", ...money.map((line) => make("p", {}, line)));
  if (text.controls.length) {
    const tags = text.controls.flatMap(([framework, ids]) => ids.map((id) => make("li", {}, `${framework} ${id}`)));
    section("Controls", make("ul", { class: "tags" }, ...tags));
  }
  const links = text.references.filter((url) => /^https?:\/\//.test(url));
  if (links.length) {
    section("References", ...links.map((url) => make("p", {}, make("a", { href: url, rel: "noopener noreferrer" }, url))));
  }
  section("Resource", make("p", {}, make("code", {}, detail.id), " ", make("span", { class: "muted" }, text.kind)));
  return body;
}
