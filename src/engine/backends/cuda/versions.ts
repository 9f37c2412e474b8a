import { type SharedObject, withSharedObject } from './elf.ts';

/** What a library of ONNX Runtime says of itself. */
export interface LibraryFacts {
  /** The version of ONNX Runtime it belongs to; null when it cannot be told. */
  version: string | null;
  /** Whether it was built with the training API. */
  training: boolean;
}

export interface ProviderFacts extends LibraryFacts {
  /** Libraries of CUDA it is linked against, e.g. libcublas.so.13. */
  cuda: string[];
}

const unknown: LibraryFacts = { version: null, training: false };

/** What is known of a core library: its version is the one its symbols have, or else its text. */
export async function runtimeFacts(path: string): Promise<LibraryFacts> {
  const found = await withSharedObject(path, async (library) => {
    const facts = await factsInText(library);
    const ofSymbols = await library.find('.dynstr', /\bVERS_(\d+\.\d+\.\d+)\b/);
    return { ...facts, version: ofSymbols?.[1] ?? facts.version };
  });
  return found ?? unknown;
}

/**
 * A provider has no version among its symbols; it holds the text that it shows the runtime. A provider of another version
 * than the runtime's, or of a build of another kind, loads without complaint and then calls the wrong functions.
 */
export async function providerFacts(path: string): Promise<ProviderFacts> {
  const found = await withSharedObject(path, async (library) => ({
    ...(await factsInText(library)),
    cuda: library.needed.filter((name) => /^lib(cu|nv)/.test(name) && name !== 'libcuda.so.1'),
  }));
  return found ?? { ...unknown, cuda: [] };
}

/** A version from 1.16 on, which no other text of these libraries looks like, and the name of an operator of training. */
async function factsInText({ find }: SharedObject): Promise<LibraryFacts> {
  const version = await find('.rodata', /\0(1\.(?:1[6-9]|[2-9]\d)\.\d+)\0/);
  const operator = await find('.rodata', /\0InPlaceAccumulatorV2\0/);
  return { version: version?.[1] ?? null, training: operator !== null };
}
