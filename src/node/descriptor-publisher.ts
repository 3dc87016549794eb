import { join } from 'node:path';
import { utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { SKEW_SECONDS } from '../directory/admit-descriptor.ts';
import { parseDescriptor, signDescriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import type { Bond } from '../directory/bond-line.ts';
import { nodeIdOf, type NodeId } from '../directory/node-id.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import type { EpochKeys } from '../relay/epoch-keys.ts';
import { DEFAULT_RELAY_LIMITS } from '../relay/relay-limits.ts';
import type { NodeKeys } from './node-keys.ts';
import type { ReplyKeys } from './reply-keys.ts';

export interface DescriptorPublisherOptions {
  readonly dataDirectory: string;
  readonly keys: NodeKeys;
  readonly epochKeys: EpochKeys;
  readonly replyKeys: Pick<ReplyKeys, 'announced'>;
  readonly family: readonly NodeId[];
  readonly electrum: { readonly protocol: string; readonly genesis: string };
  readonly bond?: Bond | undefined;
  /** The descriptor says that the node leaves its network (spec/directory.md section 16). */
  readonly leaves: boolean;
  /** Told of each descriptor with its digest of 32 bytes, once it is on disk. */
  readonly publish: (digest: Uint8Array, note: Uint8Array) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where the relay onion listens for Tor (spec/relay.md section 5). */
export const RELAY_PORT = 50_010;
/** Below the data directory. */
const NAME = 'descriptor';
const LIFE_SECONDS = 24 * 3600;
/** What says that a node leaves, at once and for good. */
const LEAVING_SECONDS = 1;
const CHECK_MS = 10_000;
/** Renewed well before it expires, so that authorities that were away still meet a valid one. */
const RENEW_SECONDS = LIFE_SECONDS / 4;

/** Writes the node's signed descriptor to `descriptor`, and again when a key or its time runs out. */
export async function publishDescriptor(
  options: DescriptorPublisherOptions,
): Promise<AsyncDisposable> {
  let published = await write(options, await lastPublished(options));
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    if (!isOutdated(options, published)) return;
    writing = write(options, published.atSeconds).then(
      (renewed) => {
        published = renewed;
      },
      (error: unknown) => {
        options.log.error('the descriptor cannot be renewed', { reason: messageOf(error) });
      },
    );
  }, CHECK_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await writing;
    },
  };
}

interface Published {
  readonly epoch: number | undefined;
  readonly replyKeyUntil: number;
  readonly atSeconds: number;
}

function isOutdated(
  { epochKeys, replyKeys, leaves, clock }: DescriptorPublisherOptions,
  published: Published,
): boolean {
  if (leaves) return false;
  const age = Math.floor(clock() / 1000) - published.atSeconds;
  return (
    age > RENEW_SECONDS ||
    // Nobody takes it: the clock was set back.
    age < -SKEW_SECONDS ||
    epochKeys.published()[0]?.epoch !== published.epoch ||
    replyKeys.announced().until !== published.replyKeyUntil
  );
}

/** Of the descriptor that is on disk, in Unix seconds; 0 when there is none. */
async function lastPublished({ dataDirectory }: DescriptorPublisherOptions): Promise<number> {
  const note = await readIfPresent(join(dataDirectory, NAME));
  if (note === undefined) return 0;
  try {
    return parseDescriptor(note).published;
  } catch (error) {
    if (error instanceof DirectoryError) return 0;
    throw error;
  }
}

/**
 * Authorities that hold the one before take none that is not later, also when the clock was ahead. If it was
 * ahead by more than they allow, nobody holds that one.
 */
function publishedAfter(before: number, now: number): number {
  return now <= before && before < now + SKEW_SECONDS ? before + 1 : now;
}

async function write(options: DescriptorPublisherOptions, before: number): Promise<Published> {
  const [current, next] = options.epochKeys.published();
  if (current === undefined || next === undefined) throw new Error('the epoch keys are not open');
  const published = publishedAfter(before, Math.floor(options.clock() / 1000));
  const reply = options.replyKeys.announced();
  const identity = signingKeyFromSeed(options.keys.identity);
  const { gatewayQuota } = DEFAULT_RELAY_LIMITS;
  const note = signDescriptor(
    {
      port: RELAY_PORT,
      roles: new Set(['relay', 'gateway']),
      family: options.family,
      replyKey: reply.key.publicKey,
      replyKeyUntil: reply.until,
      keyConfigs: [current, next],
      electrum: options.electrum,
      limits: gatewayQuota,
      bond: options.bond,
      published,
      expires: published + (options.leaves ? LEAVING_SECONDS : LIFE_SECONDS),
      unknown: [],
    },
    { identity, onion: signingKeyFromSeed(options.keys.onion) },
  );
  await writeDurably(join(options.dataDirectory, NAME), note);
  options.log.info('a new descriptor', { node: nodeIdOf(identity.publicKey) });
  options.publish(parseDescriptor(note).digest, utf8(note));
  return { epoch: current.epoch, replyKeyUntil: reply.until, atSeconds: published };
}
