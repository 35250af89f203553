// Says, while one types, what the gift becomes. Every figure comes from the form's data- attributes;
// the server decides again on its own.
import { charged, matchFor, readAmount, writeAmount } from "./money.js";

const fill = (sentence, words) => sentence.replace(/\{(\w+)\}/g, (_, name) => words[name] ?? "");

export function enhance(form) {
  const { dataset } = form;
  const own = form.elements.amount;
  const tiles = [...form.querySelectorAll("[name=amount_tile]")];
  const part = (name) => form.querySelector(`[data-part=${name}]`);
  const [fee, summary, submit] = ["fee", "summary", "submit"].map(part);
  const still = { fee: fee.textContent, summary: summary.textContent.trim(), submit: submit.textContent };
  const text = (minor) => writeAmount(minor, dataset);

  const chosen = () => {
    if (own.value.trim()) return readAmount(own.value, dataset);
    const tile = tiles.find((one) => one.checked);
    return tile ? Number(tile.dataset.minor) : null;
  };

  const promise = (amount, matched) => {
    const words = {
      amount: text(amount),
      matched: text(matched.grant),
      total: text(amount + matched.grant),
      left: text(Number(dataset.matchLeft)),
    };
    return fill(dataset[`say${matched.kind}`], words);
  };

  const show = (lines, button) => {
    summary.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    submit.textContent = button;
  };

  const refresh = () => {
    const amount = chosen();
    if (amount === null || amount < Number(dataset.minimum) || amount > Number(dataset.maximum)) {
      fee.textContent = still.fee;
      submit.name = "review";
      show([still.summary], still.submit);
      return;
    }
    const whole = charged(amount, dataset);
    const charge = form.elements.cover_fee.checked ? whole : amount;
    fee.textContent = fill(dataset.sayFee, { fee: text(whole - amount), amount: text(amount) });
    const matched = matchFor(amount, dataset);
    const lines = [promise(amount, matched), fill(dataset.sayCharge, { charge: text(charge) })];
    if (["Partly", "Unmatched"].includes(matched.kind)) {
      submit.name = "review";
      show(lines, still.submit);
    } else {
      submit.removeAttribute("name");
      show(lines, fill(dataset.sayGive, { amount: text(charge) }));
    }
  };

  own.addEventListener("input", () => {
    if (own.value.trim()) tiles.forEach((tile) => (tile.checked = false));
  });
  tiles.forEach((tile) => tile.addEventListener("change", () => (own.value = "")));
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  addEventListener("pageshow", refresh);
  refresh();
}
