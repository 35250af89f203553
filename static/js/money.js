// Money as whole minor units; the same rounding as the server's.
const decimals = (currency) =>
  new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

export function writeAmount(minor, { locale, currency }) {
  const unit = 10 ** decimals(currency);
  const shown = minor % unit ? decimals(currency) : 0;
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  }).format(minor / unit);
}

// Returns minor units, or null when the text could mean anything but one amount.
export function readAmount(typed, { locale, currency }) {
  const places = decimals(currency);
  let text = typed.trim().replace(/^\$\s*|\s*\$$/g, "").replace(/[\u00a0\u2009\u202f']/g, " ");
  if (locale.startsWith("en") && /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(text)) text = text.replaceAll(",", "");
  if (/^\d{1,3}( \d{3})+([.,]\d+)?$/.test(text)) text = text.replaceAll(" ", "");
  const [all, whole, part = ""] = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text) ?? [];
  if (!all || part.length > places) return null;
  return Number(whole + part.padEnd(places, "0"));
}

// The least that must be charged so that the fee leaves the gift whole.
export function charged(amount, { feePercent, feeFixed }) {
  const [whole, part = ""] = feePercent.split(".");
  const scale = 100 * 10 ** part.length;
  const rate = Number(whole + part);
  const fee = (total) => Math.floor((2 * total * rate + scale) / (2 * scale)) + Number(feeFixed);
  let total = Math.floor(((amount + Number(feeFixed)) * scale) / (scale - rate)) - 1;
  while (total - fee(total) < amount) total += 1;
  return total;
}

// What the sponsor adds, and which sentence says it.
export function matchFor(amount, { match, matchNum, matchDen, matchGift, matchLeft }) {
  if (match === "exhausted") return { grant: 0, kind: "Unmatched" };
  if (match !== "active") return { grant: 0, kind: "Plain" };
  const wished = Math.floor((amount * Number(matchNum)) / Number(matchDen));
  const capped = matchGift ? Math.min(wished, Number(matchGift)) : wished;
  const grant = Math.min(capped, Number(matchLeft));
  if (!grant) return { grant, kind: "Unmatched" };
  if (grant < capped) return { grant, kind: "Partly" };
  return { grant, kind: capped < wished ? "Capped" : "Matched" };
}
