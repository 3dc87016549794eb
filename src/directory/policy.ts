import { equalBytes } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { isOnionAddress } from '../tor/onion-address.ts';
import { type OnionAddress } from './consensus-node.ts';
import { DirectoryError } from './directory-error.ts';
import { NETWORK, NUMBER, ONION_HOST, parseNumber, parsePort } from './fields.ts';
import { MAX_SIGNATURES } from './limits.ts';
import { formatVerifierKey, type NoteVerifier, parseVerifierKey } from './note.ts';

/** An authority, by the name that the policy gives it, and the key its signatures must be by. */
export interface PolicyAuthority {
  readonly name: string;
  readonly verifier: NoteVerifier;
  /** Where nodes publish and its peers ask it; a client needs none. */
  readonly onion?: OnionAddress | undefined;
}

/** Is reached when `threshold` of the members, authorities or groups above it, are. */
export interface PolicyGroup {
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly string[];
}

/** Whose signatures make a consensus, and where to ask for one first (spec/directory.md section 3). */
export interface Policy {
  readonly network: string;
  readonly authorities: readonly PolicyAuthority[];
  readonly groups: readonly PolicyGroup[];
  /** The authority or group that must be reached, besides the majority of all authorities. */
  readonly quorum?: string | undefined;
  readonly bootstrap: readonly OnionAddress[];
}

/** More than half of the authorities and, if the policy names one, its quorum. */
export function isQuorum(policy: Policy, signers: readonly NoteVerifier[]): boolean {
  const { authorities, groups, quorum } = policy;
  const signed = authorities.filter(({ verifier }) => signers.includes(verifier));
  const reached = new Set(signed.map(({ name }) => name));
  for (const { name, threshold, members } of groups) {
    if (members.filter((member) => reached.has(member)).length >= threshold) reached.add(name);
  }
  return signed.length >= majorityOf(policy) && (quorum === undefined || reached.has(quorum));
}

/** How many authorities must sign at least: more than half. */
export function majorityOf({ authorities }: Pick<Policy, 'authorities'>): number {
  return Math.floor(authorities.length / 2) + 1;
}

