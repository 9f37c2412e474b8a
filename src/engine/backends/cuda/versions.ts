import { withSharedObject } from './elf.ts';

/** What a provider library of ONNX Runtime says of itself. */
export interface ProviderFacts {
  /** The version of ONNX Runtime it belongs to; null when it cannot be told. */
  version: string | null;
  /** Libraries of CUDA it is linked against, e.g. libcublas.so.13. */
  cuda: string[];
}

/** The version of an ONNX Runtime library, by the version its symbols have; null when it cannot be told. */
export async function runtimeVersion(path: string): Promise<string | null> {
  const found = await withSharedObject(path, ({ find }) => find('.dynstr', /\bVERS_(\d+\.\d+\.\d+)\b/));
  return found?.[1] ?? null;
}

/**
 * A provider has no version among its symbols; it holds the text that it shows the runtime. A provider of another version
 * than the runtime's loads without complaint and then calls the wrong functions.
 */
export async function providerFacts(path: string): Promise<ProviderFacts> {
  const found = await withSharedObject(path, async ({ needed, find }) => ({
    version: (await find('.rodata', /\0(1\.\d+\.\d+)\0/))?.[1] ?? null,
    cuda: needed.filter((name) => /^lib(cu|nv)/.test(name) && name !== 'libcuda.so.1'),
  }));
  return found ?? { version: null, cuda: [] };
}
