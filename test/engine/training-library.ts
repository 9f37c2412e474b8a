import { existsSync } from 'node:fs';

/** Path of an ONNX Runtime with the training API, or why there is none. */
export type LibrarySearch = { library: string; missing?: never } | { library?: never; missing: string };

/**
 * What SESD_ORT_TRAINING_LIBRARY names; docs/training-runtime.md says how to get one.
 * @throws Error when there is none and SESD_REQUIRE_ORT_TRAINING=1, so that a required check is never skipped
 */
export function findTrainingLibrary(): LibrarySearch {
  const library = process.env.SESD_ORT_TRAINING_LIBRARY;
  if (library !== undefined && existsSync(library)) return { library };
  const missing =
    library === undefined
      ? 'Set SESD_ORT_TRAINING_LIBRARY to an ONNX Runtime with the training API: docs/training-runtime.md'
      : `SESD_ORT_TRAINING_LIBRARY: there is no ${library}`;
  if (process.env.SESD_REQUIRE_ORT_TRAINING === '1') throw new Error(missing);
  return { missing };
}
