import process from 'node:process';
import {
  Listr,
  type ListrDefaultRendererLogLevels,
  ListrLogger,
  type ListrLogLevels,
  ProcessOutput,
} from 'listr2';

export interface Step {
  readonly title: string;
  /** Resolves to what came of it, in a few words. */
  run(detail: (text: string) => void): Promise<string>;
}

/** Runs steps one after the other and shows on stderr where they are: live in a terminal, else as lines. */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const tasks = new Listr<undefined>(
    steps.map((step) => ({
      title: step.title,
      task: async (_context, task) => {
        const outcome = await step.run((text) => {
          task.output = text;
        });
        task.title = `${step.title}: ${outcome}`;
      },
    })),
    {
      rendererOptions: {
        logger: new ListrLogger<ListrDefaultRendererLogLevels>({ processOutput }),
      },
      fallbackRenderer: 'simple',
      fallbackRendererCondition: () => !process.stderr.isTTY,
      fallbackRendererOptions: { logger: new ListrLogger<ListrLogLevels>({ processOutput }) },
      registerSignalListeners: false,
    },
  );
  await tasks.run();
}

/** One step, whose value the next one needs. `outcome`: what came of it, in a few words. */
export async function runStep<T>(
  title: string,
  run: (detail: (text: string) => void) => Promise<{ readonly value: T; readonly outcome: string }>,
): Promise<T> {
  const held: { value?: T } = {};
  const step = async (detail: (text: string) => void): Promise<string> => {
    const { value, outcome } = await run(detail);
    held.value = value;
    return outcome;
  };
  await runSteps([{ title, run: step }]);
  return held.value as T;
}
