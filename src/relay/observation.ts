import type { Cbor } from '../base/cbor.ts';
import type { NodeId } from '../directory/node-id.ts';

/** All that a role's code had in hand about one cell: what its operator could log. */
export type RelayObservation =
  | {
      readonly role: 'relay';
      /** Of the client's link. */
      readonly circuit: string;
      /** The gateway the cell is for. */
      readonly nodeId: NodeId;
      readonly cell: Uint8Array;
    }
  | {
      readonly role: 'gateway';
      /** Of the relay's link. */
      readonly circuit: string;
      readonly op: number;
      readonly args: Cbor;
    };

export type Observe = (event: RelayObservation) => void;
