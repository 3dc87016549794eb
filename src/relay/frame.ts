import { HEADER_BYTES, MAX_HEADERS, MAX_TAKEN_TEXT_BYTES, PART_BYTES } from './limits.ts';
import { RelayError } from './relay-error.ts';

interface FrameShape {
  readonly code: number;
  readonly min: number;
  readonly max: number;
}

/** Type bytes and payload lengths: the table of spec/relay.md section 5.2. */
const SHAPES = {
  HELLO: fixed(0x01, 64),
  FORWARD: fixed(0x02, 2084),
  BACK: fixed(0x03, 4104),
  COLLECT: fixed(0x04, 18),
  ACK: fixed(0x05, 18),
  RECEIPT: fixed(0x06, 100),
  DIRECTORY_GET: fixed(0x07, 33),
  DIRECTORY_DATA: { code: 0x08, min: 4, max: 4 + PART_BYTES },
  HEADERS_GET: fixed(0x09, 6),
  HEADERS: { code: 0x0a, min: 0, max: MAX_HEADERS * HEADER_BYTES },
  DIRECTORY_PUT: { code: 0x0b, min: 6, max: 5 + PART_BYTES },
  DIRECTORY_TAKEN: { code: 0x0c, min: 1, max: 1 + MAX_TAKEN_TEXT_BYTES },
  IN: fixed(0x11, 2048),
  OUT: fixed(0x12, 4104),
  QUOTA: fixed(0x13, 10),
} as const satisfies Record<string, FrameShape>;

export type FrameType = keyof typeof SHAPES;

/** No question takes more: a part of a DIRECTORY_PUT is the longest. */
export const MAX_QUESTION_BYTES = SHAPES.DIRECTORY_PUT.max;

export interface Frame {
  readonly type: FrameType;
  /** 32 bits, chosen by the side that asks; the answer repeats it. */
  readonly id: number;
  readonly payload: Uint8Array;
}

const VERSION = 1;
const LENGTH_BYTES = 4;
const HEAD_BYTES = 10;

const typeOfCode = new Map(
  Object.entries(SHAPES).map(([type, { code }]) => [code, type as FrameType]),
);

function fixed(code: number, length: number): FrameShape {
  return { code, min: length, max: length };
}

/**
 * `len u32 | version u8 | type u8 | id u32 | payload` (spec/relay.md section 5.1), where len counts
 * what follows it.
 * @throws RangeError when the payload's length is not one that the type allows.
 */
export function encodeFrame({ type, id, payload }: Frame): Uint8Array {
  if (!lengthAllowed(type, payload.length)) throw new RangeError(`no ${type} has this length`);
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - LENGTH_BYTES);
  view.setUint8(4, VERSION);
  view.setUint8(5, SHAPES[type].code);
  view.setUint32(6, id);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/**
 * Cuts a byte stream into frames. Each payload is a copy of its own, so that a frame that waits does
 * not hold the chunk it came in; each byte is copied once, whatever the chunks. Memory: one frame.
 */
export class FrameDecoder {
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFilled = 0;
  #frame: Frame | undefined;
  #payloadFilled = 0;
  readonly #maxPayload: number;

  /** `maxPayload`: what no frame from this peer passes, so that a head alone reserves no more. */
  constructor(maxPayload = Infinity) {
    this.#maxPayload = maxPayload;
  }

  /**
   * The frames that this chunk completes.
   * @throws RelayError BAD_FRAME as soon as a head is wrong, and at every call from then on.
   */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let offset = 0;
    do {
      if (this.#frame === undefined) {
        const part = chunk.subarray(offset, offset + HEAD_BYTES - this.#headFilled);
        this.#head.set(part, this.#headFilled);
        this.#headFilled += part.length;
        offset += part.length;
        if (this.#headFilled < HEAD_BYTES) break;
        this.#frame = frameOfHead(this.#head, this.#maxPayload);
        this.#payloadFilled = 0;
      }
      const { payload } = this.#frame;
      const part = chunk.subarray(offset, offset + payload.length - this.#payloadFilled);
      payload.set(part, this.#payloadFilled);
      this.#payloadFilled += part.length;
      offset += part.length;
      if (this.#payloadFilled < payload.length) break;
      frames.push(this.#frame);
      this.#frame = undefined;
      this.#headFilled = 0;
    } while (offset < chunk.length);
    return frames;
  }
}

function frameOfHead(head: Uint8Array, maxPayload: number): Frame {
  const view = new DataView(head.buffer, head.byteOffset);
  const type = typeOfCode.get(view.getUint8(5));
  const length = view.getUint32(0) + LENGTH_BYTES - HEAD_BYTES;
  if (view.getUint8(4) !== VERSION) throw new RelayError('BAD_FRAME', 'version not known');
  if (type === undefined) throw new RelayError('BAD_FRAME', 'type not known');
  if (!lengthAllowed(type, length) || length > maxPayload) {
    throw new RelayError('BAD_FRAME', `length of ${type}`);
  }
  return { type, id: view.getUint32(6), payload: new Uint8Array(length) };
}

function lengthAllowed(type: FrameType, length: number): boolean {
  const { min, max } = SHAPES[type];
  return length >= min && length <= max && (type !== 'HEADERS' || length % HEADER_BYTES === 0);
}
