// What the page does: theme, print and keys at once, the list when all findings are there.

const byId = (id) => document.getElementById(id);
const root = document.documentElement;
const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  if (theme === "system") root.removeAttribute("data-theme");
  else root.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
}

function remembered(theme) {
  try {
    if (theme) localStorage.setItem("infrascan-theme", theme);
    return localStorage.getItem("infrascan-theme");
  } catch {
    return null; // a file:// page may have no storage
  }
}

function controls(findings, list) {
  const asked = query(findings);
  const filter = structuredClone(NOTHING);
  let column = "severity";
  let descending = false;

  const COLUMNS = { severity: "Severity", title: "Finding", name: "Resource", place: "Where", saving: "Saving" };

  function update() {
    const found = asked.run(filter, column, descending);
    list.show(found);
    const kept = found.length === findings.total;
    byId("status").textContent = kept
      ? `${numbers.format(found.length)} ${found.length === 1 ? "finding" : "findings"}.`
      : `${numbers.format(found.length)} of ${numbers.format(findings.total)} findings.`;
    byId("clear").hidden = JSON.stringify(filter) === JSON.stringify(NOTHING);
    byId("check").hidden = !filter.rule;
    if (filter.rule) {
      const text = findings.texts.find((t) => t.rule === filter.rule);
      byId("check").textContent = `Check: ${text ? text.title : filter.rule} ×`;
    }
    for (const field of ["severity", "category"]) {
      const counts = asked.tally(filter, field);
      for (const button of byId(field).querySelectorAll("button")) {
        button.setAttribute("aria-pressed", filter[field].includes(button.value));
        button.lastChild.textContent = numbers.format(counts.get(button.value) ?? 0);
      }
    }
    for (const th of document.querySelectorAll("#list th[data-sort]")) {
      if (th.dataset.sort !== column) th.removeAttribute("aria-sort");
      else th.setAttribute("aria-sort", descending ? "descending" : "ascending");
    }
    byId("sort").value = column;
  }

  function sortBy(name) {
    // The order of the column "saving" starts with the largest: that is what one looks for.
    descending = name === column ? !descending : false;
    column = name;
    update();
  }

  function toggles(field, values) {
    for (const value of values) {
      const button = make("button", { type: "button", class: "toggle", value, "aria-pressed": "false" }, value, make("span"));
      button.addEventListener("click", () => {
        filter[field] = filter[field].includes(value) ? filter[field].filter((v) => v !== value) : [...filter[field], value];
        update();
      });
      byId(field).append(button);
    }
  }

  function select(field, values) {
    byId(field).append(make("option", { value: "" }, "all"), ...values.map((value) => make("option", { value }, short(value, 60))));
    byId(field).addEventListener("change", (event) => {
      filter[field] = event.target.value;
      update();
    });
  }

  function reset() {
    Object.assign(filter, structuredClone(NOTHING));
    byId("search").value = "";
    for (const field of ["provider", "account", "kind"]) byId(field).value = "";
    update();
  }

  toggles("severity", SEVERITIES);
  toggles("category", CATEGORIES);
  select("provider", asked.providers);
  select("account", asked.accounts);
  select("kind", asked.kinds);
  for (const [value, title] of Object.entries(COLUMNS)) byId("sort").append(make("option", { value }, title));
  byId("sort").addEventListener("change", (event) => {
    descending = false;
    column = event.target.value;
    update();
  });
  for (const th of document.querySelectorAll("#list th[data-sort]")) {
    const button = make("button", { type: "button" }, th.textContent);
    button.addEventListener("click", () => sortBy(th.dataset.sort));
    th.replaceChildren(button);
  }
  let waiting;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      filter.search = event.target.value;
      update();
    }, 120);
  });
  byId("clear").addEventListener("click", () => {
    reset();
    byId("search").focus();
  });
  byId("check").addEventListener("click", () => {
    filter.rule = "";
    update();
    byId("search").focus();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.filter");
    if (!button) return;
    reset();
    filter.rule = button.dataset.rule;
    update();
    byId("findings").scrollIntoView();
    byId("findings").focus({ preventScroll: true });
  });
  update();
  return { clearSearch() {
    clearTimeout(waiting);
    byId("search").value = "";
    filter.search = "";
    update();
  } };
}

function keys(list, panel) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (event.target === byId("search")) {
        panel.clearSearch();
        byId("search").blur();
      } else list.closeCurrent();
      return;
    }
    if (typing) return;
    const action = {
      "/": () => byId("search").focus(),
      j: () => list.step(1),
      k: () => list.step(-1),
      c: () => list.copyCurrent(),
      "[": () => list.turnBy(-1),
      "]": () => list.turnBy(1),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

async function start() {
  if (!byId("list")) return;
  const findings = await load();
  const list = listView(findings);
  const panel = controls(findings, list);
  keys(list, panel);
  window.addEventListener("beforeprint", () => list.print(true));
  window.addEventListener("afterprint", () => list.print(false));
}

setTheme(THEMES.includes(remembered()) ? remembered() : "system");
byId("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
  remembered(next);
  setTheme(next);
});
byId("print").addEventListener("click", () => window.print());
byId("help").addEventListener("click", () => byId("keys").showModal());
document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !event.target.closest("input, select, textarea") && !byId("keys").open) byId("keys").showModal();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (button) copy(button.parentElement.querySelector("code").textContent, button);
});
document.addEventListener("DOMContentLoaded", async () => {
  // Without streams that decompress, the page stays what it is without a script.
  if ("DecompressionStream" in window) {
    root.dataset.script = "yes";
    await start();
  }
  root.dataset.ready = "yes";
  performance.mark("infrascan-usable");
});
