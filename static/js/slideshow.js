// Adds two buttons to a list of pictures that scrolls sideways.
export function enhance(show) {
  const list = show.querySelector("ul");
  const buttons = show.querySelector(".slideshow__buttons");
  buttons.hidden = list.scrollWidth <= list.clientWidth;
  buttons.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-step]");
    if (button) list.scrollBy({ left: Number(button.dataset.step) * list.firstElementChild.offsetWidth });
  });
}
