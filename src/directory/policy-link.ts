import { createHash } from 'node:crypto';
import { equalBytes, fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type OnionAddress } from './consensus-node.ts';
import { DirectoryError } from './directory-error.ts';
import { HASH, NETWORK, NUMBER, ONION_HOST, parsePort } from './fields.ts';
import { parsePolicy, type Policy, renderPolicy } from './policy.ts';

/** Where a policy is to be had, and which one it must be: short enough to be a QR code. */
export interface PolicyLink {
  readonly network: string;
  readonly onion: OnionAddress;
  /** 32 bytes. */
  readonly fingerprint: Uint8Array;
}

const LINK = new RegExp(`^sotto-policy:(${NETWORK}):(${ONION_HOST}):(${NUMBER})#(${HASH})$`);
const MAX_POLICY_BYTES = 65_536;

/**
 * SHA-256 of the policy as `renderPolicy` writes it, so that neither comments nor blanks count
 * (spec/directory.md section 3).
 */
export function fingerprintOf(policy: Policy): Uint8Array {
  return new Uint8Array(createHash('sha256').update(renderPolicy(policy)).digest());
}

/** What whoever has the policy shows to somebody who asks for it by its fingerprint. */
export function policyFor(fingerprint: Uint8Array, policy: Policy): Uint8Array | undefined {
  return equalBytes(fingerprint, fingerprintOf(policy)) ? utf8(renderPolicy(policy)) : undefined;
}

export function formatPolicyLink({ network, onion, fingerprint }: PolicyLink): string {
  return `sotto-policy:${network}:${onion.host}:${onion.port}#${toHex(fingerprint)}`;
}

/** @throws DirectoryError `malformed`. */
export function parsePolicyLink(text: string): PolicyLink {
  const [, network, host, port, fingerprint] = LINK.exec(text) ?? [];
  if (
    network === undefined ||
    host === undefined ||
    port === undefined ||
    fingerprint === undefined
  ) {
    throw new DirectoryError('malformed', 'not a link to a policy');
  }
  return { network, onion: { host, port: parsePort(port) }, fingerprint: fromHex(fingerprint) };
}

/**
 * The text of the policy that was fetched.
 * @throws DirectoryError `too-large`; `wrong-digest` when it is not the one that the link names;
 * `wrong-network` when it is, but of another network than the link says.
 */
export function openFetchedPolicy(bytes: Uint8Array, { network, fingerprint }: PolicyLink): string {
  if (bytes.length > MAX_POLICY_BYTES) {
    throw new DirectoryError('too-large', `a policy of more than ${MAX_POLICY_BYTES} bytes`);
  }
  const hash = new Uint8Array(createHash('sha256').update(bytes).digest());
  if (!equalBytes(hash, fingerprint)) {
    throw new DirectoryError('wrong-digest', 'not the policy that the link names');
  }
  const policy = parsePolicy(fromUtf8(bytes));
  if (policy.network !== network) {
    throw new DirectoryError('wrong-network', `a policy of ${policy.network}`);
  }
  return renderPolicy(policy);
}
