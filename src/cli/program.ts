import yargs, { type CommandModule } from 'yargs';
import { nearestName } from '../config/nearest.ts';
import { SesdError } from '../errors.ts';
import { packageVersion } from '../train/package-version.ts';
import type { Command, Context } from './command.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { inspectCommand } from './commands/inspect.ts';
import { predictCommand } from './commands/predict.ts';
import { reproduceCommand } from './commands/reproduce.ts';
import { soupCommand } from './commands/soup.ts';
import { trainCommand } from './commands/train.ts';
import { flagsOf, givenValues, type Parsed } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { reportError } from './report-error.ts';
import { OutputStream } from './streams.ts';

const commands: readonly Command[] = [
  trainCommand,
  evaluateCommand,
  predictCommand,
  inspectCommand,
  soupCommand,
  reproduceCommand,
  doctorCommand,
];

/** Of a flag that is given twice the later value counts. */
const parsing = { 'dot-notation': false, 'duplicate-arguments-array': false, 'parse-numbers': false };

/**
 * Runs one command line to its end.
 *
 * @param args The arguments after the program's name.
 * @returns the exit code: 0 done, 1 a failure, 2 usage or bad input, 130 interrupted
 */
export async function run(args: readonly string[]): Promise<number> {
  const streams = { out: new OutputStream(process.stdout), err: new OutputStream(process.stderr) };
  const { signal, dispose } = interruptSignal(streams.err);
  try {
    await parser(args, { ...streams, signal }).parseAsync();
    return 0;
  } catch (error) {
    return reportError(error, streams.err);
  } finally {
    dispose();
  }
}

function parser(args: readonly string[], context: Context) {
  const program = yargs(args as string[])
    .scriptName('sesd-train')
    .usage('$0 [command] [flags]\n\nFine-tunes BERT classifiers by self-ensemble and self-distillation.')
    .locale('en')
    .parserConfiguration(parsing)
    .usageConfiguration({ 'hide-types': true })
    .wrap(Math.min(110, context.out.isTerminal ? context.out.columns : 100))
    .alias('h', 'help')
    .version(packageVersion())
    .exitProcess(false)
    .fail((message: string | null, error?: Error) => {
      throw error ?? new SesdError('SESD_USAGE', message ?? 'The command line cannot be read.');
    });
  for (const command of commands) program.command(moduleOf(command, args, context));
  return program.epilogue('Exit codes: 0 done, 1 failure, 2 wrong usage or bad input, 130 interrupted.');
}

function moduleOf(command: Command, args: readonly string[], context: Context): CommandModule {
  return {
    command: [...command.usage],
    describe: command.description,
    builder: (program) => {
      for (const example of command.examples) program.example(example.call, example.does);
      // Several words for one argument are duplicates to yargs.
      const several = command.fields.some(({ many }) => many);
      return program
        .parserConfiguration({ ...parsing, 'duplicate-arguments-array': several })
        .options(flagsOf(command.fields));
    },
    handler: (parsed: Parsed) => {
      // yargs leaves the command's own name among the words.
      const [first, ...rest] = (parsed._ as (string | number)[]).map(String);
      const words = first === command.name ? rest : [first, ...rest].filter((word) => word !== undefined);
      if (command === trainCommand && first !== command.name) rejectMistypedCommand(words[0]);
      return command.run(givenValues(parsed, args, words, command.fields), context);
    },
  };
}

/** A first word that is no command goes to the default one. */
function rejectMistypedCommand(word: string | undefined): void {
  if (word === undefined) return;
  const near = nearestName(
    word,
    commands.map(({ name }) => name),
  );
  if (near === undefined) return;
  throw new SesdError('SESD_USAGE', `"${word}" is not a command.`, { hint: `Did you mean ${near}?` });
}
