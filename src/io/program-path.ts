import { createRequire } from 'node:module';

/** Where the build has a program, such as `cli/main.js`, from wherever this code runs. */
export function programPath(file: string): string {
  return createRequire(import.meta.url).resolve(`#build/${file}`);
}
