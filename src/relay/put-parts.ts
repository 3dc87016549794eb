import { concatBytes } from '../base/bytes.ts';
import { decodePut } from './frame-payload.ts';
import { type Frame } from './frame.ts';
import { LinkError } from './link-error.ts';

/** What a peer brought, whole. */
export interface Put {
  /** Of the frames that brought it, and of the answer. */
  readonly id: number;
  readonly kind: number;
  /** 1 to 65,536 bytes. */
  readonly bytes: Uint8Array;
}

interface Started {
  readonly id: number;
  readonly kind: number;
  readonly of: number;
  readonly held: Uint8Array[];
}

/** Puts the parts of DIRECTORY_PUT together, for one link: at most 64 KiB at a time. */
export class PutParts {
  #started: Started | undefined;

  /**
   * What is whole with this part, else undefined.
   * @throws RelayError BAD_FRAME; LinkError `protocol` when the part is not the next one.
   */
  take({ id, payload }: Frame): Put | undefined {
    const { kind, part, of, data } = decodePut(payload);
    const started = (this.#started ??= { id, kind, of, held: [] });
    const isNext = started.id === id && started.kind === kind && started.of === of;
    if (!isNext || part !== started.held.length) {
      throw new LinkError('protocol', 'parts out of order');
    }
    started.held.push(data);
    if (started.held.length < of) return undefined;
    this.#started = undefined;
    return { id, kind, bytes: concatBytes(...started.held) };
  }
}
