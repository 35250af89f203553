// Adds "Share" and "Copy link" where the browser can do them.
const show = (button) => (button.parentElement.hidden = false);

export function enhance(row) {
  const { title, url } = row.dataset;
  const share = row.querySelector("[data-share]");
  const copy = row.querySelector("[data-copy]");
  if (navigator.share) {
    show(share);
    share.addEventListener("click", () => navigator.share({ title, url }).catch(() => {}));
  }
  if (navigator.clipboard) {
    show(copy);
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(url);
      copy.querySelector("span").textContent = copy.dataset.done;
    });
  }
}
