// A host name → its addresses, by getent(1) instead of a thread of ours that nothing can end.
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type Ended, startProgram } from '../platform/run-program.ts';

interface Address {
  readonly address: string;
  readonly family: number;
}

/** `192.0.2.1  STREAM host` (getent(1), ahosts: as getaddrinfo(3) answers, thrice for three kinds of sockets). */
function addressesIn(output: string): Address[] {
  const found = output.split('\n').map((line) => line.split(/\s/, 1)[0] ?? '');
  return [...new Set(found)]
    .map((address) => ({ address, family: isIP(address) }))
    .filter(({ family }) => family !== 0);
}

function failureOf({ timedOut }: Ended, name: string): NodeJS.ErrnoException {
  const code = timedOut ? 'EAI_AGAIN' : 'ENOTFOUND';
  return Object.assign(new Error(`${code} ${name}`), { code });
}

/**
 * A `lookup` for node:net. Node's own asks getaddrinfo(3) in a thread, which goes on for 10 s and more where no name
 * server answers, and a process cannot exit meanwhile (NOTES.md). It is used where there is no getent.
 * `timeout`: milliseconds; `path`: the variable PATH.
 */
export function lookupUntil(timeout: number, path: string | undefined, stop: AbortSignal): LookupFunction {
  return (name, options, callback) => {
    const env = path === undefined ? {} : { PATH: path };
    const asking = startProgram('getent', ['ahosts', '--', name], { env, timeout });
    const end = (): void => asking.abandon();
    stop.addEventListener('abort', end, { once: true });
    void asking.finish('').then((ended) => {
      stop.removeEventListener('abort', end);
      if (ended.failure !== undefined) return void lookup(name, options, callback);
      const addresses = addressesIn(ended.stdout);
      const [first] = addresses;
      if (first === undefined) return void callback(failureOf(ended, name), '', 0);
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
