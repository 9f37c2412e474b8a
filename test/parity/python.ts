import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const modules = 'torch, transformers, onnx, onnxscript, tokenizers, sentencepiece';

/** A Python with PyTorch, or why there is none. */
export type PythonSearch = { python: string; missing?: never } | { python?: never; missing: string };

/**
 * Looks for a Python that has what the exporters and the reference need: SESD_PYTHON, else .venv/bin/python.
 * @throws Error when there is none and SESD_REQUIRE_PYTHON=1, so that a required check is never skipped
 */
export async function findPython(): Promise<PythonSearch> {
  const python = process.env.SESD_PYTHON ?? resolve('.venv/bin/python');
  const missing = await whatIsMissing(python);
  if (missing === undefined) return { python };
  if (process.env.SESD_REQUIRE_PYTHON === '1') throw new Error(missing);
  return { missing };
}

async function whatIsMissing(python: string): Promise<string | undefined> {
  if (python.includes('/') && !existsSync(python)) {
    return `No Python at ${python}: name one with ${modules} in SESD_PYTHON`;
  }
  try {
    await execute(python, ['-c', `import ${modules}`]);
    return undefined;
  } catch (error) {
    const last = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1);
    return `${python} lacks one of ${modules}: ${last ?? (error as Error).message}`;
  }
}

/**
 * Runs a Python script of this repository. Rejects with the end of its error output.
 * @param modules a folder whose packages go before the installed ones
 */
export async function runPython(
  python: string,
  script: string,
  args: readonly string[],
  { modules }: { modules?: string } = {},
): Promise<string> {
  return run(python, [script, ...args], modules === undefined ? {} : { PYTHONPATH: modules });
}

/** Runs the command line of the working tree from its TypeScript. */
export async function runCli(args: readonly string[]): Promise<string> {
  return run(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args]);
}

async function run(program: string, args: readonly string[], environment = {}): Promise<string> {
  try {
    const env = { ...process.env, ...environment };
    const { stdout } = await execute(program, args, { maxBuffer: 1 << 28, env });
    return stdout;
  } catch (error) {
    const { stderr = '', stdout = '', code } = error as { stderr?: string; stdout?: string; code?: unknown };
    throw new Error(
      `${program} ${args.join(' ')} ended with ${code}:\n${stdout.slice(-1000)}${stderr.slice(-3000)}`,
    );
  }
}
