// Checks of the HTML report in Chromium: node browser.mjs NODE CHROMIUM CHECK URL [ARGUMENT...]
// Prints the answer of the check as JSON. Any request beyond the file, console message or page
// error makes it fail, whatever the check.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [node, executablePath, name, url, ...rest] = process.argv.slice(2);
const require = createRequire(`${node}/`);
const { chromium } = require("playwright-core");

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const complaints = [];

async function open(browser, options = {}) {
  const { width = 1280, height = 900, address = url, ...context } = options;
  const made = await browser.newContext({ viewport: { width, height }, ...context });
  const page = await made.newPage();
  page.on("console", (m) => complaints.push(`console ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`error: ${e.message}`));
  page.on("dialog", (d) => complaints.push(`dialog: ${d.message()}`));
  page.on("request", (r) => r.url() === address || complaints.push(`request: ${r.url()}`));
  await page.goto(address);
  if (context.javaScriptEnabled !== false) await page.waitForSelector("html[data-ready=yes]");
  return page;
}

const rows = (page) => page.locator("#list .row").count();
const status = (page) => page.$eval("body", () => document.getElementById("status")?.textContent ?? "");
const column = (page, nth) =>
  page.$$eval("#list .row", (all, n) => all.map((tr) => tr.children[n].innerText.split("\n")[0].trim()), nth);

async function settled(page, text) {
  await page.waitForFunction((t) => document.getElementById("status").textContent.includes(t), text);
}

// What axe-core says of the page with a finding and every fold open.
async function violations(browser, options) {
  const page = await open(browser, options);
  await page.locator("#list .open").first().click();
  await page.waitForSelector(".detail-body");
  for (const summary of await page.locator("details > summary").all()) await summary.click();
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations: all, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  await page.context().close();
  return {
    passes: passes.length,
    violations: all.map((v) => `${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + n.failureSummary).join("; ")}`),
  };
}

const checks = {
  // Opens without complaint, and says how much of it there is.
  async opens(browser) {
    const page = await open(browser);
    return { rows: await rows(page), status: await status(page), title: await page.title() };
  },

  async filters(browser) {
    const page = await open(browser);
    const all = await status(page);
    await page.click("#severity button[value=critical]");
    const critical = { status: await status(page), shown: [...new Set(await column(page, 0))] };
    await page.click("#severity button[value=high]");
    const both = [...new Set(await column(page, 0))];
    await page.click("#clear");
    assert.equal(await status(page), all);
    await page.click("#category button[value=cost]");
    const cost = await page.$$eval("#list th .sub", (all) => [...new Set(all.map((e) => e.textContent.split(" ")[0]))]);
    await page.click("#clear");
    await page.selectOption("#provider", "k8s");
    const k8s = [...new Set((await column(page, 3)).map((w) => w.split(" ")[0]))];
    await page.selectOption("#account", "staging");
    const staging = [...new Set(await column(page, 3))];
    await page.click("#clear");
    await page.selectOption("#kind", "aws.rds.db_instance");
    const kind = await page.$$eval("#list .name + .sub", (all) => [...new Set(all.map((e) => e.textContent))]);
    return { all, critical, both, cost, k8s, staging, kind };
  },

  async search(browser, word, few) {
    const page = await open(browser);
    const all = await status(page);
    await page.keyboard.press("/");
    await page.keyboard.type(word);
    await settled(page, " of ");
    const found = { status: await status(page), names: await column(page, 2) };
    await page.fill("#search", few);
    await settled(page, "0 of");
    const empty = await page.locator("#list .empty").textContent();
    await page.keyboard.press("Escape");
    await settled(page, all);
    return { all, found, empty, search: await page.inputValue("#search") };
  },

  async sorts(browser) {
    const page = await open(browser);
    const read = async (sort, nth) => {
      await page.click(`#list th[data-sort=${sort}] button`);
      const up = [await page.getAttribute(`#list th[data-sort=${sort}]`, "aria-sort"), await column(page, nth)];
      await page.click(`#list th[data-sort=${sort}] button`);
      const down = [await page.getAttribute(`#list th[data-sort=${sort}]`, "aria-sort"), await column(page, nth)];
      assert.equal(await page.locator("#list th[aria-sort]").count(), 1);
      return { up, down };
    };
    return { name: await read("name", 2), saving: await read("saving", 4), title: await read("title", 1) };
  },

  async pages(browser) {
    const page = await open(browser);
    const first = await column(page, 2);
    await page.click("#pages button:has-text('Next')");
    const second = await column(page, 2);
    await page.keyboard.press("[");
    assert.deepEqual(await column(page, 2), first);
    await page.click("#pages button:has-text('Last')");
    const last = { rows: await rows(page), place: await page.locator("#pages span").textContent() };
    await page.locator("#list .open").last().click();
    const body = await page.locator(".detail-body").innerText();
    return { overlap: first.filter((n) => second.includes(n)).length, last, body };
  },

  async opened(browser) {
    const page = await open(browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.locator("#list .open").first().click();
    await page.waitForSelector(".detail-body");
    const facts = await page.$$eval(".facts-table tbody tr", (all) => all.map((tr) => [...tr.cells].map((c) => c.textContent)));
    const shown = await page.locator(".detail-body .command code").textContent();
    await page.click(".detail-body .copy");
    await page.waitForFunction(() => document.getElementById("said").textContent !== "");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const links = await page.$$eval(".detail-body a", (all) => all.map((a) => a.href));
    return { facts, shown, copied, links, said: await page.locator("#said").textContent() };
  },

  async keyboard(browser) {
    const page = await open(browser, { permissions: ["clipboard-read", "clipboard-write"] });
    const focused = () => page.evaluate(() => document.activeElement.closest(".row")?.dataset.row ?? document.activeElement.id);
    const seen = {};
    await page.keyboard.press("j");
    seen.j = await focused();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    seen.jjjk = await focused();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".detail-body");
    seen.open = await page.getAttribute("#list .current .open", "aria-expanded");
    await page.keyboard.press("c");
    await page.waitForFunction(() => document.getElementById("said").textContent !== "");
    seen.copied = await page.evaluate(() => navigator.clipboard.readText());
    await page.keyboard.press("Escape");
    seen.closed = await page.getAttribute("#list .current .open", "aria-expanded");
    seen.details = await page.locator(".detail-body").count();
    for (let i = 0; i < 50; i += 1) await page.keyboard.press("j");
    seen.next = await page.locator("#pages span").textContent();
    await page.keyboard.press("?");
    seen.help = await page.evaluate(() => document.getElementById("keys").open);
    await page.keyboard.press("Escape");
    seen.helpClosed = await page.evaluate(() => !document.getElementById("keys").open);
    await page.keyboard.press("/");
    seen.slash = await focused();
    await page.keyboard.type("jk");
    seen.typed = await page.inputValue("#search");
    return seen;
  },

  async rule(browser) {
    const page = await open(browser);
    await page.click("#checks summary");
    const button = page.locator("#checks button.filter").first();
    const title = await button.textContent();
    await button.click();
    const titles = [...new Set(await page.$$eval("#list .open", (all) => all.map((e) => e.textContent)))];
    await page.click("#check");
    return { title, titles, after: await status(page) };
  },

  async theme(browser) {
    const page = await open(browser, { colorScheme: "light" });
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const system = await paper();
    await page.click("#theme");
    const light = await paper();
    await page.click("#theme");
    const dark = await paper();
    await page.reload();
    await page.waitForSelector("html[data-ready=yes]");
    return { system, light, dark, kept: await paper() };
  },

  async printed(browser) {
    const page = await open(browser);
    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    const during = await rows(page);
    const pdf = await page.pdf();
    await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
    return { during, after: await rows(page), bytes: pdf.length };
  },

  async scriptless(browser) {
    const page = await open(browser, { javaScriptEnabled: false });
    const shown = (selector) => page.locator(selector).filter({ visible: true }).count();
    return {
      rows: await shown("#list .row"),
      details: await shown("#list .detail-body"),
      controls: await shown(".scripted"),
      status: await status(page),
      steps: await shown(".steps li"),
    };
  },

  // Widths at which something sticks out of the page.
  async widths(browser) {
    const page = await open(browser);
    await page.locator("#list .open").first().click();
    await page.waitForSelector(".detail-body");
    const wide = [];
    for (const width of [320, 390, 600, 760, 761, 1000, 1400]) {
      await page.setViewportSize({ width, height: 800 });
      const found = await page.evaluate(() => document.documentElement.scrollWidth);
      if (found > width) wide.push([width, found]);
    }
    return wide;
  },

  async axe(browser) {
    const found = {};
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1400, 390]) found[`${colorScheme} ${width}`] = await violations(browser, { colorScheme, width });
    }
    return found;
  },

  // Elements, and attributes that could run something: what hostile strings must not change.
  async shape(browser, ...others) {
    const found = [];
    for (const address of [url, ...others]) {
      const page = await open(browser, { address });
      const buttons = (await page.locator("#list .open").all()).slice(0, 3);
      for (const button of buttons) await button.click();
      await page.waitForFunction((n) => document.querySelectorAll(".detail-body").length === n, buttons.length);
      found.push(
        await page.evaluate(() => {
          const all = [...document.body.querySelectorAll("*")];
          const tags = {};
          for (const e of all) tags[e.localName] = (tags[e.localName] ?? 0) + 1;
          const handlers = all.flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith("on")));
          const links = [...document.links].map((a) => a.getAttribute("href")).filter((h) => !h.startsWith("#"));
          return { tags, handlers, links, text: document.body.innerText, hacked: globalThis.hacked ?? null };
        }),
      );
      await page.context().close();
    }
    return found;
  },

  async timing(browser) {
    await (await open(browser)).close();
    const page = await open(browser);
    const [parsed, usable, painted] = await page.evaluate(() => [
      performance.getEntriesByType("navigation")[0].domInteractive,
      performance.getEntriesByName("infrascan-usable")[0].startTime,
      performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    ]);
    const time = async (action) => {
      const before = performance.now();
      await action();
      return performance.now() - before;
    };
    const filter = await time(() => page.click("#severity button[value=low]"));
    const sort = await time(() => page.click("#list th[data-sort=name] button"));
    await page.click("#clear");
    const search = await time(async () => {
      await page.fill("#search", "orders-db");
      await page.waitForFunction(() => document.getElementById("status").textContent.includes(" of "));
    });
    const opening = await time(async () => {
      await page.locator("#list .open").first().click();
      await page.waitForSelector(".detail-body");
    });
    return { "first paint": painted, parsed, usable, filter, "sort by name": sort, "search (120 ms pause)": search, "open a finding": opening };
  },
};

const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  const answer = await checks[name](browser, ...rest);
  if (complaints.length) throw new Error(complaints.join("\n"));
  process.stdout.write(JSON.stringify(answer));
} finally {
  await browser.close();
}
