import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as decompressZstd } from 'fzstd';
import { type CompressionCodec, snappyUncompress } from 'hyparquet';

/** Unpacks a page into exactly `length` bytes; throws when it holds another number of them. */
type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

/** zlib refuses an output of no bytes, so one more than is expected may come. */
const bounded = (length: number) => ({ maxOutputLength: length + 1 });

const codecs: Partial<Record<CompressionCodec, Decompress>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY(bytes, length) {
    const page = new Uint8Array(length);
    snappyUncompress(bytes, page);
    return page;
  },
  GZIP: (bytes, length) => gunzipSync(bytes, bounded(length)),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, bounded(length)),
  // Given the page to fill, fzstd allocates nothing by what the frame claims.
  ZSTD: (bytes, length) => decompressZstd(bytes, new Uint8Array(length)),
};

/** The codecs there are, for messages. */
export const codecNames: readonly string[] = Object.keys(codecs);

/**
 * The bytes of a page.
 * @param length as its header says; the caller has checked that so many may be allocated
 * @throws Error when the bytes are not what the codec writes, or not so many
 */
export function decompressPage(bytes: Uint8Array, codec: CompressionCodec, length: number): Uint8Array {
  const decompress = codecs[codec];
  if (!decompress) throw new Error(`its compression ${codec} is none of ${codecNames.join(', ')}`);
  const page = decompress(bytes, length);
  if (page.length !== length) throw new Error(`a page unpacks to ${page.length} bytes instead of ${length}`);
  return page;
}
