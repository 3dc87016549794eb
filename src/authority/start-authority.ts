import { join } from 'node:path';
import { equalBytes } from '../base/bytes.ts';
import { messageOf, UserError } from '../base/errors.ts';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { type AuthorityConfig } from '../config/authority-config.ts';
import { loadText } from '../config/load.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type NoteSigner } from '../directory/note.ts';
import { parsePolicy, type Policy } from '../directory/policy.ts';
import { type SigningKey } from '../directory/signing-key.ts';
import { checkTimeline, slotAt } from '../directory/timeline.ts';
import { weightParamsOf } from '../directory/weight-params.ts';
import { openTarget } from '../electrum/open-target.ts';
import { type Dial } from '../io/dial.ts';
import { lockFile } from '../io/file-lock.ts';
import { AuthorityDirectory } from './authority-directory.ts';
import { openAuthorityFiles } from './authority-files.ts';
import { openAuthorityKey } from './authority-key.ts';
import { authorityPeer } from './authority-peers.ts';
import { startAuthorityServer } from './authority-server.ts';
import { castBallot } from './cast-ballot.ts';
import { evidenceFetcher } from './fetch-evidence.ts';
import { HeldNodes } from './held-nodes.ts';
import { keepLog } from './keep-log.ts';
import { NewestConsensus } from './newest-consensus.ts';
import { ProvedBonds } from './proved-bonds.ts';
import { runRounds } from './rounds.ts';
import { ShownDocuments } from './shown-documents.ts';
import { startProber } from './start-prober.ts';
import { takePut } from './take-put.ts';
import { steadyTime, wallTime } from './time.ts';

export interface AuthorityDependencies {
  readonly log: Logger;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  /** Reaches the onions of the other authorities. */
  readonly dial: Dial;
}

export interface Authority extends Running {
  /** Where it listens. */
  readonly port: number;
}

const FORGET_MS = 3_600_000;

/**
 * Starts a directory authority: it shows the directory, takes what nodes bring, and makes a consensus
 * with the others, slot after slot.
 * @throws UserError for what its operator can mend.
 */
