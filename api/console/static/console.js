// The console works without this: it only looks again at a page that shows how things stand.
const seconds = Number(document.body.dataset.refresh);
if (seconds) {
  setInterval(() => {
    const reading = document.querySelector("details[open]") || document.activeElement?.matches("input, select");
    if (document.visibilityState === "visible" && !reading) location.reload();
  }, seconds * 1000);
}
