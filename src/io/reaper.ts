import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Cleans up after this process however it ends, a kill -9 included. */
export interface Reaper extends AsyncDisposable {
  /** The leader of a process group, as every `Child` is. */
  watchProcess(pid: number): void;
  /** To be said once the group has ended, because its number may be given to others. */
  forgetProcess(pid: number): void;
  /** An absolute path. */
  watchDirectory(path: string): void;
}

/** Reads what to watch until its input ends, with this process or by disposing; then clears up. */
const PROGRAM = `
pids=' '
while IFS= read -r line; do
  value=\${line#* }
  case $line in
    'process '*) pids="$pids$value " ;;
    'forget '*) pids="\${pids%% $value *} \${pids#* $value }" ;;
    'directory '*) set -- "$@" "$value" ;;
  esac
done
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
export async function startReaper(): Promise<Reaper> {
  const shell = spawn('/bin/sh', ['-c', PROGRAM, 'sotto-reaper'], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(shell, 'spawn');
  const ended = once(shell, 'exit');
  shell.stdin.on('error', () => undefined);
  const say = (line: string): void => void shell.stdin.write(`${line}\n`);
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
      shell.stdin.end();
      await ended;
    },
  };
}
