/** Bytes of a descriptor note, signatures included. */
export const MAX_DESCRIPTOR_BYTES = 8192;

/** Bytes of a consensus note: 10,000 nodes of at most 400 bytes, and 200,000 bytes for the rest. */
export const MAX_CONSENSUS_BYTES = 4_200_000;

/** Bytes of the text of a vote: 10,000 nodes of at most 129 bytes, and 10,000 bytes for the rest. */
export const MAX_VOTE_BYTES = 1_300_000;

/** Bytes of a vote note: as many signatures as a note can hold, with the longest names. */
export const MAX_VOTE_NOTE_BYTES = MAX_VOTE_BYTES + 65_536;

/** Nodes in a consensus. */
export const MAX_NODES = 10_000;

/** Parameters in a consensus. */
export const MAX_PARAMS = 64;

/** Signature lines of one note, those of unknown signers included. */
export const MAX_SIGNATURES = 64;

/** A weight is linear in satoshis, and there are not more of them than this. */
export const MAX_WEIGHT = 21_000_000 * 100_000_000;

/** Node ids in a family line. */
export const MAX_FAMILY = 100;

/** How long a descriptor can be used. */
export const MAX_DESCRIPTOR_SECONDS = 48 * 3600;

/** How long a consensus can be used. */
export const MAX_CONSENSUS_SECONDS = 24 * 3600;

/** How far back nodes keep consensuses, and so how far back a client follows their chain. */
export const CHAIN_SECONDS = 7 * 24 * 3600;

/**
 * Consensuses of `CHAIN_SECONDS`, and of the day for which the one before them is valid, with one every 6
 * hours. With more in that time a client could neither follow their chain nor do without it.
 */
export const MAX_CHAIN = 32;
