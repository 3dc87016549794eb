import { toHex } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import { type LineFile, openLineFile } from '../io/line-file.ts';
import type { Observe } from '../relay/observation.ts';

export interface ObservationFile extends AsyncDisposable {
  readonly observe: Observe;
}

/**
 * Devnet only: keeps all that the roles' code had in hand, one JSON object a line, bytes in hex, so
 * that the demo can show what this node could have logged.
 */
export async function openObservationFile(path: string): Promise<ObservationFile> {
  const file: LineFile = await openLineFile(path);
  return {
    observe: (event) => {
      const bytes =
        event.role === 'relay'
          ? { cell: toHex(event.cell) }
          : { args: toHex(encodeCbor(event.args)) };
      file.append(JSON.stringify({ ...event, ...bytes }));
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
