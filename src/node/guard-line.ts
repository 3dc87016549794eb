import * as z from 'zod';
import { type ElectrumMethod, isElectrumMethod } from '../electrum/protocol.ts';
import { ElectrumRpcError, errorReply, RPC_CODE } from '../electrum/rpc-error.ts';
import { idOf, parseRequest } from '../electrum/rpc-request.ts';
import { parseParams, positionalParams } from '../electrum/wire-params.ts';

/** One request that may pass. */
export interface Question {
  readonly id: string | number;
  readonly method: ElectrumMethod;
  /** The script hash that it is about. */
  readonly script?: string;
}

/** What a client's line is. */
export type GuardedLine =
  | {
      readonly kind: 'questions';
      readonly questions: readonly Question[];
      /** Written anew from what was understood: no server can read it in another way. */
      readonly text: string;
    }
  | {
      readonly kind: 'refused';
      readonly reply: string;
      readonly requests: number;
      /** No client of the protocol sends such a line. */
      readonly isMistake: boolean;
    };

/** A reply finds its request by it; without one there would be no telling what is still unanswered. */
const questionId = z.union([z.string(), z.number()]);

/** Reads one line of a client. Only requests of the Electrum protocol, whole and well-formed, pass. */
export function readGuardedLine(line: string, maxBatch: number): GuardedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return mistake(new ElectrumRpcError(RPC_CODE.parseError, 'not JSON'));
  }
  if (Array.isArray(value)) return readBatch(value, maxBatch);
  try {
    const { question, request } = passed(value);
    return { kind: 'questions', questions: [question], text: JSON.stringify(request) };
  } catch (error) {
    return refused(errorReply(idOf(value), refusalOf(error)), [error]);
  }
}

/** A batch passes whole or not at all: its reply is one line, and has one author. */
function readBatch(values: readonly unknown[], maxBatch: number): GuardedLine {
  if (values.length === 0 || values.length > maxBatch) {
    return mistake(
      new ElectrumRpcError(RPC_CODE.invalidRequest, `a batch has 1 to ${maxBatch} requests`),
    );
  }
  const passing: Passed[] = [];
  const errors = new Map<unknown, unknown>();
  for (const value of values) {
    try {
      passing.push(passed(value));
    } catch (error) {
      errors.set(value, error);
    }
  }
  if (errors.size === 0) {
    const questions = passing.map(({ question }) => question);
    const text = JSON.stringify(passing.map(({ request }) => request));
    return { kind: 'questions', questions, text };
  }
  const asWell = new ElectrumRpcError(RPC_CODE.invalidRequest, 'refused with its batch');
  const replies = values.map((value) =>
    errorReply(idOf(value), errors.has(value) ? refusalOf(errors.get(value)) : asWell),
  );
  return refused(`[${replies.join(',')}]`, [...errors.values()], values.length);
}

interface Passed {
  readonly question: Question;
  readonly request: unknown;
}

class NoRequestError extends ElectrumRpcError {}

/** @throws ElectrumRpcError */
function passed(value: unknown): Passed {
  const parsed = parseRequest(value);
  const id = questionId.safeParse(parsed?.id);
  if (parsed === undefined || !id.success) {
    throw new NoRequestError(RPC_CODE.invalidRequest, 'not a request');
  }
  const { method } = parsed;
  if (!isElectrumMethod(method)) {
    throw new ElectrumRpcError(RPC_CODE.methodNotFound, 'unknown method');
  }
  const { scripthash } = parseParams(method, parsed.params) as { readonly scripthash?: string };
  const params = positionalParams(method, parsed.params);
  return {
    question: { id: id.data, method, ...(scripthash !== undefined && { script: scripthash }) },
    request: { jsonrpc: '2.0', method, params, id: id.data },
  };
}

function refusalOf(error: unknown): ElectrumRpcError {
  if (error instanceof ElectrumRpcError) return error;
  throw error;
}

function mistake(error: ElectrumRpcError): GuardedLine {
  return { kind: 'refused', reply: errorReply(null, error), requests: 1, isMistake: true };
}

function refused(reply: string, errors: readonly unknown[], requests = 1): GuardedLine {
  const isMistake = errors.some((error) => error instanceof NoRequestError);
  return { kind: 'refused', reply, requests, isMistake };
}
