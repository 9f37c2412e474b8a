/** The tokens <0x00> to <0xFF>, of which unknown text is made, as SentencePiece names them; by byte. */
export function byteTokens(
  idOf: (token: string) => number | undefined,
): (text: string) => number[] | undefined {
  const ids = Array.from({ length: 256 }, (_, byte) =>
    idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  return (text) => {
    const found: number[] = [];
    for (const byte of Buffer.from(text)) {
      const id = ids[byte];
      if (id === undefined) return undefined; // all of them or none
      found.push(id);
    }
    return found;
  };
}
