import { messageOf, UserError } from '../base/errors.ts';
import { torGet, type TorReply } from '../io/tor-get.ts';
import type { Waiting } from './backend.ts';
import type { Home } from './home.ts';
import type { Pin, Pins } from './pins.ts';
import { feedUrl, newestVersion } from './release-feed.ts';
import { compareVersions } from './version.ts';

/** What came of asking one project for its newest version. */
export interface Update {
  /** As in `docker/pins.yaml`. */
  readonly name: string;
  /** What this Sotto runs. */
  readonly version: string;
  /** Absent when the project did not answer. */
  readonly newest?: string;
  readonly isNewer: boolean;
  /** Why there is no answer. */
  readonly problem?: string;
}

export interface UpdatesOptions extends Waiting {
  readonly pins: Pins;
  /** Of tor that runs now; Debian's newest is compared with it. */
  readonly torVersion: string;
  /** Gets a page; through tor unless a test says otherwise. */
  readonly get: (url: `https://${string}`, options: Waiting) => Promise<TorReply>;
}

/** A page over Tor takes seconds, a bad circuit for ever. */
const TIMEOUT_MS = 45_000;
const MAX_REPLY_BYTES = 256 * 1024;

/** Asks every project at once. One that does not answer holds up none of the others. */
export async function checkUpdates(options: UpdatesOptions): Promise<readonly Update[]> {
  const { pins, torVersion } = options;
  const versions = Object.entries(pins).map(
    ([name, pin]) => [name, pin, name === 'tor' ? torVersion : pin.version] as const,
  );
  return Promise.all(
    versions.map(([name, pin, version]) => checkUpdate(pin, { ...options, name, version })),
  );
}

async function checkUpdate(
  { feed }: Pin,
  options: UpdatesOptions & { readonly name: string; readonly version: string },
): Promise<Update> {
  const { name, version, get, signal } = options;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const reply = await get(feedUrl(feed), { signal: AbortSignal.any([signal, timeout]) });
    const newest = newestVersion(feed, reply);
    return { name, version, newest, isNewer: compareVersions(newest, version) > 0 };
  } catch (error) {
    signal.throwIfAborted();
    const problem = timeout.aborted ? `no answer in ${TIMEOUT_MS / 1000} s` : messageOf(error);
    return { name, version, isNewer: false, problem };
  }
}

/** Through the exits of the server's own tor, a circuit for each host. Never by any other way. */
export function getThroughTor(home: Home): UpdatesOptions['get'] {
  return (url, { signal }) =>
    torGet({
      socksPath: home.torExitSocks,
      url,
      isolation: `update ${new URL(url).host}`,
      maxReplyBytes: MAX_REPLY_BYTES,
      signal,
    });
}

/** @throws UserError when nobody answered at all. */
export function requireAnswer(updates: readonly Update[]): void {
  if (updates.some(({ newest }) => newest !== undefined)) return;
  throw new UserError('no project answered through Tor', {
    hint: `${updates[0]?.problem ?? ''}\nIs tor well? sotto status`,
  });
}
