/** Lower case letter by letter as in Rust: Σ is always σ, where JavaScript writes ς at the end of a word. */
export function lowercase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase();
}
