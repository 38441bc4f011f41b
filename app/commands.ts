/** The commands that are not roles: they ask, make or check something, and end. */
import { type Command, Option } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { addChangeCommands } from './change-commands.ts';
import { readConfig } from './config.ts';
import { addDemoCommand } from './demo-command.ts';
import { addDeployCommands } from './deploy-commands.ts';
import { addDrillCommand } from './drill-command.ts';
import { addIncidentCommands, addSilenceCommands } from './incident-commands.ts';
import { addKeyCommands } from './key-commands.ts';
import { addOncallCommands } from './oncall-commands.ts';
import { addRouteCommands } from './route-commands.ts';
import type { Role } from './settings.ts';
import { addSloCommands } from './slo-commands.ts';
import { addTopCommand } from './top-command.ts';
import { addValidateCommands } from './validate-command.ts';

const CHECKED_ROLES = ['service', 'api', 'worker', 'router', 'simulators', 'start'] as const;

export function addCommands(program: Command): void {
  configCommand(program);
  addKeyCommands(program);
  addDeployCommands(program);
  addSloCommands(program);
  addOncallCommands(program);
  addIncidentCommands(program);
  addSilenceCommands(program);
  addChangeCommands(program);
  addDrillCommand(program);
  addDemoCommand(program);
  addRouteCommands(program);
  addTopCommand(program);
  addValidateCommands(program);
  program
    .command('build', { hidden: true })
    .description('builds the console’s page; needs the development dependencies')
    .action(async () => {
      const { buildPage } = await import('#console/build.ts');
      await buildPage();
    });
  program
    .command('prepare', { hidden: true })
    .description('builds what the first start would have to build')
    .action(async () => {
      const { prepareImages } = await import('./database.ts');
      await prepareImages(systemClock);
    });
}

function configCommand(program: Command): void {
  program
    .command('config')
    .description('the configuration')
    .command('check')
    .description('reads the environment as a role would, and names every fault at once; exit code 1 if there is one')
    .addOption(new Option('--role <role>', 'as which role').choices(CHECKED_ROLES).default('service'))
    .option('--json', 'as JSON')
    .action((options: { role: Role; json?: boolean }) => {
      const outcome = readConfig(options.role);
      const faults = outcome.kind === 'faults' ? outcome.faults : [];
      const warnings = outcome.kind === 'config' ? outcome.config.warnings : [];
      if (options.json) process.stdout.write(`${JSON.stringify({ ok: faults.length === 0, faults, warnings })}\n`);
      else {
        for (const { setting, message } of warnings) process.stdout.write(`warning  ${setting} ${message}\n`);
        for (const { setting, message } of faults) process.stdout.write(`fault    ${setting} ${message}\n`);
        if (faults.length === 0) process.stdout.write(`The configuration of ${options.role} is right.\n`);
      }
      process.exitCode = faults.length === 0 ? 0 : 1;
    });
}
