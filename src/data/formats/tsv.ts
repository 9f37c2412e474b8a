import { readDelimited } from './delimited.ts';
import type { Format } from './format.ts';

/**
 * Tab-separated values without quoting, as IANA's text/tab-separated-values and the published datasets have
 * them: a quote is a character like any other, so that a stray one cannot swallow the rows after it.
 */
export const tsv: Format = {
  extensions: ['.tsv'],
  read: (source, request) => readDelimited(source, request, { delimiter: '\t', quoted: false }),
};
