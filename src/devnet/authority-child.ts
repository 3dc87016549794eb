import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../base/lifecycle.ts';
import type { PolicyAuthority } from '../directory/policy.ts';
import { loadPublicKey } from '../directory/public-key.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { startChild } from '../io/child-process.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';
import { programPath } from '../io/program-path.ts';
import type { Reaper } from '../io/reaper.ts';
import type { EpochPlan } from './authority.ts';
import { type Answer, answerLine, formatRequest, formatSetup } from './authority-lines.ts';

export interface AuthorityProcessOptions {
  readonly name: string;
  /** The authority's own directory is below it, under its name. */
  readonly directory: string;
  readonly network: string;
  readonly signal: AbortSignal;
  readonly reaper?: Reaper | undefined;
}

export interface AuthorityProcess extends Running {
  readonly pid: number;
  readonly authority: PolicyAuthority;
  /** Refused too when the process has ended or does not answer in time. */
  ask(descriptors: readonly string[], plan: EpochPlan): Promise<Answer>;
}

const ANSWER_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2000;

/** Starts one authority with the key in its directory, which is made if there is none. */
export async function startAuthorityProcess(
  options: AuthorityProcessOptions,
): Promise<AuthorityProcess> {
  const { network, signal, reaper } = options;
  const directory = join(options.directory, options.name);
  const seedFile = join(directory, 'seed');
  const publicKey = await openKey(directory, seedFile);
  const name = `sotto/${options.name}`;
  const input = new PassThrough();
  const waiting = new Map<number, (answer: Answer) => void>();
  const child = await startChild({
    command: process.execPath,
    args: [programPath('devnet/authority-process.js')],
    input,
    onLine: (line, from) => {
      if (from === 'stderr') return;
      const answer = answerLine.parse(JSON.parse(line));
      waiting.get(answer.id)?.(answer);
    },
    signal,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    reaper,
  });
  input.write(
    `${formatSetup({ name, network, seedFile, recordFile: join(directory, 'signed') })}\n`,
  );
  let lastId = 0;
  return {
    pid: child.pid,
    failed: child.failed,
    authority: { name: options.name, verifier: { name, key: loadPublicKey(publicKey) } },
    async ask(descriptors, plan) {
      const id = ++lastId;
      const timer = new AbortController();
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      input.write(`${formatRequest(id, descriptors, plan)}\n`);
      try {
        return await Promise.race([
          answered,
          child.exited.then(() => ({ id, refused: `${name} has ended` })),
          sleep(ANSWER_TIMEOUT_MS, { id, refused: `${name} does not answer` }, timer),
        ]);
      } finally {
        timer.abort();
        waiting.delete(id);
      }
    },
    async [Symbol.asyncDispose]() {
      input.end();
      await child[Symbol.asyncDispose]();
    },
  };
}

async function openKey(directory: string, seedFile: string): Promise<Uint8Array> {
  await makePrivateDirectory(directory);
  let seed = await readIfPresent(seedFile);
  if (seed === undefined) {
    seed = randomBytes(32);
    await createSecretFile(seedFile, seed);
  }
  return signingKeyFromSeed(seed).publicKey;
}
