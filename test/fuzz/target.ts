import type { Case } from './case.ts';
import type { Random } from './random.ts';

/** A reader of files, and how to make hostile ones for it. */
export interface Target {
  name: string;
  /** Its share of the 100,000 cases of a CI run. */
  cases: number;
  /** Reads the seeds once; what it returns makes a case of them. */
  load(): Promise<(random: Random) => Case>;
  /** Reads what lies in the folder. To fail with a SesdError is as good as to succeed. */
  run(folder: string): Promise<void>;
}
