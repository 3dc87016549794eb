import { unlessAborted } from '../../base/unless-aborted.ts';
import { startChild } from '../../io/child-process.ts';
import type { Plan } from '../plan.ts';
import { explainDocker } from './docker-complaint.ts';
import { dockerMissing } from './docker-program.ts';

export interface ComposeOptions {
  /** Told what is done, in compose's words: `Container sotto-tor-1 Started`. */
  readonly onProgress?: ((step: string) => void) | undefined;
  readonly signal: AbortSignal;
}

const STOP_TIMEOUT_MS = 10_000;
const KEPT_LINES = 40;

/**
 * Runs `docker compose` on the files of the home. The person's own COMPOSE_ variables do not count,
 * the plan's do.
 * @throws UserError with compose's words.
 */
export async function compose(
  plan: Plan,
  args: readonly string[],
  { onProgress, signal }: ComposeOptions,
): Promise<void> {
  const { home, config, environment } = plan;
  const lines: string[] = [];
  const all = [
    ...['compose', '--ansi', 'never', '--progress', 'plain'],
    ...['--project-name', config.docker.project, '--project-directory', home.directory],
    ...['--file', home.composeFile, '--env-file', home.environmentFile],
    ...args,
  ];
  await using child = await startChild({
    command: 'docker',
    args: all,
    env: environment,
    onLine: (line) => {
      const words = line.replace(/\s+/g, ' ').trim();
      if (words === '') return;
      lines.push(words);
      if (lines.length > KEPT_LINES) lines.shift();
      onProgress?.(words);
    },
    signal,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw (cause as NodeJS.ErrnoException).code === 'ENOENT' ? dockerMissing(cause) : cause;
  });
  const { code } = await unlessAborted(child.exited, signal);
  if (code !== 0) throw explainDocker(['compose', ...args], lines.join('\n'));
}
