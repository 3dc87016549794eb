import {
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type YAMLError,
} from 'yaml';
import { type z } from 'zod';
import { UserError } from '../base/errors.ts';
import { loadText } from './load.ts';

interface Problem {
  /** From 1 on. */
  readonly line: number;
  readonly text: string;
}

/**
 * Reads a YAML file and checks it against a schema.
 * @throws UserError naming every problem at once, each with its line.
 */
export async function loadYaml<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  return parseYaml({ path, text: await loadText(path), schema });
}

interface Source<Schema> {
  /** Names the text in errors. */
  readonly path: string;
  readonly text: string;
  readonly schema: Schema;
}

/** @throws UserError as `loadYaml`. */
export function parseYaml<Schema extends z.ZodType>(source: Source<Schema>): z.output<Schema> {
  const { path, text, schema } = source;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) throw problemsIn(path, broken.map(syntaxProblem(lines)));
  const aliases = aliasesIn(document, lines);
  if (aliases.length > 0) throw problemsIn(path, aliases);
  const result = schema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const places = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          place: [...issue.path, key],
          message: 'there is no such setting',
        }))
      : [{ place: issue.path, message: issue.message }],
  );
  throw problemsIn(
    path,
    places.map(({ place, message }) => ({
      line: lines.linePos(offsetOf(document, place)).line,
      text: place.length === 0 ? message : `${place.join('.')}: ${message}`,
    })),
  );
}

function syntaxProblem(lines: LineCounter): (error: YAMLError) => Problem {
  return ({ pos: [offset], message }) => ({ line: lines.linePos(offset).line, text: message });
}

/** Aliases could make a small file a huge value, and nothing here is worth one. */
function aliasesIn(document: Document.Parsed, lines: LineCounter): readonly Problem[] {
  const found: Problem[] = [];
  visit(document, {
    Alias: (_, { range }) => {
      const { line } = lines.linePos(range?.[0] ?? 0);
      found.push({ line, text: 'say it again instead of with an alias' });
    },
  });
  return found;
}

/** Where the key at the end of a path is written; of what is missing, where the map around it begins. */
function offsetOf(document: Document.Parsed, place: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of place) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair === undefined) break;
    offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
    node = pair.value;
  }
  return offset;
}

function problemsIn(path: string, problems: readonly Problem[]): UserError {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  return new UserError(`${path} has problems`, {
    hint: sorted.map(({ line, text }) => `line ${line}: ${text}`).join('\n'),
  });
}
