// The page of documentation: rows that follow from each other, and what they announce.

const heard = document.querySelector("#heard");
for (const name of ["load", "empty", "error", "impression", "click", "add-to-cart"])
  document.addEventListener(`reprise:${name}`, (event) => {
    heard.textContent = `reprise:${name} ${event.detail?.product_id ?? event.detail?.recommendation_id ?? event.detail?.status ?? ""}`;
  });
document.querySelector("#popular").addEventListener("reprise:load", (event) => {
  document.querySelector("#similar").setAttribute("product", event.detail.items[0].product_id);
});
