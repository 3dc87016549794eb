import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Clock } from '../base/clock.ts';
import { type Logger } from '../base/log.ts';
import { type AuthorityConfig } from '../config/authority-config.ts';
import { type OpenTarget } from '../electrum/open-target.ts';
import { type Dial } from '../io/dial.ts';
import { askGateway } from './ask-gateway.ts';
import { askNode } from './ask-node.ts';
import { openAskedScripts } from './asked-scripts.ts';
import { type HeldNodes } from './held-nodes.ts';
import { KnownScripts } from './known-scripts.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { openProberMemory } from './prober-memory.ts';
import { Prober } from './prober.ts';
import { type Time } from './time.ts';

export interface StartProberParts {
  readonly nodes: Pick<HeldNodes, 'all'>;
  readonly newest: Pick<NewestConsensus, 'consensus'>;
  /** Knows the right answers. */
  readonly target: Pick<OpenTarget, 'client' | 'headers'>;
  readonly dial: Dial;
  /** By which nodes are looked at: nobody sets it. */
  readonly time: Time;
  /** By which consensuses are valid, nodes are asked and files are timed. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** As clients do: a first onion connection can take most of a minute, relays wait 30 s for a gateway. */
const [CONNECT_MS, ANSWER_MS] = [60_000, 50_000];

/** Takes up what an authority knows of the nodes, and goes on looking at them. */
export async function startProber(
  { network, dataDirectory, probeSeconds }: AuthorityConfig,
  { nodes, newest, target: { client, headers }, dial, time, clock, log }: StartProberParts,
): Promise<Prober> {
  const everyMs = probeSeconds * 1000;
  const path = join(dataDirectory, 'probes.json');
  const memory = await openProberMemory({ path, everyMs, now: time.now(), clock, log });
  const asked = await openAskedScripts({ path: join(dataDirectory, 'probe-scripts.json'), log });
  const { chain } = headers;
  const scripts = new KnownScripts({ network, client, chain, asked, random: randomInt });
  const asking = {
    ...{ scripts, asked, headers, carried: memory.carried, now: time.now, random: randomInt },
    ...{ dial, network, clock, connectMs: CONNECT_MS, answerMs: ANSWER_MS },
  };
  return new Prober({
    ...{ memory, asked },
    nodes: () => nodes.all(),
    consensus: () => newest.consensus,
    challenge: (descriptor, signal) => askNode(descriptor, { dial, network, clock }, signal),
    ask: (gateway, signal) => askGateway(gateway, asking, signal),
    ...{ everyMs, time, clock, random: randomInt, log },
  });
}
