/** A path as a shell takes it: cmd.exe and PowerShell on Windows, where a path holds no quotes, else POSIX's. */
export function shellWord(path: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return /^[\w./:\\+-]+$/.test(path) ? path : `"${path}"`;
  return /^[\w./:@%+=,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
