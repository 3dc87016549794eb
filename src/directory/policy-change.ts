import { formatVerifierKey } from './note.ts';
import { majorityOf, type Policy, type PolicyAuthority } from './policy.ts';

/** What it means for people with the older file that authorities go by a newer one. */
export interface PolicyChange {
  /** Names in the newer file; of those that go, in the older one. */
  readonly stay: readonly string[];
  readonly come: readonly string[];
  readonly go: readonly string[];
  /** How many of those that stay must have signed the newest consensus when authorities start with it. */
  readonly toStart: number;
  /** How many of those that stay must sign for the older file. */
  readonly forOlder: number;
  /** With the older file all goes on: whenever enough sign for the newer one; when enough of those that stay do; never. */
  readonly olderGoesOn: 'always' | 'when-enough-sign' | 'never';
}

/** Of majorities. A line `quorum` of either file asks for more besides. */
export function comparePolicies(older: Policy, newer: Policy): PolicyChange {
  const isOf = ({ authorities }: Policy, { verifier }: PolicyAuthority): boolean =>
    authorities.some((other) => formatVerifierKey(other.verifier) === formatVerifierKey(verifier));
  const stay = newer.authorities.filter((each) => isOf(older, each));
  const come = newer.authorities.filter((each) => !isOf(older, each));
  const go = older.authorities.filter((each) => !isOf(newer, each));
  const toStart = majorityOf(newer);
  const forOlder = majorityOf(older);
  const atLeast = toStart - come.length;
  return {
    ...{ stay: namesOf(stay), come: namesOf(come), go: namesOf(go), toStart, forOlder },
    olderGoesOn:
      stay.length < forOlder ? 'never' : atLeast < forOlder ? 'when-enough-sign' : 'always',
  };
}

function namesOf(authorities: readonly PolicyAuthority[]): readonly string[] {
  return authorities.map(({ name }) => name);
}
