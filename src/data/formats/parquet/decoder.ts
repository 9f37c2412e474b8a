import { isUtf8 } from 'node:buffer';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import type { ColumnDecoder, SchemaTree } from 'hyparquet/src/types.js';
import type { Column } from './footer.ts';

/** A string; bytes that are not UTF-8 stay bytes, for the row to be named that has them. */
function stringFromBytes(bytes: Uint8Array): string | Uint8Array {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : bytes;
}

const same = <T>(value: T): T => value;

/** What hyparquet needs to decode pages of a column, which come unpacked. JSON stays text; shapes stay bytes. */
export function decoderOf({ name, element }: Column): ColumnDecoder {
  const root: SchemaTree = { children: [], count: 2, element: { name: 'root' }, path: [] };
  const leaf: SchemaTree = { children: [], count: 1, element, path: [name] };
  return {
    pathInSchema: leaf.path,
    type: element.type!,
    element,
    schemaPath: [root, leaf],
    codec: 'UNCOMPRESSED',
    parsers: {
      ...DEFAULT_PARSERS,
      stringFromBytes,
      jsonFromBytes: stringFromBytes,
      geometryFromBytes: same,
      geographyFromBytes: same,
    },
  };
}
