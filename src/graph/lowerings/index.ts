import type { Lowering } from './lowering.ts';
import { quickGelu } from './quick-gelu.ts';

/** How each op that is not in the canonical opset is spelled there, by op name. */
export const lowerings: Readonly<Record<string, Lowering>> = {
  'com.microsoft::QuickGelu': quickGelu,
};
