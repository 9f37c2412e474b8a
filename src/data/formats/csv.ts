import { readDelimited } from './delimited.ts';
import type { Format } from './format.ts';

/** Comma-separated values with quoted fields, as RFC 4180 has them. */
export const csv: Format = {
  extensions: ['.csv'],
  read: (source, request) => readDelimited(source, request, { delimiter: ',', quoted: true }),
};
