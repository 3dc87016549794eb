import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type Bench, formatReport } from './harness.ts';

// npm run bench [-- NAME...]: prints tables and writes bench/results/NAME.json.

const SUFFIX = '.bench.js';
const RESULTS = 'bench/results';

const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));

if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(', ')}; there are: ${all.join(', ')}`);
  process.exitCode = 2;
} else {
  mkdirSync(RESULTS, { recursive: true });
  for (const name of asked.length > 0 ? asked : all) {
    const { bench } = (await import(`./${name}${SUFFIX}`)) as Bench;
    const reports = await bench();
    for (const report of reports) console.log(formatReport(report));
    const result = { node: process.version, date: new Date().toISOString(), reports };
    writeFileSync(`${RESULTS}/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
  }
}
