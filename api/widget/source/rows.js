// All rows of a page ask in one request.

const WAIT_MS = 50;
const TIMEOUT_MS = 1e4;
const MOST_ROWS = 20;
const rows = new Set(); // those on the page
let timer;

// Ids with spaces come as a JSON array.
const toIds = (ids) => (/^\s*\[/.test(ids) ? JSON.parse(ids) : (ids?.match(/\S+/g) ?? []));

// The request of a row; undefined where it wants a customer or a product and there is none.
const requestOf = (row) => {
  const of = (name) => row.getAttribute(name) || undefined;
  const list = of("list");
  const person = customer();
  const exclude = toIds(of("exclude"));
  const wanted = {};
  for (const name of ["limit", "placement", "category", "fallback", "mix", "due-within"])
    if (of(name)) wanted[name.replace("-", "_")] = of(name);
  if (list === "cart" || (list === "for-you" && !person)) {
    const { mix, due_within, limit, ...others } = wanted;
    const who = person ? { customer_id: person } : { session_id: kept.session };
    const body = { placement: list === "cart" ? list : "home", ...others, exclude, cart: toIds(of("cart")), ...who };
    return { path: "/v1/recommendations", body: { ...body, limit: +limit || undefined } };
  }
  const query = new URLSearchParams(wanted);
  for (const id of exclude) query.append("exclude", id);
  const personal = { "buy-again": list, "for-you": "recommendations" }[list];
  const [kind, id] = personal ? ["customers", person] : ["products", of("product")];
  const path = list === "popular" ? list : id && `${kind}/${encodeURIComponent(id)}/${personal ?? list}`;
  return path && { path: `/v1/${path}?${query}` };
};

const ask = async () => {
  timer = undefined;
  const due = [...rows].filter((row) => row.due).sort((a, b) => (a.compareDocumentPosition(b) & 4 ? -1 : 1));
  const asking = [];
  const requests = [];
  for (const row of due.slice(0, MOST_ROWS)) {
    row.due = false;
    try {
      const request = requestOf(row);
      if (request) asking.push([row, row.turn, requests.push(request)]);
      else row.show({ items: [] });
    } catch (error) {
      row.fail({ error });
    }
  }
  wake();
  if (!requests.length) return;
  let answer;
  let found;
  try {
    answer = await post("/v1/batch", { requests, distinct: true }, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    found = await answer.json();
    const ms = Date.parse(answer.headers.get("Date")) - Date.now();
    behind = Math.abs(ms) > 6e4 ? ms : 0;
  } catch (error) {
    found = error;
  }
  for (const [row, turn, number] of asking) {
    if (!rows.has(row)) row.due = true; // it asks again where it comes back
    if (row.turn !== turn || !rows.has(row)) continue; // it has another question by now
    const { status, body } = found?.responses?.[number - 1] ?? { status: found?.status, body: found };
    try {
      if (status !== 200) throw body;
      row.show(body, answer.headers.get("Content-Language") ?? "en");
    } catch (error) {
      row.fail({ status, error });
    }
    if (status === 401 && found.responses) refuseToken();
  }
};

// All that are due ask as soon as one of them is nearly seen.
const wake = () => {
  if (allowed && [...rows].some((row) => row.due && row.near)) timer ??= setTimeout(ask, WAIT_MS);
};

const askAnew = () => rows.forEach((row) => row.want());
