import { toHex } from '../base/bytes.ts';
import { HEADER_BYTES } from '../bitcoin/block-header.ts';
import { HeaderProofs } from '../electrum/header-proofs.ts';
import { MAX_HEADERS } from '../electrum/protocol.ts';
import { compareVersions } from '../electrum/protocol-version.ts';
import { ElectrumRpcError, RPC_CODE } from '../electrum/rpc-error.ts';
import { type ElectrumHandlers } from '../electrum/session.ts';
import { type VerifiedHeaders } from '../lookup/lookup.ts';

type HeaderMethod = 'blockchain.block.header' | 'blockchain.block.headers';

/** Block headers, from the chain that was verified. */
export function headerHandlers(
  headers: Pick<VerifiedHeaders, 'tip' | 'rawAt'>,
): Required<Pick<ElectrumHandlers, HeaderMethod>> {
  const proofs = new HeaderProofs((start, count) => headers.rawAt(start, count));
  const checkCheckpoint = (height: number, checkpoint: number): void => {
    if (height <= checkpoint && checkpoint <= headers.tip.height) return;
    throw outOfRange(`cp_height ${checkpoint} must be from ${height} to ${headers.tip.height}`);
  };
  return {
    'blockchain.block.header': async ({ height, cp_height: checkpoint }) => {
      const header = toHex(headers.rawAt(height, 1));
      if (header === '') throw outOfRange(`Height ${height} is out of range`);
      if (checkpoint === 0) return header;
      checkCheckpoint(height, checkpoint);
      return { header, ...(await proofs.proofOf(height, checkpoint)) };
    },
    'blockchain.block.headers': async (
      { start_height: start, count: asked, cp_height: checkpoint },
      { session },
    ) => {
      const hex = toHex(headers.rawAt(start, Math.min(asked, MAX_HEADERS)));
      const count = hex.length / HEX_CHARS;
      const listed = compareVersions(session.protocol, '1.6') >= 0;
      const reply = { count, max: MAX_HEADERS, ...(listed ? { headers: split(hex) } : { hex }) };
      if (checkpoint === 0 || count === 0) return reply;
      const last = start + count - 1;
      checkCheckpoint(last, checkpoint);
      return { ...reply, ...(await proofs.proofOf(last, checkpoint)) };
    },
  };
}

const HEX_CHARS = 2 * HEADER_BYTES;

function split(hex: string): string[] {
  return Array.from({ length: hex.length / HEX_CHARS }, (_, index) =>
    hex.slice(index * HEX_CHARS, (index + 1) * HEX_CHARS),
  );
}

function outOfRange(message: string): ElectrumRpcError {
  return new ElectrumRpcError(RPC_CODE.badRequest, message);
}
