import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type CompressionCodec, snappyUncompress } from 'hyparquet';
import { ZSTDDecoder } from 'zstddec';

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
  ZSTD(bytes, length) {
    if (length > mostZstd) throw new Error(`a page of ${length} bytes, ${mostZstd} are read`);
    // Of a size of 0 it would believe the frame; what is damaged comes back empty.
    return zstd.decode(bytes, length + 1);
  },
};

/** The reference implementation: it fills the page it is given and no more, whatever the frame claims. */
const zstd = new ZSTDDecoder();
/** Pages have a megabyte; the decoder's memory ends at two gigabytes. */
const mostZstd = 2 ** 29;

/** To be awaited before pages of a codec are unpacked. */
export async function loadCodec(codec: CompressionCodec): Promise<void> {
  if (codec === 'ZSTD') await zstd.init();
}

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
