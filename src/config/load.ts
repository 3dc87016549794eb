import { z } from 'zod';
import { messageOf, UserError } from '../base/errors.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { readIfPresent } from '../io/durable-file.ts';

/**
 * Reads a text file.
 * @throws UserError when it is not there, or not UTF-8.
 */
export async function loadText(path: string): Promise<string> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new UserError(`there is no file ${path}`);
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new UserError(`${path} is not text in UTF-8`, { cause });
  }
}

/**
 * Reads a JSON file and checks it against a schema.
 * @throws UserError naming every problem at once, each with the place it is in.
 */
export async function loadJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await loadText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError(`${path} has problems`, { hint: z.prettifyError(result.error) });
}
