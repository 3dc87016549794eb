/** Sizes and bounds of the relay protocol: spec/relay.md sections 2, 5 and 7. Bytes unless named. */

/** A request cell on the wire. */
export const CELL_BYTES = 2048;

/** A reply body on the wire. */
export const REPLY_BYTES = 4096;

/** What a request may take inside a cell: 2048 less header 7, enc 32, tag 16 and length 2. */
export const MAX_REQUEST_BYTES = 1991;

/** What a reply may take inside a body: 4096 less nonce 32, tag 16 and length 2. */
export const MAX_SIGNED_REPLY_BYTES = 4046;

export const NODE_ID_BYTES = 16;
export const MAILBOX_BYTES = 16;
export const MAX_TOKEN_BYTES = 64;
export const MAX_CURSOR_BYTES = 36;

/** The largest data of one frame that carries a part of something longer. */
export const PART_BYTES = 4064;

/** The largest text the directory frames carry: a consensus of 10,000 nodes takes half of it. */
export const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024;

/** What one DIRECTORY_PUT brings, all parts together; a descriptor takes at most 8 KiB of it. */
export const MAX_PUT_BYTES = 64 * 1024;

/** Why something was not taken: a line for the operator. */
export const MAX_TAKEN_TEXT_BYTES = 200;

export const HEADER_BYTES = 80;
export const MAX_HEADERS = 2016;

/** How far a request's minute may lie from the gateway's. */
export const MAX_SKEW_MINUTES = 10;

/** Cells that a gateway remembers at one time. */
export const REPLAY_CACHE_ENTRIES = 1_000_000;