/** The policy file, in the syntax of C2SP tlog-policy with lines `network`, `authority` and `relay` added. */
export function renderPolicy(policy: Policy): string {
  const lines = [
    `network ${policy.network}`,
    ...policy.authorities.map(
      ({ name, verifier }) => `witness ${name} ${formatVerifierKey(verifier)}`,
    ),
    ...policy.authorities.flatMap(({ name, onion }) =>
      onion === undefined ? [] : [`authority ${name} ${onion.host}:${onion.port}`],
    ),
    ...policy.groups.map(
      ({ name, threshold, members }) => `group ${name} ${threshold} ${members.join(' ')}`,
    ),
    ...(policy.quorum === undefined ? [] : [`quorum ${policy.quorum}`]),
    ...policy.bootstrap.map(({ host, port }) => `relay ${host}:${port}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * Lines that begin with `#` and blank ones are passed over; the others are of printable ASCII; a group comes after its members, an authority after its witness.
 * @throws UserError that names the line.
 */
export function parsePolicy(text: string): Policy {
  const draft = new PolicyDraft();
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    try {
      if (!words.every((word) => PRINTABLE.test(word))) {
        throw malformed('only printable characters of ASCII are allowed');
      }
      draft.add(words);
    } catch (cause) {
      if (!(cause instanceof DirectoryError)) throw cause;
      throw new UserError(`line ${index + 1} of the policy: ${cause.message}`, { cause });
    }
  }
  return draft.finish();
}

/** What is printed beside a fingerprint must not move, hide or turn round what is around it. */
const PRINTABLE = /^[!-~]+$/;
const NAME = /^[!-*,-~]{1,64}$/;

const NETWORK_NAME = new RegExp(`^${NETWORK}$`);
const ONION = new RegExp(`^(${ONION_HOST}):(${NUMBER})$`);

const KEYWORDS = 'network, witness, authority, group, quorum, relay';

class PolicyDraft {
  #network: string | undefined;
  #quorum: string | undefined;
  readonly #authorities: PolicyAuthority[] = [];
  readonly #onions = new Map<string, OnionAddress>();
  readonly #groups: PolicyGroup[] = [];
  readonly #bootstrap: OnionAddress[] = [];
  readonly #names = new Set<string>();

  /** @throws DirectoryError */
  add([keyword, ...words]: readonly string[]): void {
    const [first = '', second = '', ...rest] = words;
    const shape = `${keyword ?? ''} ${words.length}`;
    if (shape === 'network 1') this.#setNetwork(first);
    else if (shape === 'witness 2') this.#addAuthority(first, second);
    else if (shape === 'authority 2') this.#placeAuthority(first, second);
    else if (keyword === 'group' && rest.length > 0) this.#addGroup(first, second, rest);
    else if (shape === 'quorum 1') this.#setQuorum(first);
    else if (shape === 'relay 1') this.#bootstrap.push(parseOnion(first));
    else throw malformed(`expected one of ${KEYWORDS} and its words`);
  }

  /** @throws UserError */
  finish(): Policy {
    if (this.#network === undefined) throw new UserError('the policy names no network');
    if (this.#authorities.length === 0) throw new UserError('the policy names no witness');
    return {
      network: this.#network,
      authorities: this.#authorities.map(({ name, verifier }) => ({
        name,
        verifier,
        onion: this.#onions.get(name),
      })),
      groups: this.#groups,
      quorum: this.#quorum,
      bootstrap: this.#bootstrap,
    };
  }

  #setNetwork(name: string): void {
    if (this.#network !== undefined) throw malformed('a second network');
    if (!NETWORK_NAME.test(name)) throw malformed('not the name of a network');
    this.#network = name;
  }

  #addAuthority(name: string, verifierKey: string): void {
    const verifier = parseVerifierKey(verifierKey);
    if (this.#authorities.length >= MAX_SIGNATURES) {
      throw malformed(`a note has room for the signatures of ${MAX_SIGNATURES} witnesses`);
    }
    if (
      this.#authorities.some((other) => equalBytes(other.verifier.key.bytes, verifier.key.bytes))
    ) {
      throw malformed('the same key twice');
    }
    this.#claim(name);
    this.#authorities.push({ name, verifier });
  }

  #placeAuthority(name: string, address: string): void {
    if (!this.#authorities.some((authority) => authority.name === name)) {
      throw malformed(`no witness ${name} above this line`);
    }
    if (this.#onions.has(name)) throw malformed(`a second onion of ${name}`);
    const onion = parseOnion(address);
    for (const [other, { host, port }] of this.#onions) {
      if (host === onion.host && port === onion.port)
        throw malformed(`the onion of ${other} again`);
    }
    this.#onions.set(name, onion);
  }

  #addGroup(name: string, count: string, members: readonly string[]): void {
    const threshold = thresholdOf(count, members.length);
    if (new Set(members).size !== members.length) throw malformed('a member twice');
    for (const member of members) this.#expect(member);
    this.#claim(name);
    this.#groups.push({ name, threshold, members });
  }

  #setQuorum(name: string): void {
    if (this.#quorum !== undefined) throw malformed('a second quorum');
    this.#expect(name);
    this.#quorum = name;
  }

  #claim(name: string): void {
    if (!NAME.test(name) || name === 'none') throw malformed('not a name');
    if (this.#names.has(name)) throw malformed(`${name} twice`);
    this.#names.add(name);
  }

  #expect(name: string): void {
    if (!this.#names.has(name)) throw malformed(`no witness or group ${name} above this line`);
  }
}

/** @throws DirectoryError */
function parseOnion(address: string): OnionAddress {
  const [, host, port] = ONION.exec(address) ?? [];
  if (host === undefined || port === undefined) throw malformed('not an onion address and port');
  if (!isOnionAddress(host)) throw malformed(`a letter of ${host} is wrong`);
  return { host, port: parsePort(port) };
}

function thresholdOf(count: string, members: number): number {
  if (count === 'any') return 1;
  if (count === 'all') return members;
  if (!/^[1-9][0-9]{0,3}$/.test(count)) throw malformed('a group needs a number, any or all');
  return parseNumber(count, members);
}

function malformed(message: string): DirectoryError {
  return new DirectoryError('malformed', message);
}
