/**
 * The lines of a file that are not blank, without their ends (LF or CRLF).
 * @param source UTF-8, each chunk ending at a line's end
 */
export async function* readLines(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<{ text: string; line: number }> {
  let line = 0;
  for await (const chunk of source) {
    const lines = chunk.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop(); // the chunk's last line has an end
    for (const each of lines) {
      line++;
      const text = each.endsWith('\r') ? each.slice(0, -1) : each;
      if (text.trim() !== '') yield { text, line };
    }
  }
}
