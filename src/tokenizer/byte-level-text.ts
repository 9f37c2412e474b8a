/** The character that stands for each byte in a byte-level vocabulary (GPT-2's encoder.py, bytes_to_unicode). */
const charOfByte: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const shown = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
    return String.fromCharCode(shown ? byte : next++);
  });
})();

/** The bytes of a text in UTF-8, each as its character. */
export function byteLevelText(text: string): string {
  let result = '';
  for (const byte of Buffer.from(text)) result += charOfByte[byte];
  return result;
}
