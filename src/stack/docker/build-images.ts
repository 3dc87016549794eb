import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { UserError } from '../../base/errors.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import { startChild } from '../../io/child-process.ts';
import type { TreeFile } from '../../io/tree-files.ts';
import { loadPins, pinnedImage } from '../pins.ts';
import { explainDocker } from './docker-complaint.ts';
import { dockerMissing, runDocker } from './docker-program.ts';
import { imageContext, OWN_IMAGES, type OwnImage, ownImageName } from './image-context.ts';

export interface BuildOptions {
  /** The images of a plan. One that is not made here is left alone. */
  readonly images: readonly string[];
  /** `SOTTO_BASE_IMAGE` stands in for the pinned base of each. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Make them also where they are there already, from the newest packages of Debian. */
  readonly isFresh?: boolean;
  readonly onProgress?: ((step: string) => void) | undefined;
  readonly signal: AbortSignal;
}

/** What an own image is made upon, as its label says. */
export const BASE_LABEL = 'sotto.base';

/**
 * Makes those of our own images that a plan names and the engine lacks. Nothing is done for an image
 * of this very content, unless another base is asked for.
 * @returns the names of those that were made.
 * @throws UserError when a base cannot be had, or a build fails.
 */
export async function buildImages(options: BuildOptions): Promise<readonly string[]> {
  const { images, environment, isFresh, signal } = options;
  const pins = await loadPins();
  const made: string[] = [];
  for (const image of OWN_IMAGES) {
    const name = await ownImageName(image);
    if (!images.includes(name)) continue;
    const override = environment['SOTTO_BASE_IMAGE'];
    const built = await baseOf(name, signal);
    if (built !== undefined && (override ?? built) === built && !isFresh) continue;
    const base = override ?? pinnedImage(pins[image]);
    await provideBase(base, options);
    await build({ ...options, image, name, base });
    made.push(name);
  }
  return made;
}

/** The base that an image here was made upon; undefined when there is no such image. */
async function baseOf(name: string, signal: AbortSignal): Promise<string | undefined> {
  const format = `{{index .Config.Labels "${BASE_LABEL}"}}`;
  const { code, stdout } = await runDocker(['image', 'inspect', '--format', format, name], {
    signal,
  });
  return code === 0 ? stdout.trim() : undefined;
}

async function provideBase(base: string, options: BuildOptions): Promise<void> {
  const { signal } = options;
  if ((await runDocker(['image', 'inspect', base], { signal })).code === 0) return;
  options.onProgress?.(`fetching ${base}`);
  const { code, lines } = await runLong(['pull', '--quiet', base], { signal });
  if (code === 0) return;
  throw new UserError(
    `the base image ${base} cannot be had: ${lines.at(-1) ?? 'no reason given'}`,
    {
      hint:
        'Is this machine online, and can it reach the registry? An image of Debian 13 that is here serves too:\n' +
        'SOTTO_BASE_IMAGE=debian:trixie-slim sotto up',
    },
  );
}

interface Build extends BuildOptions {
  readonly image: OwnImage;
  readonly name: string;
  readonly base: string;
}

async function build({ image, name, base, isFresh, onProgress, signal }: Build): Promise<void> {
  const say = (what: string): void => onProgress?.(`building ${name}: ${what}`);
  say('packing');
  const args = [
    ...['build', '--tag', name, '--build-arg', `BASE_IMAGE=${base}`],
    ...['--label', `${BASE_LABEL}=${base}`],
    ...(isFresh ? ['--no-cache'] : []),
    '-',
  ];
  const { code, lines } = await runLong(args, {
    input: Readable.from(tarOf(await imageContext(image))),
    onLine: (line) => {
      // `Step 3/9 : RUN ...` of the older builder, `#7 [3/5] RUN ...` of the newer one.
      const step = /^(?:Step \d+\/\d+ : |#\d+ \[[^\]]+\] )(\w+ .*)/.exec(line)?.[1];
      if (step !== undefined) say(step.slice(0, 60));
    },
    signal,
  });
  if (code !== 0) throw explainDocker(['build'], lines.join('\n'));
}

interface LongRun {
  readonly input?: Readable;
  readonly onLine?: (line: string) => void;
  readonly signal: AbortSignal;
}

const STOP_TIMEOUT_MS = 5_000;
const KEPT_LINES = 30;

/** Runs docker for as long as it takes. @returns the last lines of what it said, too. */
async function runLong(
  args: readonly string[],
  { input, onLine, signal }: LongRun,
): Promise<{ readonly code: number | undefined; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  await using child = await startChild({
    command: 'docker',
    args,
    env: { BUILDKIT_PROGRESS: 'plain' },
    ...(input && { input }),
    onLine: (line) => {
      onLine?.(line);
      if (line.trim() === '') return;
      lines.push(line.trim());
      if (lines.length > KEPT_LINES) lines.shift();
    },
    signal,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw (cause as NodeJS.ErrnoException).code === 'ENOENT' ? dockerMissing(cause) : cause;
  });
  const { code } = await unlessAborted(child.exited, signal);
  return { code, lines };
}

const MODE = { executable: 0o755, plain: 0o644 } as const;

/** Nothing in it says when or by whom it was made, so that the layers are the same each time. */
function tarOf(files: ReadonlyMap<string, TreeFile>): AsyncIterable<Uint8Array> {
  const tar = pack();
  for (const [name, { bytes, isExecutable }] of files) {
    const mode = isExecutable ? MODE.executable : MODE.plain;
    tar.entry({ name, mode, mtime: new Date(0) }, Buffer.from(bytes));
  }
  tar.finalize();
  return tar as AsyncIterable<Uint8Array>;
}
