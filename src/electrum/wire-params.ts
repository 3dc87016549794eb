import { ELECTRUM_METHODS, type ElectrumArguments, type ElectrumMethod } from './protocol.ts';
import { ElectrumRpcError, RPC_CODE } from './rpc-error.ts';

/**
 * Parameters by position, which every server knows; without those at the end that were not given,
 * since not every server knows them all, and without what the method does not know.
 */
export function positionalParams(method: ElectrumMethod, params: unknown): unknown[] {
  const names = Object.keys(ELECTRUM_METHODS[method].params.shape);
  if (Array.isArray(params)) return params.slice(0, names.length);
  const given = new Map<string, unknown>(Object.entries(params ?? {}));
  const values = names.map((name) => given.get(name));
  return values.slice(0, values.findLastIndex((value) => value !== undefined) + 1);
}

/**
 * Reads the `params` of a request: by position, by name or absent. What is missing gets its
 * default, what is too much is ignored.
 * @throws ElectrumRpcError with -32602
 */
export function parseParams<M extends ElectrumMethod>(
  method: M,
  wire: unknown,
): ElectrumArguments[M] {
  const { params } = ELECTRUM_METHODS[method];
  const parsed = params.safeParse(byName(Object.keys(params.shape), wire));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = issue?.path.join('.') ?? '';
    throw new ElectrumRpcError(RPC_CODE.invalidParams, `invalid params: ${name || 'not a list'}`);
  }
  // The schema found by the method's name parses to that method's arguments.
  return parsed.data as ElectrumArguments[M];
}

function byName(names: readonly string[], wire: unknown): unknown {
  if (wire === undefined || wire === null) return {};
  if (!Array.isArray(wire)) return wire;
  const values: readonly unknown[] = wire;
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}
