// Variables for proxies, as curl(1) and so Nix read them → the same for Node's agents, which read them otherwise.
import type { Environment } from './tool-environment.ts';

/** Node asks no proxy that is named without a scheme, nor with one in capitals; to curl it is one of http. */
function withScheme(proxy: string): string {
  const [, scheme = 'http', rest = proxy] = /^([a-z][\w+.-]*):\/\/(.*)$/i.exec(proxy) ?? [];
  return `${scheme.toLowerCase()}://${rest}`;
}

/**
 * Curl's words stand for a host and all below it, and `*` is a pattern only where it is all there is. Node's stand for
 * the host alone, and one with a dot before it for all names that end so: `.corp.example` for `notcorp.example`, too.
 * Blanks between them are as good as commas, as to curl until 2024; since then it reads no further at one (its pull
 * request 13789).
 */
function exceptions(words: string): string {
  if (words === '*') return words;
  const names = words
    .split(/[\s,]+/)
    .map((each) => each.replace(/^\.+|\.+$/g, '').replace(/^\[(.*)\]$/, '$1'));
  return names.flatMap((each) => (/^$|^\*/.test(each) ? [] : [each, `*.${each}`])).join();
}

/**
 * For `proxyEnv` of an agent. As curl has it, empty is unset and HTTP_PROXY does not count, as that is what a CGI gets
 * from the header of a request (curl(1), ENVIRONMENT). Ranges such as `10.0.0.0/8` are no words of Node's, and proxies
 * of SOCKS are not asked.
 */
export function proxyEnvironment(env: Environment): NodeJS.ProcessEnv {
  const every = env['all_proxy'] || env['ALL_PROXY'];
  const proxies = {
    http_proxy: env['http_proxy'] || every,
    https_proxy: env['https_proxy'] || env['HTTPS_PROXY'] || every,
  };
  const named = Object.entries(proxies).flatMap(([name, proxy]) =>
    proxy ? [[name, withScheme(proxy)]] : [],
  );
  return { ...Object.fromEntries(named), no_proxy: exceptions(env['no_proxy'] || env['NO_PROXY'] || '') };
}
