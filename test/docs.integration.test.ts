import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { test } from 'vitest';
const ROOT = new URL('..', import.meta.url);
const SOTTO = await Promise.all(
  readdirSync(new URL('src/cli/commands', ROOT)).map(async (file) => {
    const module = (await import(`../src/cli/commands/${file}`)) as Record<string, () => Command>;
    const name = Object.keys(module).find((each) => each.endsWith('Command')) ?? '';
    return module[name]?.() ?? assert.fail(`${file} has no command`);
  }),
);
const HELP = ['--help', '--version'];

interface Text {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

function filesBelow(folder: string, extension: string): readonly Text[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => read(`${folder}/${name}`));
}

function read(path: string): Text {
  return { path, text: readFileSync(new URL(path, ROOT), 'utf8') };
}

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'].map(read),
  ...filesBelow('docs', '.md'),
  ...filesBelow('spec', '.md'),
];

test('every relative link in the documents leads to a file', () => {
  const links = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, target = '']) => ({ path, target })),
  );
  const broken = links.filter(
    ({ path, target }) => !existsSync(new URL(target, new URL(path, ROOT))),
  );
  assert.deepEqual(broken, []);
  assert.ok(links.length > 20);
});

/** What is typed: spans of code, and lines of blocks of code. `npm run demo` is `sotto demo`. */
function commandLines({ text }: Text): readonly string[] {
  const blocks = [...text.matchAll(/^```[a-z]*\n(.*?)^```/gms)].map(([, block = '']) => block);
  const prose = text.replaceAll(/^```.*?^```/gms, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return [...blocks.flatMap((block) => block.split('\n')), ...spans]
    .map((line) => line.replace(/^npm run demo( --(?= ))?/, 'sotto demo').replace(/ +#.*/, ''))
    .filter((line) => /^sotto [a-z]/.test(line));
}

interface Asked {
  readonly command: Command | undefined;
  readonly options: readonly string[];
}

/** The command that the first words name, and the long options after it. */
function parse(line: string): Asked {
  const [, first, ...words] = line.split(/\s+/);
  let command = SOTTO.find((each) => each.name() === first);
  for (const word of words) {
    const below = command?.commands.find((each) => each.name() === word);
    if (below === undefined) break;
    command = below;
  }
  return { command, options: words.filter((word) => /^--[a-z]/.test(word)) };
}

function optionsOf(command: Command | undefined): readonly string[] {
  return command?.options.flatMap(({ long }) => long ?? []) ?? [];
}

test('every command and option that a document tells to type exists', () => {
  const lines = documents.flatMap((document) =>
    commandLines(document).map((line) => ({ path: document.path, line, ...parse(line) })),
  );
  const wrong = lines
    .filter(({ command, options }) => {
      const known = [...optionsOf(command), ...HELP];
      return command === undefined || options.some((option) => !known.includes(option));
    })
    .map(({ path, line }) => ({ path, line }));
  assert.deepEqual(wrong, []);
  assert.ok(lines.length > 20);
});

test('every command of Sotto that a plan starts exists, with its options', () => {
  const plans = filesBelow('test/golden', '.txt');
  const lines = plans.flatMap(({ text }) =>
    [...text.matchAll(/^==> \S+: (sotto .*)$/gm)].map(([, line = '']) => line),
  );
  const wrong = [...new Set(lines)].filter((line) => {
    const { command, options } = parse(line);
    return options.some((option) => !optionsOf(command).includes(option));
  });
  assert.deepEqual(wrong, []);
  assert.ok(lines.some((line) => line.startsWith('sotto bridge ')));
});

test.each([
  ['docs/demo.md', 'sotto demo'],
  ['docs/lookup.md', 'sotto lookup'],
  ['docs/directory.md', 'sotto directory show'],
  ['docs/devnet.md', 'sotto devnet'],
  ['docs/node.md', 'sotto node'],
  ['docs/guard.md', 'sotto guard'],
  ['docs/bridge.md', 'sotto bridge'],
  ['docs/bonds.md', 'sotto bond prove'],
  ['docs/verifying.md', 'sotto directory verify'],
])('%s names every option of %s, and no other', (path, line) => {
  const { text } = read(path);
  const named = [...text.matchAll(/`(--[a-z-]+)[^`]*`/g)].map(([, option = '']) => option);
  const typed = commandLines({ path, text })
    .filter((each) => parse(each).command === parse(line).command)
    .flatMap((each) => parse(each).options);
  const options = optionsOf(parse(line).command);
  assert.deepEqual(
    options.filter((option) => ![...named, ...typed].includes(option)),
    [],
    'not on the page',
  );
  assert.deepEqual(
    named.filter((option) => !options.includes(option)),
    [],
    'not in the help',
  );
});

test('every variable of the environment that a document names is one of an option, a container or an image', () => {
  const commands = SOTTO.flatMap((command) => [command, ...command.commands]);
  const variables = ({ text }: Text): readonly string[] => text.match(/\bSOTTO_[A-Z_]+/g) ?? [];
  const known = new Set([
    ...commands.flatMap(({ options }) => options.flatMap((option) => option.envVar ?? [])),
    ...variables(read('compose.yaml')),
    ...variables(read('src/stack/docker/build-images.ts')),
  ]);
  const named = documents.flatMap(variables);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
  assert.ok(named.length > 0);
});

const SPECS = ['relay', 'directory'] as const;
const HEADINGS = new Map(
  SPECS.map((spec) => {
    const { text } = read(`spec/${spec}.md`);
    return [spec, [...text.matchAll(/^##+ (\d+(?:\.\d+)*) /gm)].map(([, number]) => number)];
  }),
);
/** `section 4.2`, `sections 2, 5 and 7`, with what it is of in front of it. */
const CITATION =
  /(?:RFC \d+,? |BIP \d+ |(?:spec\/)?(relay|directory)\.md[`)\]]* )?sections? (\d+(?:\.\d+)*(?:(?:, | and | to )\d+(?:\.\d+)*)*)/g;

interface Citation {
  readonly path: string;
  readonly spec: string;
  readonly section: string;
}

/** `own`: what a section without a name in front is of. */
function citationsIn({ path, text }: Text, own?: string): readonly Citation[] {
  const flowing = text.replaceAll(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ');
  return [...flowing.matchAll(CITATION)].flatMap(([whole, named, numbers = '']) => {
    const spec = named ?? (whole.startsWith('section') ? own : undefined);
    if (spec === undefined) return [];
    return numbers.split(/, | and | to /).map((section) => ({ path, spec, section }));
  });
}

test('every section of the specification that is cited exists', () => {
  const sources = [
    ...filesBelow('src', '.ts'),
    ...filesBelow('test', '.ts'),
    ...filesBelow('bench', '.ts'),
  ];
  const citations = [
    ...[...documents, ...sources].flatMap((file) => citationsIn(file)),
    ...SPECS.flatMap((spec) => citationsIn(read(`spec/${spec}.md`), spec)),
  ];
  const wrong = citations.filter(
    ({ spec, section }) => !HEADINGS.get(spec as 'relay')?.includes(section),
  );
  assert.deepEqual(wrong, []);
  assert.ok(citations.length > 60);
});
