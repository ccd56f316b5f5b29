import { statfsSync } from 'node:fs';

// `f_type` of statfs(2) on Linux, from the kernel's magic.h and the file systems' own headers.
const NETWORK_TYPES: Record<number, string> = {
  0x0000564c: 'NCP',
  0x00006969: 'NFS',
  0x0000517b: 'SMB',
  0x00c36400: 'Ceph',
  0x01021997: '9p',
  0x01161970: 'GFS2',
  0x0bd00bd0: 'Lustre',
  0x19830326: 'BeeGFS',
  0x47504653: 'GPFS',
  0x5346414f: 'AFS',
  0x65735546: 'FUSE',
  0x6b414653: 'AFS',
  0x73757245: 'Coda',
  0x7461636f: 'OCFS2',
  0x786f4256: 'vboxsf',
  0xfe534d42: 'SMB',
  0xff534d42: 'CIFS',
};

/**
 * The name of the file system that holds `path` if it may be shared between
 * hosts, where the kernel's locks can be late, local or missing; else
 * `undefined`. Knows Linux only. Throws system errors when `path` is not there.
 */
export function networkFileSystem(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return networkFileSystemName(statfsSync(path, { bigint: true }).type);
}

/** The same for a type as statfs gives it. */
export function networkFileSystemName(type: bigint): string | undefined {
  // CIFS has its highest bit set, and comes sign-extended on some systems.
  return NETWORK_TYPES[Number(BigInt.asUintN(32, type))];
}
