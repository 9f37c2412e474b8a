/** A process of the study: runs the cells its parent sends, one at a time, and sends back what came of them. */
import { type CellResult, type Folders, Runner } from './cell.ts';
import type { Cell } from './plan.ts';

export type FromWorker = { result: CellResult } | { error: string };

const runner = new Runner(JSON.parse(process.argv[2]!) as Folders);

process.on('message', (cell: Cell) => {
  runner.run(cell).then(
    (result) => process.send!({ result } satisfies FromWorker),
    (error: Error) => process.send!({ error: `${error.stack}` } satisfies FromWorker),
  );
});
