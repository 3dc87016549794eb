import type { Clock } from '../../base/clock.ts';
import type { ControlClient } from '../../tor/control-client.ts';
import { controlArguments, parseBootstrapPhase } from '../../tor/control-reply.ts';
import { askTor } from '../ask-tor.ts';
import type { Check, Outcome } from '../finding.ts';
import type { Home } from '../home.ts';
import { failure, fine, warning } from '../outcome.ts';

/** What tor says of itself. */
export interface TorSays {
  /** `status/bootstrap-phase`. */
  readonly bootstrap: string;
  /** `status/version/current`: recommended, new, obsolete, unrecommended, unknown, ... */
  readonly standing: string;
  /** Between these times its consensus is of use; undefined while it has none. UTC, ms. */
  readonly consensus: { readonly fromMs: number; readonly untilMs: number } | undefined;
}

/** tor itself still uses a consensus for a day after its time (dir-spec, REASONABLY_LIVE_TIME). */
const GRACE_MS = 24 * 60 * 60 * 1000;
const SET_CLOCK = 'Set the clock of this machine: sudo timedatectl set-ntp true';

/** tor is in the network, with a version that the network takes, and the clock is right. */
export function torCheck(home: Home, clock: Clock): Check {
  return {
    id: 'tor',
    title: 'tor',
    async run() {
      const says = await askTor(home, hear);
      if (says === undefined) return failure('tor does not run', 'Start it: sotto up');
      return judgeTor(says, clock());
    },
  };
}

async function hear(control: ControlClient): Promise<TorSays> {
  const [bootstrap, standing] = await Promise.all([
    control.getInfo('status/bootstrap-phase'),
    control.getInfo('status/version/current'),
  ]);
  const [from, until] = await Promise.all(
    ['consensus/valid-after', 'consensus/valid-until'].map(async (key) => {
      // tor does not know the key as long as it has no consensus.
      const text = await control.getInfo(key).catch(() => '');
      return Date.parse(`${text.replace(' ', 'T')}Z`);
    }),
  );
  const isKnown = Number.isFinite(from) && Number.isFinite(until);
  return {
    bootstrap,
    standing,
    consensus: isKnown ? { fromMs: from ?? NaN, untilMs: until ?? NaN } : undefined,
  };
}

export function judgeTor({ bootstrap, standing, consensus }: TorSays, nowMs: number): Outcome {
  const phase = parseBootstrapPhase(bootstrap);
  if (phase === undefined) return failure('tor does not say how far it is', 'sotto restart tor');
  const said = controlArguments(bootstrap);
  const isSkewed = /clock/i.test(`${said.get('REASON') ?? ''} ${said.get('WARNING') ?? ''}`);
  if (isSkewed) return failure(`tor says: ${said.get('WARNING') ?? 'clock skew'}`, SET_CLOCK);
  if (consensus !== undefined && nowMs < consensus.fromMs) {
    return failure("the clock is behind that of Tor's network", SET_CLOCK);
  }
  if (standing === 'obsolete') {
    return failure(
      "Tor's network calls this version of tor obsolete",
      'Renew it: sotto update --check',
    );
  }
  if (phase.percent < 100) {
    const warned = said.get('WARNING');
    return failure(
      `at ${phase.percent} %, ${phase.summary}${warned === undefined ? '' : `: ${warned}`}`,
      'Is this machine online, and does its network let Tor through? sotto logs tor says more.',
    );
  }
  if (consensus !== undefined && nowMs > consensus.untilMs + GRACE_MS) {
    return warning(
      "tor's list of relays is over a day old",
      `The machine is offline, or its clock is ahead. ${SET_CLOCK}`,
    );
  }
  return fine('it is in the network, and the clock agrees');
}
