import { type NodeId } from '../directory/node-id.ts';
import { type AttemptError } from './attempt-error.ts';
import { type Culprit, LookupError, type LookupErrorCode, NOBODY } from './fault.ts';

/** An attempt that failed, and the way it went. */
export interface FailedAttempt {
  readonly relay: NodeId;
  readonly gateway: NodeId;
  readonly error: AttemptError;
}

const RELAYS_TO_BLAME_A_GATEWAY = 2;

/** The relay's fault: the attempt says so itself, or the gateway answered through another relay. */
export function blameRelay(attempt: FailedAttempt): LookupError {
  const reason =
    attempt.error.suspect === 'relay'
      ? 'the relay is at fault'
      : 'the gateway answered through another relay, so this relay is at fault';
  return fault(attempt, { role: 'relay', nodeId: attempt.relay }, reason);
}

/** Why a gateway could not be asked at all, after the last attempt that the rules allow. */
export function verdictOn(attempts: readonly FailedAttempt[]): LookupError {
  const last = attempts.at(-1);
  if (last === undefined) throw new RangeError('no attempt was made');
  const gateway: Culprit = { role: 'gateway', nodeId: last.gateway };
  if (last.error.suspect === 'gateway') return fault(last, gateway, 'the gateway is at fault');
  const unclear = attempts.filter(({ error }) => error.suspect === 'either');
  const [first, ...more] = unclear;
  if (first === undefined) {
    const offline = attempts.every(({ error }) => error.code === 'relay-unreachable');
    if (!offline || attempts.length === 1) return blameRelay(last);
    return fault(
      last,
      NOBODY,
      `none of ${attempts.length} relays could be, so Tor may be offline here`,
    );
  }
  const relays = new Set(unclear.map(({ relay }) => relay)).size;
  if (relays >= RELAYS_TO_BLAME_A_GATEWAY) {
    return fault(
      more.at(-1) ?? first,
      gateway,
      `so it went through ${relays} relays, so the gateway is at fault`,
    );
  }
  return fault(
    first,
    NOBODY,
    'no other relay could be asked, so either of the two may be at fault',
  );
}

function fault(
  { relay, gateway, error }: FailedAttempt,
  culprit: Culprit,
  why: string,
): LookupError {
  const { code, evidence, cause } = error;
  const what = WHAT_HAPPENED[code]?.(relay, gateway) ?? code;
  return new LookupError(code, `${what}: ${why}.`, { culprit, evidence, cause });
}

type Words = (relay: NodeId, gateway: NodeId) => string;

const WHAT_HAPPENED: Readonly<Partial<Record<LookupErrorCode, Words>>> = {
  'relay-unreachable': (relay) => `Relay ${relay} could not be reached`,
  'link-broken': (relay) => `Relay ${relay} broke the link off or spoke out of turn`,
  'no-answer': (relay, gateway) =>
    `Relay ${relay} did not answer in time, not even to say that gateway ${gateway} is silent`,
  undecryptable: (relay, gateway) =>
    `What relay ${relay} brought as the answer of gateway ${gateway} cannot be opened`,
  'forged-error': (relay, gateway) =>
    `Relay ${relay} brought an error about gateway ${gateway} that is not signed for this question`,
  'gateway-unreachable': (relay, gateway) =>
    `Relay ${relay} says that it cannot reach gateway ${gateway}`,
  'relay-timeout': (relay, gateway) => `Relay ${relay} says that gateway ${gateway} was silent`,
  'relay-does-not-list': (relay, gateway) =>
    `Relay ${relay} does not find gateway ${gateway} in the consensus, which lists it`,
  'relay-quota': (relay) => `Relay ${relay} takes no more questions for now`,
  'unexpected-error': (relay) => `Relay ${relay} answered with an error that does not belong here`,
  'key-unknown': (_, gateway) => `Gateway ${gateway} does not know its key of the consensus`,
  'open-failed': (_, gateway) =>
    `Gateway ${gateway} says that it cannot open what was sealed to it`,
  replay: (relay, gateway) =>
    `Gateway ${gateway} says that relay ${relay} sent it a question twice`,
  overload: (relay, gateway) => `Gateway ${gateway} takes no more from relay ${relay} for now`,
  'bad-signature': (_, gateway) => `The answer of gateway ${gateway} lacks its signature`,
  'malformed-reply': (_, gateway) => `The answer of gateway ${gateway} is not well formed`,
  busy: (_, gateway) => `Gateway ${gateway} is busy`,
  'directory-mismatch': (_, gateway) =>
    `Gateway ${gateway} does not know the consensus that this client goes by`,
};
