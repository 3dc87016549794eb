import process from 'node:process';
import { DirectoryError } from '../directory/directory-error.ts';
import { note, printJson } from './output.ts';

/**
 * Runs what judges a document of the directory, and tells a refusal by its code (spec/directory.md
 * section 8); it makes the command fail.
 */
export async function tellRefusal(
  { json }: { readonly json?: true },
  judge: () => Promise<void> | void,
): Promise<void> {
  try {
    await judge();
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    const { code, message } = error;
    if (json) printJson({ ok: false, code, message });
    else note(`refused (${code}): ${message}`);
    process.exitCode = 1;
  }
}
