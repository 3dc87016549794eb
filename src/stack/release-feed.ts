import type { TorReply } from '../io/tor-get.ts';
import type { ReleaseFeed } from './pins.ts';
import { compareVersions } from './version.ts';

/** What a feed said is not what was expected of it. */
export class ReleaseFeedError extends Error {
  override readonly name = 'ReleaseFeedError';
}

/** The page on which a project says what its newest version is. */
export function feedUrl(feed: ReleaseFeed): `https://${string}` {
  switch (feed.kind) {
    case 'github':
      // Redirects to the newest release that is no preview.
      return `https://github.com/${feed.repository}/releases/latest`;
    case 'debian':
      return `https://qa.debian.org/madison.php?package=${feed.package}&s=${feed.suite}&text=on`;
    case 'node':
      return `https://nodejs.org/download/release/latest-v${feed.line}.x/SHASUMS256.txt`;
  }
}

/** @throws ReleaseFeedError unless the reply is what this feed gives, to the letter. */
export function newestVersion(feed: ReleaseFeed, reply: TorReply): string {
  const found = versionsIn(feed, reply).sort(compareVersions).at(-1);
  if (found !== undefined) return found;
  throw new ReleaseFeedError(`an answer that is not understood (status ${reply.status})`);
}

const GITHUB_TAG = /^v?(\d+(?:\.\d+){1,3})$/;
/** `tor | 0.4.9.15-0+deb13u1 | trixie-security | source, amd64`: the version of its makers. */
const MADISON_LINE = /^ *([a-z0-9+.-]+) *\| *(?:\d+:)?(\d+(?:\.\d+){1,4})[^| ]* *\| *([a-z-]+) *\|/;
const NODE_LINE = /^[0-9a-f]{64} {2}node-v(\d+\.\d+\.\d+)-linux-x64\.tar\.xz$/;

function versionsIn(feed: ReleaseFeed, reply: TorReply): string[] {
  switch (feed.kind) {
    case 'github': {
      const start = `https://github.com/${feed.repository}/releases/tag/`;
      const { status, location = '' } = reply;
      if (status !== 302 || !location.startsWith(start)) return [];
      return only(GITHUB_TAG.exec(location.slice(start.length))?.[1]);
    }
    case 'debian':
      return linesOf(reply).flatMap((line) => {
        const [, name, version, suite] = MADISON_LINE.exec(line) ?? [];
        return name === feed.package && suite === feed.suite ? only(version) : [];
      });
    case 'node':
      return linesOf(reply)
        .flatMap((line) => only(NODE_LINE.exec(line)?.[1]))
        .filter((version) => version.startsWith(`${feed.line}.`));
  }
}

function linesOf({ status, body }: TorReply): string[] {
  return status === 200 ? body.split('\n') : [];
}

function only(version: string | undefined): string[] {
  return version === undefined ? [] : [version];
}
