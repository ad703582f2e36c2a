/**
 * Reads the reference answer out of the page.
 *
 * It is hidden from a glance, not from a person who wants it: everything a page can show, its reader
 * can find. That is why marks given in a browser are for the learner alone. The writing side is
 * `obfuscate` in sandbox/site/pages.py.
 */
export function reveal(hidden: string, key: string): string {
  const mask = new TextEncoder().encode(key);
  const bytes = Uint8Array.from(atob(hidden), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes.map((byte, n) => byte ^ (mask[n % mask.length] ?? 0)));
}