export async function startAuthority(
  config: AuthorityConfig,
  { log, signal, dial }: AuthorityDependencies,
): Promise<Authority> {
  const { network, dataDirectory, timeline } = config;
  const policy = await readPolicy(config);
  checkTimeline(timeline, policy.authorities.length, network);
  const key = await openAuthorityKey(dataDirectory);
  const signer = signerOf(config.name, key, policy);
  const params = new Map(Object.entries(config.params));
  await using starting = new Scope();
  starting.use(await lock(dataDirectory));
  const files = starting.use(await openAuthorityFiles(join(dataDirectory, 'state'), policy));
  const nodes = await HeldNodes.open({
    directory: join(dataDirectory, 'nodes'),
    genesis: networkParams(network).genesisHash,
    now: wallTime.now(),
    slotAt: (now) => slotAt(now, timeline, policy.authorities.length),
  });
  const newest = await openNewest({ policy, store: files, log }, dataDirectory);
  const shown = new ShownDocuments();
  const clock = wallTime.now;
  const target = starting.use(await openTarget({ ...config, clock, log, signal }));
  const bonds = await ProvedBonds.open({
    directory: join(dataDirectory, 'bonds'),
    chain: target.headers.chain,
    nodes: () => nodes.all(),
    bondMinSats: weightParamsOf(params).bondMinSats,
  });
  const peers = policy.authorities.flatMap(({ name, onion }) => {
    if (name === config.name || onion === undefined) return [];
    return [starting.use(authorityPeer({ name, onion, dial, network, clock }))];
  });
  const periodMs = timeline.periodSeconds * 1000;
  const keeping = { policy, signer, files, newest, peers, periodMs };
  const keptLog = starting.use(keepLog({ ...keeping, time: wallTime, log }));
  const { checkpoints } = keptLog;
  const fetchEvidence = evidenceFetcher({
    evidence: files.evidence,
    newest,
    time: steadyTime,
    reach: (name, onion) => authorityPeer({ name, onion, dial, network, clock }),
  });
  const looking = { nodes, newest, target, dial, time: steadyTime, clock, log };
  const prober = starting.use(await startProber(config, looking));
  const server = starting.use(
    await startAuthorityServer({
      ...config,
      directory: new AuthorityDirectory({
        policy,
        files,
        checkpoints,
        nodes,
        bonds,
        newest,
        shown,
      }),
      take: (put) =>
        takePut(put, {
          ...{ nodes, bonds, keptLog, fetchEvidence, newest, clock },
          standing: {
            stakesOf: (descriptors) => bonds.stakesOf(descriptors),
            isThere: (nodeId) => prober.isThere(nodeId),
          },
          onDescriptor: (descriptor) => {
            prober.probe(descriptor);
          },
        }),
      clock,
      log,
    }),
  );
  const ballotParts = {
    policy,
    params,
    nodes,
    bonds,
    prober,
    consensusLog: files.consensusLog,
    peers,
  };
  const rounds = starting.use(
    startRounds((stopped) =>
      runRounds(
        timeline,
        {
          ...{ policy, signer, peers, newest, shown, log },
          store: files,
          descriptors: nodes,
          castBallot: (slot, previous) => castBallot(slot, previous, ballotParts),
          time: wallTime,
        },
        stopped,
      ),
    ),
  );
  starting.use(forgetNowAndThen({ nodes, bonds, log }));
  const running = starting.move();
  return {
    port: server.port,
    failed: firstFailure(server, rounds),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

async function readPolicy({ policyFile, network, name }: AuthorityConfig): Promise<Policy> {
  const policy = parsePolicy(await loadText(policyFile));
  if (policy.network !== network) {
    throw new UserError(`the policy is of ${policy.network}, the configuration of ${network}`);
  }
  const unreachable = policy.authorities.filter(
    (other) => other.name !== name && other.onion === undefined,
  );
  if (unreachable.length > 0) {
    const names = unreachable.map((other) => other.name).join(', ');
    throw new UserError(`the policy does not say where to reach ${names}`, {
      hint: 'Add a line for each: authority NAME ONION:PORT',
    });
  }
  return policy;
}

/** @throws UserError when the policy has no authority of this name and key. */
function signerOf(name: string, key: SigningKey, policy: Policy): NoteSigner {
  const found = policy.authorities.find((authority) => authority.name === name);
  if (found === undefined) throw new UserError(`the policy has no authority ${name}`);
  if (!equalBytes(found.verifier.key.bytes, key.publicKey)) {
    throw new UserError(`the policy has another key of ${name} than its data directory`);
  }
  return { name: found.verifier.name, key };
}

/** Two that sign with one key would convict themselves. */
async function lock(dataDirectory: string): Promise<AsyncDisposable> {
  const held = await lockFile(join(dataDirectory, 'lock'));
  if (held === undefined) throw new UserError(`${dataDirectory} is in use by another process`);
  return held;
}

async function openNewest(
  options: Parameters<typeof NewestConsensus.open>[0],
  dataDirectory: string,
): Promise<NewestConsensus> {
  try {
    return await NewestConsensus.open(options);
  } catch (cause) {
    if (!(cause instanceof DirectoryError)) throw cause;
    throw new UserError(`the newest consensus in ${dataDirectory} is not of this policy`, {
      hint:
        'When authorities change, a quorum of the new policy must have signed it: go on with the old file until\n' +
        'one is (docs/founding-a-network.md). Another network needs another data directory.',
      cause,
    });
  }
}

function startRounds(run: (signal: AbortSignal) => Promise<never>): Running {
  const stop = new AbortController();
  const running = run(stop.signal);
  const failed = running.catch((error: unknown): Promise<never> => {
    if (stop.signal.aborted) return new Promise<never>(() => undefined);
    throw error;
  });
  failed.catch(() => undefined);
  return {
    failed,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.catch(() => undefined);
    },
  };
}

interface Forgetting {
  readonly nodes: HeldNodes;
  readonly bonds: ProvedBonds;
  readonly log: Logger;
}

function forgetNowAndThen({ nodes, bonds, log }: Forgetting): AsyncDisposable {
  const forget = async (): Promise<void> => {
    await nodes.forget(wallTime.now());
    await bonds.forget();
  };
  let forgetting: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    forgetting = forget().catch((error: unknown) => {
      log.error('what is old cannot be removed', { reason: messageOf(error) });
    });
  }, FORGET_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await forgetting;
    },
  };
}
