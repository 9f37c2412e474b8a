// Builds the native addon with cmake-js: `node native/build.mjs [folder]`, into build/ unless told otherwise.
// Says nothing when all goes well. What is missing is said in one line, and the exit code is then 2.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(root, 'build'));

function onPath(program) {
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.some((folder) =>
    extensions.some((extension) => existsSync(path.join(folder, program + extension))),
  );
}

/** What to install, and how, by platform; undefined when everything is there. */
function missing() {
  const cmake = onPath('cmake') ? [] : ['cmake'];
  if (process.platform === 'darwin') {
    // The clang++ of a fresh system is only an invitation to install one.
    const tools = spawnSync('xcode-select', ['-p'], { stdio: 'ignore' }).status === 0;
    const commands = [
      ...(tools ? [] : ['xcode-select --install']),
      ...(cmake.length ? ['brew install cmake'] : []),
    ];
    return commands.length
      ? { what: [...(tools ? [] : ['a C++ compiler']), ...cmake], how: commands.join('; ') }
      : undefined;
  }
  if (process.platform === 'win32') {
    // cmake-js looks for Visual Studio itself, and says so when there is none.
    return cmake.length
      ? { what: cmake, how: 'winget install Kitware.CMake Microsoft.VisualStudio.2022.BuildTools' }
      : undefined;
  }
  const compiler = onPath('g++') || onPath('clang++') ? [] : ['g++'];
  const make = onPath('make') || onPath('ninja') ? [] : ['make'];
  const what = [...compiler, ...make, ...cmake];
  if (what.length === 0) return undefined;
  const how = onPath('dnf')
    ? `dnf install ${what.join(' ').replace('g++', 'gcc-c++')}`
    : onPath('pacman')
      ? `pacman -S ${what.join(' ').replace('g++', 'gcc')}`
      : `apt-get install ${what.join(' ')}`;
  return { what, how };
}

const lacking = missing();
if (lacking) {
  process.stderr.write(
    `sesd-train: building the native addon needs ${lacking.what.join(', ')}; install with: ${lacking.how}\n`,
  );
  process.exit(2);
}

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
try {
  execFileSync(process.execPath, [cmakeJs, 'compile', '--directory', root, '--out', out, '--parallel', '4'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
} catch (error) {
  const log = path.join(out, 'build.log');
  mkdirSync(out, { recursive: true });
  writeFileSync(
    log,
    `${error.stdout ?? ''}${error.stderr ?? ''}${error.stdout === undefined ? error.message : ''}`,
  );
  process.stderr.write(`sesd-train: the native addon did not build; the compiler's output is in ${log}\n`);
  process.exit(1);
}
