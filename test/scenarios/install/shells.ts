// The shells that the README's section "Install" is gone through with: one row each.
import { needTool } from '../../launcher/tool-fixture.ts';
import type { Bind } from '../../rig/root.ts';
import type { ShellName } from '../hooks/shell-session.ts';

export const INSTALLED_SHELLS: readonly ShellName[] = ['bash', 'zsh', 'fish'];

for (const shell of INSTALLED_SHELLS) needTool(`/usr/bin/${shell}`, shell);

/** The shells, which the rig's store does not have, in a root that has no other programs of the host. */
export const shellsAlone: readonly Bind[] = [
  ...INSTALLED_SHELLS.map((shell): Bind => ({ from: `/usr/bin/${shell}`, mode: 'read-only' })),
  { from: '/usr/lib', mode: 'read-only' },
  { from: '/usr/share', mode: 'read-only' },
  { from: '/dev/pts', mode: 'read-write' },
];
