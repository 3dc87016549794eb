import { join } from 'node:path';
import { equalBytes, utf8 } from '../../base/bytes.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import type { Check } from '../finding.ts';
import { fine, warning } from '../outcome.ts';
import type { Plan } from '../plan.ts';

/** The rendered files are what sotto.yaml comes to: nobody changed them by hand. */
export function renderedFiles({ home, services }: Plan): Check {
  return {
    id: 'rendered-files',
    title: 'rendered files',
    async run() {
      const others: string[] = [];
      for (const { name: service, files } of services) {
        for (const { name, text } of files) {
          const held = await readIfPresent(join(home.config(service), name));
          if (held === undefined || !equalBytes(held, utf8(text)))
            others.push(`${service}/${name}`);
        }
      }
      return others.length === 0
        ? fine('as sotto.yaml has it')
        : warning(
            `${others.join(', ')} differ from what sotto.yaml comes to`,
            'Write them anew, and start what reads them: sotto up',
          );
    },
  };
}
