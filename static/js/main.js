// Wakes each behaviour that the page names; without this file every page still works.
const awake = (element) =>
  import(`./${element.dataset.behaviour}.js`).then(({ enhance }) => enhance(element));

document.querySelectorAll("[data-behaviour]").forEach(awake);
