import process from 'node:process';
import { type Child, startChild } from '../../io/child-process.ts';
import { rotatingLog } from '../../io/rotating-log.ts';
import type { Reaper } from '../../io/reaper.ts';
import { WholeLines } from '../../io/whole-lines.ts';
import type { Plan } from '../plan.ts';
import type { ServiceSpec } from '../service.ts';
import { beforeTor } from './before-tor.ts';
import { findCommand } from './find-programs.ts';
import { LOG_FILE_BYTES, LOG_FILES, markOf, serviceLogOf } from './run-files.ts';

export interface StartServiceOptions {
  readonly plan: Pick<Plan, 'config' | 'home'>;
  readonly reaper: Reaper;
  readonly signal: AbortSignal;
}

/** What a program needs of the environment. The rest may hold the person's secrets and proxies. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH'];
const MAX_LINE_BYTES = 16 * 1024;

/** Starts one service; what it prints goes to its log. @throws when there is no such program. */
export async function startService(
  spec: ServiceSpec,
  { plan, reaper, signal }: StartServiceOptions,
): Promise<Child> {
  const { home, config } = plan;
  if (spec.name === 'tor') await beforeTor(plan);
  const log = rotatingLog({
    path: serviceLogOf(home, spec.name),
    maxBytes: LOG_FILE_BYTES,
    files: LOG_FILES,
  });
  const lines = { stdout: new WholeLines(MAX_LINE_BYTES), stderr: new WholeLines(MAX_LINE_BYTES) };
  const child = await startChild({
    ...(await findCommand(spec, config)),
    env: environmentOf(plan),
    isolateEnv: true,
    cwd: spec.dataDirectory ?? home.directory,
    onOutput: (bytes, from) => log.append(lines[from].push(bytes)),
    signal,
    stopTimeoutMs: spec.stopSeconds * 1000,
    reaper,
  });
  const exited = child.exited.then(async (exit) => {
    for (const from of ['stdout', 'stderr'] as const) await log.append(lines[from].end());
    await log[Symbol.asyncDispose]();
    return exit;
  });
  return { ...child, exited };
}

function environmentOf({ home }: Pick<Plan, 'home'>): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const mark = markOf(home);
  return { ...Object.fromEntries(passed), [mark.name]: mark.value };
}
