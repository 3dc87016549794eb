import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fromUtf8 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import {
  createSecretFile,
  makePrivateDirectory,
  readIfPresent,
  writeDurably,
} from '../io/durable-file.ts';
import { type Binding } from './assignment.ts';

/** What a wallet has chosen and keeps across restarts. */
export interface Choices {
  readonly relays: readonly Binding[];
  /** By scripthash. */
  readonly gateways: ReadonlyMap<string, Binding>;
}

export interface ClientState {
  /** 32 bytes, drawn once. */
  readonly secret: Uint8Array;
  readonly choices: Choices;
  /** Resolves when these choices, or newer ones, survive a power cut. */
  save(choices: Choices): Promise<void>;
}

const SECRET_BYTES = 32;
const SECRET_FILE = 'wallet-secret';
/** Between two writes: while a large wallet is asked about, one serves the choices of many addresses. */
const SPACING_MS = 100;
const CHOICES_FILE = 'choices.json';

const nodeId = z.string().regex(/^[0-9a-f]{32}$/);
const binding = z.strictObject({
  nodeId,
  since: z.number(),
  missingSince: z.number().optional(),
});
const choicesFile = z.strictObject({
  version: z.literal(1),
  relays: z.array(binding),
  gateways: z.record(z.string().regex(/^[0-9a-f]{64}$/), binding),
});

/**
 * Opens the state of a wallet, or creates it. Files are readable by their owner only.
 * @throws UserError when a file is damaged: choosing anew would show addresses to more gateways.
 */
export async function openClientState(directory: string): Promise<ClientState> {
  await makePrivateDirectory(directory);
  const secret = await openSecret(join(directory, SECRET_FILE));
  const path = join(directory, CHOICES_FILE);
  let choices = parseChoices(path, await readIfPresent(path));
  let spaced: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return {
    secret,
    get choices() {
      return choices;
    },
    save(changed) {
      choices = changed;
      // Whatever changes while a write is on its way is written by the one after it.
      next ??= spaced.then(() => {
        next = undefined;
        const written = writeDurably(path, renderChoices(choices));
        spaced = written.catch(() => undefined).then(() => sleep(SPACING_MS));
        return written;
      });
      return next;
    },
  };
}

async function openSecret(path: string): Promise<Uint8Array> {
  const held = await readIfPresent(path);
  if (held === undefined) {
    const drawn = randomBytes(SECRET_BYTES);
    await createSecretFile(path, drawn);
    return drawn;
  }
  if (held.length !== SECRET_BYTES) throw damaged(path);
  return held;
}

function parseChoices(path: string, bytes: Uint8Array | undefined): Choices {
  if (bytes === undefined) return { relays: [], gateways: new Map() };
  try {
    const { relays, gateways } = choicesFile.parse(JSON.parse(fromUtf8(bytes)));
    return { relays, gateways: new Map(Object.entries(gateways)) };
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function renderChoices({ relays, gateways }: Choices): string {
  const file: z.infer<typeof choicesFile> = {
    version: 1,
    relays: [...relays],
    gateways: Object.fromEntries(gateways),
  };
  return `${JSON.stringify(file)}\n`;
}

function damaged(path: string, cause?: unknown): UserError {
  return new UserError(`${path} is damaged`, {
    cause,
    hint: 'Restore it from a backup. Without it, addresses are shown to other gateways than before: remove it only if that is acceptable.',
  });
}
