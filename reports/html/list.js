// The list: a page of rows at a time, however many findings there are.

const PAGE = 50;
const PRINTED = 500;

function listView(findings) {
  const table = document.getElementById("list");
  const body = table.tBodies[0];
  const pages = document.getElementById("pages");
  let shown = new Uint32Array();
  let page = 0;
  let size = PAGE;
  let current = -1; // the row with the cursor, on this page

  function money(f) {
    const saving = findings.saving[f];
    if (saving) return [make("span", { class: "saved" }, dollars(saving))];
    const cost = findings.cost[f];
    return cost ? [make("span", { class: "sub" }, `costs ${dollars(cost)}`)] : [];
  }

  function row(f, i) {
    const text = findings.texts[findings.text[f]];
    const place = findings.places[findings.place[f]].filter(Boolean).join(" · ");
    const open = make("button", { type: "button", class: "open", "aria-expanded": "false" }, text.title);
    const made = make(
      "tr",
      { class: "row", role: "row", "data-row": i },
      make("td", { role: "cell" }, chip(text.severity)),
      make("th", { scope: "row", role: "rowheader" }, open, make("span", { class: "sub" }, `${text.category} · ${text.rule}`)),
      make("td", { role: "cell" }, make("span", { class: "name" }, short(findings.name[f], 90)), make("span", { class: "sub" }, text.kind)),
      make("td", { role: "cell", class: "where" }, place),
      make("td", { role: "cell", class: "right" }, ...money(f)),
    );
    made.finding = f;
    return made;
  }

  function render() {
    const from = page * size;
    const part = [...shown.subarray(from, from + size)];
    current = -1;
    if (part.length) body.replaceChildren(...part.map(row));
    else body.replaceChildren(make("tr", { role: "row" }, make("td", { colspan: 5, role: "cell", class: "empty" }, "No finding fits these filters.")));
    const last = Math.max(0, Math.ceil(shown.length / size) - 1);
    const button = (label, to) => {
      const made = make("button", { type: "button", class: "quiet", disabled: to < 0 || to > last || to === page }, label);
      made.addEventListener("click", () => turn(to, true));
      return made;
    };
    const place = `${numbers.format(from + 1)}–${numbers.format(from + part.length)} of ${numbers.format(shown.length)}`;
    pages.hidden = last === 0;
    pages.replaceChildren(button("First", 0), button("Previous", page - 1), make("span", {}, place), button("Next", page + 1), button("Last", last));
  }

  function turn(to, announced) {
    const last = Math.max(0, Math.ceil(shown.length / size) - 1);
    if (to < 0 || to > last) return false;
    page = to;
    render();
    if (announced) {
      announce(`Page ${page + 1} of ${last + 1}`);
      document.getElementById("findings").focus({ preventScroll: true });
      table.scrollIntoView({ block: "start" });
    }
    return true;
  }

  async function toggle(tr) {
    const open = tr.querySelector(".open");
    const next = tr.nextElementSibling;
    if (open.getAttribute("aria-expanded") === "true") {
      next.remove();
      open.setAttribute("aria-expanded", "false");
      open.removeAttribute("aria-controls");
      return;
    }
    open.setAttribute("aria-expanded", "true");
    const f = tr.finding;
    const cell = make("td", { colspan: 5, role: "cell" });
    const id = `finding-${tr.dataset.row}`;
    tr.after(make("tr", { class: "detail", role: "row", id }, cell));
    open.setAttribute("aria-controls", id);
    const detail = await findings.details(f);
    tr.command = detail.command;
    cell.append(detailBody(findings.texts[findings.text[f]], detail, findings.name[f], findings.cost[f], findings.saving[f]));
  }

  function select(i) {
    const rows = body.querySelectorAll(".row");
    if (!rows.length) return;
    body.querySelector(".current")?.classList.remove("current");
    current = Math.min(Math.max(i, 0), rows.length - 1);
    rows[current].classList.add("current");
    rows[current].querySelector(".open").focus({ preventScroll: true });
    rows[current].scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const rows = body.querySelectorAll(".row").length;
    if (current + by >= rows && turn(page + 1)) select(0);
    else if (current + by < 0 && turn(page - 1)) select(PAGE);
    else select(current + by);
  }

  body.addEventListener("click", (event) => {
    const tr = event.target.closest(".row");
    if (!tr || window.getSelection()?.toString()) return;
    select(Number(tr.dataset.row));
    toggle(tr);
  });
  body.addEventListener("focusin", (event) => {
    const tr = event.target.closest(".row");
    if (!tr || Number(tr.dataset.row) === current) return;
    body.querySelector(".current")?.classList.remove("current");
    current = Number(tr.dataset.row);
    tr.classList.add("current");
  });

  return {
    step,
    turnBy: (by) => turn(page + by, true),
    show(found) {
      shown = found;
      page = 0;
      render();
    },
    copyCurrent() {
      const tr = body.querySelectorAll(".row")[current];
      if (tr) findings.details(tr.finding).then(({ command }) => (command ? copy(command) : announce("This finding has no command")));
    },
    closeCurrent() {
      const tr = body.querySelectorAll(".row")[current];
      if (tr?.querySelector(".open").getAttribute("aria-expanded") !== "true") return false;
      toggle(tr);
      return true;
    },
    print(starting) {
      size = starting ? PRINTED : PAGE;
      page = 0;
      render();
    },
  };
}
