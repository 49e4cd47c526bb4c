// Environment variables → the settings they make.
import { ForeignError } from '../errors.ts';
import { KEYS, type Key, LONGEST_TIMEOUT, type Settings, VARIABLES } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

function refused(variable: string, what: string): ForeignError {
  return new ForeignError(`${variable} must be ${what}`, {
    code: 'configuration',
    hint: `correct it, or: unset ${variable}`,
    exitCode: 125,
  });
}

function settingOf(key: Key, variable: string, text: string): boolean | number {
  if (key !== 'source-timeout') {
    if (text !== '0' && text !== '1') throw refused(variable, '0 or 1');
    return text === '1';
  }
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT) return seconds;
  throw refused(variable, `a number of seconds above 0 and up to ${LONGEST_TIMEOUT}`);
}

/** What variables settle; an empty one settles nothing. @throws ForeignError `configuration`. */
export function settingsOfEnvironment(env: Environment): Partial<Settings> {
  return Object.fromEntries(
    KEYS.flatMap((key) => {
      const variable = VARIABLES[key];
      const text = variable === undefined ? undefined : env[variable];
      return variable === undefined || text === undefined || text === ''
        ? []
        : [[key, settingOf(key, variable, text)]];
    }),
  );
}
