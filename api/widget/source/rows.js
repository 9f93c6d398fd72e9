// All rows of a page ask in one request.

const WAIT_MS = 50;
const TIMEOUT_MS = 1e4;
const MOST_ROWS = 20;
const MOST_EXCLUDED = 100;
const rows = new Set(); // those on the page
let timer;

// Ids with spaces come as a JSON array.
const split = (ids) => (/^\s*\[/.test(ids) ? JSON.parse(ids) : (ids?.match(/\S+/g) ?? []));

// The request of a row beside others that show these products; undefined where it wants a customer and there is none.
const requestOf = (row, shown) => {
  const of = (name) => row.getAttribute(name) ?? undefined;
  const list = of("list");
  const person = customer();
  const exclude = [...split(of("exclude")), ...shown];
  if (list === "cart" || (list === "for-you" && !person)) {
    const body = {
      placement: of("placement") ?? (list === "cart" ? list : undefined) ?? "home",
      limit: +of("limit") || undefined,
      category: of("category"),
      fallback: of("fallback"),
      cart: split(of("cart")),
      exclude,
      ...(person ? { customer_id: person } : { session_id: kept.session }),
    };
    return { path: "/v1/recommendations", body };
  }
  const query = new URLSearchParams(exclude.map((id) => ["exclude", id]));
  for (const name of ["limit", "placement", "category", "fallback", "mix", "due-within"])
    if (of(name)) query.set(name.replace("-", "_"), of(name));
  const personal = { "buy-again": list, "for-you": "recommendations" }[list];
  if (personal && !person) return;
  const whose = personal ? `customers/${encodeURIComponent(person)}/` : `products/${encodeURIComponent(of("product"))}/`;
  return { path: `/v1/${list === "popular" ? "" : whose}${personal ?? list}?${query}` };
};

const ask = async () => {
  timer = undefined;
  const due = [...rows].filter((row) => row.due).sort((a, b) => (a.compareDocumentPosition(b) & 4 ? -1 : 1));
  const shown = [...rows].flatMap((row) => (row.due ? [] : row.products)).slice(-MOST_EXCLUDED);
  const asked = due.splice(0, MOST_ROWS).map((row) => [row, row.turn]);
  const requests = [];
  const asking = asked.filter(([row]) => {
    row.due = false;
    try {
      const request = requestOf(row, shown);
      if (request) return requests.push(request);
      row.show({ items: [] });
    } catch (error) {
      row.fail({ error });
    }
  });
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
  asking.forEach(([row, turn], i) => {
    if (row.turn !== turn || !rows.has(row)) return; // it has another question by now
    const { status, body } = found.responses?.[i] ?? { status: answer?.status, body: found };
    if (status === 200) row.show(body, answer.headers.get("Content-Language") ?? "en");
    else row.fail({ status, error: body });
    if (status === 401 && found.responses) refuseToken();
  });
};

// All that are due ask as soon as one of them is nearly seen.
const wake = () => {
  if (allowed && [...rows].some((row) => row.due && row.near)) timer ??= setTimeout(ask, WAIT_MS);
};

const refresh = () => rows.forEach((row) => row.want());
