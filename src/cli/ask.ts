import process from 'node:process';
import { confirm, isCancel, password, select, text } from '@clack/prompts';
import { UserError } from '../base/errors.ts';
import { InterruptedError } from './interrupt.ts';

// Questions are asked on stderr: stdout is for what was asked for.

/** Whether there is somebody to ask. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

export interface Asking {
  readonly message: string;
  readonly signal: AbortSignal;
}

/** What the terminal does not show. */
export async function askHidden({ message, signal }: Asking): Promise<string> {
  return answered(await password({ message, signal, output: process.stderr }));
}

export async function askYes({ message, signal }: Asking): Promise<boolean> {
  return answered(await confirm({ message, signal, initialValue: false, output: process.stderr }));
}

export interface AskingText extends Asking {
  /** Taken when nothing is typed. */
  readonly otherwise: string;
  /** What is wrong with an answer, or undefined. */
  readonly complain: (answer: string) => string | undefined;
}

export async function askText(asking: AskingText): Promise<string> {
  const { message, signal, otherwise, complain } = asking;
  return answered(
    await text({
      message,
      signal,
      defaultValue: otherwise,
      placeholder: otherwise,
      validate: (typed) => complain(typed === undefined || typed === '' ? otherwise : typed),
      output: process.stderr,
    }),
  );
}

export interface Choice {
  readonly value: string;
  readonly hint: string;
}

export interface AskingChoice extends Asking {
  readonly choices: readonly Choice[];
  readonly first: string;
}

export async function askChoice(asking: AskingChoice): Promise<string> {
  const { message, signal, choices, first } = asking;
  const options = choices.map(({ value, hint }) => ({ value, label: value, hint }));
  return answered(
    await select({ message, signal, options, initialValue: first, output: process.stderr }),
  );
}

/** What cannot be undone is done only for who typed a word that says what. @throws UserError */
export async function requireTyped(word: string, { message, signal }: Asking): Promise<void> {
  const typed = await askText({ message, signal, otherwise: '', complain: () => undefined });
  if (typed !== word) throw new UserError('that is another word: nothing was changed');
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new InterruptedError();
  return answer as Exclude<T, symbol>;
}
