// Filtering and sorting over the columns. What many findings share is judged once.

const NOTHING = { search: "", severity: [], category: [], provider: "", account: "", kind: "", rule: "" };

function query(findings) {
  const { texts, places, text, place, name, saving, cost, total } = findings;
  const textWords = texts.map((t) => `${t.title} ${t.rule} ${t.kind} ${t.category}`.toLowerCase());
  const placeWords = places.map((p) => p.join(" ").toLowerCase());
  let lowered = null;
  const orders = new Map();

  function chosen(filter) {
    const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !lowered) lowered = name.map((n) => n.toLowerCase());
    const textFits = texts.map(
      (t) =>
        (!filter.severity.length || filter.severity.includes(t.severity)) &&
        (!filter.category.length || filter.category.includes(t.category)) &&
        (!filter.kind || filter.kind === t.kind) &&
        (!filter.rule || filter.rule === t.rule),
    );
    const placeFits = places.map(
      ([provider, account]) =>
        (!filter.provider || filter.provider === provider) &&
        (!filter.account || filter.account === account),
    );
    const inText = words.map((word) => textWords.map((w) => w.includes(word)));
    const inPlace = words.map((word) => placeWords.map((w) => w.includes(word)));
    return (f) => {
      if (!textFits[text[f]] || !placeFits[place[f]]) return false;
      for (let i = 0; i < words.length; i += 1) {
        if (!inText[i][text[f]] && !inPlace[i][place[f]] && !lowered[f].includes(words[i])) return false;
      }
      return true;
    };
  }

  const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const ranks = (values) => {
    const sorted = [...values.keys()].sort((a, b) => byText(values[a], values[b]));
    const rank = new Uint32Array(values.length);
    sorted.forEach((value, i) => (rank[value] = i && values[value] === values[sorted[i - 1]] ? rank[sorted[i - 1]] : i));
    return rank;
  };

  // The findings in the order of a column, ascending; made when first asked for.
  function order(column) {
    if (orders.has(column)) return orders.get(column);
    const all = Uint32Array.from({ length: total }, (_, i) => i);
    if (column === "title") {
      const rank = ranks(texts.map((t) => t.title.toLowerCase()));
      all.sort((a, b) => rank[text[a]] - rank[text[b]] || a - b);
    } else if (column === "place") {
      const rank = ranks(placeWords);
      all.sort((a, b) => rank[place[a]] - rank[place[b]] || a - b);
    } else if (column === "name") {
      lowered ??= name.map((n) => n.toLowerCase());
      all.sort((a, b) => byText(lowered[a], lowered[b]) || a - b);
    } else if (column === "saving") {
      all.sort((a, b) => saving[b] - saving[a] || cost[b] - cost[a] || a - b);
    }
    orders.set(column, all);
    return all;
  }

  function run(filter, column, descending) {
    const fits = chosen(filter);
    const found = order(column).filter(fits);
    return descending ? found.reverse() : found;
  }

  // How many findings each choice of a filter has, the other filters being as they are.
  function tally(filter, field) {
    const fits = chosen({ ...filter, [field]: NOTHING[field] });
    const counts = new Map();
    const value = { severity: (f) => texts[text[f]].severity, category: (f) => texts[text[f]].category }[field];
    for (let f = 0; f < total; f += 1) {
      if (fits(f)) counts.set(value(f), (counts.get(value(f)) ?? 0) + 1);
    }
    return counts;
  }

  const distinct = (values) => [...new Set(values)].sort(byText);
  return {
    run,
    tally,
    providers: distinct(places.map((p) => p[0])),
    accounts: distinct(places.map((p) => p[1])),
    kinds: distinct(texts.map((t) => t.kind)),
  };
}
