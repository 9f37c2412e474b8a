/** Runs the cases its parent asks for, one range after the other, and says which one it is at. */
import { sizeOf } from './case.ts';
import { judge } from './judge.ts';
import { Random } from './random.ts';
import { targets } from './targets/index.ts';
import { watchFiles } from './watch-files.ts';
import { WorkFolder } from './work-folder.ts';

export interface Range {
  target: string;
  seed: number;
  /** Cases from, to but not including. */
  from: number;
  to: number;
}

export type Message =
  | { type: 'ready' }
  | { type: 'case'; index: number }
  | { type: 'failed'; index: number; why: string; stack: string }
  | { type: 'done'; read: number; refused: number };

const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const work = await WorkFolder.make();
const watch = watchFiles([work.folder, root, process.execPath]);
const loaded = new Map<string, Awaited<ReturnType<(typeof targets)[number]['load']>>>();
const send = (message: Message) => process.send!(message);

async function runRange({ target: name, seed, from, to }: Range): Promise<void> {
  const target = targets.find((each) => each.name === name)!;
  let make = loaded.get(name);
  if (!make) {
    make = await target.load();
    loaded.set(name, make);
  }
  const counts = { read: 0, refused: 0 };
  for (let index = from; index < to; index++) {
    send({ type: 'case', index });
    const made = make(new Random(seed, index));
    work.write(made);
    const verdict = await judge(() => target.run(work.folder), sizeOf(made), watch);
    if (verdict.kind === 'failed') send({ type: 'failed', index, why: verdict.why, stack: verdict.stack });
    else counts[verdict.kind]++;
  }
  send({ type: 'done', ...counts });
}

process.on('message', (range: Range) => void runRange(range));
process.on('disconnect', async () => {
  await work.remove();
  process.exit();
});
send({ type: 'ready' });
