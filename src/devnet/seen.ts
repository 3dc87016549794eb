import { fromHex, reverseBytes } from '../base/bytes.ts';
import type { NodeId } from '../directory/node-id.ts';

/** What tells an address apart in bytes, in every form a program would write it. */
export interface AddressMarks {
  readonly address: string;
  /** Hex, as Electrum shows it. */
  readonly scriptHash: string;
  readonly script: Uint8Array;
}

/** What a node had in hand as relay: cells it could not read, from circuits it cannot name. */
export interface SeenAsRelay {
  readonly cells: number;
  readonly circuits: number;
  readonly gateways: number;
  /** How many of the wallet's addresses stand in those bytes in any form. */
  readonly addresses: number;
}

/** What a node had in hand as gateway: questions, from relays that speak for anybody. */
export interface SeenAsGateway {
  readonly cells: number;
  /** The links they came by: of relays, and all that there is to tell who asked. */
  readonly links: number;
  readonly addresses: number;
}

export interface SeenByNode {
  readonly nodeId: NodeId;
  readonly onion: string;
  readonly relay: SeenAsRelay;
  readonly gateway: SeenAsGateway;
}

interface Line {
  readonly role: 'relay' | 'gateway';
  readonly circuit: string;
  readonly nodeId?: string;
  /** Hex: what the relay passed on. */
  readonly cell?: string;
  /** Hex: what the gateway opened. */
  readonly args?: string;
}

/** Counts from all that a node's roles had in hand: one JSON object a line. */
export function seenByRoles(
  observed: string,
  wallet: readonly AddressMarks[],
): Pick<SeenByNode, 'relay' | 'gateway'> {
  const lines = observed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const asRelay = lines.filter(({ role }) => role === 'relay');
  const asGateway = lines.filter(({ role }) => role === 'gateway');
  return {
    relay: {
      cells: asRelay.length,
      circuits: new Set(asRelay.map(({ circuit }) => circuit)).size,
      gateways: new Set(asRelay.map(({ nodeId }) => nodeId)).size,
      addresses: addressesIn(asRelay.map(bytesOf), wallet),
    },
    gateway: {
      cells: asGateway.length,
      links: new Set(asGateway.map(({ circuit }) => circuit)).size,
      addresses: addressesIn(asGateway.map(bytesOf), wallet),
    },
  };
}

/** How many addresses stand anywhere in the bytes: as text, hex or raw, forwards or backwards. */
export function addressesIn(
  chunks: readonly Uint8Array[],
  wallet: readonly AddressMarks[],
): number {
  const haystack = Buffer.concat(chunks);
  return wallet.filter((marks) =>
    formsOf(marks).some((form) => haystack.includes(Buffer.from(form))),
  ).length;
}

function formsOf({ address, scriptHash, script }: AddressMarks): readonly (string | Uint8Array)[] {
  const hash = fromHex(scriptHash);
  const reversed = reverseBytes(hash);
  return [
    address,
    scriptHash,
    Buffer.from(reversed).toString('hex'),
    hash,
    reversed,
    script,
    Buffer.from(script).toString('hex'),
  ];
}

/** A whole line, what its hex fields stand for included. */
function bytesOf({ cell, args, ...rest }: Line): Uint8Array {
  return Buffer.concat([Buffer.from(JSON.stringify(rest)), fromHex(cell ?? args ?? '')]);
}
