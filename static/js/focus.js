// Puts a reader in front of what needs attention.
export function enhance(element) {
  element.focus();
}
