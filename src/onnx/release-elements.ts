import { plannableTensors } from './encode.ts';
import type { OnnxModel } from './read.ts';

/**
 * Lets go of the elements of the named tensors, which live elsewhere from now on and come back as new weights
 * when the model is written. What stays is copied out of the file's bytes, so that those can be freed.
 */
export function releaseElements(model: OnnxModel, names: ReadonlySet<string>): void {
  const { graph } = model.proto;
  for (const { name, tensor } of graph ? plannableTensors(graph) : []) {
    if (names.has(name)) {
      tensor.rawData = new Uint8Array();
      tensor.floatData = [];
      model.external.delete(tensor);
    } else if (tensor.rawData.length > 0) tensor.rawData = tensor.rawData.slice();
  }
}
