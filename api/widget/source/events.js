// What the visitor does, told in batches: also when the page goes away.

const PAUSE_MS = 1e3;
const AT_ONCE = 60; // under the 32 KiB of a body, and the 64 KiB that a browser lets outlive a page
const MOST_WAITING = 200;
let waiting = [];
let pause;
let behind = 0; // how far the visitor's clock is, in ms

const note = (event_type, product_id, shown = findClick(product_id)) => {
  if (!allowed) return;
  const customer_id = customer();
  waiting.push({
    event_id: newId(),
    event_type,
    ...shown,
    product_id,
    ...(customer_id ? { customer_id } : { session_id: kept.session }),
    occurred_at: new Date(Date.now() + behind).toISOString(),
  });
  pause ??= setTimeout(send, PAUSE_MS);
};

// What cannot be kept now is sent again with the next, under the same ids.
const send = async () => {
  clearTimeout(pause);
  pause = undefined;
  const events = waiting.splice(0, AT_ONCE);
  if (!events.length) return;
  send();
  const status = await post("/v1/events", { events }, { keepalive: true }).then(
    (answer) => answer.status,
    () => 503,
  );
  if (status === 401) refuseToken();
  if (status === 401 || status >= 429) waiting = [...events, ...waiting].slice(-MOST_WAITING);
};
