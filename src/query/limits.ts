/** Bounds of what is asked and answered inside a cell: spec/relay.md section 4. Bytes unless named. */

/** What the body of a reply may take: 4046, less what the other fields take at most, which is 151. */
export const MAX_BODY_BYTES = 3895;

/** A transaction that nodes relay weighs at most 400,000 units, so it is never longer. */
export const MAX_TRANSACTION_BYTES = 400_000;

/** Every part of a broadcast but the last. */
export const BROADCAST_PART_BYTES = 1800;

export const MAX_BROADCAST_PARTS = Math.ceil(MAX_TRANSACTION_BYTES / BROADCAST_PART_BYTES);

/** Levels of a merkle tree: far more than any block can have. */
export const MAX_BRANCH_HASHES = 30;

export const MAX_SATOSHIS = 2_100_000_000_000_000;
export const MAX_U32 = 0xffff_ffff;
