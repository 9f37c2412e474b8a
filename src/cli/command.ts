import type { Field } from '../config/fields.ts';
import type { Streams } from './streams.ts';

/** One command of the command line. */
export interface Command {
  name: string;
  /** How it is called: its name with positional arguments in yargs' notation; `$0` marks the default command. */
  usage: readonly string[];
  description: string;
  fields: readonly Field[];
  examples: readonly { call: string; does: string }[];
  /** @param given The values of the fields that were given, by camelCase name, not checked yet. */
  run(given: Record<string, unknown>, context: Context): Promise<void>;
}

/** What a command works with beside its flags. */
export interface Context extends Streams {
  /** Fires when the user interrupts. */
  signal: AbortSignal;
}
