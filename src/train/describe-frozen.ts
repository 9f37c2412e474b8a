import type { ModelReport } from '../bert/inspect.ts';
import { formatBytes } from './format-bytes.ts';

/** What to tell the user of the weights `--freeze` keeps; undefined when there are none. */
export function describeFrozen({ training }: ModelReport): string | undefined {
  const weights = training?.weights ?? [];
  const frozen = weights.filter(({ trained }) => !trained);
  if (frozen.length === 0) return undefined;
  const elements = frozen.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
  const isNew = training?.head.kind !== 'existing';
  const keepsNew = isNew && frozen.some(({ place }) => place === 'classifier');
  return (
    `--freeze leaves ${frozen.length} of ${weights.length} tensors as they are, ${formatBytes(4 * elements)}.` +
    (keepsNew ? ' The new classifier is among them: it stays random.' : '')
  );
}
