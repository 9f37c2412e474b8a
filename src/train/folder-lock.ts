import { createHash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SesdError } from '../errors.ts';

/**
 * Makes this process the only one of its machine that writes to a folder. The lock is a local socket that
 * listens: the system frees it when the process ends, however it ends, so no lock can be left behind.
 *
 * @returns what frees the lock
 * @throws SesdError SESD_OUTPUT when another run has it
 */
export async function lockFolder(path: string): Promise<() => void> {
  const { dev, ino } = await stat(path, { bigint: true });
  const name = createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 16);
  return lockAddress(addressOf(`sesd-train-${name}`), path);
}

function addressOf(name: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  if (process.platform === 'linux') return `\0${name}`; // of no file system
  return join(tmpdir(), `${name}.sock`);
}

/** @param address of the socket; where it is a file, one whose process has gone is taken over */
export async function lockAddress(address: string, path: string): Promise<() => void> {
  let server = await listen(address);
  if (server === 'taken' && !(await answers(address))) {
    await rm(address, { force: true });
    server = await listen(address);
  }
  if (server === 'taken') {
    throw new SesdError('SESD_OUTPUT', `Another process is training in ${path}.`, {
      hint: 'Wait for it to end or stop it, or choose another --output.',
    });
  }
  return () => server?.close();
}

/** Undefined where the system has no such sockets: then nothing is locked. */
function listen(address: string): Promise<Server | 'taken' | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRINUSE' ? 'taken' : undefined),
    );
    server.listen({ path: address, exclusive: true }, () => resolve(server));
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
