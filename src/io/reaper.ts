import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { FileLock } from './file-lock.ts';

/** Cleans up after this process however it ends, a kill -9 included. */
export interface Reaper extends AsyncDisposable {
  /** The leader of a process group, as every `Child` is. */
  watchProcess(pid: number): void;
  /** To be said once the group has ended, because its number may be given to others. */
  forgetProcess(pid: number): void;
  /** An absolute path. */
  watchDirectory(path: string): void;
}

export interface ReaperOptions {
  /** How long the watched groups may take to end by themselves after SIGTERM. Absent: none. */
  readonly graceSeconds?: number;
  /** Held until all is cleared up, after this process has ended too. */
  readonly lock?: FileLock;
}

/** Reads what to watch until its input ends, with this process or by disposing; then clears up. */
const PROGRAM = `
grace=$1
shift
pids=' '
while IFS= read -r line; do
  value=\${line#* }
  case $line in
    'process '*) pids="$pids$value " ;;
    'forget '*) pids="\${pids%% $value *} \${pids#* $value }" ;;
    'directory '*) set -- "$@" "$value" ;;
  esac
done
runs() { grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; }
any_runs() { for pid in $pids; do runs "$pid" && return; done; return 1; }
if [ "$grace" -gt 0 ]; then
  for pid in $pids; do kill -s TERM -- "-$pid"; done
  rounds=$((grace * 10))
  while any_runs && [ "$rounds" -gt 0 ]; do rounds=$((rounds - 1)); sleep 0.1; done
fi
for pid in $pids; do kill -s KILL -- "-$pid"; done
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$@" && exit
  sleep 0.1
done
`;

/**
 * Starts a shell that does nothing but wait for our end. It has a session of its own, so that a
 * Ctrl-C in the terminal does not reach it. Disposing it kills and removes what is still watched.
 */
export async function startReaper({ graceSeconds = 0, lock }: ReaperOptions = {}): Promise<Reaper> {
  const held = lock === undefined ? [] : [lock.descriptor];
  const shell = spawn('/bin/sh', ['-c', PROGRAM, 'sotto-reaper', String(graceSeconds)], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore', ...held],
  });
  await once(shell, 'spawn');
  const ended = once(shell, 'exit');
  const { stdin } = shell;
  if (stdin === null) throw new Error('the shell has no input');
  stdin.on('error', () => undefined);
  const say = (line: string): void => void stdin.write(`${line}\n`);
  return {
    watchProcess: (pid) => {
      say(`process ${pid}`);
    },
    forgetProcess: (pid) => {
      say(`forget ${pid}`);
    },
    watchDirectory: (path) => {
      if (!path.startsWith('/') || path.includes('\n')) {
        throw new RangeError('expected an absolute path of one line');
      }
      say(`directory ${path}`);
    },
    async [Symbol.asyncDispose]() {
      stdin.end();
      await ended;
    },
  };
}
