import { SesdError } from '../errors.ts';
import { type Places, placedName } from './places.ts';

/**
 * The weights that `--freeze` keeps as they are: those whose name in the file the regular expression finds, or whose
 * name with its place before it, `layer.3.onnx::MatMul_123`.
 *
 * @throws SesdError SESD_USAGE when it finds none, or leaves none to train
 */
export function frozenBy(pattern: string, weights: readonly string[], places: Places): Set<string> {
  const expression = new RegExp(pattern);
  const frozen = weights.filter((name) => expression.test(name) || expression.test(placedName(name, places)));
  if (frozen.length > 0 && frozen.length < weights.length) return new Set(frozen);
  throw new SesdError(
    'SESD_USAGE',
    frozen.length > 0
      ? `--freeze ${pattern} leaves nothing to train: it matches all ${weights.length} weights of the model.`
      : `--freeze ${pattern} matches none of the ${weights.length} weights of the model.`,
    {
      hint: `It is matched with names such as ${examples(weights, places).join(', ')}; sesd-train inspect --json lists all.`,
    },
  );
}

/** The first weight of each kind of place. */
function examples(weights: readonly string[], places: Places): string[] {
  const byKind = new Map<string | undefined, string>();
  for (const name of weights) {
    const kind = places.of.get(name)?.kind;
    if (!byKind.has(kind)) byKind.set(kind, placedName(name, places));
  }
  return [...byKind.values()];
}
